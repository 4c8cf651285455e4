"""Plays cases in vectorbt: python peer_vectorbt.py CASES.json RESULTS.json"""
import json
import sys
import warnings

import numpy as np
import pandas as pd

warnings.filterwarnings("ignore")
import vectorbt as vbt  # noqa: E402


def operand(bars, x):
    close = bars.Close
    if x[0] == "close":
        return close
    if x[0] == "lag":
        return close.shift(x[1])
    if x[0] in ("sma", "ema"):
        return vbt.MA.run(close, x[1], ewm=x[0] == "ema").ma.rename("Close")
    if x[0] == "highest":
        return bars.High.rolling(x[1]).max().shift(1)
    if x[0] == "lowest":
        return bars.Low.rolling(x[1]).min().shift(1)
    return pd.Series(x[1], close.index)


def signal(bars, cond):
    if not cond:
        return pd.Series(False, bars.index)
    x, y = (pd.Series(np.asarray(operand(bars, o), float), bars.index) for o in cond[1:])
    if cond[0] == "cross_up":
        return x.vbt.crossed_above(y)
    if cond[0] == "cross_down":
        return y.vbt.crossed_above(x)
    return x > y if cond[0] == "above" else x < y


def play(c):
    rows = c["bars"]
    bars = pd.DataFrame([r[1:] for r in rows], columns=["Open", "High", "Low", "Close", "Volume"], index=pd.DatetimeIndex([r[0] for r in rows]))
    long, short = c["long"], c["short"]
    one = long or short
    size = {"shares": ("amount", c["size"].get("shares")), "value": ("value", c["size"].get("value")), "weight": ("amount", np.inf)}[next(iter(c["size"]))]
    rules = lambda side, key: signal(bars, side and side[key]).to_numpy()
    pf = vbt.Portfolio.from_signals(
        bars.Close, open=bars.Open, high=bars.High, low=bars.Low,
        entries=rules(long, "entry"), exits=rules(long, "exit"), short_entries=rules(short, "entry"), short_exits=rules(short, "exit"),
        sl_stop=np.nan if one["stop"] is None else one["stop"], tp_stop=np.nan if one["target"] is None else one["target"],
        size_type=size[0], size=size[1], fees=c["commission"].get("bps", 0) / 1e4, fixed_fees=c["commission"].get("per_order", 0.0),
        slippage=c["slippage"] / 1e4, init_cash=c["cash"], freq="1D")
    date = lambda i: rows[int(i)][0]
    trades = [["long" if t["direction"] == 0 else "short", t["size"], date(t["entry_idx"]), t["entry_price"], date(t["exit_idx"]), t["exit_price"], t["status"] == 0]
              for t in pf.trades.records.to_dict("records")]
    return {"trades": trades, "equity": float(pf.final_value())}


cases = json.load(open(sys.argv[1]))
json.dump([play(c) for c in cases], open(sys.argv[2], "w"), default=lambda x: x.item())

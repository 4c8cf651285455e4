"""Plays cases in backtesting.py: python peer_backtesting.py CASES.json RESULTS.json"""
import json
import sys
import warnings

import numpy as np
import pandas as pd
from backtesting import Backtest, Strategy
from backtesting.lib import crossover

warnings.filterwarnings("ignore")
import backtesting.backtesting as bt  # noqa: E402

bt._tqdm = lambda x, **_: x  # no progress bars


def average(x, n):
    return pd.Series(x).rolling(n).mean().to_numpy()


def exponential(x, n):
    out, x = np.full(len(x), np.nan), np.asarray(x, float)
    if len(x) < n:
        return out
    e = out[n - 1] = x[:n].mean()
    for i in range(n, len(x)):
        e = out[i] = e + 2 / (n + 1) * (x[i] - e)
    return out


def extreme(x, n, f):
    return getattr(pd.Series(x).rolling(n), f)().to_numpy()


def strategy(c):
    class Case(Strategy):
        def init(self):
            self.series = {}
            for side in (c["long"], c["short"]):
                for cond in (side and side["entry"], side and side["exit"]):
                    for x in cond[1:] if cond else ():
                        key = json.dumps(x)
                        d = self.data
                        if x[0] == "sma":
                            self.series[key] = self.I(average, d.Close, x[1])
                        elif x[0] == "ema":
                            self.series[key] = self.I(exponential, d.Close, x[1])
                        elif x[0] == "highest":
                            self.series[key] = self.I(extreme, d.High, x[1], "max")
                        elif x[0] == "lowest":
                            self.series[key] = self.I(extreme, d.Low, x[1], "min")
            self.indicators = list(self.series.values())  # backtesting.py finds them as attributes
            for k, s in enumerate(self.indicators):
                setattr(self, f"indicator{k}", s)
            self.names = {key: f"indicator{k}" for k, key in enumerate(self.series)}
            self.entered = None

        def value(self, x):
            if x[0] == "close":
                return self.data.Close
            if x[0] == "level":
                return x[1]
            if x[0] == "lag":
                return self.before(self.data.Close, x[1])
            series = getattr(self, self.names[json.dumps(x)])
            return self.before(series, 1) if x[0] in ("highest", "lowest") else series

        def before(self, series, bars):
            series = np.asarray(series)
            return np.concatenate([np.full(min(bars, len(series)), np.nan), series])[: len(series)]

        def true(self, cond):
            x, y = self.value(cond[1]), self.value(cond[2])
            if cond[0] == "cross_up":
                return crossover(x, y)
            if cond[0] == "cross_down":
                return crossover(y, x)
            last = lambda v: v if isinstance(v, float) else v[-1]
            return bool(last(x) > last(y) if cond[0] == "above" else last(x) < last(y))

        def order(self, side, up):
            close = self.data.Close[-1]
            at = lambda key: None if side[key] is None else close + side[key]
            price = {side["order"]: at("price")} if side["order"] != "market" else {}
            size = c["size"].get("shares") or c["size"]["weight"]
            (self.buy if up else self.sell)(size=size, sl=at("stop"), tp=at("target"), **price)

        def next(self):
            long, short = c["long"], c["short"]
            go_long, go_short = bool(long and self.true(long["entry"])), bool(short and self.true(short["entry"]))
            if not self.position:
                if not self.orders and go_long != go_short:
                    self.order(long if go_long else short, go_long)
                return
            side = long if self.position.is_long else short
            held = len(self.data) - self.trades[-1].entry_bar
            reverse = go_short and not go_long if self.position.is_long else go_long and not go_short
            if reverse and not any(not o.is_contingent for o in self.orders):
                self.position.close()
                self.order(short if self.position.is_long else long, not self.position.is_long)
            elif side["exit"] and self.true(side["exit"]) or side["max_bars"] and held >= side["max_bars"]:
                self.position.close()

    return Case


def play(c):
    rows = c["bars"]
    frame = pd.DataFrame([r[1:] for r in rows], columns=["Open", "High", "Low", "Close", "Volume"], index=pd.DatetimeIndex([r[0] for r in rows]))
    k = c["commission"]
    test = Backtest(frame, strategy(c), cash=c["cash"], commission=(k.get("per_order", 0.0), k.get("bps", 0) / 1e4), finalize_trades=c["end"] == "open")
    out = test.run()
    date = lambda i: rows[int(i)][0]
    trades = [["long" if t.Size > 0 else "short", abs(t.Size), date(t.EntryBar), t.EntryPrice, date(t.ExitBar), t.ExitPrice, False] for t in out._trades.itertuples()]
    broker = out._strategy._broker
    for t in broker.trades:
        trades.append(["long" if t.size > 0 else "short", abs(t.size), date(t.entry_bar), t.entry_price, rows[-1][0], rows[-1][4], True])
    # The curve ends before finalize_trades closes what is open.
    equity = broker.equity if c["end"] == "open" else out["Equity Final [$]"]
    return {"trades": trades, "equity": float(equity)}


cases = json.load(open(sys.argv[1]))
json.dump([play(c) for c in cases], open(sys.argv[2], "w"))

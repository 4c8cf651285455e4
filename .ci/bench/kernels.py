"""Times the indicators of a library on bars and prints one JSON line: by kernel the CPU time in ns a bar
and values of its outputs, to be compared with ours.

usage: kernels.py talib|pandas_ta|polars|vectorbt FILE BARS

Where a library seeds or smooths differently, it is asked for what is nearest; values are compared
after the seeds have faded, and who still differs gets no time.
"""
import json
import os
import sys
import time

os.environ["POLARS_MAX_THREADS"] = "1"
import numpy as np
import pandas as pd


def talib(o, h, l, c):
    import talib as ta

    return {
        "sma 20": lambda: ta.SMA(c, 20), "ema 20": lambda: ta.EMA(c, 20), "macd 12 26 9": lambda: ta.MACD(c, 12, 26, 9)[2],
        "rsi 14": lambda: ta.RSI(c, 14), "atr 14": lambda: ta.ATR(h, l, c, 14), "stdev 20": lambda: ta.STDDEV(c, 20),
        "bbands 20": lambda: ta.BBANDS(c, 20, 2, 2)[0], "highest 20": lambda: ta.MAX(c, 20), "highest 252": lambda: ta.MAX(c, 252),
    }


def pandas_ta(o, h, l, c):
    import pandas_ta_classic as p

    h, l, c = pd.Series(h), pd.Series(l), pd.Series(c)
    own = dict(talib=False)
    return {
        "sma 20": lambda: p.sma(c, 20, **own), "ema 20": lambda: p.ema(c, 20, **own), "macd 12 26 9": lambda: p.macd(c, 12, 26, 9, **own).iloc[:, 1],
        "rsi 14": lambda: p.rsi(c, 14, **own), "atr 14": lambda: p.atr(h, l, c, 14, **own), "stdev 20": lambda: p.stdev(c, 20, ddof=0, **own),
        "bbands 20": lambda: p.bbands(c, 20, 2, ddof=0, **own).iloc[:, 2],
    }


def polars(o, h, l, c):
    import polars as pl

    h, l, c = pl.Series(h), pl.Series(l), pl.Series(c)

    def ema(x, n):
        return x.ewm_mean(span=n, adjust=False)

    def macd():
        line = ema(c, 12) - ema(c, 26)
        return line - ema(line, 9)

    def rsi():
        d = c.diff()
        up, down = d.clip(lower_bound=0).ewm_mean(alpha=1 / 14, adjust=False), (-d).clip(lower_bound=0).ewm_mean(alpha=1 / 14, adjust=False)
        return 100 * up / (up + down)

    def atr():
        p = c.shift(1)
        t = pl.select(pl.max_horizontal(h, p) - pl.min_horizontal(l, p)).to_series()
        return t.ewm_mean(alpha=1 / 14, adjust=False)

    def bands():
        return c.rolling_mean(20) + 2 * c.rolling_std(20, ddof=0)

    return {
        "sma 20": lambda: c.rolling_mean(20), "ema 20": lambda: ema(c, 20), "macd 12 26 9": macd, "rsi 14": rsi, "atr 14": atr,
        "stdev 20": lambda: c.rolling_std(20, ddof=0), "bbands 20": bands, "highest 20": lambda: c.rolling_max(20), "highest 252": lambda: c.rolling_max(252),
    }


def vectorbt(o, h, l, c):
    import vectorbt as v

    h, l, c = pd.Series(h), pd.Series(l), pd.Series(c)
    return {
        "sma 20": lambda: v.MA.run(c, 20).ma, "ema 20": lambda: v.MA.run(c, 20, ewm=True).ma,
        "macd 12 26 9": lambda: v.MACD.run(c, 12, 26, 9, macd_ewm=True, signal_ewm=True).hist, "rsi 14": lambda: v.RSI.run(c, 27, ewm=True).rsi,
        "atr 14": lambda: v.ATR.run(h, l, c, 27, ewm=True).atr, "stdev 20": lambda: v.MSTD.run(c, 20, ddof=0).mstd,
        "bbands 20": lambda: v.BBANDS.run(c, 20, alpha=2, ddof=0).upper,
    }


def main():
    who, path, bars = sys.argv[1], sys.argv[2], int(sys.argv[3])
    o, h, l, c = np.fromfile(path, dtype="<f8").reshape(4, bars)
    out = {}
    for name, f in globals()[who](o, h, l, c).items():
        values = np.asarray(f(), dtype=float)
        best = float("inf")
        for _ in range(7):
            start = time.process_time()
            f()
            best = min(best, time.process_time() - start)
        out[name] = dict(ns=best * 1e9 / bars, values=[x if np.isfinite(x) else None for x in values[5000::997].tolist()])
    print(json.dumps(out))


main()

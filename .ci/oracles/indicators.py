"""Makes backtest/indicator/testdata: bars, and what independent implementations say of them.

Oracles: TA-Lib (C), pandas-ta-classic, ferro-ta (Rust), and formulas written here with numpy and
pandas from the cited sources only, apart from the Go code. Run it to add rows:

    python3 -m venv venv && venv/bin/pip install TA-Lib==0.8.2 pandas-ta-classic==0.8.32 ferro-ta==1.6.0 numpy pandas
    venv/bin/python .ci/oracles/indicators.py backtest/indicator/testdata

A case says from which bar on it holds: where an oracle seeds a recursion differently, that is after
the seeds have faded.
"""
import json
import os
import sys
import warnings

import numpy as np
import pandas as pd
import talib as ta

warnings.filterwarnings("ignore")
BARS = 480


def walk(seed):
    """A random walk without ties, every bar with range and volume."""
    r = np.random.default_rng(seed)
    c = 100 * np.cumprod(1 + 0.012 * r.standard_normal(BARS))
    o = np.r_[100, c[:-1]] * (1 + 0.003 * r.standard_normal(BARS))
    h = np.maximum(o, c) * (1 + 0.006 * r.random(BARS))
    l = np.minimum(o, c) * (1 - 0.006 * r.random(BARS))
    v = np.round(1e6 * np.exp(0.5 * r.standard_normal(BARS)))
    return np.round(np.c_[o, h, l, c, v], 4)


def awkward(seed):
    """Cents and ties, flat stretches, bars without range or volume, a jump and a collapse."""
    r = np.random.default_rng(seed)
    rows, last = [], 20.0
    for i in range(BARS):
        o = round(last * (1 + 0.002 * r.standard_normal()), 1)
        c = round(o * (1 + 0.01 * r.standard_normal()), 1)
        h = round(max(o, c) + 0.1 * r.integers(0, 3), 1)
        l = round(min(o, c) - 0.1 * r.integers(0, 3), 1)
        v = float(r.integers(0, 5) * 100)
        if 100 <= i % 160 < 112:
            o = h = l = c = last
        if i == 200:
            o, h, l, c = [round(3 * x, 1) for x in (o, h, l, c)]
        if i == 300:
            o, h, l, c = [round(x / 2, 1) for x in (o, h, l, c)]
        rows.append((o, h, l, c, v))
        last = c
    return np.array(rows)


class Data:
    def __init__(self, name, m):
        self.name, self.m = name, np.ascontiguousarray(m)
        self.o, self.h, self.l, self.c, self.v = [np.ascontiguousarray(x) for x in self.m.T]
        self.session = np.arange(BARS) // 39
        self.anchor = (np.arange(BARS) % 23 == 5).astype(float)
        self.s = {k: pd.Series(getattr(self, k)) for k in "ohlcv"}


cases = []


def case(d, row, params, origin, outputs, start=0, every=5, series=None):
    """Keeps every fifth value from the first bar at which all outputs are there, or from start."""
    outputs = {k: np.asarray(v, dtype=float) for k, v in outputs.items()}
    valid = np.all([np.isfinite(v) for v in outputs.values()], axis=0)
    first = max(start, int(np.argmax(valid)))
    kept = {k: [None if not np.isfinite(x) else float("%.12g" % x) for x in v[first::every]] for k, v in outputs.items()}
    if sum(x is not None for v in kept.values() for x in v) < 30 * len(kept):
        raise SystemExit(f"{row} {params} on {d.name}: too few values from bar {first}")
    named = dict(series=series) if series else {}
    cases.append(dict(row=row, params=[float(p) for p in params], data=d.name, **named, origin=origin, first=first, every=every, outputs=kept))


def one(d, row, params, origin, values, start=0, **kw):
    case(d, row, params, origin, {"value": values}, start, **kw)


def rolling(x, n, f):
    """f of every window of n values, by the definition."""
    out = np.full(len(x), np.nan)
    for i in range(n - 1, len(x)):
        out[i] = f(x[i - n + 1:i + 1])
    return out


def lag(x, k=1):
    out = np.full(len(x), np.nan)
    out[k:] = x[:-k]
    return out


def rma(x, n):
    """Wilder's average from the first n values that exist."""
    out, x = np.full(len(x), np.nan), np.asarray(x, dtype=float)
    f = int(np.argmax(np.isfinite(x)))
    if f + n > len(x):
        return out
    out[f + n - 1] = x[f:f + n].mean()
    for i in range(f + n, len(x)):
        out[i] = out[i - 1] + (x[i] - out[i - 1]) / n
    return out


def ema(x, n):
    out, x = np.full(len(x), np.nan), np.asarray(x, dtype=float)
    f = int(np.argmax(np.isfinite(x)))
    if f + n > len(x):
        return out
    out[f + n - 1] = x[f:f + n].mean()
    for i in range(f + n, len(x)):
        out[i] = out[i - 1] + 2 / (n + 1) * (x[i] - out[i - 1])
    return out


def sma(x, n):
    return rolling(np.asarray(x, dtype=float), n, np.mean)


def true_range(d):
    p = lag(d.c)
    return np.where(np.isnan(p), np.nan, np.maximum(d.h, p) - np.minimum(d.l, p))


def main():
    import indicators_1
    folder = sys.argv[1]
    os.makedirs(folder, exist_ok=True)
    data = [Data("walk", walk(20240102)), Data("awkward", awkward(7))]
    for d in data:
        np.savetxt(os.path.join(folder, d.name + ".csv"), np.c_[d.m, d.session, d.anchor], fmt="%.10g", delimiter=",", header="open,high,low,close,volume,session,anchor", comments="")
    modules = [indicators_1]
    try:
        import indicators_2
        modules.append(indicators_2)
    except ImportError:
        pass
    for n, m in enumerate(modules, 1):
        cases.clear()
        for d in data:
            m.make(d)
        with open(os.path.join(folder, f"vectors_{n}.json"), "w") as f:
            f.write("[\n" + ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases) + "\n]\n")
        print(m.__name__, len(cases), "cases")


if __name__ == "__main__":
    sys.modules["indicators"] = sys.modules["__main__"]
    main()

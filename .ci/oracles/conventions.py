"""Writes the vectors of the conventions that are not the default: the seeds of recursive averages,
Wilder's smoothing or another, and what deviations divide by; and of turning points.

Averages are those of pandas (ewm, rolling); the rows around them are written from the cited formulas
only, apart from the Go code.

    venv/bin/python .ci/oracles/conventions.py backtest/indicator/testdata > backtest/indicator/testdata/vectors_4.json
"""
import csv
import json
import sys

import numpy as np
import pandas as pd
import talib as ta

SEEDS = {"first": 1, "weighted": 2}
SMOOTHINGS = {"simple": 1, "exponential": 2}
PANDAS = "pandas, from the formula"
cases = []


def case(data, row, params, origin, outputs, start=0, every=7):
    outputs = {k: np.asarray(v, dtype=float) for k, v in outputs.items()}
    valid = np.all([np.isfinite(v) for v in outputs.values()], axis=0)
    first = max(start, int(np.argmax(valid)))
    kept = {k: [float("%.12g" % x) if np.isfinite(x) else None for x in v[first::every]] for k, v in outputs.items()}
    if min(sum(x is not None for x in v) for v in kept.values()) < 20:
        raise SystemExit(f"{row} {params} on {data}: too few values from bar {first}")
    cases.append(dict(row=row, params=[float(p) for p in params], data=data, origin=origin, first=first, every=every, outputs=kept))


def ewm(x, alpha, n, seed):
    """The recursive average by pandas; its seed by an average of n is put in front by hand."""
    x = pd.Series(x)
    if seed == "average":
        f = int(np.argmax(np.isfinite(x.to_numpy())))
        head = x.iloc[f:f + n].mean()
        y = pd.concat([pd.Series([head]), x.iloc[f + n:]]).ewm(alpha=alpha, adjust=False).mean()
        return pd.Series(np.r_[np.full(f + n - 1, np.nan), y.to_numpy()])
    return x.ewm(alpha=alpha, adjust=seed == "weighted", min_periods=n).mean()


def E(x, n, seed):
    return ewm(x, 2 / (n + 1), n, seed)


def R(x, n, seed, smoothing="wilder"):
    if smoothing == "simple":
        return pd.Series(x).rolling(n).mean()
    return E(x, n, seed) if smoothing == "exponential" else ewm(x, 1 / n, n, seed)


def share(a, b, middle):
    """a / b, and the middle where nothing moved."""
    return (a / b.where(b != 0)).where(b != 0, middle).where(b.notna())


def keeps_nan(x, value):
    return value.where(pd.Series(x).notna())


class Bars:
    def __init__(self, folder, name):
        self.name = name
        with open(f"{folder}/{name}.csv") as f:
            rows = list(csv.DictReader(f))
        self.o, self.h, self.l, self.c, self.v = [pd.Series([float(r[k]) for r in rows]) for k in ("open", "high", "low", "close", "volume")]
        p = self.c.shift()
        self.tr = np.maximum(self.h, p).where(p.notna()) - np.minimum(self.l, p).where(p.notna())
        self.t = (self.h + self.l + self.c) / 3


def up_down(x, k=1):
    d = x.diff(k)
    return keeps_nan(d, d.clip(lower=0)), keeps_nan(d, (-d).clip(lower=0))


def rsi(x, n, seed, smoothing, k=1):
    u, w = up_down(x, k)
    u, w = R(u, n, seed, smoothing), R(w, n, seed, smoothing)
    return 100 * share(u, u + w, 0.5)


def movement(b):
    rise, fall = b.h.diff(), -b.l.diff()
    return keeps_nan(rise, rise.where((rise > fall) & (rise > 0), 0.0)), keeps_nan(rise, fall.where((fall > rise) & (fall > 0), 0.0))


def directions(b, n, seed, smoothing):
    up, down = movement(b)
    reach = R(b.tr, n, seed, smoothing)
    return 100 * share(R(up, n, seed, smoothing), reach, 0), 100 * share(R(down, n, seed, smoothing), reach, 0)


def adx(b, n, seed, smoothing):
    p, m = directions(b, n, seed, smoothing)
    x = 100 * share((p - m).abs(), p + m, 0)
    return x, R(x, n, seed, smoothing), p, m


def supertrend(b, reach, k):
    """The band as its author describes it, bar by bar."""
    line, side = np.full(len(b.c), np.nan), np.full(len(b.c), np.nan)
    up = low = None
    s = -1
    for i in range(len(b.c)):
        if not np.isfinite(reach[i]):
            continue
        m, d = (b.h[i] + b.l[i]) / 2, k * reach[i]
        if up is None:
            up, low = m + d, m - d
        else:
            up = m + d if m + d < up or b.c[i - 1] > up else up
            low = m - d if m - d > low or b.c[i - 1] < low else low
            if s < 0 and b.c[i] > up:
                s = 1
            elif s > 0 and b.c[i] < low:
                s = -1
        line[i], side[i] = (low if s > 0 else up), s
    return line, side


def stochastic(x, n):
    low, high = x.rolling(n).min(), x.rolling(n).max()
    return 100 * share(x - low, high - low, 0.5)


def deviations(x, n, ddof):
    return x.rolling(n).std(ddof=ddof)


def seeds(b):
    c, name = b.c, b.name
    for s, k in SEEDS.items():
        def one(row, params, x, **kw):
            case(name, row, params + [k], PANDAS, {"value": x}, **kw)
        for n in (1, 5, 20):
            one("ema", [n], E(c, n, s))
            one("rma", [n], R(c, n, s))
        n = 6
        e = [c]
        for _ in range(6):
            e.append(E(e[-1], n, s))
        one("dema", [n], 2 * e[1] - e[2])
        one("tema", [n], 3 * e[1] - 3 * e[2] + e[3])
        one("trix", [n], 100 * (e[3] / e[3].shift() - 1))
        v = 0.7
        one("t3", [n, v], -v**3 * e[6] + (3 * v**2 + 3 * v**3) * e[5] + (-6 * v**2 - 3 * v - 3 * v**3) * e[4] + (1 + 3 * v + v**3 + 3 * v**2) * e[3])
        one("zlema", [9], E(c + (c - c.shift(4)), 9, s))
        m = (b.h + b.l) / 2
        case(name, "alligator", [13, 8, 5, 8, 5, 3, k], PANDAS, dict(jaw=R(m, 13, s).shift(8), teeth=R(m, 8, s).shift(5), lips=R(m, 5, s).shift(3)))
        m = E(c, 5, s) - E(c, 12, s)
        one("apo", [5, 12], m)
        g = E(m, 4, s)
        case(name, "macd", [5, 12, 4, k], PANDAS, dict(macd=m, signal=g, hist=m - g))
        for row, x in (("ppo", c), ("pvo", b.v)):
            q = 100 * (E(x, 5, s) - E(x, 12, s)) / E(x, 12, s)
            g = E(q, 4, s)
            case(name, row, [5, 12, 4, k], PANDAS, {row: q, "signal": g, "hist": q - g})
        d = c.diff()
        a, z = E(E(d, 9, s), 4, s), E(E(d.abs(), 9, s), 4, s)
        one("tsi", [9, 4], 100 * share(a, z, 0))
        e = E(c, 8, s)
        case(name, "elder_ray", [8, k], PANDAS, dict(bull=b.h - e, bear=b.l - e))
        one("pgo", [8], share(c - c.rolling(8).mean(), E(b.tr, 8, s), 0))
        hh, ll = b.h.rolling(5).max(), b.l.rolling(5).min()
        x, y = E(E(c - (hh + ll) / 2, 4, s), 3, s), E(E(hh - ll, 4, s), 3, s)
        q = 200 * share(x, y, 0)
        case(name, "smi", [5, 4, 3, 6, k], PANDAS, dict(smi=q, signal=E(q, 6, s)))
        f = 100 * share(c - ll, hh - ll, 0.5)
        x = R(f, 3, s)
        y = R(x, 4, s)
        case(name, "kdj", [5, 3, 4, k], PANDAS, dict(k=x, d=y, j=3 * x - 2 * y))
        e = E(b.t, 6, s)
        x = E(share(b.t - e, 0.015 * E((b.t - e).abs(), 6, s), 0), 4, s)
        case(name, "wavetrend", [6, 4, k], PANDAS, dict(wt=x, signal=x.rolling(4).mean()))
        r = 100 * (c / c.shift() - 1)
        x = ewm(10 * ewm(r, 2 / 9, 9, s), 2 / 6, 6, s)
        case(name, "pmo", [9, 6, 4, k], PANDAS, dict(pmo=x, signal=E(x, 4, s)))
        flow = (share((c - b.l) - (b.h - c), b.h - b.l, 0) * b.v).cumsum()
        one("adosc", [3, 9], E(flow, 3, s) - E(flow, 9, s))
        one("efi", [7], E(d * b.v, 7, s))
        signed = keeps_nan(b.t.diff(), b.v.where(b.t.diff() >= 0, -b.v))
        x = E(signed, 5, s) - E(signed, 11, s)
        case(name, "kvo", [5, 11, 4, k], PANDAS, dict(kvo=x, signal=E(x, 4, s)))
        if name == "walk":
            e = E(b.h - b.l, 6, s)
            one("cvi", [6, 5], 100 * (e / e.shift(5) - 1))
            one("massi", [6, 10], (e / E(e, 6, s)).rolling(10).sum())
            streak = np.zeros(len(c))
            for i in range(1, len(c)):
                up, down = c[i] > c[i - 1], c[i] < c[i - 1]
                streak[i] = max(streak[i - 1], 0) + 1 if up else min(streak[i - 1], 0) - 1 if down else 0
            rank = r.rolling(21).apply(lambda w: 100 * (w[:-1] < w[-1]).sum() / 20, raw=True)
            one("crsi", [3, 2, 20], (rsi(c, 3, s, "wilder") + rsi(pd.Series(streak), 2, s, "wilder") + rank) / 3)


def smoothings(b):
    c, name = b.c, b.name
    for smoothing, seed in [("wilder", "first"), ("wilder", "weighted"), ("simple", "average"), ("exponential", "average"), ("exponential", "first")]:
        tail = [dict(SMOOTHINGS, wilder=0)[smoothing], dict(SEEDS, average=0)[seed]]

        def one(row, params, x):
            case(name, row, params + tail, PANDAS, {"value": x})
        for n in (2, 5, 14):
            one("rsi", [n], rsi(c, n, seed, smoothing))
            one("atr", [n], R(b.tr, n, seed, smoothing))
            one("natr", [n], 100 * R(b.tr, n, seed, smoothing) / c)
        n = 7
        if name == "walk":
            x = stochastic(rsi(c, n, seed, smoothing), 5).rolling(3).mean()
            case(name, "stochrsi", [n, 5, 3, 4] + tail, PANDAS, dict(k=x, d=x.rolling(4).mean()))
        one("rmi", [n, 3], rsi(c, n, seed, smoothing, 3))
        x, strength, p, m = adx(b, n, seed, smoothing)
        one("dx", [n], x)
        case(name, "adx", [n] + tail, PANDAS, dict(adx=strength, plus_di=p, minus_di=m))
        one("adxr", [n], (strength + strength.shift(n - 1)) / 2)
        up, down = movement(b)
        case(name, "dm", [n] + tail, PANDAS, dict(plus=R(up, n, seed, smoothing), minus=R(down, n, seed, smoothing)))
        reach = R(b.tr, n, seed, smoothing)
        line, side = supertrend(b, reach.to_numpy(), 2)
        case(name, "supertrend", [n, 2] + tail, PANDAS, dict(value=line, direction=side))
        e = E(c, 9, seed)
        case(name, "keltner", [9, 2, n] + tail, PANDAS, dict(upper=e + 2 * reach, middle=e, lower=e - 2 * reach))
        e = c.rolling(9).mean()
        case(name, "starc", [9, 2, n] + tail, PANDAS, dict(upper=e + 2 * reach, middle=e, lower=e - 2 * reach))
        long, short = b.h.rolling(n).max() - 2 * reach, b.l.rolling(n).min() + 2 * reach
        case(name, "chandelier", [n, 2] + tail, PANDAS, dict(long=long, short=short))
        case(name, "chande_kroll_stop", [n, 4, 2] + tail, PANDAS, dict(long=short.rolling(4).min(), short=long.rolling(4).max()))
        if name == "walk":
            for ddof in (0, 1):
                sd, d = deviations(c, 6, ddof), c.diff()
                both = sd.notna() & d.notna()
                u = R(sd.where(d > 0, 0.0).where(both), n, seed, smoothing)
                w = R(sd.where(d < 0, 0.0).where(both), n, seed, smoothing)
                case(name, "rvi", [n, 6, ddof] + tail, PANDAS, {"value": 100 * share(u, u + w, 0.5)})


def turning(b):
    """Turning points, known right bars later."""
    h, l = b.h.to_numpy(), b.l.to_numpy()
    for left, right in ((2, 2), (5, 3), (1, 4)):
        up, down = ta.FRACTAL(h, l, left, right)
        k = left + right
        case(b.name, "fractal", [left, right], "TA-Lib FRACTAL", dict(up=up, down=down), start=k, every=3)
        outputs = dict(high=[], low=[], high_bars=[], low_bars=[])
        for name, x, better in (("high", h, np.greater), ("low", l, np.less)):
            last, at = np.nan, np.nan
            for i in range(len(x)):
                j = i - right
                if j >= left and all(better(x[j], x[m]) for m in range(j - left, i + 1) if m != j):
                    last, at = x[j], j
                outputs[name].append(last)
                outputs[name + "_bars"].append(i - at)
        case(b.name, "swing", [left, right], "numpy, from the formula", outputs)
    c = b.c.to_numpy()
    for n in (1, 9):
        for row, f in (("rocp", ta.ROCP), ("rocr", ta.ROCR), ("rocr100", ta.ROCR100)):
            case(b.name, row, [n], "TA-Lib " + row.upper(), {"value": f(c, n)})


def ddofs(b):
    c, name = b.c, b.name
    if name != "walk":
        return
    for ddof in (0, 1):
        for n in (2, 5, 20):
            sd, mean = deviations(c, n, ddof), c.rolling(n).mean()
            case(name, "stdev", [n, ddof], PANDAS, {"value": sd})
            case(name, "variance", [n, ddof], PANDAS, {"value": c.rolling(n).var(ddof=ddof)})
            case(name, "zscore_n", [n, ddof], PANDAS, {"value": (c - mean) / sd})
            case(name, "covariance", [n, ddof], PANDAS, {"value": c.rolling(n).cov(b.o, ddof=ddof)})
            case(name, "bbands", [n, 2, ddof], PANDAS, dict(upper=mean + 2 * sd, middle=mean, lower=mean - 2 * sd, pct_b=(c - mean + 2 * sd) / (4 * sd), width=4 * sd / mean))
            case(name, "hvol", [n, 252, ddof], PANDAS, {"value": np.log(c / c.shift()).rolling(n).std(ddof=ddof) * 252**0.5})
        n = 10
        away = c - ((b.h.rolling(n).max() + b.l.rolling(n).min()) / 2 + c.rolling(n).mean()) / 2
        t = np.arange(n)
        end = away.rolling(n).apply(lambda w: np.polyval(np.polyfit(t, w, 1), n - 1), raw=True)
        on = (2 * deviations(c, n, ddof) < 1.5 * b.tr.rolling(n).mean()).astype(float)
        case(name, "squeeze", [n, 2, 1.5, ddof], PANDAS, dict(momentum=end, on=on), start=2 * n)


for data in ("walk", "awkward"):
    bars = Bars(sys.argv[1], data)
    seeds(bars)
    smoothings(bars)
    ddofs(bars)
    turning(bars)
print("[\n" + ",\n".join(json.dumps(x, separators=(",", ":")) for x in cases) + "\n]")
print(len(cases), "cases", file=sys.stderr)

"""The cases of the indicators beyond the most used."""
import numpy as np
import pandas as pd
import pandas_ta_classic as pta
import talib as ta

from indicators import case, ema, lag, one, rma, rolling, sma, true_range


def make(d):
    transforms(d)
    averages(d)
    momentum(d)
    trend(d)
    volatility(d)
    flow(d)
    statistics(d)
    cycles(d)
    blends(d)
    more(d)


def transforms(d):
    o, h, l, c, T = d.o, d.h, d.l, d.c, "TA-Lib "
    one(d, "avgprice", [], T + "AVGPRICE", ta.AVGPRICE(o, h, l, c))
    one(d, "medprice", [], T + "MEDPRICE", ta.MEDPRICE(h, l))
    one(d, "typprice", [], T + "TYPPRICE", ta.TYPPRICE(h, l, c))
    one(d, "wclprice", [], T + "WCLPRICE", ta.WCLPRICE(h, l, c))
    for n in (2, 14):
        one(d, "midprice", [n], T + "MIDPRICE", ta.MIDPRICE(h, l, n))
        one(d, "midpoint", [n], T + "MIDPOINT", ta.MIDPOINT(c, n))
    hc = (o + h + l + c) / 4
    ho = np.empty_like(o)
    ho[0] = (o[0] + c[0]) / 2
    for i in range(1, len(o)):
        ho[i] = (ho[i - 1] + hc[i - 1]) / 2
    case(d, "heikin_ashi", [], "numpy, from the formula", dict(close=hc, open=ho, high=np.maximum.reduce([h, ho, hc]), low=np.minimum.reduce([l, ho, hc])))


def variable(x, factor):
    """An average whose factor is a column, from the value before the first factor."""
    out = np.full(len(x), np.nan)
    f = int(np.argmax(np.isfinite(factor)))
    last = x[f - 1]
    for i in range(f, len(x)):
        last = last + factor[i] * (x[i] - last)
        out[i] = last
    return out


def cmo(x, n):
    s = pd.Series(x).diff()
    net, path = rolling(s.values, n, np.sum), rolling(s.abs().values, n, np.sum)
    return np.where(path == 0, 0, 100 * net / np.where(path == 0, 1, path))


def averages(d):
    c, h, l, T = d.c, d.h, d.l, "TA-Lib "
    for n, v in ((5, 0.7), (3, 0.4), (12, 0.9)):
        one(d, "t3", [n, v], T + "T3", ta.T3(c, n, v))
    for n, off, sig in ((9, 0.85, 6), (20, 0.5, 3)):
        k = np.arange(n)
        w = np.exp(-((k - off * (n - 1)) ** 2) / (2 * (n / sig) ** 2))
        one(d, "alma", [n, off, sig], "numpy, from the formula", rolling(c, n, lambda q: q @ w / w.sum()))
    one(d, "swma", [], "numpy, from the formula", rolling(c, 4, lambda q: q @ [1, 2, 2, 1] / 6))
    for n in (5, 10):
        one(d, "fwma", [n], "pandas-ta-classic fwma", pta.fwma(d.s["c"], n))
        one(d, "vidya", [n], "numpy, from the formula", variable(c, 2 / (n + 1) * np.abs(cmo(c, n)) / 100), start=n)
        m = np.empty_like(c)
        m[0] = c[0]
        for i in range(1, len(c)):
            m[i] = m[i - 1] + (c[i] - m[i - 1]) / max(1, n * (c[i] / m[i - 1]) ** 4)
        one(d, "mcginley", [n], "numpy, from the formula", m)
    m = (h + l) / 2
    case(d, "alligator", [13, 8, 5, 8, 5, 3], "numpy, from the formula", dict(jaw=lag(rma(m, 13), 8), teeth=lag(rma(m, 8), 5), lips=lag(rma(m, 5), 3)))


def momentum(d):
    o, h, l, c, T = d.o, d.h, d.l, d.c, "TA-Lib "
    one(d, "apo", [5, 12], T + "APO with EMA", ta.APO(c, 5, 12, 1), start=240)
    one(d, "apo", [7, 20], "numpy, from the formula", ema(c, 7) - ema(c, 20))
    for n in (5, 14):
        if d.name == "walk":
            one(d, "cmo", [n], T + "CMOU", ta.CMOU(c, n))
        one(d, "cmo", [n], "numpy, from the formula", cmo(c, n), start=n)
        b = c - o
        up, path = rolling(np.maximum(b, 0), n, np.sum), rolling(np.abs(b), n, np.sum)
        one(d, "imi", [n], "numpy, from the formula", np.where(path == 0, 50, 100 * up / np.where(path == 0, 1, path)), start=n - 1)
        x = pd.Series(c).diff().values
        path = rolling(np.abs(x), n, np.sum)
        one(d, "er", [n], "numpy, from the formula", np.where(path == 0, 1, np.abs(c - lag(c, n)) / np.where(path == 0, 1, path)), start=n)
        m = ta.EMA(c, n)
        case(d, "elder_ray", [n], T + "EMA", dict(bull=h - m, bear=l - m))
        one(d, "qstick", [n], T + "QSTICK", ta.QSTICK(o, c, n))
        one(d, "bias", [n], "pandas-ta-classic bias", pta.bias(d.s["c"], n))
        one(d, "psl", [n], "numpy, from the formula", rolling(np.where(np.isnan(x), np.nan, x > 0), n, lambda w: 100 * w.mean()))
        one(d, "pgo", [n], "numpy, from the formula", (c - sma(c, n)) / ema(true_range(d), n))
    if d.name == "walk":
        one(d, "imi", [14], T + "IMI", ta.IMI(o, c, 14))
    one(d, "bop", [], T + "BOP", ta.BOP(o, h, l, c))
    for a, b, s in ((5, 34, 5), (3, 10, 7)):
        one(d, "ao", [a, b], T + "AO", ta.AO(h, l, a, b))
        one(d, "ac", [a, b, s], T + "AC", ta.AC(h, l, a, b, s))
    for w, a, b in ((10, 11, 14), (4, 6, 9)):
        one(d, "coppock", [w, a, b], T + "COPPOCK", ta.COPPOCK(c, w, a, b))
    k = pta.kst(d.s["c"], 10, 15, 20, 30, 10, 10, 10, 15, 9)
    case(d, "kst", [10, 15, 20, 30, 10, 10, 10, 15, 9], "pandas-ta-classic kst / 100", dict(kst=k.iloc[:, 0] / 100, signal=k.iloc[:, 1] / 100), start=60)
    x = pd.Series(c).diff().values
    for a, b in ((25, 13), (6, 3)):
        one(d, "tsi", [a, b], "numpy, from the formula", 100 * ema(ema(x, a), b) / ema(ema(np.abs(x), a), b))
    if d.name == "walk":
        one(d, "tsi", [9, 5], T + "TSI", ta.TSI(c, 9, 5), start=300)
    m = (h + l) / 2
    for n in (5, 10):
        hi, lo = rolling(m, n, np.max), rolling(m, n, np.min)
        pos = np.where(hi == lo, 0.5, (m - lo) / np.where(hi == lo, 1, hi - lo))
        f, v, out = 0.0, 0.0, np.full(len(m), np.nan)
        for i in range(n - 1, len(m)):
            v = min(max(0.66 * (pos[i] - 0.5) + 0.67 * v, -0.999), 0.999)
            f = 0.5 * np.log((1 + v) / (1 - v)) + 0.5 * f
            out[i] = f
        case(d, "fisher", [n], "numpy, from the formula", dict(fisher=out, signal=lag(out)))
    streak = np.zeros(len(c))
    for i in range(1, len(c)):
        s = np.sign(c[i] - c[i - 1])
        streak[i] = 0 if s == 0 else (streak[i - 1] + s if streak[i - 1] * s > 0 else s)

    def rsi(x, n):
        y = np.diff(x, prepend=np.nan)
        u, w = rma(np.where(np.isnan(y), np.nan, np.maximum(y, 0)), n), rma(np.where(np.isnan(y), np.nan, np.maximum(-y, 0)), n)
        return np.where(u + w == 0, 50, 100 * u / np.where(u + w == 0, 1, u + w))

    for a, b, n in ((3, 2, 50), (4, 3, 20)):
        r = c / lag(c) - 1
        rank = np.full(len(c), np.nan)
        for i in range(n + 1, len(c)):
            rank[i] = 100 * np.mean(r[i - n:i] < r[i])
        one(d, "crsi", [a, b, n], "numpy, from the formula", (rsi(c, a) + rsi(streak, b) + rank) / 3)


def trend(d):
    h, l, c, T = d.h, d.l, d.c, "TA-Lib "
    one(d, "dx", [5], T + "DX", ta.DX(h, l, c, 5), start=150)
    one(d, "adxr", [5], T + "ADXR", ta.ADXR(h, l, c, 5), start=170)
    tr = true_range(d)
    for n in (5, 14):
        a, b = ta.VORTEX(h, l, c, n)
        case(d, "vortex", [n], T + "VORTEX", dict(plus=a, minus=b))
        st = rolling(tr, n, np.sum)
        case(d, "vortex", [n], "numpy, from the formula", dict(plus=rolling(np.abs(h - lag(l)), n, np.sum) / st, minus=rolling(np.abs(l - lag(h)), n, np.sum) / st))
        x = np.abs(np.diff(c, prepend=np.nan))
        path = rolling(x, n, np.sum)
        one(d, "vhf", [n], "numpy, from the formula", np.where(path == 0, 0, (rolling(c, n, np.max) - rolling(c, n, np.min)) / np.where(path == 0, 1, path)), start=n)
        a, hh, ll = ta.ATR(h, l, c, n), ta.MAX(h, n), ta.MIN(l, n)
        case(d, "chandelier", [n, 2.5], T + "MAX, MIN and ATR", dict(long=hh - 2.5 * a, short=ll + 2.5 * a))
        case(d, "chande_kroll_stop", [n, 6, 1.5], T + "MAX, MIN and ATR", dict(short=rolling(hh - 1.5 * a, 6, np.max), long=rolling(ll + 1.5 * a, 6, np.min)))
        e = ema(h - l, n)
        one(d, "massi", [n, 10], "numpy, from the formula", rolling(e / ema(e, n), 10, np.sum))
    mid = lambda n: (rolling(h, n, np.max) + rolling(l, n, np.min)) / 2
    for a, b, s, k in ((9, 26, 52, 26), (4, 7, 12, 5)):
        case(d, "ichimoku", [a, b, s, k], "numpy, from the formula", dict(tenkan=mid(a), kijun=mid(b), senkou_a=lag((mid(a) + mid(b)) / 2, k - 1), senkou_b=lag(mid(s), k - 1)))
    if d.name == "walk":
        i = pta.ichimoku(d.s["h"], d.s["l"], d.s["c"], 9, 26, 52)[0]
        case(d, "ichimoku", [9, 26, 52, 27], "pandas-ta-classic ichimoku", dict(senkou_a=i.iloc[:, 0], senkou_b=i.iloc[:, 1], tenkan=i.iloc[:, 2], kijun=i.iloc[:, 3]))


def volatility(d):
    o, h, l, c, T = d.o, d.h, d.l, d.c, "TA-Lib "
    for n in (5, 20):
        u, m, w = ta.ACCBANDS(h, l, c, n)
        case(d, "accbands", [n], T + "ACCBANDS", dict(upper=u, middle=m, lower=w))
        one(d, "adr", [n], T + "ADR", ta.ADR(h, l, n))
        e = ema(h - l, n)
        one(d, "cvi", [n, 7], "numpy, from the formula", 100 * (e / lag(e, 7) - 1))
        sd = rolling(c, 8, lambda w: 0 if np.ptp(w) == 0 else w.std())
        p = lag(c)
        u, w = rma(np.where(c > p, sd, sd * 0), n), rma(np.where(c < p, sd, sd * 0), n)
        one(d, "rvi", [n, 8], "numpy, from the formula", 100 * u / (u + w))
        dd = 100 * (c / rolling(c, n, np.max) - 1)
        one(d, "ulcer", [n], "numpy, from the formula", np.sqrt(rolling(dd ** 2, n, np.mean)))
        r = np.log(c / p)
        one(d, "hvol", [n, 252], "numpy, from the formula", rolling(r, n, lambda w: w.std(ddof=1)) * np.sqrt(252))
        one(d, "parkinson", [n, 252], "numpy, from the formula", np.sqrt(252 * rolling(np.log(h / l) ** 2, n, np.mean) / (4 * np.log(2))))
        one(d, "garman_klass", [n, 252], "numpy, from the formula", np.sqrt(np.maximum(0, 252 * rolling(np.log(h / l) ** 2 / 2 - (2 * np.log(2) - 1) * np.log(c / o) ** 2, n, np.mean))))
        rs = np.log(h / c) * np.log(h / o) + np.log(l / c) * np.log(l / o)
        one(d, "rogers_satchell", [n, 252], "numpy, from the formula", np.sqrt(np.maximum(0, 252 * rolling(rs, n, np.mean))))
        k = 0.34 / (1.34 + (n + 1) / (n - 1))
        v1 = lambda x: rolling(x, n, lambda w: w.var(ddof=1))
        one(d, "yang_zhang", [n, 252], "numpy, from the formula", np.sqrt(252 * (v1(np.log(o / p)) + k * v1(np.log(c / o)) + (1 - k) * rolling(rs, n, np.mean))))
        m, a = ta.SMA(c, n), ta.ATR(h, l, c, 9)
        case(d, "starc", [n, 1.5, 9], T + "SMA and ATR", dict(upper=m + 1.5 * a, middle=m, lower=m - 1.5 * a))
        m, tr = sma(c, n), true_range(d)
        y = c - ((rolling(h, n, np.max) + rolling(l, n, np.min)) / 2 + m) / 2
        sd = rolling(c, n, lambda w: 0 if np.ptp(w) == 0 else w.std())
        on = np.where(2 * sd < 1.5 * rolling(tr, n, np.mean), 1.0, 0.0)
        fit = rolling(y, n, lambda w: np.polyval(np.polyfit(np.arange(n), w, 1), n - 1))
        case(d, "squeeze", [n, 2, 1.5], "numpy, from the formula", dict(momentum=fit, on=on))
    if d.name == "walk":
        one(d, "ulcer", [14], "pandas-ta-classic ui", pta.ui(d.s["c"], 14), start=30)


def flow(d):
    h, l, c, v, T = d.h, d.l, d.c, d.v, "TA-Lib "
    one(d, "adosc", [3, 10], T + "ADOSC", ta.ADOSC(h, l, c, v, 3, 10), start=200)
    x = ta.AD(h, l, c, v)
    one(d, "adosc", [4, 9], "numpy, from the formula", ema(x, 4) - ema(x, 9))
    p = lag(c)
    for n in (5, 13):
        one(d, "efi", [n], "numpy, from the formula", ema((c - p) * v, n))
        usual = lag(rolling(v, n, np.mean))
        one(d, "rvol", [n], "numpy, from the formula", v / usual)
        m = (h + l) / 2
        e = np.where(v == 0, np.nan, 1000 * (m - lag(m)) * (h - l) / np.where(v == 0, 1, v))
        if d.name == "walk":
            one(d, "eom", [n, 1000], "numpy, from the formula", rolling(e, n, np.mean))
    if d.name == "walk":
        one(d, "efi", [13], T + "EFI", ta.EFI(c, v, 13), start=200)
        one(d, "marketfi", [], T + "MARKETFI", ta.MARKETFI(h, l, v))
        one(d, "eom", [14, 1e8], "pandas-ta-classic eom", pta.eom(d.s["h"], d.s["l"], d.s["c"], d.s["v"], 14, 1e8), start=20)
    one(d, "marketfi", [], "numpy, from the formula", np.where(v == 0, np.nan, (h - l) / np.where(v == 0, 1, v)))
    for a, b, s in ((12, 26, 9), (4, 9, 3)):
        m = 100 * (ema(v, a) - ema(v, b)) / ema(v, b)
        g = ema(m, s)
        case(d, "pvo", [a, b, s], "numpy, from the formula", dict(pvo=m, signal=g, hist=m - g))
        t = (h + l + c) / 3
        # The same operations as a calculator would do them: a tie counts as a rise.
        sv = np.where(np.isnan(lag(t)), np.nan, np.where(t >= lag(t), v, -v))
        k = ema(sv, a) - ema(sv, b)
        case(d, "kvo", [a, b, s], "numpy, from the formula", dict(kvo=k, signal=ema(k, s)))
        slow = rolling(v, b, np.mean)
        one(d, "vosc", [a, b], "numpy, from the formula", 100 * (rolling(v, a, np.mean) / slow - 1))
    first = lambda x: np.where(np.isnan(p), 0, x)
    one(d, "pvt", [], "numpy, from the formula", np.cumsum(first((c / p - 1) * v)))
    for name, sign in (("nvi", -1), ("pvi", 1)):
        r = np.where(sign * v > sign * lag(v), c / p, 1.0)
        one(d, name, [], "numpy, from the formula", 1000 * np.cumprod(np.where(np.isnan(r), 1, r)))
    w = np.where(c > p, c - np.minimum(l, p), np.where(c < p, c - np.maximum(h, p), 0))
    one(d, "wad", [], "numpy, from the formula", np.cumsum(w))


def statistics(d):
    c, o, T = d.c, d.o, "TA-Lib "
    idx = np.arange(len(c), dtype=float)

    def two(x, y, n, f):
        """f of every window of pairs; absent where one did not move."""
        out = np.full(len(x), np.nan)
        for i in range(n - 1, len(x)):
            a, b = x[i - n + 1:i + 1], y[i - n + 1:i + 1]
            if np.isfinite(a).all() and np.isfinite(b).all() and np.ptp(a) > 0 and np.ptp(b) > 0:
                out[i] = f(a, b)
        return out

    corr = lambda a, b: np.corrcoef(a, b)[0, 1]
    for n in (4, 7, 20):
        cov = lambda f: np.array([np.nan if i < n - 1 else np.cov(c[i - n + 1:i + 1], o[i - n + 1:i + 1], ddof=f)[0, 1] for i in range(len(c))])
        for f in (0, 1):
            one(d, "covariance", [n, f], "numpy cov", cov(f))
        one(d, "beta", [n], "numpy, from the formula", two(c, o, n, lambda a, b: np.cov(a, b)[0, 1] / b.var(ddof=1)))
        one(d, "median", [n], "numpy median", rolling(c, n, np.median))
        for q in (0.25, 0.9):
            one(d, "quantile_n", [n, q], "numpy quantile", rolling(c, n, lambda w: np.quantile(w, q)))
        one(d, "percentrank", [n], "numpy, from the formula", rolling(c, n + 1, lambda w: 100 * np.mean(w[:-1] <= w[-1])))
        s = d.s["c"]
        varies = rolling(c, n, np.ptp) > 0
        one(d, "skew", [n], "pandas skew", np.where(varies, [np.nan] * (n - 1) + [pd.Series(c[i - n + 1:i + 1]).skew() for i in range(n - 1, len(c))], np.nan))
        one(d, "kurtosis", [n], "pandas kurt", np.where(varies, [np.nan] * (n - 1) + [pd.Series(c[i - n + 1:i + 1]).kurt() for i in range(n - 1, len(c))], np.nan))
        one(d, "avgdev", [n], T + "AVGDEV", ta.AVGDEV(c, n))
        one(d, "mad", [n], "numpy, from the formula", rolling(c, n, lambda w: np.median(np.abs(w - np.median(w)))))
        one(d, "linreg_intercept", [n], T + "LINEARREG_INTERCEPT", ta.LINEARREG_INTERCEPT(c, n))
        one(d, "tsf", [n], T + "TSF", ta.TSF(c, n))
        f = rolling(c, n, lambda w: np.polyval(np.polyfit(np.arange(n), w, 1), n))
        one(d, "fosc", [n], "numpy, from the formula", 100 * (c - lag(f)) / c)
        r = two(c, idx, n, corr)
        one(d, "cti", [n], "numpy, from the formula", r)
        one(d, "linreg_r2", [n], "numpy, from the formula", r ** 2)
        r = np.log(c / lag(c))
        one(d, "hurst", [n], "numpy, from the formula", rolling(r, n, lambda w: np.log(np.ptp(np.cumsum(w - w.mean())) / w.std()) / np.log(n / 2)))
        one(d, "autocorrelation", [n, 3], "numpy corrcoef", two(c, lag(c, 3), n, corr))
    if d.name == "walk":
        one(d, "fosc", [5], T + "FOSC", ta.FOSC(c, 5))
        one(d, "quantile_n", [15, 0.5], T + "PERCENTILE", ta.PERCENTILE(c, 15, 50.0))
        one(d, "cti", [12], "pandas-ta-classic cti", pta.cti(d.s["c"], 12))


def cycles(d):
    c, T = d.c, "TA-Lib "
    late = dict(start=350, every=1)  # its filters begin at another bar
    one(d, "ht_dcperiod", [], T + "HT_DCPERIOD", ta.HT_DCPERIOD(c), **late)
    one(d, "ht_dcphase", [], T + "HT_DCPHASE", ta.HT_DCPHASE(c), **late)
    a, b = ta.HT_PHASOR(c)
    case(d, "ht_phasor", [], T + "HT_PHASOR", dict(inphase=a, quadrature=b), **late)
    a, b = ta.HT_SINE(c)
    case(d, "ht_sine", [], T + "HT_SINE", dict(sine=a, lead=b), **late)
    one(d, "ht_trendline", [], T + "HT_TRENDLINE", ta.HT_TRENDLINE(c), **late)
    one(d, "ht_trendmode", [], T + "HT_TRENDMODE", ta.HT_TRENDMODE(c), **late)
    if d.name == "walk":
        # Not on the other bars: while nothing moves, the phase is a quotient of rounding errors.
        a, b = ta.MAMA(c, 0.5, 0.05)
        case(d, "mama", [0.5, 0.05], T + "MAMA", dict(mama=a, fama=b), start=400, every=1)
        a, b = ta.MAMA(c, 0.6, 0.2)
        case(d, "mama", [0.6, 0.2], T + "MAMA", dict(mama=a, fama=b), start=350, every=1)


def blends(d):
    o, h, l, c, T = d.o, d.h, d.l, d.c, "TA-Lib "
    for n, a, b, s in ((13, 25, 2, 9), (5, 4, 3, 6)):
        hh, ll = rolling(h, n, np.max), rolling(l, n, np.min)
        x, y = ema(ema(c - (hh + ll) / 2, a), b), ema(ema(hh - ll, a), b)
        m = 200 * x / y
        case(d, "smi", [n, a, b, s], "numpy, from the formula", dict(smi=m, signal=ema(m, s)))
    for n, a, b in ((9, 3, 3), (5, 4, 6)):
        hh, ll = rolling(h, n, np.max), rolling(l, n, np.min)
        f = np.where(hh == ll, 50, 100 * (c - ll) / np.where(hh == ll, 1, hh - ll))
        f[:n - 1] = np.nan
        k = rma(f, a)
        g = rma(k, b)
        case(d, "kdj", [n, a, b], "numpy, from the formula", dict(k=k, d=g, j=3 * k - 2 * g))
    if d.name == "walk":
        x = ta.SMI(h, l, c, 13, 2, 25, 9)
        case(d, "smi", [13, 25, 2, 9], T + "SMI", dict(smi=x[0], signal=x[1]), start=400, every=1)
        x = ta.KDJ(h, l, c, 9, 3, 13, 3, 13)
        case(d, "kdj", [9, 3, 3], T + "KDJ", dict(k=x[0], d=x[1], j=x[2]), start=200)
        x = pta.rvgi(d.s["o"], d.s["h"], d.s["l"], d.s["c"], 10, 4)
        case(d, "rvgi", [10], "pandas-ta-classic rvgi", dict(rvgi=x.iloc[:, 1], signal=x.iloc[:, 2]), start=30, every=2)
    w = np.array([1, 2, 2, 1]) / 6
    for n in (5, 14):
        u, t = rolling(rolling(c - o, 4, lambda q: q @ w), n, np.sum), rolling(rolling(h - l, 4, lambda q: q @ w), n, np.sum)
        r = np.where(t == 0, 0, u / np.where(t == 0, 1, t))
        r[:n + 2] = np.nan
        if d.name == "walk":
            case(d, "rvgi", [n], "numpy, from the formula", dict(rvgi=r, signal=rolling(r, 4, lambda q: q @ w)))
        up, down = np.maximum(np.diff(h, prepend=np.nan), 0), np.maximum(-np.diff(l, prepend=np.nan), 0)
        a, b = rolling(up, n, np.sum), rolling(down, n, np.sum)
        one(d, "demarker", [n], "numpy, from the formula", np.where(a + b == 0, 0.5, a / np.where(a + b == 0, 1, a + b)), start=n)
        t = (h + l + c) / 3
        e = ema(t, n)
        x = ema((t - e) / (0.015 * ema(np.abs(t - e), n)), 7)
        case(d, "wavetrend", [n, 7], "numpy, from the formula", dict(wt=x, signal=rolling(x, 4, np.mean)))

        def e2(x, m):
            """The EMA of DecisionPoint: factor 2/m, seeded by an average of m."""
            out, f = np.full(len(x), np.nan), int(np.argmax(np.isfinite(x)))
            out[f + m - 1] = x[f:f + m].mean()
            for i in range(f + m, len(x)):
                out[i] = out[i - 1] + 2 / m * (x[i] - out[i - 1])
            return out

        x = e2(10 * e2(100 * (c / lag(c) - 1), n), 8)
        case(d, "pmo", [n, 8, 5], "numpy, from the formula", dict(pmo=x, signal=ema(x, 5)))
        for m in (1, 4):
            x = c - lag(c, m)
            u, v = rma(np.where(np.isnan(x), np.nan, np.maximum(x, 0)), n), rma(np.where(np.isnan(x), np.nan, np.maximum(-x, 0)), n)
            one(d, "rmi", [n, m], "numpy, from the formula", 100 * u / (u + v))
        one(d, "cg", [n], "numpy, from the formula", rolling(c, n, lambda q: -(q[::-1] @ np.arange(1, n + 1)) / q.sum()))
    if d.name == "walk":
        one(d, "cg", [10], "pandas-ta-classic cg", pta.cg(d.s["c"], 10), start=20)
    for g in (0.5, 0.8):
        f, out = [c[0]] * 4, np.empty_like(c)
        for i, x in enumerate(c):
            n = [(1 - g) * x + g * f[0]]
            for k in (1, 2, 3):
                n.append(-g * n[k - 1] + f[k - 1] + g * f[k])
            f = n
            up = sum(max(n[k] - n[k + 1], 0) for k in range(3))
            down = sum(max(n[k + 1] - n[k], 0) for k in range(3))
            out[i] = 0.5 if up + down < 1e-13 else up / (up + down)
        if d.name == "walk":
            one(d, "lrsi", [g], "numpy, from the formula", out, start=1)


def more(d):
    h, l, c, v, T = d.h, d.l, d.c, d.v, "TA-Lib "
    for q in (0.01, 1.0):
        k, p, out = c[0], 1 - q, np.empty_like(c)
        for i, x in enumerate(c):
            p += q
            g = p / (p + 1)
            k, p = k + g * (x - k), p * (1 - g)
            out[i] = k
        one(d, "kalman", [q], "numpy, from the formula", out)
    for n in (5, 20):
        m = ta.SMA(c, n)
        case(d, "envelope", [n, 0.1], T + "SMA", dict(upper=m * 1.1, middle=m, lower=m * 0.9))
    case(d, "dm", [5], T + "PLUS_DM and MINUS_DM / n", dict(plus=ta.PLUS_DM(h, l, 5) / 5, minus=ta.MINUS_DM(h, l, 5) / 5), start=120, every=3)
    f = pd.DataFrame(dict(f=(h + l + c) / 3 * v, v=v, a=np.cumsum(d.anchor))).groupby("a").cumsum()
    one(d, "anchored_vwap", [], "pandas, grouped by anchor", np.where(np.cumsum(d.anchor) == 0, np.nan, f.f / f.v), series=["anchor"], every=3)

    def smoothed(x, n, factor):
        hi, lo = rolling(x, n, np.max), rolling(x, n, np.min)
        out, e, last = np.full(len(x), np.nan), None, 50.0
        for i in range(len(x)):
            if np.isnan(hi[i]):
                continue
            if hi[i] > lo[i]:
                last = 100 * (x[i] - lo[i]) / (hi[i] - lo[i])
            e = last if e is None else e + factor * (last - e)
            out[i] = e
        return out

    if d.name == "walk":
        for n, a, b, k in ((10, 23, 50, 0.5), (6, 5, 9, 0.3)):
            one(d, "stc", [n, a, b, k], "numpy, from the formula", smoothed(smoothed(ema(c, a) - ema(c, b), n, k), n, k))

"""The cases of the indicators most used."""
import numpy as np
import pandas as pd
import pandas_ta_classic as pta
import talib as ta

from indicators import case, ema, lag, one, rma, rolling, sma, true_range


def make(d):
    averages(d)
    momentum(d)
    trend(d)
    volatility(d)
    flow(d)
    statistics(d)


def averages(d):
    c, T = d.c, "TA-Lib "
    for n in (1, 2, 7, 20, 50):
        one(d, "sma", [n], "numpy mean of windows", sma(c, n))
    for n in (2, 9, 21):
        one(d, "sma", [n], T + "SMA", ta.SMA(c, n))
        one(d, "ema", [n], T + "EMA", ta.EMA(c, n))
        one(d, "rma", [n], T + "RMA", ta.RMA(c, n))
        one(d, "wma", [n], T + "WMA", ta.WMA(c, n))
        one(d, "trima", [n], T + "TRIMA", ta.TRIMA(c, n))
        one(d, "trima", [n + 1], T + "TRIMA", ta.TRIMA(c, n + 1))
        one(d, "dema", [n], T + "DEMA", ta.DEMA(c, n))
        one(d, "tema", [n], T + "TEMA", ta.TEMA(c, n))
        one(d, "kama", [n, 2, 30], T + "KAMA", ta.KAMA(c, n))
    for n in (2, 9, 16, 30):
        w = lambda x, m: rolling(x, m, lambda q: q @ np.arange(1, m + 1) / (m * (m + 1) / 2))
        one(d, "hma", [n], "numpy, from the formula", w(2 * w(c, max(n // 2, 1)) - w(c, n), int(n ** 0.5)))
        one(d, "wma", [n], "numpy dot product of windows", w(c, n))
    one(d, "hma", [16], T + "HMA", ta.HMA(c, 16))
    for n in (5, 12):
        x = c + (c - lag(c, (n - 1) // 2))
        one(d, "zlema", [n], "numpy, from the formula", ema(x, n))
    one(d, "zlema", [9], T + "ZLEMA", ta.ZLEMA(c, 9), start=250)
    if d.name == "walk":
        one(d, "vwma", [10], T + "VWMA", ta.VWMA(c, d.v, 10))
    num, den = pd.Series(c * d.v).rolling(9).sum(), pd.Series(d.v).rolling(9).sum()
    one(d, "vwma", [9], "pandas rolling sums", num / den)


def wilder_share(up, down, n):
    u, w = rma(up, n), rma(down, n)
    with np.errstate(all="ignore"):
        return np.where(u + w == 0, 50, 100 * u / (u + w))


def momentum(d):
    c, h, l, T = d.c, d.h, d.l, "TA-Lib "
    for n in (1, 2, 7, 14):
        x = np.diff(c, prepend=np.nan)
        up, down = np.where(np.isnan(x), np.nan, np.maximum(x, 0)), np.where(np.isnan(x), np.nan, np.maximum(-x, 0))
        if n > 1:
            one(d, "rsi", [n], "numpy, from the formula", wilder_share(up, down, n))
    one(d, "rsi", [14], T + "RSI", ta.RSI(c, 14))
    for a, b, s in ((12, 26, 9), (5, 8, 3)):
        m, g, hist = ta.MACD(c, a, b, s)
        case(d, "macd", [a, b, s], T + "MACD", dict(macd=m, signal=g, hist=hist), start=330)
        m = ema(c, a) - ema(c, b)
        g = ema(m, s)
        case(d, "macd", [a, b, s], "numpy, from the formula", dict(macd=m, signal=g, hist=m - g))
        m = 100 * (ema(c, a) - ema(c, b)) / ema(c, b)
        g = ema(m, s)
        case(d, "ppo", [a, b, s], "numpy, from the formula", dict(ppo=m, signal=g, hist=m - g))
    m = ta.PPO(c, 5, 12, 1)
    g = ta.EMA(m, 4)
    case(d, "ppo", [5, 12, 4], T + "PPO with matype 1 and EMA", dict(ppo=m, signal=g, hist=m - g), start=200)
    for n, k, s in ((14, 3, 3), (5, 1, 4)):
        hh, ll = pd.Series(h).rolling(n).max(), pd.Series(l).rolling(n).min()
        fast = np.where(hh - ll == 0, 50, 100 * (c - ll) / (hh - ll))
        fast[:n - 1] = np.nan
        slow = sma(fast, k)
        case(d, "stoch", [n, k, s], "pandas, from the formula", dict(k=slow, d=sma(slow, s)))
        if d.name == "walk":
            a, b = ta.STOCH(h, l, c, n, k, 0, s, 0)
            case(d, "stoch", [n, k, s], T + "STOCH", dict(k=a, d=b))
    if d.name == "walk":
        a, b = ta.STOCHRSI(c, 14, 9, 3, 0)
        case(d, "stochrsi", [14, 9, 1, 3], T + "STOCHRSI", dict(k=a, d=b))
        r = pd.Series(ta.RSI(c, 10))
        lo, hi = r.rolling(8).min(), r.rolling(8).max()
        k = (100 * (r - lo) / (hi - lo)).rolling(3).mean()
        case(d, "stochrsi", [10, 8, 3, 4], "pandas, from the formula", dict(k=k, d=k.rolling(4).mean()))
        one(d, "willr", [14], T + "WILLR", ta.WILLR(h, l, c, 14))
        one(d, "cci", [20], T + "CCI", ta.CCI(h, l, c, 20))
        one(d, "ultosc", [7, 14, 28], T + "ULTOSC", ta.ULTOSC(h, l, c, 7, 14, 28))
    one(d, "willr", [9], "numpy, from the formula", np.array([np.nan] * 8 + [
        -50 if h[i - 8:i + 1].max() == l[i - 8:i + 1].min() else -100 * (h[i - 8:i + 1].max() - c[i]) / (h[i - 8:i + 1].max() - l[i - 8:i + 1].min()) for i in range(8, len(c))]))
    t = (h + l + c) / 3
    mad = rolling(t, 10, lambda w: np.abs(w - w.mean()).mean())
    flat = rolling(t, 10, np.ptp) == 0
    one(d, "cci", [10], "numpy, from the formula", np.where(flat, 0, (t - sma(t, 10)) / (0.015 * mad)), start=9)
    for n in (1, 10):
        one(d, "roc", [n], T + "ROC", ta.ROC(c, n))
        one(d, "mom", [n], T + "MOM", ta.MOM(c, n))
    low = np.minimum(l, lag(c))
    bp, tr = pd.Series(c - low), pd.Series(true_range(d))
    ratio = lambda n: np.where(rolling(tr, n, np.max) == 0, 0.5, bp.rolling(n).sum() / tr.rolling(n).sum())
    one(d, "ultosc", [4, 9, 13], "pandas, from the formula", 100 * (4 * ratio(4) + 2 * ratio(9) + ratio(13)) / 7, start=13)
    for n in (5, 12):
        one(d, "trix", [n], T + "TRIX", ta.TRIX(c, n))
        one(d, "dpo", [n], "numpy, from the formula", lag(c, n // 2 + 1) - sma(c, n))
    one(d, "dpo", [20], T + "DPO", ta.DPO(c, 20))


def trend(d):
    h, l, c, T = d.h, d.l, d.c, "TA-Lib "
    for n in (5, 14):
        case(d, "adx", [n], T + "ADX, PLUS_DI, MINUS_DI", dict(adx=ta.ADX(h, l, c, n), plus_di=ta.PLUS_DI(h, l, c, n), minus_di=ta.MINUS_DI(h, l, c, n)), start=150 if n == 5 else 440, every=1)
        up, down = np.diff(h, prepend=np.nan), -np.diff(l, prepend=np.nan)
        pdm = np.where((up > down) & (up > 0), up, np.where(np.isnan(up), np.nan, 0))
        mdm = np.where((down > up) & (down > 0), down, np.where(np.isnan(up), np.nan, 0))
        tr = rma(true_range(d), n)
        p, m = 100 * rma(pdm, n) / tr, 100 * rma(mdm, n) / tr
        dx = np.where(p + m == 0, 0, 100 * np.abs(p - m) / (p + m))
        case(d, "adx", [n], "numpy, from the formula", dict(adx=rma(dx, n), plus_di=p, minus_di=m))
    for n in (5, 14):
        up = rolling(h, n + 1, lambda w: 100 * (n - np.argmax(w[::-1])) / n)
        down = rolling(l, n + 1, lambda w: 100 * (n - np.argmin(w[::-1])) / n)
        case(d, "aroon", [n], "numpy argmax from the newest bar", dict(up=up, down=down, osc=up - down))
        b, a = ta.AROON(h, l, n)
        case(d, "aroon", [n], T + "AROON, AROONOSC", dict(up=a, down=b, osc=ta.AROONOSC(h, l, n)))
    for n, k in ((10, 3.0), (5, 1.5)):
        line, side = ta.SUPERTREND(h, l, c, n, k)
        case(d, "supertrend", [n, k], T + "SUPERTREND", dict(value=line, direction=np.sign(side)), start=60)
    for a, b, m in ((0.02, 0.02, 0.2), (0.01, 0.03, 0.15)):
        x = ta.SAREXT(h, l, 0, 0, a, b, m, a, b, m)
        case(d, "psar", [a, b, m], T + "SAREXT", dict(value=np.abs(x), direction=np.sign(x)))
    if d.name == "walk":
        x = ta.SAR(h, l, 0.02, 0.2)
        one(d, "psar", [0.02, 0.02, 0.2], T + "SAR", x)


def volatility(d):
    h, l, c, T = d.h, d.l, d.c, "TA-Lib "
    one(d, "tr", [], T + "TRANGE", ta.TRANGE(h, l, c))
    for n in (1, 5, 14):
        one(d, "atr", [n], T + "ATR", ta.ATR(h, l, c, n))
        if n > 1:
            one(d, "natr", [n], T + "NATR", ta.NATR(h, l, c, n))
        one(d, "atr", [n], "numpy, from the formula", rma(true_range(d), n))
    for n, k, f in ((20, 2, 0), (7, 1.5, 1)):
        m, s = sma(c, n), rolling(c, n, lambda w: 0 if np.ptp(w) == 0 else w.std(ddof=f))
        u, w = m + k * s, m - k * s
        place = np.where(s == 0, 0.5, (c - w) / (u - w))
        case(d, "bbands", [n, k, f], "numpy, from the formula", dict(upper=u, middle=m, lower=w, pct_b=place, width=(u - w) / m), start=n - 1)
    if d.name == "walk":
        u, m, w = ta.BBANDS(c, 20, 2, 2)
        case(d, "bbands", [20, 2, 0], T + "BBANDS", dict(upper=u, middle=m, lower=w))
    # TA-Lib's own KC averages the typical price instead of the close.
    m, r = ta.EMA(c, 20), ta.ATR(h, l, c, 10)
    case(d, "keltner", [20, 2, 10], T + "EMA and ATR", dict(upper=m + 2 * r, middle=m, lower=m - 2 * r))
    m, r = ema(c, 9), rma(true_range(d), 4)
    case(d, "keltner", [9, 1.5, 4], "numpy, from the formula", dict(upper=m + 1.5 * r, middle=m, lower=m - 1.5 * r))
    for n in (1, 5, 20):
        u, w = rolling(h, n, np.max), rolling(l, n, np.min)
        case(d, "donchian", [n], "numpy, from the formula", dict(upper=u, middle=(u + w) / 2, lower=w))
    u, m, w = ta.DONCHIAN(h, l, 20)
    case(d, "donchian", [20], T + "DONCHIAN", dict(upper=u, middle=m, lower=w))
    tr = true_range(d)
    width = rolling(h, 14, np.max) - rolling(l, 14, np.min)
    one(d, "chop", [14], "numpy, from the formula", 100 * np.log10(rolling(tr, 14, np.sum) / np.where(width == 0, np.nan, width)) / np.log10(14))
    if d.name == "walk":
        one(d, "chop", [14], "pandas-ta-classic chop", pta.chop(d.s["h"], d.s["l"], d.s["c"], 14, 1), start=30)


def flow(d):
    h, l, c, v, T = d.h, d.l, d.c, d.v, "TA-Lib "
    x = ta.OBV(c, v)
    one(d, "obv", [], T + "OBV less its first value", x - x[0])
    one(d, "ad", [], T + "AD", ta.AD(h, l, c, v))
    t = (h + l + c) / 3
    flow = t * v
    up = pd.Series(np.where(t > lag(t), flow, 0.0)).where(~np.isnan(lag(t)))
    down = pd.Series(np.where(t < lag(t), flow, 0.0)).where(~np.isnan(lag(t)))
    for n in (5, 14):
        a, b = rolling(up.values, n, np.sum), rolling(down.values, n, np.sum)
        one(d, "mfi", [n], "numpy, from the formula", np.where(a + b == 0, 50, 100 * a / (a + b)), start=n)
    if d.name == "walk":
        one(d, "mfi", [14], T + "MFI", ta.MFI(h, l, c, v, 14))
        one(d, "cmf", [20], T + "CMF", ta.CMF(h, l, c, v, 20))
        one(d, "vwap_n", [14], T + "VWMA of TYPPRICE", ta.VWMA(ta.TYPPRICE(h, l, c), v, 14))
    clv = np.where(h == l, 0, ((c - l) - (h - c)) / np.where(h == l, 1, h - l)) * v
    one(d, "cmf", [9], "numpy, from the formula", rolling(clv, 9, np.sum) / rolling(v, 9, np.sum))
    one(d, "vwap_n", [6], "numpy, from the formula", rolling(flow, 6, np.sum) / rolling(v, 6, np.sum))
    f = pd.DataFrame(dict(f=flow, v=v, s=d.session)).groupby("s").cumsum()
    one(d, "vwap", [], "pandas, grouped by session", f.f / f.v)


def statistics(d):
    c, o, T = d.c, d.o, "TA-Lib "
    for n in (2, 7, 20, 60):
        one(d, "sum", [n], T + "SUM", ta.SUM(c, n))
        one(d, "highest", [n], T + "MAX", ta.MAX(c, n))
        one(d, "lowest", [n], T + "MIN", ta.MIN(c, n))
        one(d, "highest_bar", [n], "numpy argmax from the newest bar", rolling(c, n, lambda w: np.argmax(w[::-1])))
        one(d, "lowest_bar", [n], "numpy argmin from the newest bar", rolling(c, n, lambda w: np.argmin(w[::-1])))
        for f in (0, 1):
            one(d, "variance", [n, f], "numpy var", rolling(c, n, lambda w: w.var(ddof=f)))
            sd = rolling(c, n, lambda w: 0 if np.ptp(w) == 0 else w.std(ddof=f))
            one(d, "stdev", [n, f], "numpy std", sd)
            one(d, "zscore_n", [n, f], "numpy, from the formula", np.where(sd == 0, 0, (c - sma(c, n)) / sd), start=n - 1)
        one(d, "percentile_n", [n], "pandas rolling rank(pct=True)", pd.Series(c).rolling(n).rank(pct=True))
        one(d, "linreg", [n], T + "LINEARREG", ta.LINEARREG(c, n))
        one(d, "linreg_slope", [n], T + "LINEARREG_SLOPE", ta.LINEARREG_SLOPE(c, n))
        one(d, "linreg_slope", [n], "numpy polyfit", rolling(c, n, lambda w: np.polyfit(np.arange(n), w, 1)[0]))
        if n > 2:
            one(d, "correlation", [n], "numpy corrcoef", rolling(np.arange(len(c), dtype=float), n, lambda w: np.nan if np.ptp(c[int(w[0]):int(w[-1]) + 1]) == 0 or np.ptp(o[int(w[0]):int(w[-1]) + 1]) == 0 else np.corrcoef(c[int(w[0]):int(w[-1]) + 1], o[int(w[0]):int(w[-1]) + 1])[0, 1]))
    if d.name == "walk":
        one(d, "variance", [20, 0], T + "VAR", ta.VAR(c, 20))
        one(d, "stdev", [20, 0], T + "STDDEV", ta.STDDEV(c, 20))
        one(d, "correlation", [20], T + "CORREL", ta.CORREL(c, o, 20))

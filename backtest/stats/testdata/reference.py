"""Writes reference.json: an input and every metric of it, computed from the published formulas with
nothing but Python's standard library. It shares no code with the package that it checks.

    python3 reference.py > reference.json
"""
import datetime
import json
import math
from statistics import NormalDist

norm = NormalDist()
seed = 20240102


def uniform():
    global seed
    seed = (seed * 6364136223846793005 + 1442695040888963407) % 2**64
    return (seed >> 11) / 2**53


def normal():
    return math.fsum(uniform() for _ in range(12)) - 6


# The input: 560 Fridays and the one before, 2014-01-03 to 2024-09-27.
N, n, rf = 52, 560, 0.02
dates = [datetime.date(2014, 1, 3) + datetime.timedelta(days=7 * i) for i in range(n + 1)]
equity, bench, hold = [100000.0], [50.0], [100000.0]
for t in range(n):
    m = 0.0015 + 0.022 * normal() - (0.05 if t % 97 == 96 else 0)
    equity.append(round(equity[-1] * (1 + 0.0008 + 0.5 * m + 0.008 * normal()), 2))
    bench.append(round(bench[-1] * (1 + m), 4))
    hold.append(round(hold[-1] * (1 + 0.9 * m), 2))
trades = []
for i in range(120):
    d = dates[4 * i]
    r = round(0.012 + 0.05 * normal(), 5) if i % 17 else 0.0
    trades.append(dict(symbol="ABC"[i % 3], pnl=round(9000 * r, 2), ret=r, value=9000.0, bars=1 + int(12 * uniform()), entry=d.isoformat(),
                       exit=(d + datetime.timedelta(days=1 + int(40 * uniform()))).isoformat(), long=uniform() < .7, open=i >= 117,
                       mae=round(min(r, 0) - .02 * uniform(), 5), mfe=round(max(r, 0) + .03 * uniform(), 5)))
gross = [round(.4 + .7 * uniform(), 4) for _ in dates]
net = [round(g * (.2 + .8 * uniform()), 4) for g in gross]
largest = [round(g * (.2 + .6 * uniform()), 4) if uniform() < .8 else 0.0 for g in gross]
effective = [round(1 + 9 * uniform(), 4) if v else 0.0 for v in largest]
liquidity = dict(volume_share=.0375, capacity=412345.5)
money = dict(traded=2.4e6, commission=812.5, slippage=1630.25, dividends=420.0, interest=-31.5, borrow=77.0)
bars_in, bars_all = 391, 560

out = {}


def mean(x):
    return math.fsum(x) / len(x)


def sd(x):
    m = mean(x)
    return math.sqrt(math.fsum((v - m) ** 2 for v in x) / (len(x) - 1))


def central(x, k):
    m = mean(x)
    return math.fsum((v - m) ** k for v in x) / len(x)


def product(x):
    p = 1.0
    for v in x:
        p *= v
    return p


def returns(v):
    return [(b - a) / a for a, b in zip(v, v[1:])]


def quantile(x, p):
    s = sorted(x)
    h = p * (len(s) - 1)
    i = math.floor(h)
    return s[-1] if i + 1 >= len(s) else s[i] + (h - i) * (s[i + 1] - s[i])


def tail(x, p):
    s, k = sorted(x), p * len(x)
    i = math.floor(k)
    return (math.fsum(s[:i]) + (k - i) * s[i]) / k


r, b, h = returns(equity), returns(bench), returns(hold)
rfp = (1 + rf) ** (1 / N) - 1
e, eb = [x - rfp for x in r], [x - rfp for x in b]
days = (dates[-1] - dates[0]).days
root = math.sqrt(N)


def cagr(v):
    return (v[-1] / v[0]) ** (365.25 / days) - 1


def periods(v, key):
    """Returns by calendar period: (key, return, partial)."""
    res, base = [], v[0]
    for i in range(1, len(v)):
        if i + 1 == len(v) or key(dates[i + 1]) != key(dates[i]):
            first = not res and key(dates[0]) == key(dates[i])
            # No weekday of September is left after Friday the 27th but Monday the 30th: partial.
            last = i + 1 == len(v)
            res.append((key(dates[i]), v[i] / base - 1, first or last))
            base = v[i]
    return res


def months(v):
    return periods(v, lambda d: (d.year, d.month))


def years(v):
    return periods(v, lambda d: d.year)


month = [x for _, x, part in months(equity) if not part]
year = [x for _, x, part in years(equity) if not part]


def back(k):
    """The date k months before the end."""
    y, m = divmod(dates[-1].year * 12 + dates[-1].month - 1 - k, 12)
    return datetime.date(y, m + 1, dates[-1].day)


def since(k):
    i = max(i for i, d in enumerate(dates) if d <= back(k))
    return equity[-1] / equity[i]


def drawdowns(v):
    """Every episode: (depth, peak, trough, recovery, open, money) and the drawdown at each bar."""
    dd, eps, peak = [], [], 0
    under = False
    for i, x in enumerate(v):
        if x >= v[peak]:
            if under:
                eps[-1].update(rec=i, open=False)
            under, peak = False, i
            dd.append(0.0)
            continue
        f = (x - v[peak]) / v[peak]
        dd.append(f)
        if not under:
            eps.append(dict(peak=peak, depth=0.0, open=True, rec=len(v) - 1))
        under = True
        if f < eps[-1]["depth"]:
            eps[-1].update(depth=f, trough=i, usd=x - v[peak])
    return eps, dd[1:]


eps, dd = drawdowns(equity)
beps, bdd = drawdowns(bench)
worst = min(eps, key=lambda x: x["depth"])


def span(a, b):
    return (dates[b] - dates[a]).days


iso = lambda i: dates[i].isoformat()
out.update(start=iso(0), end=iso(n), calendar_days=days, sessions=n, periods_per_year=N, risk_free=rf, start_equity=equity[0],
           final_equity=equity[-1], peak_equity=max(equity), net_profit=equity[-1] - equity[0], total_return=equity[-1] / equity[0] - 1,
           cagr=cagr(equity), annual_return=(equity[-1] / equity[0]) ** (N / n) - 1, annual_mean=N * mean(r),
           expected_day=(equity[-1] / equity[0]) ** (1 / n) - 1, expected_month=product(1 + x for x in month) ** (1 / len(month)) - 1,
           mtd=months(equity)[-1][1], ytd=years(equity)[-1][1], return_3m=since(3) - 1, return_6m=since(6) - 1, return_1y=since(12) - 1,
           return_3y=since(36) ** (1 / 3) - 1, return_5y=since(60) ** .2 - 1, return_10y=since(120) ** .1 - 1, best_day=max(r), worst_day=min(r),
           best_month=max(month), worst_month=min(month), best_year=max(year), worst_year=min(year),
           average_up_month=mean([x for x in month if x > 0]), average_down_month=mean([x for x in month if x < 0]),
           positive_days=sum(x > 0 for x in r) / n, positive_months=sum(x > 0 for x in month) / len(month),
           positive_years=sum(x > 0 for x in year) / len(year))
roll = [product(1 + x for x in month[i:i + 12]) - 1 for i in range(len(month) - 11)]
out["rolling_12m_positive"] = sum(x > 0 for x in roll) / len(roll)

# Straight line through the cumulated log returns.
y, c = [], 0.0
for x in r:
    c += math.log1p(x)
    y.append(c)
t = list(range(n))
sxy = math.fsum((a - mean(t)) * (q - mean(y)) for a, q in zip(t, y))
sxx = math.fsum((a - mean(t)) ** 2 for a in t)
syy = math.fsum((q - mean(y)) ** 2 for q in y)
slope = sxy / sxx
sse = math.fsum((q - mean(y) - slope * (a - mean(t))) ** 2 for a, q in zip(t, y))
out.update(stability=sxy ** 2 / sxx / syy, k_ratio=slope / math.sqrt(sse / (n - 2) / sxx), buy_and_hold_return=hold[-1] / hold[0] - 1,
           buy_and_hold_cagr=cagr(hold), buy_and_hold_max_drawdown=min(drawdowns(hold)[1]))

# Risk.
g3, g4 = central(r, 3) / central(r, 2) ** 1.5, central(r, 4) / central(r, 2) ** 2


def skew(x):
    k = len(x)
    return central(x, 3) / central(x, 2) ** 1.5 * math.sqrt(k * (k - 1)) / (k - 2)


def kurt(x):
    k = len(x)
    return (k - 1) / (k - 2) / (k - 3) * ((k + 1) * (central(x, 4) / central(x, 2) ** 2 - 3) + 6)


def acf(x, k):
    m = mean(x)
    return math.fsum((x[i] - m) * (x[i - k] - m) for i in range(k, len(x))) / math.fsum((v - m) ** 2 for v in x)


def chi_tail(x, df):
    """For an even number of degrees of freedom."""
    return math.exp(-x / 2) * math.fsum((x / 2) ** i / math.factorial(i) for i in range(df // 2))


def down(x, mar=0.0):
    return math.sqrt(math.fsum(min(v - mar, 0) ** 2 for v in x) / len(x))


q = n * (n + 2) * math.fsum(acf(r, k) ** 2 / (n - k) for k in range(1, 11))
out.update(volatility=sd(r) * root, monthly_volatility=sd(month) * math.sqrt(12), downside_deviation=down(r) * root,
           upside_deviation=down([-x for x in r]) * root, mean_absolute_deviation=mean([abs(x - mean(r)) for x in r]), skewness=skew(r),
           excess_kurtosis=kurt(r), jarque_bera_p=chi_tail(n / 6 * (g3 ** 2 + (g4 - 3) ** 2 / 4), 2), autocorrelation=acf(r, 1), ljung_box_p=chi_tail(q, 10))

# Ratios.
sr = mean(e) / sd(e)
bracket = 1 - g3 * sr + (g4 - 1) / 4 * sr ** 2
se = math.sqrt(bracket / (n - 1))
z = norm.inv_cdf(.975)
rho = acf(r, 1)
# Lo's sum, not its closed form.
eta = N / math.sqrt(N + 2 * math.fsum((N - k) * rho ** k for k in range(1, N)))
maxdd = min(dd)
ulcer, pain = math.sqrt(mean([x * x for x in dd])), -mean(dd)
me = [x - ((1 + rf) ** (1 / 12) - 1) for x in month]
last36 = [v for d, v in zip(dates, equity) if d >= max(x for x in dates if x <= back(36))]
annual_sr = sr * root
neg = lambda x: [-v for v in x]
out.update(sharpe=annual_sr, sharpe_se=se * root, sharpe_low=annual_sr - z * se * root, sharpe_high=annual_sr + z * se * root, sharpe_t=sr * math.sqrt(n),
           sharpe_lo=sr * eta, sharpe_monthly=mean(me) / sd(me) * math.sqrt(12), probabilistic_sharpe=norm.cdf(sr / se),
           min_track_record=1 + bracket * (norm.inv_cdf(.95) / sr) ** 2, sortino=mean(e) / down(r, rfp) * root, adjusted_sortino=mean(e) / down(r, rfp) * root / math.sqrt(2),
           omega=math.fsum(max(x, 0) for x in r) / math.fsum(max(-x, 0) for x in r), calmar=cagr(equity) / -maxdd,
           calmar_36m=((last36[-1] / last36[0]) ** (1 / 3) - 1) / -min(drawdowns(last36)[1]), sterling=cagr(equity) / (.1 - maxdd),
           burke=cagr(equity) / math.sqrt(math.fsum(x["depth"] ** 2 for x in eps)), pain_ratio=cagr(equity) / pain, martin=(cagr(equity) - rf) / ulcer,
           serenity=(cagr(equity) - rf) / (ulcer * -tail(dd, .05) / (sd(r) * root)), kappa_3=mean(r) / mean([max(-x, 0) ** 3 for x in r]) ** (1 / 3),
           upside_potential=mean([max(x, 0) for x in r]) / down(r), adjusted_sharpe=annual_sr * (1 + g3 / 6 * annual_sr - (g4 - 3) / 24 * annual_sr ** 2),
           gain_to_pain=math.fsum(month) / -math.fsum(x for x in month if x < 0), rachev=tail(neg(r), .05) / tail(r, .05))

# Drawdown.
lengths = [span(x["peak"], x["rec"]) for x in eps]
out.update(max_drawdown=maxdd, max_drawdown_usd=worst["usd"], max_drawdown_peak=iso(worst["peak"]), max_drawdown_trough=iso(worst["trough"]),
           max_drawdown_recovery=None if worst["open"] else iso(worst["rec"]), max_drawdown_days=span(worst["peak"], worst["rec"]),
           max_drawdown_bars=worst["rec"] - worst["peak"], max_drawdown_fall_days=span(worst["peak"], worst["trough"]),
           max_drawdown_recovery_days=None if worst["open"] else span(worst["trough"], worst["rec"]), longest_drawdown_days=max(lengths),
           longest_drawdown_bars=max(x["rec"] - x["peak"] for x in eps), current_drawdown=dd[-1], average_drawdown=mean([x["depth"] for x in eps]),
           average_drawdown_days=mean(lengths), drawdowns=len(eps), time_under_water=sum(x < 0 for x in dd) / n, ulcer_index=ulcer, pain_index=pain,
           dar_95=quantile(dd, .05), cdar_95=tail(dd, .05), recovery_factor=(equity[-1] - equity[0]) / -worst["usd"],
           max_run_up=max(equity[i] / min(equity[:i]) - 1 for i in range(1, n + 1)))

# Tails.
z5, z1 = norm.inv_cdf(.05), norm.inv_cdf(.01)


def cornish(z):
    s, k = g3, g4 - 3
    return mean(r) + math.sqrt(central(r, 2)) * (z + (z * z - 1) * s / 6 + (z ** 3 - 3 * z) * k / 24 - (2 * z ** 3 - 5 * z) * s * s / 36)


out.update(var_95=quantile(r, .05), var_99=quantile(r, .01), es_95=tail(r, .05), es_99=tail(r, .01), var_95_normal=mean(r) + z5 * sd(r),
           var_95_cornish_fisher=cornish(z5), var_99_cornish_fisher=cornish(z1), es_95_normal=mean(r) - norm.pdf(z5) / .05 * sd(r),
           tail_ratio=abs(quantile(r, .95)) / abs(quantile(r, .05)))

# Trades.
closed = [x for x in trades if not x["open"]]
pnl, ret = [x["pnl"] for x in closed], [x["ret"] for x in closed]
win, loss = [x for x in closed if x["pnl"] > 0], [x for x in closed if x["pnl"] < 0]
w, l, k = len(win), len(loss), len(closed)
p = w / k


def streak(sign):
    best = run = 0
    for x in pnl:
        run = run + 1 if x * sign > 0 else 0
        best = max(best, run)
    return best


def median(x):
    return quantile(x, .5)


def date(s):
    return datetime.date.fromisoformat(s)


gp, gl = math.fsum(x["pnl"] for x in win), math.fsum(x["pnl"] for x in loss)
half, mid = z / (1 + z * z / k) * math.sqrt(p * (1 - p) / k + z * z / (4 * k * k)), (p + z * z / (2 * k)) / (1 + z * z / k)
cum, fall, top = 0.0, 0.0, 0.0
for x in pnl:
    cum += x
    top = max(top, cum)
    fall = min(fall, cum - top)
held = [x["bars"] for x in closed]
payoff = (gp / w) / (-gl / l)
out.update(trades=k, trades_long=sum(x["long"] for x in closed), trades_short=sum(not x["long"] for x in closed), open_trades=len(trades) - k,
           open_pnl=math.fsum(x["pnl"] for x in trades if x["open"]), winning_trades=w, losing_trades=l, even_trades=k - w - l, win_rate=p,
           win_rate_low=mid - half, win_rate_high=mid + half, win_rate_decisive=w / (w + l), gross_profit=gp, gross_loss=gl, profit_factor=gp / -gl,
           expectancy=mean(pnl), expectancy_return=mean(ret), expectancy_r=p * payoff - l / k, median_trade=median(pnl), average_win=gp / w,
           average_loss=gl / l, average_win_return=mean([x["ret"] for x in win]), average_loss_return=mean([x["ret"] for x in loss]), payoff=payoff,
           largest_win=max(pnl), largest_loss=min(pnl), best_trade=max(ret), worst_trade=min(ret), trade_sd=sd(pnl), sqn=math.sqrt(min(k, 100)) * mean(pnl) / sd(pnl),
           kelly=p / -mean([x["ret"] for x in loss]) - (l / k) / mean([x["ret"] for x in win]), max_win_streak=streak(1), max_loss_streak=streak(-1),
           average_bars=mean(held), median_bars=median(held), max_bars=max(held), average_win_bars=mean([x["bars"] for x in win]),
           average_loss_bars=mean([x["bars"] for x in loss]), average_days=mean([(date(x["exit"]) - date(x["entry"])).days for x in closed]),
           trades_per_year=k / (n / N), average_mae=mean([x["mae"] for x in closed]), average_mfe=mean([x["mfe"] for x in closed]),
           edge_ratio=mean([x["mfe"] for x in closed]) / -mean([x["mae"] for x in closed]), closed_trade_drawdown=fall,
           top_trade_share=max(pnl) / math.fsum(pnl), top_5_trades_share=math.fsum(sorted(pnl)[-5:]) / math.fsum(pnl))

# Benchmark.


def cov(x, y):
    return math.fsum((a - mean(x)) * (c - mean(y)) for a, c in zip(x, y)) / len(x)


def student(t, df):
    """Two-sided p by Simpson's rule on the density."""
    steps, log = 40000, math.lgamma((df + 1) / 2) - math.lgamma(df / 2) - .5 * math.log(df * math.pi)
    f = lambda x: math.exp(log - (df + 1) / 2 * math.log1p(x * x / df))
    w = abs(t) / steps
    area = math.fsum(f(i * w) * (1 if i in (0, steps) else 4 if i % 2 else 2) for i in range(steps + 1)) * w / 3
    return 1 - 2 * area


def beta_where(cond):
    x, y = zip(*[(c, a) for a, c in zip(e, eb) if cond(c)])
    return cov(x, y) / cov(x, x)


beta = cov(e, eb) / cov(eb, eb)
alpha = mean(e) - beta * mean(eb)
res = [a - alpha - beta * c for a, c in zip(e, eb)]
sse = math.fsum(x * x for x in res)
at = alpha / math.sqrt(sse / (n - 2) * (1 / n + mean(eb) ** 2 / (n * cov(eb, eb))))
diff = [a - c for a, c in zip(r, b)]
corr = cov(r, b) / math.sqrt(cov(r, r) * cov(b, b))
pairs = [(a[1], c[1]) for a, c in zip(months(equity), months(bench)) if not a[2]]
geo = lambda x: product(1 + v for v in x) ** (1 / len(x)) - 1
up, dn = [x for x in pairs if x[1] > 0], [x for x in pairs if x[1] < 0]
bmax = min(bdd)
out.update(benchmark_total_return=bench[-1] / bench[0] - 1, benchmark_cagr=cagr(bench), benchmark_volatility=sd(b) * root,
           benchmark_sharpe=mean(eb) / sd(eb) * root, benchmark_sortino=mean(eb) / down(b, rfp) * root, benchmark_max_drawdown=bmax,
           benchmark_calmar=cagr(bench) / -bmax, benchmark_best_day=max(b), benchmark_worst_day=min(b), benchmark_skewness=skew(b),
           benchmark_excess_kurtosis=kurt(b), benchmark_ulcer_index=math.sqrt(mean([x * x for x in bdd])),
           excess_return=equity[-1] / equity[0] - bench[-1] / bench[0], beta=beta, alpha=alpha * N, alpha_t=at, alpha_p=student(at, n - 2),
           correlation=corr, r_squared=corr ** 2, tracking_error=sd(diff) * root, active_return=mean(diff) * N, information_ratio=mean(diff) / sd(diff) * root,
           treynor=(cagr(equity) - rf) / beta, m2=rf + annual_sr * sd(b) * root, appraisal=alpha * N / (math.sqrt(sse / (n - 1)) * root),
           up_capture=geo([x[0] for x in up]) / geo([x[1] for x in up]), down_capture=geo([x[0] for x in dn]) / geo([x[1] for x in dn]),
           bull_beta=beta_where(lambda c: c > 0), bear_beta=beta_where(lambda c: c < 0), batting_average=sum(a > c for a, c in zip(r, b)) / n)

# Exposure and costs.
costs = money["commission"] + money["slippage"] + money["borrow"]
profit, years_run = equity[-1] - equity[0], n / N
out.update(exposure=bars_in / bars_all, average_gross=mean(gross), max_gross=max(gross), average_net=mean(net), risk_adjusted_return=cagr(equity) / (bars_in / bars_all),
           turnover=money["traded"] / (2 * mean(equity)) / years_run, traded_value=money["traded"], total_commission=money["commission"],
           total_slippage=money["slippage"], total_borrow=money["borrow"], total_interest=money["interest"], total_dividends=money["dividends"],
           total_costs=costs, cost_drag=costs / mean(equity) / years_run, cost_share=costs / (profit + costs), break_even_cost=profit / money["traded"])

# The rows behind the best known ones.
quarter = []
for i, (key, x, part) in enumerate(months(equity)):
    if key[1] % 3 == 0 and i >= 2 and not any(c for _, _, c in months(equity)[i - 2:i + 1]):
        quarter.append(product(1 + c for _, c, _ in months(equity)[i - 2:i + 1]) - 1)
before = max(i for i, d in enumerate(dates) if d < datetime.date(dates[-1].year, (dates[-1].month - 1) // 3 * 3 + 1, 1))
cumulated = [math.fsum(x - mean(r) for x in r[:i]) for i in range(n + 1)]
falls, rises = [-x for x in r if x < 0], [x for x in r if x > 0]
ratio = [a / c for a, c in zip(equity, bench)]


def student_inv(df):
    lo, hi = 1.0, 13.0
    for _ in range(60):
        m = (lo + hi) / 2
        lo, hi = (m, hi) if student(m, df) > .05 else (lo, m)
    return lo


def herfindahl(x):
    return (math.fsum((v / math.fsum(x)) ** 2 for v in x) - 1 / len(x)) / (1 - 1 / len(x))


wide, share = student_inv(k - 1) * sd(pnl) / math.sqrt(k), l / k
alpha_wide = student_inv(n - 2) * alpha / at * N
out.update(expected_year=product(1 + x for x in year) ** (1 / len(year)) - 1, median_day=median(r), qtd=equity[-1] / equity[before] - 1, return_1m=since(1) - 1,
           best_week=max(r), worst_week=min(r), positive_quarters=sum(x > 0 for x in quarter) / len(quarter), monthly_skewness=skew(month),
           monthly_excess_kurtosis=kurt(month), hurst=math.log((max(cumulated) - min(cumulated)) / sd(r)) / math.log(n),
           d_ratio=len(falls) * math.fsum(falls) / (len(rises) * math.fsum(rises)), current_drawdown_days=span(eps[-1]["peak"], n) if eps[-1]["open"] else 0,
           worst_5_days=mean(sorted(r)[:5]), var_95_month=quantile(month, .05), trade_t=mean(pnl) / sd(pnl) * math.sqrt(k), expectancy_low=mean(pnl) - wide,
           expectancy_high=mean(pnl) + wide, trade_downside_sd=down(pnl), kelly_continuous=mean(ret) / sd(ret) ** 2,
           expected_loss_streak=math.log(k * (1 - share)) / math.log(1 / share), min_bars=min(held), worst_mae=min(x["mae"] for x in closed),
           best_mfe=max(x["mfe"] for x in closed), end_trade_drawdown=mean([x["ret"] - x["mfe"] for x in closed]),
           exit_efficiency=mean(ret) / mean([x["mfe"] for x in closed]), top_10_trades_share=math.fsum(sorted(pnl)[-10:]) / math.fsum(pnl),
           concentration_wins=herfindahl([x["pnl"] for x in win]), concentration_losses=herfindahl([x["pnl"] for x in loss]),
           relative_drawdown=min(ratio[i] / max(ratio[:i + 1]) - 1 for i in range(n + 1)),
           up_batting=sum(a > c for a, c in zip(r, b) if c >= 0) / sum(c >= 0 for c in b), down_batting=sum(a > c for a, c in zip(r, b) if c < 0) / sum(c < 0 for c in b),
           alpha_low=alpha * N - alpha_wide, alpha_high=alpha * N + alpha_wide)

# Extremes: the tail's law by its L-moments, the risk forecast by looking back anew at every session.
limit = -quantile(r, .05)
excess = sorted(-x - limit for x in r if -x > limit)
b1 = math.fsum((i + 1 - .35) / len(excess) * x for i, x in enumerate(excess)) / len(excess)
l1, l2 = mean(excess), 2 * b1 - mean(excess)
index = 2 - l1 / l2
scale = (1 - index) * l1
beyond = limit + scale / index * ((n / len(excess) * .01) ** -index - 1)
flag = [r[i] < mean(r[i - 252:i]) + z5 * sd(r[i - 252:i]) for i in range(252, n)]
step = list(zip(flag, flag[1:]))
count = lambda a, c: sum(x == (a, c) for x in step)


def bernoulli(a, c, rate=None):
    rate = c / (a + c) if rate is None else rate
    return (math.log(1 - rate) * a if a else 0) + (math.log(rate) * c if c else 0)


quiet, breach = count(False, False) + count(True, False), count(False, True) + count(True, True)
chi1 = lambda x: math.erfc(math.sqrt(x / 2))
unit = -mean([x["ret"] for x in loss])
some = lambda x: [v for v in x if v > 0]
out.update(var_99_gpd=-beyond, es_99_gpd=-(beyond / (1 - index) + (scale - index * limit) / (1 - index)), tail_index=index, var_breaches=breach / len(step),
           kupiec_p=chi1(-2 * (bernoulli(quiet, breach, .05) - bernoulli(quiet, breach))),
           christoffersen_p=chi1(-2 * (bernoulli(quiet, breach) - bernoulli(count(False, False), count(False, True)) - bernoulli(count(True, False), count(True, True)))),
           average_mae_usd=mean([x["mae"] * x["value"] for x in closed]), worst_mae_usd=min(x["mae"] * x["value"] for x in closed),
           average_mfe_usd=mean([x["mfe"] * x["value"] for x in closed]), best_mfe_usd=max(x["mfe"] * x["value"] for x in closed),
           average_mae_r=mean([x["mae"] for x in closed]) / unit, average_mfe_r=mean([x["mfe"] for x in closed]) / unit, max_weight=max(largest),
           average_largest=mean(some(largest)), effective_positions=mean(some(effective)), max_volume_share=liquidity["volume_share"], capacity=liquidity["capacity"])

# What is taken apart: the bound on the tail by bisection on the slope, fragility from sorted pairs.


def entropic(p, r):
    f = lambda t: (math.log(mean([math.exp(-t * x) for x in r])) - math.log(p)) / t
    lo, hi = 1e-3 / sd(r), 100 / sd(r)
    for _ in range(200):  # golden section would stop at 1e-8: the slope does not
        m = (lo + hi) / 2
        w = [math.exp(-m * x) for x in r]
        slope = m * -math.fsum(a * x for a, x in zip(w, r)) / math.fsum(w) - math.log(mean(w)) + math.log(p)
        lo, hi = (m, hi) if slope < 0 else (lo, m)
    return -f(lo)


weight = [.94 ** (n - 1 - i) for i in range(n)]
runs, inside = [], False
for x in r:
    if x < 0:
        runs = runs[:-1] + [runs[-1] * (1 + x)] if inside else runs + [1 + x]
    inside = x < 0
ranked = sorted(zip(b, r))
low, middle, high = ranked[0], ranked[n // 2], ranked[-1]
on_equity = [x["pnl"] / equity[max(0, dates.index(date(x["entry"])) - 1)] for x in closed]
growth = math.log(equity[-1] / equity[0])
worst_first = sorted(r)
out.update(without_best_days=product(1 + x for x in worst_first[:n - math.ceil(n / 100)]) - 1,
           best_5_days_share=math.fsum(math.log(1 + x) for x in worst_first[-5:]) / growth,
           best_year_share=math.log(1 + max(x for _, x, _ in years(equity))) / growth,
           top_symbol_share=max(math.fsum(x["pnl"] for x in closed if x["symbol"] == s) for s in "ABC") / math.fsum(pnl))
out.update(semi_deviation=math.sqrt(mean([min(x - mean(r), 0) ** 2 for x in r])) * root,
           ewma_volatility=math.sqrt(math.fsum(a * x * x for a, x in zip(weight, r)) / math.fsum(weight)) * root, sharpe_session=sr,
           sharpe_yearly=(mean(year) - rf) / sd(year), burke_runs=((equity[-1] / equity[0]) ** (N / n) - 1 - rf) / math.sqrt(math.fsum((x - 1) ** 2 for x in runs)),
           evar_95=entropic(.05, r), median_win_bars=median([x["bars"] for x in win]), median_loss_bars=median([x["bars"] for x in loss]),
           expectancy_equity=mean(on_equity), worst_trade_equity=min(on_equity), market_return=beta * mean(eb) * N, systematic_risk=beta * sd(b) * root,
           specific_risk=math.sqrt(sse / (n - 1)) * root, capture_ratio=out["up_capture"] / out["down_capture"],
           beta_fragility=((middle[0] - low[0]) * low[1] + (high[0] - middle[0]) * high[1]) / (high[0] - low[0]) - middle[1],
           average_long=mean([(a + c) / 2 for a, c in zip(gross, net)]), average_short=mean([(a - c) / 2 for a, c in zip(gross, net)]))

# What few ask for: the mean difference over all pairs, the errors of the Sortino ratio by leaving out nothing but
# weighing one session more, the tail of the Edgeworth density by Simpson's rule, the Beta law by its binomial sum.


def side(x, sign):
    return [v for v in x if v * sign > 0]


def weighed(i, by):
    """The Sortino ratio when session i counts by times more than the others."""
    total = n + by
    m = (math.fsum(e) + by * e[i]) / total
    return m / math.sqrt((math.fsum(min(v, 0) ** 2 for v in e) + by * min(e[i], 0) ** 2) / total)


def edgeworth(h):
    """The integral of z times the density up to h."""
    s, k = g3, g4 - 3
    f = lambda z: z * norm.pdf(z) * (1 + s / 6 * (z ** 3 - 3 * z) + k / 24 * (z ** 4 - 6 * z * z + 3) + s * s / 72 * (z ** 6 - 15 * z ** 4 + 45 * z * z - 15))
    steps, lo = 20000, -12.0
    w = (h - lo) / steps
    return math.fsum(f(lo + i * w) * (1 if i in (0, steps) else 4 if i % 2 else 2) for i in range(steps + 1)) * w / 3


sortino_se = math.sqrt(math.fsum(((weighed(i, 1e-3) - weighed(i, -1e-3)) / 2e-3) ** 2 for i in range(n))) * root
even = payoff / (1 + payoff)
edge = math.fsum(math.comb(w + l + 1, j) * (1 - even) ** j * even ** (w + l + 1 - j) for j in range(w + 1))
lasts = lambda x: [(date(t["exit"]) - date(t["entry"])).days for t in x]
lead = [a / c for a, c in zip([product(1 + x[0] for x in pairs[:i]) for i in range(len(pairs) + 1)], [product(1 + x[1] for x in pairs[:i]) for i in range(len(pairs) + 1)])]
ahead = lambda k: sum(lead[i] > lead[i - k] for i in range(k, len(lead))) / (len(lead) - k)
ways = [span(x["trough"], x["rec"]) for x in eps if not x["open"]]
out.update(gini=math.fsum(abs(x - y) for i, x in enumerate(r) for y in r[:i]) / (n * (n - 1) / 2), gain_deviation=sd(side(r, 1)) * root,
           loss_deviation=sd(side(r, -1)) * root, sortino_se=sortino_se, sortino_low=out["sortino"] - z * sortino_se, sortino_high=out["sortino"] + z * sortino_se,
           probabilistic_sortino=norm.cdf(out["sortino"] / sortino_se), prospect=mean([x if x > 0 else 2.25 * x for x in r]) / down(r), edar_95=entropic(.05, dd),
           max_drawdown_fall_bars=worst["trough"] - worst["peak"], max_drawdown_recovery_bars=None if worst["open"] else worst["rec"] - worst["trough"],
           average_recovery_days=mean(ways), var_99_normal=mean(r) + z1 * sd(r), es_99_normal=mean(r) - norm.pdf(z1) / .01 * sd(r),
           es_95_cornish_fisher=mean(r) + edgeworth((cornish(z5) - mean(r)) / math.sqrt(central(r, 2))) / .05 * math.sqrt(central(r, 2)),
           outlier_win=quantile(r, .99) / mean(side(r, 1)), outlier_loss=quantile(r, .01) / mean(side(r, -1)))
out.update(median_win=median(side(pnl, 1)), median_loss=median(side(pnl, -1)), median_trade_return=median(ret), best_trade_equity=max(on_equity),
           expected_win_streak=math.log(k * (1 - p)) / math.log(1 / p), max_win_bars=max(x["bars"] for x in win), max_loss_bars=max(x["bars"] for x in loss),
           median_days=median(lasts(closed)), max_days=max(lasts(closed)), average_win_days=mean(lasts(win)), average_loss_days=mean(lasts(loss)),
           worst_end_trade_drawdown=min(x["ret"] - x["mfe"] for x in closed), intra_trade_drawdown=None, probability_of_edge=edge,  # trades overlap
           cpc=out["profit_factor"] * p * payoff, common_sense=out["profit_factor"] * out["tail_ratio"],
           up_number=sum(a > 0 and c > 0 for a, c in zip(r, b)) / sum(c > 0 for c in b), down_number=sum(a < 0 and c < 0 for a, c in zip(r, b)) / sum(c < 0 for c in b),
           outperformance_1m=ahead(1), outperformance_12m=ahead(12), outperformance_36m=ahead(36), max_long=max((a + c) / 2 for a, c in zip(gross, net)),
           max_short=max((a - c) / 2 for a, c in zip(gross, net)), max_net=max(net), min_net=min(net), capital_days=365.25 / out["turnover"])

print(json.dumps(dict(
    origin="made by reference.py beside this file",
    input=dict(dates=[d.isoformat() for d in dates], equity=equity, benchmark=bench, hold=hold, periods_per_year=N, risk_free=rf, trades=trades,
               gross=gross, net=net, largest=largest, effective=effective, in_market=bars_in, bars=bars_all, **money, **liquidity), metrics=out), indent=None, separators=(",", ":")))

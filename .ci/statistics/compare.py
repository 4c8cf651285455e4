"""Sets the statistics of `backtester report` beside those of quantstats, empyrical and pyfolio on the same
returns, and proves why they differ.

    python compare.py BACKTESTER [--write TABLE.md]

Every figure of a peer must either equal ours to 1e-9, or equal a reading of its own formula computed
here from the returns alone; the reading is the explanation. A peer that changes shows up as a figure
that is neither. Exit 1 then.
"""
import json, math, random, subprocess, sys, tempfile, warnings
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd

warnings.filterwarnings("ignore")
import empyrical as ep  # noqa: E402
import quantstats.stats as qs  # noqa: E402

try:
    import pyfolio.timeseries as pf
except Exception as fault:  # it breaks with new versions of what it imports
    print(f"LEFT OUT: pyfolio cannot be imported: {fault}")
    pf = None

# Four years of days: fat tails, a fall in the first session, flat days, a benchmark that goes along.
die = random.Random(7)
days = pd.bdate_range("2018-01-01", periods=1038)
r, b = np.zeros(1037), np.zeros(1037)
for i in range(1037):
    b[i] = 0.0004 + 0.010 * die.gauss(0, 1) * (3 if die.random() < 0.02 else 1)
    r[i] = 0.0 if die.random() < 0.1 else 0.0003 + 0.5 * b[i] + 0.006 * die.gauss(0, 1)
r[0] = -0.03
R, B = pd.Series(r, days[1:]), pd.Series(b, days[1:])


def ours():
    with tempfile.TemporaryDirectory() as folder:
        for name, x in (("r", r), ("b", b)):
            rows = "".join(f"{d:%Y-%m-%d},{v:.17g}\n" for d, v in zip(days[1:], x))
            Path(folder, name + ".csv").write_text("date,return\n" + rows)
        out = subprocess.run([sys.argv[1], "report", "--returns", f"{folder}/r.csv", "--benchmark", f"{folder}/b.csv", "--format", "json", "--env-file", "none"],
                             check=True, capture_output=True)
        return json.loads(out.stdout)["metrics"]


us = ours()
n, N = len(r), 252
V = np.concatenate([[1], np.cumprod(1 + r)])
dd = V / np.maximum.accumulate(V) - 1
dd1 = dd[1:]
total, sd = V[-1] - 1, r.std(ddof=1)
years = (days[-1] - days[0]).days / 365.25
cagr_n = V[-1] ** (N / n) - 1
phi = lambda x: 0.5 * math.erfc(-x / math.sqrt(2))
z95 = 1.6448536269514722
var_normal = r.mean() - z95 * sd
moments = lambda x: ((x - x.mean()) ** 3).mean() / x.std() ** 3, lambda x: ((x - x.mean()) ** 4).mean() / x.std() ** 4
g3, g4 = moments[0](r), moments[1](r)
SR = r.mean() / sd
beta = np.cov(r, b)[0, 1] / b.var(ddof=1)
G2 = pd.Series(r).kurtosis()
ulcer_n = math.sqrt((dd ** 2).mean())
ulcer_qs = math.sqrt((dd1 ** 2).sum() / (n - 1))
q = lambda x, p: np.percentile(x, 100 * p)
months = lambda x: np.array([np.prod(1 + g.values) - 1 for _, g in pd.Series(x, days[1:]).groupby([days[1:].year, days[1:].month])])
worst = np.sort(r)
subset = lambda up: (lambda k: np.prod(1 + r[k]) ** (N / k.sum()) / 1 - 1)(b > 0 if up else b < 0)
subset_b = lambda up: (lambda k: np.prod(1 + b[k]) ** (N / k.sum()) - 1)(b > 0 if up else b < 0)
wins, losses = r[r > 0], r[r < 0]

EQUAL = None
# name, our key, peer, figure of the peer, reading of its formula, why it differs
rows = [
    ("Total return", "total_return", "quantstats", qs.comp(R), EQUAL, ""),
    ("Total return", "total_return", "empyrical", ep.cum_returns_final(R), EQUAL, ""),
    ("CAGR", "cagr", "quantstats", qs.cagr(R), abs(V[-1]) ** (N / n) - 1, "years are returns / 252, ours are calendar days / 365.25"),
    ("CAGR", "cagr", "empyrical", ep.annual_return(R), cagr_n, "years are returns / 252, ours are calendar days / 365.25; the same number is our `annual_return` where a year has 252 sessions"),
    ("Volatility", "volatility", "quantstats", qs.volatility(R), EQUAL, ""),
    ("Volatility", "volatility", "empyrical", ep.annual_volatility(R), EQUAL, ""),
    ("Sharpe ratio", "sharpe", "quantstats", qs.sharpe(R), EQUAL, ""),
    ("Sharpe ratio", "sharpe", "empyrical", ep.sharpe_ratio(R), EQUAL, ""),
    ("Sortino ratio", "sortino", "quantstats", qs.sortino(R), EQUAL, ""),
    ("Sortino ratio", "sortino", "empyrical", ep.sortino_ratio(R), EQUAL, ""),
    ("Sortino / sqrt 2", "adjusted_sortino", "quantstats", qs.adjusted_sortino(R), EQUAL, ""),
    ("Max drawdown", "max_drawdown", "quantstats", qs.max_drawdown(R), EQUAL, ""),
    ("Max drawdown", "max_drawdown", "empyrical", ep.max_drawdown(R), EQUAL, ""),
    ("Calmar (MAR)", "calmar", "quantstats", qs.calmar(R), cagr_n / -dd.min(), "its CAGR (above) over the same drawdown"),
    ("Calmar (MAR)", "calmar", "empyrical", ep.calmar_ratio(R), cagr_n / -dd.min(), "its CAGR (above) over the same drawdown"),
    ("Skewness", "skewness", "quantstats", qs.skew(R), EQUAL, ""),
    ("Excess kurtosis", "excess_kurtosis", "quantstats", qs.kurtosis(R), EQUAL, ""),
    ("Omega", "omega", "quantstats", qs.omega(R), EQUAL, ""),
    ("Omega", "omega", "empyrical", ep.omega_ratio(R), EQUAL, ""),
    ("Tail ratio", "tail_ratio", "quantstats", qs.tail_ratio(R), EQUAL, ""),
    ("Tail ratio", "tail_ratio", "empyrical", ep.tail_ratio(R), EQUAL, ""),
    ("Value at risk, 95%", "var_95", "quantstats", qs.value_at_risk(R), var_normal, "it is the normal law's, ours the quantile of what happened; the same number is our `var_95_normal`"),
    ("Value at risk, 95%", "var_95", "empyrical", ep.value_at_risk(R), EQUAL, ""),
    ("Expected shortfall, 95%", "es_95", "quantstats", qs.cvar(R), r.mean() - sd * math.exp(-z95 ** 2 / 2) / math.sqrt(2 * math.pi) / .05, "it is the normal law's, ours the tail that happened; the same number is our `es_95_normal`"),
    ("Expected shortfall, 95%", "es_95", "empyrical", ep.conditional_value_at_risk(R), worst[: int((n - 1) * .05) + 1].mean(), "a whole number of returns; ours weighs the last one by what is missing to 5%"),
    ("Ulcer index", "ulcer_index", "quantstats", qs.ulcer_index(R), ulcer_qs, "divides by n - 1, ours by n"),
    ("Ulcer performance (Martin)", "martin", "quantstats", qs.upi(R), total / ulcer_qs, "takes the total return, which grows with the length of the run; ours is a year's"),
    ("Probabilistic Sharpe ratio", "probabilistic_sharpe", "quantstats", qs.probabilistic_sharpe_ratio(R), phi(SR / math.sqrt((1 - pd.Series(r).skew() * SR + (G2 + 2) / 4 * SR ** 2) / (n - 1))),
     "moments adjusted for the size of the sample; ours are those of the population, as in the paper"),
    ("Stability", "stability", "empyrical", ep.stability_of_timeseries(R), EQUAL, ""),
    ("Gain to pain", "gain_to_pain", "quantstats", qs.gain_to_pain_ratio(R), r.sum() / -losses.sum(), "by days; ours by whole months, as its author has it"),
    ("Recovery factor", "recovery_factor", "quantstats", qs.recovery_factor(R), abs(r.sum()) / -dd.min(), "the absolute sum of returns, so that a loss recovers too; ours is money over the fall in money"),
    ("Rising days", "positive_days", "quantstats", qs.win_rate(R), len(wins) / np.count_nonzero(r), "leaves flat days out of the count"),
    ("Best day", "best_day", "quantstats", qs.best(R), EQUAL, ""),
    ("Worst day", "worst_day", "quantstats", qs.worst(R), EQUAL, ""),
    ("Beta", "beta", "quantstats", qs.greeks(R, B)["beta"], EQUAL, ""),
    ("Beta", "beta", "empyrical", ep.beta(R, B), EQUAL, ""),
    ("Alpha", "alpha", "quantstats", qs.greeks(R, B)["alpha"], EQUAL, ""),
    ("Alpha", "alpha", "empyrical", ep.alpha(R, B), (1 + r.mean() - beta * b.mean()) ** N - 1, "compounds the mean of a day over a year; ours is the regression's intercept times 252, which has a standard error"),
    ("Correlation squared", "r_squared", "quantstats", qs.r_squared(R, B), EQUAL, ""),
    ("Information ratio", "information_ratio", "quantstats", qs.information_ratio(R, B), (r - b).mean() / (r - b).std(ddof=1), "of a day; ours of a year, times the square root of 252"),
    ("Information ratio", "information_ratio", "empyrical", ep.excess_sharpe(R, B), (r - b).mean() / (r - b).std(ddof=1), "of a day; ours of a year, times the square root of 252"),
    ("Treynor ratio", "treynor", "quantstats", qs.treynor_ratio(R, B), total / beta, "takes the total return, which grows with the length of the run; ours is a year's"),
    ("Up capture", "up_capture", "empyrical", ep.up_capture(R, B), subset(True) / subset_b(True), "annualises the rising days as if they had followed each other; ours compares growth a month in rising months"),
    ("Down capture", "down_capture", "empyrical", ep.down_capture(R, B), subset(False) / subset_b(False), "annualises the falling days as if they had followed each other; ours compares growth a month in falling months"),
    ("Batting average", "batting_average", "empyrical", ep.batting_average(R, B)["batting average"], EQUAL, ""),
]
if pf is not None:
    stats = pf.perf_stats(R, factor_returns=B)
    rows += [
        ("Sharpe ratio", "sharpe", "pyfolio", stats["Sharpe ratio"], EQUAL, ""),
        ("Max drawdown", "max_drawdown", "pyfolio", stats["Max drawdown"], EQUAL, ""),
        ("Skewness", "skewness", "pyfolio", stats["Skew"], g3, "of the population; ours is adjusted for the size of the sample"),
        ("Excess kurtosis", "excess_kurtosis", "pyfolio", stats["Kurtosis"], g4 - 3, "of the population; ours is adjusted for the size of the sample"),
        ("Value at risk, 95%", "var_95", "pyfolio", stats["Daily value at risk"], r.mean() - 2 * sd, "the mean less two deviations: about 97.7% of a normal law, under the name of a quantile"),
    ]

close = lambda x, y: abs(x - y) <= 1e-9 * max(1, abs(x), abs(y))
faults, equal, table = 0, 0, []
for name, key, peer, theirs, reading, why in rows:
    mine, theirs = us[key], float(theirs)
    if reading is EQUAL:
        equal += 1
        ok, why = close(mine, theirs), "equal"
    else:
        ok = close(theirs, float(reading)) and not close(mine, theirs)
    if not ok:
        faults += 1
        print(f"FAULT {name}, {peer}: {theirs!r}, ours {mine!r}, expected {reading!r}")
    table.append(f"| {name} | `{key}` | {mine:.6g} | {peer} | {theirs:.6g} | {why} |")

text = f"""# Side by side with other libraries

The same {n} daily returns and benchmark, no risk-free rate, given to `backtester report --returns` and to
quantstats {version('quantstats')}, empyrical-reloaded {version('empyrical-reloaded')} and pyfolio-reloaded {version('pyfolio-reloaded')}. `.ci/statistics/run` makes this table again, and fails
when a figure that is called equal is not so to 1e-9, or when a figure that differs is not what the
explanation makes of the returns, again to 1e-9.

| Figure | Key | Ours | Library | Theirs | Why |
|---|---|---:|---|---:|---|
""" + "\n".join(table) + "\n"
if len(sys.argv) > 3 and sys.argv[2] == "--write":
    Path(sys.argv[3]).write_text(text)
print(f"{len(rows)} figures: {equal} equal, {len(rows) - equal} explained, {faults} faults")
sys.exit(1 if faults else 0)

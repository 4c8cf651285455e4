"""Plays cases in zipline-reloaded: python peer_zipline.py CASES.json RESULTS.json

All markets are written into one bundle in a folder of their own, then each case runs on its asset.
"""
import json
import os
import sys
import tempfile
import warnings

import numpy as np
import pandas as pd

warnings.filterwarnings("ignore")
ROOT = tempfile.TemporaryDirectory()
os.environ["ZIPLINE_ROOT"] = ROOT.name

from zipline import run_algorithm  # noqa: E402
from zipline.api import order, set_commission, set_slippage, symbol  # noqa: E402
from zipline.data import bundles  # noqa: E402
from zipline.finance.commission import PerShare  # noqa: E402
from zipline.finance.order import ORDER_STATUS  # noqa: E402
from zipline.finance.execution import LimitOrder, StopOrder  # noqa: E402
from zipline.finance.slippage import FixedBasisPointsSlippage  # noqa: E402
from zipline.utils.calendar_utils import get_calendar  # noqa: E402

cases = json.load(open(sys.argv[1]))
DAYS = sorted({r[0] for c in cases for r in c["bars"]})


def frame(c):
    rows = c["bars"]
    return pd.DataFrame([r[1:] for r in rows], columns=["open", "high", "low", "close", "volume"], index=pd.DatetimeIndex([r[0] for r in rows]))


def ingest(environ, asset_db_writer, minute_bar_writer, daily_bar_writer, adjustment_writer, calendar, start, end, cache, show_progress, output_dir):
    first, last = pd.Timestamp(DAYS[0]), pd.Timestamp(DAYS[-1])
    asset_db_writer.write(equities=pd.DataFrame({
        "symbol": [c["symbol"] for c in cases], "asset_name": [c["symbol"] for c in cases], "start_date": first, "end_date": last,
        "auto_close_date": last + pd.Timedelta(days=30), "exchange": "NYSE"}, index=range(len(cases))),
        exchanges=pd.DataFrame([["NYSE", "NYSE", "US"]], columns=["exchange", "canonical_name", "country_code"]))
    sessions = calendar.sessions_in_range(first, last)

    def bars():
        for sid, c in enumerate(cases):
            yield sid, frame(c).reindex(sessions)

    daily_bar_writer.write(bars(), show_progress=False)
    adjustment_writer.write()


bundles.register("peers", ingest, calendar_name="XNYS", start_session=pd.Timestamp(DAYS[0]), end_session=pd.Timestamp(DAYS[-1]))
bundles.ingest("peers", show_progress=False)


def values(c, x):
    close = np.array([r[4] for r in c["bars"]])
    if x[0] == "close":
        return close
    if x[0] == "level":
        return np.full(len(close), x[1])
    s = pd.Series(close)
    if x[0] == "lag":
        return s.shift(x[1]).to_numpy()
    if x[0] == "sma":
        return s.rolling(x[1]).mean().to_numpy()
    column = pd.Series([r[2 if x[0] == "highest" else 3] for r in c["bars"]]).rolling(x[1])
    return (column.max() if x[0] == "highest" else column.min()).shift(1).to_numpy()


def truth(c, cond):
    """A condition at every bar. Zipline has no crossings of its own: above now, at or below before."""
    if not cond:
        return np.zeros(len(c["bars"]), bool)
    x, y = values(c, cond[1]), values(c, cond[2])
    if cond[0] == "above":
        return x > y
    if cond[0] == "below":
        return x < y
    if cond[0] == "cross_down":
        x, y = y, x
    before = lambda v: np.concatenate([[np.nan], v[:-1]])
    return (x > y) & (before(x) <= before(y))


def play(c):
    rules = {(name, key): truth(c, c[name][key]) for name in ("long", "short") if c[name] for key in ("entry", "exit")}
    none = np.zeros(len(c["bars"]), bool)
    day = {r[0]: k for k, r in enumerate(c["bars"])}

    def initialize(context):
        set_slippage(us_equities=FixedBasisPointsSlippage(basis_points=float(c["slippage"]), volume_limit=0.1))
        k = c["commission"]
        set_commission(us_equities=PerShare(cost=k["per_share"], min_trade_cost=k.get("min", 0.0)))
        context.asset, context.entry, context.leaving, context.levels, context.held = symbol(c["symbol"]), None, None, [], 0
        context.frozen = None

    def handle_data(context, data):
        i = day[context.datetime.strftime("%Y-%m-%d")]
        close = c["bars"][i][4]
        find = lambda oid: oid and context.get_order(oid)
        working = lambda oid: bool(oid) and find(oid).status == ORDER_STATUS.OPEN
        held = context.portfolio.positions[context.asset].amount if context.asset in context.portfolio.positions else 0
        go_long, go_short = bool(rules.get(("long", "entry"), none)[i]), bool(rules.get(("short", "entry"), none)[i])

        def cancel_levels():
            for oid in context.levels:
                if working(oid):
                    context.cancel_order(oid)
            context.levels = []

        def enter(name):
            side, up = c[name], name == "long"
            price = None if side["price"] is None else close + side["price"]
            n = c["size"].get("shares") or int(c["size"]["weight"] * context.portfolio.portfolio_value / (price or close))
            if n < 1:
                return
            style = {} if price is None else {"style": (LimitOrder if side["order"] == "limit" else StopOrder)(price)}
            context.entry = order(context.asset, n if up else -n, **style)
            context.frozen = [None if side[k] is None else close + side[k] for k in ("stop", "target")]
            context.held = 0

        if held == 0:
            cancel_levels()
            if context.leaving and not working(context.leaving):
                context.leaving = None
            if context.entry and working(context.entry) and find(context.entry).filled:
                context.cancel_order(context.entry)  # the rest of an entry whose position is gone
                context.entry = None
            if not working(context.entry) and go_long != go_short:
                enter("long" if go_long else "short")
            return
        up = held > 0
        name = "long" if up else "short"
        if working(context.leaving):
            return
        context.leaving = None
        if working(context.entry) and np.sign(find(context.entry).amount) != np.sign(held):
            return
        context.held += 1
        side = c[name]
        reverse = (go_short and not go_long) if up else (go_long and not go_short)
        reverse = reverse and c["short" if up else "long"] is not None and not working(context.entry)
        if reverse or rules[name, "exit"][i] or side["max_bars"] and context.held >= side["max_bars"]:
            cancel_levels()
            if working(context.entry):
                context.cancel_order(context.entry)
                context.entry = None
            context.leaving = order(context.asset, -held)
            if reverse:
                enter("short" if up else "long")
            return
        cancel_levels()
        stop, target = context.frozen
        if stop is not None:
            context.levels.append(order(context.asset, -held, style=StopOrder(stop)))
        if target is not None:
            context.levels.append(order(context.asset, -held, style=LimitOrder(target)))

    start, end = pd.Timestamp(c["bars"][0][0]), pd.Timestamp(c["bars"][-1][0])
    sessions = get_calendar("XNYS").sessions_in_range(start, end)
    perf = run_algorithm(start=start, end=end, initialize=initialize, handle_data=handle_data, capital_base=c["cash"], data_frequency="daily",
                         bundle="peers", benchmark_returns=pd.Series(0.0, sessions), default_extension=False)
    fills = [[t["dt"].strftime("%Y-%m-%d"), t["amount"], t["price"]] for row in perf.transactions for t in row]
    return {"fills": fills, "equity": float(perf.portfolio_value.iloc[-1])}


json.dump([play(c) for c in cases], open(sys.argv[2], "w"), default=float)

"""Plays a scenario of the event engine with a peer and prints one JSON line: CPU seconds and the final equity.

usage: engines.py vectorbt|bt|backtrader e|f FILE BARS
"""
import datetime
import json
import sys
import time

import numpy as np
import pandas as pd

CASH = 1_000_000.0


def columns(path, bars):
    data = np.fromfile(path, dtype="<f8").reshape(-1, 4, bars)
    return [np.ascontiguousarray(data[:, k, :].T) for k in range(4)]


def days(n):
    return pd.DatetimeIndex([datetime.datetime(2015, 1, 1) + datetime.timedelta(days=k) for k in range(n)])


def targets(close):
    """Weights at the month ends on which there is a momentum, the rest of the rows absent."""
    frame = pd.DataFrame(close, index=days(len(close)))
    momentum = frame / frame.shift(126) - 1
    ends = frame.index.month != (frame.index + pd.Timedelta(days=1)).month
    rows = np.flatnonzero(ends & momentum.notna().any(axis=1).to_numpy())
    weights = pd.DataFrame(np.nan, index=frame.index, columns=frame.columns)
    for t in rows:
        top = momentum.iloc[t].to_numpy().argsort()[::-1][:50]
        weights.iloc[t] = 0.0
        weights.iloc[t, top] = 0.98 / 50
    return frame, weights, rows


def e_vectorbt(path, bars):
    import vectorbt as vbt

    _, _, _, close = columns(path, bars)

    def once():
        frame, weights, _ = targets(close)
        pf = vbt.Portfolio.from_orders(frame, size=weights, size_type="targetpercent", group_by=True, cash_sharing=True,
                                       call_seq="auto", init_cash=CASH, freq="1D")
        return float(pf.final_value())

    return once


def e_bt(path, bars):
    import bt

    _, _, _, close = columns(path, bars)

    def once():
        frame, weights, rows = targets(close)
        frame.columns = weights.columns = [f"s{k}" for k in frame.columns]
        chosen = weights.iloc[rows].replace(0.0, np.nan)
        plan = bt.Strategy("rotation", [bt.algos.WeighTarget(chosen), bt.algos.Rebalance()])
        test = bt.Backtest(plan, frame, initial_capital=CASH, integer_positions=False, commissions=lambda q, p: 0.0, progress_bar=False)
        test.run()
        return float(test.strategy.values.iloc[-1])

    return once


def e_backtrader(path, bars):
    import backtrader as bt

    op, high, low, close = columns(path, bars)

    class Fractions(bt.CommInfoBase):
        params = (("stocklike", True), ("commission", 0.0))

        def getsize(self, price, cash):
            return cash / price

    def once():
        frame, weights, rows = targets(close)
        plan = {frame.index[t].date(): weights.iloc[t].to_numpy() for t in rows}

        class Rotation(bt.Strategy):
            def next(self):
                want = plan.get(self.datas[0].datetime.date(0))
                if want is None:
                    return
                value = self.broker.getvalue()
                now = np.array([self.getposition(d).size * d.close[0] / value for d in self.datas])
                for k in np.argsort(want - now):  # what is sold pays for what is bought
                    self.order_target_percent(self.datas[k], target=want[k])

        cerebro = bt.Cerebro(stdstats=False)
        cerebro.broker.set_cash(CASH)
        cerebro.broker.set_coc(True)
        cerebro.broker.addcommissioninfo(Fractions())
        cerebro.addstrategy(Rotation)
        for k in range(close.shape[1]):
            one = pd.DataFrame(dict(open=op[:, k], high=high[:, k], low=low[:, k], close=close[:, k], volume=1e6), index=frame.index)
            cerebro.adddata(bt.feeds.PandasData(dataname=one))
        cerebro.run()
        return float(cerebro.broker.getvalue())

    return once


def ready(high, low, close):
    import talib

    return talib.RSI(close, 14) < 30, 3 * talib.ATR(high, low, close, 14)


def f_vectorbt(path, bars):
    import vectorbt as vbt
    from numba import njit
    from vectorbt.portfolio.nb import order_nb, order_nothing_nb

    op, high, low, close = (c[:, 0].copy() for c in columns(path, bars))

    @njit
    def play(c, signal, distance, op, high, low, state):
        i = c.i
        if c.position_now > 0:
            level = state[0] - state[1]
            if op[i] <= level:
                return order_nb(size=-c.position_now, price=op[i])
            if low[i] <= level:
                return order_nb(size=-c.position_now, price=level)
            state[0] = max(state[0], high[i])
            return order_nothing_nb()
        if i > 0 and signal[i - 1]:
            state[0], state[1] = max(op[i], high[i]), distance[i - 1]
            return order_nb(size=100.0, price=op[i])
        return order_nothing_nb()

    def once():
        signal, distance = ready(high, low, close)
        pf = vbt.Portfolio.from_order_func(pd.Series(close), play, signal, distance, op, high, low, np.zeros(2), init_cash=CASH, freq="1min")
        return float(pf.final_value())

    return once


def f_backtrader(path, bars):
    import backtrader as bt

    op, high, low, close = (c[:, 0].copy() for c in columns(path, bars))
    frame = pd.DataFrame(dict(open=op, high=high, low=low, close=close, volume=1e6), index=pd.date_range("2015-01-01", periods=bars, freq="min"))

    def once():
        signal, distance = ready(high, low, close)

        class Trailing(bt.Strategy):
            def __init__(self):
                self.best, self.distance, self.waiting = 0.0, 0.0, None

            def next(self):
                i, d = len(self.data) - 1, self.data
                if self.position.size:
                    self.best = max(self.best, d.high[0]) if self.waiting else max(d.open[0], d.high[0])
                    if self.waiting:
                        self.cancel(self.waiting)
                    self.waiting = self.sell(exectype=bt.Order.Stop, price=self.best - self.distance, size=100)
                    return
                self.waiting = None
                if signal[i]:
                    self.distance = distance[i]
                    self.buy(size=100)

        cerebro = bt.Cerebro(stdstats=False)
        cerebro.broker.set_cash(CASH)
        cerebro.addstrategy(Trailing)
        cerebro.adddata(bt.feeds.PandasData(dataname=frame, timeframe=bt.TimeFrame.Minutes))
        cerebro.run()
        return float(cerebro.broker.getvalue())

    return once


def main():
    peer, scenario, path, bars = sys.argv[1:5]
    once = globals()[f"{scenario}_{peer}"](path, int(bars))
    if peer == "vectorbt":
        once()  # compilation is not counted
    best = None
    for _ in range(1 if peer == "backtrader" else 3):
        start = time.process_time()
        final = once()
        took = time.process_time() - start
        best = took if best is None else min(best, took)
    print(json.dumps(dict(cpu=best, final=[final])))


main()

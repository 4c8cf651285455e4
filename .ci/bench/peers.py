"""Plays a scenario with a peer and prints one JSON line: CPU seconds and what came of it.

usage: peers.py vectorbt|backtesting a|b|process FILE [BARS]
"""
import json
import sys
import time

import numpy as np
import pandas as pd

FEE, CASH = 0.0001, 100_000.0


def columns(path, bars):
    data = np.fromfile(path, dtype="<f8").reshape(-1, 4, bars)
    return [pd.DataFrame(data[:, k, :].T.copy()) for k in range(4)]


def crossing(close, fast=10, slow=50):
    f, s = close.rolling(fast).mean(), close.rolling(slow).mean()
    above = (f > s) & (f.shift(1) <= s.shift(1))
    return above, f < s


def with_vectorbt(op, close):
    import vectorbt as vbt

    def once():
        entries, exits = crossing(close)
        pf = vbt.Portfolio.from_signals(
            close, entries.shift(1, fill_value=False), exits.shift(1, fill_value=False), price=op,
            fees=FEE, init_cash=CASH, freq="1D")
        return dict(final=np.atleast_1d(pf.final_value()).tolist(), trades=int(np.sum(pf.trades.count())),
                    sharpe=np.atleast_1d(pf.sharpe_ratio()).tolist(), drawdown=np.atleast_1d(pf.max_drawdown()).tolist())

    return once


def with_backtesting(op, high, low, close):
    from backtesting import Backtest, Strategy
    from backtesting.lib import crossover  # noqa: F401  (the rule below is spelled out)

    class Crossing(Strategy):
        def init(self):
            above, below = crossing(pd.Series(self.data.Close))
            self.enter = self.I(lambda: above.to_numpy(float), plot=False)
            self.leave = self.I(lambda: below.to_numpy(float), plot=False)

        def next(self):
            if not self.position and self.enter[-1] == 1:
                self.buy()
            elif self.position and self.leave[-1] == 1:
                self.position.close()

    def once():
        final, trades = [], 0
        for k in range(close.shape[1]):
            frame = pd.DataFrame(dict(Open=op[k], High=high[k], Low=low[k], Close=close[k], Volume=1e6))
            frame.index = pd.date_range("2015-01-01", periods=len(frame), freq="min")
            # Whole shares: with a million million dollars rounding is below the tolerance.
            out = Backtest(frame, Crossing, cash=1e12, commission=FEE, finalize_trades=False).run()
            final.append(float(out["Equity Final [$]"]) / 1e12 * CASH)
            trades += int(out["# Trades"])
        return dict(final=final, trades=trades)

    return once


def main():
    peer, scenario, path = sys.argv[1:4]
    start = 0.0
    if scenario == "process":
        frame = pd.read_csv(path, parse_dates=["time"])
        op, high, low, close = (pd.DataFrame({0: frame[c]}) for c in ("open", "high", "low", "close"))
    else:
        op, high, low, close = columns(path, int(sys.argv[4]))
    once = with_vectorbt(op, close) if peer == "vectorbt" else with_backtesting(op, high, low, close)
    best = None
    if scenario != "process":
        if peer == "vectorbt":
            once()  # compilation is not counted
        start = time.process_time()
    out = once()
    best = time.process_time() - start
    if scenario != "process" and peer == "vectorbt":
        for _ in range(4):
            start = time.process_time()
            once()
            best = min(best, time.process_time() - start)
    print(json.dumps(dict(cpu=best, **out)))


main()

"""Plays SMA pairs with a peer and prints one JSON line: CPU seconds, the pairs and their returns.

usage: sweeps.py vectorbt|raptorbt|phasor FILE BARS EVERY '{fast: 2..100, slow: 2..100}'

EVERY is how many pairs are skipped for each that is played: peers need minutes and gigabytes for all of them.
"""
import json
import re
import sys
import time

import numpy as np
import pandas as pd

FEE, CASH = 0.001, 100_000.0


def pairs_of(text, every):
    ranges = {k: range(int(a), int(b) + 1) for k, a, b in re.findall(r"(\w+): (\d+)\.\.(\d+)", text)}
    return [(f, s) for f in ranges["fast"] for s in ranges["slow"] if f < s][::every]


def averages(close, pairs):
    windows = sorted({w for p in pairs for w in p})
    return {w: close.rolling(w).mean() for w in windows}


def with_vectorbt(op, close, pairs):
    import vectorbt as vbt

    def once():
        ma = averages(close, pairs)
        out = []
        for lo in range(0, len(pairs), 200):  # in parts: all at once does not fit into memory
            part = pairs[lo:lo + 200]
            fast = pd.concat([ma[f] for f, _ in part], axis=1, keys=range(len(part)))
            slow = pd.concat([ma[s] for _, s in part], axis=1, keys=range(len(part)))
            entries = (fast > slow).shift(1, fill_value=False)
            exits = (fast < slow).shift(1, fill_value=False)
            price = pd.concat([op] * len(part), axis=1, keys=range(len(part)))
            mark = pd.concat([close] * len(part), axis=1, keys=range(len(part)))
            pf = vbt.Portfolio.from_signals(mark, entries, exits, price=price, fees=FEE, init_cash=CASH, freq="1D")
            out.append(pf.total_return().to_numpy().reshape(len(part), -1))
            pf.sharpe_ratio()
            pf.max_drawdown()
        return np.concatenate(out).tolist()

    return once


def with_raptorbt(op, close, pairs):
    import raptorbt

    config = raptorbt.BacktestConfig(initial_capital=CASH, fees=FEE, slippage=0.0)

    def once():
        ma = averages(close, pairs)
        out = []
        stamps = np.arange(len(close) + 1, dtype=np.int64) * 86_400_000_000_000
        for f, s in pairs:
            line = []
            for k in close.columns:
                fast, slow = ma[f][k].to_numpy(), ma[s][k].to_numpy()
                with np.errstate(invalid="ignore"):
                    entries, exits = np.roll(fast > slow, 1), np.roll(fast < slow, 1)
                entries[0] = exits[0] = False
                # It fills at the close of the bar of a signal: opens are its closes, the last close is one more.
                o = np.append(op[k].to_numpy(), close[k].to_numpy()[-1])
                r = raptorbt.run_single_backtest(
                    timestamps=stamps, open=o, high=o, low=o, close=o, volume=np.full(len(o), 1e6),
                    entries=np.append(entries, False), exits=np.append(exits, False), direction=1, weight=1.0,
                    symbol="A", config=config)
                line.append(float(r.metrics.total_return_pct) / 100)
            out.append(line)
        return out

    return once


def with_phasor(op, close, pairs):
    import phasor

    def once():
        ma = averages(close, pairs)
        columns = []
        for k in close.columns:
            line, mark, price = [], close[k].to_numpy(), op[k].to_numpy()
            for lo in range(0, len(pairs), 200):
                part = pairs[lo:lo + 200]
                fast = np.stack([ma[f][k].to_numpy() for f, _ in part], axis=1)
                slow = np.stack([ma[s][k].to_numpy() for _, s in part], axis=1)
                with np.errstate(invalid="ignore"):
                    entries, exits = np.roll(fast > slow, 1, axis=0), np.roll(fast < slow, 1, axis=0)
                entries[0] = exits[0] = False
                pf = phasor.from_signals(
                    mark[:, None], entries, exits, price=np.repeat(price[:, None], len(part), axis=1), fees=FEE, init_cash=CASH,
                    column_map=np.zeros(len(part), dtype=np.int64))
                line.append(np.asarray(pf.total_return()))
                pf.sharpe_ratio()
                pf.max_drawdown()
            columns.append(np.concatenate(line))
        return np.stack(columns, axis=1).tolist()

    return once


PEERS = dict(vectorbt=with_vectorbt, raptorbt=with_raptorbt, phasor=with_phasor)


def main():
    peer, path, bars, every, text = sys.argv[1:6]
    data = np.fromfile(path, dtype="<f8").reshape(-1, 4, int(bars))
    op, close = (pd.DataFrame(data[:, k, :].T.copy()) for k in (0, 3))
    pairs = pairs_of(text, int(every))
    build = PEERS[peer]
    build(op.iloc[:300], close.iloc[:300], pairs[:2])()  # compilation is not counted
    once = build(op, close, pairs)
    start = time.process_time()
    returns = once()
    print(json.dumps(dict(cpu=time.process_time() - start, pairs=pairs, **{"return": returns})))


main()

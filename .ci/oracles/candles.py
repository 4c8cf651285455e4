"""Makes backtest/indicator/testdata/candles.json: what TA-Lib's candlestick functions say of bars that
both this script and the Go test make from the same random numbers.

    venv/bin/python .ci/oracles/candles.py backtest/indicator/testdata
"""
import json
import os
import sys

import numpy as np
import talib as ta

BARS = 120000


class Random:
    """Knuth's MMIX generator; its upper bits as a fraction."""

    def __init__(self, seed):
        self.s = seed

    def next(self):
        self.s = (self.s * 6364136223846793005 + 1442695040888963407) % 2 ** 64
        return (self.s >> 11) * 2.0 ** -53

    def pick(self, values):
        return values[int(self.next() * len(values))]


def bars():
    """Bodies, shadows and opens of all kinds; runs of one color, and small bars after large ones."""
    r, rows = Random(6), []
    o, c, h, l = 100.0, 101.0, 101.5, 99.5
    color = 1.0
    queue = []
    for _ in range(BARS):
        if not queue and r.next() < 0.004:
            # A rare five: open and close from the close before, which chance would hardly make.
            queue = [(c + a + 0.1 * r.next(), c + b + 0.1 * r.next()) for a, b in ((0.0, 3.0), (3.5, 3.2), (3.1, 2.9), (2.9, 2.6), (2.8, 4.5))]
        if queue:
            o, c = queue.pop(0)
            h, l = max(o, c) + 0.05 * r.next(), min(o, c) - 0.05 * r.next()
            rows.append((o, h, l, c))
            continue
        if r.next() < 0.4:
            color = -color
        size = r.pick([0.0, 0.02, 0.1, 0.3, 0.5, 1.0, 1.5, 2.5]) * (0.9 + 0.2 * r.next())
        up = r.pick([0.0, 0.0, 0.01, 0.2, 1.0, 3.0]) * r.next()
        down = r.pick([0.0, 0.0, 0.01, 0.2, 1.0, 3.0]) * r.next()
        place = int(r.next() * 9)
        top, floor = max(o, c), min(o, c)
        part = r.next()
        if place == 0:
            x = c
        elif place == 1:
            x = c + 0.02 * (part - 0.5)
        elif place == 2:
            x = o + 0.02 * (part - 0.5)
        elif place == 3 or place == 4:
            x = floor + part * (top - floor)
        elif place == 5:
            x = top + 0.3 * part
        elif place == 6:
            x = floor - 0.3 * part
        elif place == 7:
            x = h + 0.5 * part
        else:
            x = l - 0.5 * part
        # Back towards 100, so that nothing drifts away; but some edges touch exactly.
        if place != 0:
            x = x + 0.002 * (100.0 - x)
        y = o if r.next() < 0.1 else x + color * size
        o, c = x, y
        h, l = max(o, c) + up, min(o, c) - down
        rows.append((o, h, l, c))
    return [np.ascontiguousarray(x) for x in np.array(rows).T]


def main():
    o, h, l, c = bars()
    out = []
    for f in ta.get_function_groups()["Pattern Recognition"]:
        short = f[3:]
        values = getattr(ta, f)(o, h, l, c)
        at = np.nonzero(values)[0]
        if len(at) > 150:
            at = at[:150]
            until = int(at[-1]) + 1
        else:
            until = BARS
        out.append(dict(function=f, until=until, hits=[[int(i), int(values[i])] for i in at]))
        print(f, len(np.nonzero(values)[0]))
    with open(os.path.join(sys.argv[1], "candles.json"), "w") as g:
        g.write("[\n" + ",\n".join(json.dumps(x, separators=(",", ":")) for x in out) + "\n]\n")


if __name__ == "__main__":
    main()

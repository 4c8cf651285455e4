"""Writes the vectors of the pivot points, from their published formulas alone, with nothing but Python's
standard library.

    python3 pivots.py ../../backtest/indicator/testdata > ../../backtest/indicator/testdata/vectors_3.json
"""
import csv
import json
import sys
from fractions import Fraction as F

cases = []
for data in ("walk", "awkward"):
    with open(f"{sys.argv[1]}/{data}.csv") as f:
        bars = [tuple(F(x[k]) for k in ("high", "low", "close")) for x in csv.DictReader(f)]
    rows = {"pivot": {}, "pivot_fibonacci": {}, "pivot_camarilla": {}}
    for high, low, close in bars[:-1]:
        p, span = (high + low + close) / 3, high - low
        levels = {"pivot": dict(p=p, r1=2 * p - low, s1=2 * p - high, r2=p + span, s2=p - span, r3=high + 2 * (p - low), s3=low - 2 * (high - p)),
                  "pivot_fibonacci": dict(p=p, r1=p + F("0.382") * span, s1=p - F("0.382") * span, r2=p + F("0.618") * span, s2=p - F("0.618") * span, r3=p + span, s3=p - span),
                  "pivot_camarilla": dict([(f"r{k}", close + F("1.1") / d * span) for k, d in ((1, 12), (2, 6), (3, 4), (4, 2))] +
                                          [(f"s{k}", close - F("1.1") / d * span) for k, d in ((1, 12), (2, 6), (3, 4), (4, 2))])}
        for row, values in levels.items():
            for name, x in values.items():
                rows[row].setdefault(name, []).append(float(x))
    for row, outputs in rows.items():
        cases.append(dict(row=row, params=[], data=data, origin="Python, from the formula", first=1, every=5, outputs={k: v[::5] for k, v in outputs.items()}))
print("[\n" + ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases) + "\n]")

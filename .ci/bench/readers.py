"""Reads a gzip-compressed flat file the way each library does it best, sorted by ticker and time.

    python readers.py pandas|polars|duckdb FILE.csv.gz

Prints what it saw, and the least CPU time of three readings (user and system, all threads), as JSON.
"""

import json
import resource
import sys


def pandas_reads(path):
    import pandas

    df = pandas.read_csv(path, engine="pyarrow").sort_values(["ticker", "window_start"], kind="stable")
    return lambda: (len(df), df["ticker"].nunique(), df["volume"].sum(), (df["close"] * 100).round().sum())


def polars_reads(path):
    import polars

    df = polars.read_csv(path).sort(["ticker", "window_start"])
    return lambda: (df.height, df["ticker"].n_unique(), df["volume"].sum(), (df["close"] * 100).round().sum())


def duckdb_reads(path):
    import duckdb

    con = duckdb.connect()
    con.execute(f"create table t as select * from read_csv('{path}') order by ticker, window_start")
    return lambda: con.execute("select count(*), count(distinct ticker), sum(volume), sum(round(close * 100)) from t").fetchone()


def cpu():
    u = resource.getrusage(resource.RUSAGE_SELF)
    return u.ru_utime + u.ru_stime


read = {"pandas": pandas_reads, "polars": polars_reads, "duckdb": duckdb_reads}[sys.argv[1]]
best = None
for _ in range(3):
    start = cpu()
    look = read(sys.argv[2])
    best = min(best or 1e9, cpu() - start)
rows, tickers, volume, cents = look()
print(json.dumps({"rows": int(rows), "tickers": int(tickers), "volume": float(volume), "cents": float(cents), "cpu": best}))

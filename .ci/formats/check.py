"""Opens exported bars with pandas, polars, DuckDB and pyarrow, and compares every value with the CSV.

    python check.py FOLDER
    python check.py FOLDER write

FOLDER holds days.csv, days.parquet, days.arrow and the same for minutes. The CSV is read with Python's
own csv module: it is the truth. Every program must see the same symbols (the ticker NA is one), dates,
instants and numbers, bit for bit, in the same order, from each format. With write, each program that can writes few.csv again as
Parquet, in its own types, to be imported.
"""

import csv
import datetime
import math
import pathlib
import sys

import duckdb
import pandas
import polars
import pyarrow.feather
import pyarrow.parquet


def truth(path):
    """Rows as (symbol, date or instant in UTC, open, high, low, close, volume or None)."""
    rows = []
    with open(path, newline="") as f:
        for r in csv.DictReader(f):
            if "date" in r:
                stamp = datetime.date.fromisoformat(r["date"])
            else:
                stamp = datetime.datetime.fromisoformat(r["time"].replace("Z", "+00:00"))
            numbers = [float(r[k]) if r[k] else None for k in ("open", "high", "low", "close", "volume")]
            rows.append((r["symbol"], stamp, *numbers))
    return rows


def plain(rows):
    """Rows of any program in the form of truth."""
    out = []
    for symbol, stamp, *numbers in rows:
        if hasattr(stamp, "to_pydatetime"):
            stamp = stamp.to_pydatetime()
        if isinstance(stamp, datetime.datetime):
            if stamp.tzinfo is None:  # only a date that a program keeps as midnight
                assert stamp.time() == datetime.time(), stamp
                stamp = stamp.date()
            else:
                stamp = stamp.astimezone(datetime.timezone.utc)
        numbers = [None if v is None or math.isnan(v) else float(v) for v in numbers]
        out.append((symbol, stamp, *numbers))
    return out


def readers(stem, kind):
    """Every program that opens a format, as (name, rows)."""
    parquet, arrow, text = f"{stem}.parquet", f"{stem}.arrow", f"{stem}.csv"
    stamp = "date" if kind == "days" else "time"

    def frame(df):
        return df.itertuples(index=False, name=None)

    yield "pyarrow parquet", zip(*pyarrow.parquet.read_table(parquet).to_pydict().values())
    yield "pyarrow arrow", zip(*pyarrow.feather.read_table(arrow).to_pydict().values())
    yield "pandas parquet", frame(pandas.read_parquet(parquet))
    yield "pandas arrow", frame(pandas.read_feather(arrow))
    yield "pandas csv", frame(pandas.read_csv(text, parse_dates=[stamp], keep_default_na=False, na_values={"volume": [""]}))
    yield "polars parquet", polars.read_parquet(parquet).iter_rows()
    yield "polars arrow", polars.read_ipc(arrow).iter_rows()
    yield "polars csv", polars.read_csv(text, try_parse_dates=True, schema_overrides={'volume': polars.Float64}).iter_rows()
    con = duckdb.connect()
    con.execute("set timezone = 'UTC'")
    yield "duckdb parquet", con.execute(f"select * from '{parquet}'").fetchall()
    yield "duckdb csv", con.execute(f"select * from read_csv('{text}', types={{'volume': 'DOUBLE'}})").fetchall()
    bars = pyarrow.feather.read_table(arrow)  # DuckDB finds it by its name
    yield "duckdb arrow", con.execute("select * from bars").fetchall()


def main(folder):
    failed = 0
    for kind in ("days", "minutes"):
        stem = str(pathlib.Path(folder) / kind)
        want = truth(stem + ".csv")
        assert len(want) > 100, f"{stem}.csv has {len(want)} rows only"
        assert "NA" in {r[0] for r in want} or kind == "minutes"
        for name, rows in readers(stem, kind):
            got = plain(rows)
            if got == want:
                print(f"ok    {kind:8}{name:18}{len(got)} rows")
                continue
            failed += 1
            at = next((i for i, (a, b) in enumerate(zip(got, want)) if a != b), min(len(got), len(want)))
            print(f"FAIL  {kind:8}{name:18}{len(got)} rows of {len(want)}, first at {at}: {got[at:at + 1]} instead of {want[at:at + 1]}")
    sys.exit(1 if failed else 0)


def write(folder):
    """few.csv as Parquet by each program: dates as time stamps, as dates, and as text."""
    few = f"{folder}/few.csv"
    df = pandas.read_csv(few, parse_dates=["date"], keep_default_na=False)
    df.to_parquet(f"{folder}/pandas.parquet")
    df.set_index("date").to_parquet(f"{folder}/pandas-index.parquet")
    df.assign(date=df["date"].dt.tz_localize("America/New_York")).to_parquet(f"{folder}/pandas-zone.parquet")
    df.assign(date=df["date"].dt.strftime("%Y-%m-%d")).to_parquet(f"{folder}/pandas-text.parquet")
    polars.read_csv(few, try_parse_dates=True, infer_schema_length=None).write_parquet(f"{folder}/polars.parquet")
    duckdb.sql(f"copy (select * from '{few}' order by date desc) to '{folder}/duckdb.parquet' (format parquet)")


if len(sys.argv) > 2:
    write(sys.argv[1])
else:
    main(sys.argv[1])

"""Plays random strategies on random markets in backtester under a profile and in the tool itself, and demands
the same trades (times, prices, quantities) and the same equity at the end, to 1e-9.

    compare.py BACKTESTER ENVIRONMENTS [--cases N] [--first SEED] [--peer NAME] [--keep FOLDER] [--settings]

At most one case in twenty may differ, and each of those must agree once a single setting is changed, which is
named. With --settings it also asks what each setting of a profile is good for: some case must differ without it.
A case that differs is kept in FOLDER as a strategy, bars, and both results. Exit 1 when something is not so.
"""
import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cases as made

HERE = Path(__file__).parent
ENVIRONMENT = {"backtesting.py": "light", "backtrader": "light", "vectorbt": "vectorbt", "zipline": "zipline"}
SCRIPT = {"backtesting.py": "peer_backtesting.py", "backtrader": "peer_backtrader.py", "vectorbt": "peer_vectorbt.py", "zipline": "peer_zipline.py"}
# What one changed setting may explain: every value of every setting that profiles use.
FLIPS = [("fills.limit_touch", "false"), ("fills.ambiguity", "worst"), ("fills.ambiguity", "best"), ("fills.entry_bar", ""), ("fills.entry_bar", "next_bar"),
         ("fills.entry_bar", "market"), ("fills.levels", ""), ("fills.level_slippage", ""), ("fills.slippage_clip", "false"), ("fills.slippage_clip", "true"),
         ("fills.end", "mark"), ("fills.end", "open"), ("fills.market", "next_open"), ("fills.market", "next_close"), ("size.at", ""), ("size.all_or_none", "false"),
         ("size.fractional", "false"), ("account", "regt"), ("account", "covered"), ("account", "proceeds"), ("data.crossing", ""), ("data.crossing", "strict"), ("data.crossing", "side"), ("data.crossing", "ever"),
         ("data.begin", ""), ("data.begin", "all"), ("data.begin", "after_all"), ("data.ema_seed", ""), ("data.ema_seed", "first"), ("entry.tif", "day"), ("costs.volume_cap", "none")]
# What a profile's setting is without it.
PLAIN = {"fills.limit_touch": "false", "fills.ambiguity": "worst", "fills.slippage_clip": "false", "fills.market": "next_open", "size.all_or_none": "false",
         "size.fractional": "false", "account": "regt", "overdraft": "false"}
UNSEEN = {  # settings of profiles that these cases cannot show
    "fills.end", "dividends", "costs.commission", "costs.slippage", "costs.volume_cap",  # the cases name them
}


def near(a, b):
    return math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9)


def ours(binary, list_, folder, sets=(), text=made.strategy):
    """Results of backtester for cases, in order; None for one that it refused."""
    args = [binary, "run", "--format", "ndjson", "--env-file", "none"]
    for c in list_:
        base = folder / c["symbol"]
        base.with_suffix(".yaml").write_text(text(c))
        base.with_suffix(".csv").write_text(made.csv(c))  # anew: another tool's case has the same name and another market
        args += [str(base) + ".yaml", "--bars", f"{c['symbol']}={base}.csv"]
    for key, value in sets:
        args += ["--set", f"{key}={value}"]
    environ = {**os.environ, "BACKTESTER_HISTORY": "off", "HOME": str(folder)}
    out = subprocess.run(args, capture_output=True, text=True, env=environ)
    results = [json.loads(line) for line in out.stdout.splitlines() if line.startswith("{")]
    if len(results) != len(list_):
        if not sets:
            sys.exit(f"backtester played {len(results)} of {len(list_)} cases: {out.stderr[-3000:]}")
        return None
    return [brief(r) for r in results]


def brief(r):
    sign = {"buy": 1, "cover": 1, "sell": -1, "short": -1}
    return {
        "fills": [[f["time"], sign[f["side"]] * f["quantity"], f["price"]] for f in r["fills"]],
        "trades": [[t["side"], t["quantity"], t["entry_time"], t["entry_price"], t["exit_time"], t["exit_price"], t["open"]] for t in r["trades"]],
        "equity": r["equity"]["value"][-1],
    }


def theirs(peer, list_, environments, folder):
    write, read = folder / f"{peer}.cases.json", folder / f"{peer}.results.json"
    write.write_text(json.dumps(list_))
    python = Path(environments, ENVIRONMENT[peer], "bin", "python")
    out = subprocess.run([python, HERE / SCRIPT[peer], write, read], capture_output=True, text=True)
    if out.returncode:
        sys.exit(f"{peer} failed: {out.stderr[-4000:]}")
    return json.loads(read.read_text())


def merged(fills):
    """Fills of one day, direction and price are one: whether a reversal is one order or two is told apart nowhere."""
    out = []
    for date, qty, price in sorted(fills, key=lambda f: (f[0], f[1] > 0, f[2])):
        if out and out[-1][0] == date and out[-1][2] * qty > 0 and near(out[-1][1], price):
            out[-1] = (date, price, out[-1][2] + qty)
        else:
            out.append((date, price, qty))
    return out


def round_trips(fills, last):
    """First in, first out; what is still open is marked at the last close."""
    lots, out = [], []
    for date, qty, price in fills:
        while qty and lots and lots[0][1] * qty < 0:
            opened, n, paid = lots[0]
            part = min(abs(qty), abs(n))
            out.append(["long" if n > 0 else "short", part, opened, paid, date, price, False])
            lots[0][1] -= math.copysign(part, n)
            qty -= math.copysign(part, qty)
            if lots[0][1] == 0:
                lots.pop(0)
        if qty:
            lots.append([date, qty, price])
    return out + [["long" if n > 0 else "short", abs(n), opened, paid, last[0], last[4], True] for opened, n, paid in lots]


def differs(c, us, them):
    """What first differs, in words; "" for nothing."""
    if "fills" in them:
        a, b = merged(us["fills"]), merged(them["fills"])
        for x, y in zip(a, b):
            if x[0] != y[0] or not near(x[1], y[1]) or not near(x[2], y[2]):
                return f"fill {x} here, {y} there"
        if len(a) != len(b):
            return f"{len(a)} fills here, {len(b)} there"
    order = lambda t: (t[2], t[4], t[0], t[6], round(t[3], 7), round(t[1], 7))
    a = sorted(us["trades"], key=order)
    b = sorted(them["trades"] if "trades" in them else round_trips(them["fills"], c["bars"][-1]), key=order)
    for x, y in zip(a, b):
        if [x[0], x[2], x[4], x[6]] != [y[0], y[2], y[4], y[6]] or not all(near(x[k], y[k]) for k in (1, 3, 5)):
            return f"trade {x} here, {y} there"
    if len(a) != len(b):
        return f"{len(a)} trades here, {len(b)} there"
    if not near(us["equity"], them["equity"]):
        return f"equity {us['equity']!r} here, {them['equity']!r} there"
    return ""


def keep(folder, c, us, them, why):
    base = folder / f"{c['peer']}-{c['seed']}"
    base.mkdir(parents=True, exist_ok=True)
    (base / "strategy.yaml").write_text(made.strategy(c))
    (base / f"{c['symbol']}.csv").write_text(made.csv(c))
    (base / "difference.txt").write_text(f"{why}\n\nbacktester run strategy.yaml --bars {c['symbol']}={c['symbol']}.csv\n")
    for name, x in (("case", c), ("here", us), ("there", them)):
        (base / f"{name}.json").write_text(json.dumps(x, indent=1))


def compare(peer, o, folder):
    began = time.time()
    list_ = [made.case(peer, seed) for seed in range(o.first, o.first + o.cases)]
    us, them = ours(o.backtester, list_, folder), theirs(peer, list_, o.environments, folder)
    trades = sum(len(r["trades"]) for r in us)
    idle = sum(not r["trades"] for r in us)
    unexplained, explained = [], {}
    for c, a, b in zip(list_, us, them):
        why = differs(c, a, b)
        if not why:
            continue
        setting = ""
        for name, key, value in (("fills.end=mark", "end", "mark"), ("costs.slippage=none", "slippage", 0)):  # both sides have these
            if not setting and c[key] != value:
                other = {**c, key: value}
                if not differs(other, ours(o.backtester, [other], folder)[0], theirs(peer, [other], o.environments, folder)[0]):
                    setting = name
        for key, value in FLIPS if not setting else ():
            again = ours(o.backtester, [c], folder, [(key, value)])
            if again and not differs(c, again[0], b):
                setting = f"{key}={value}"
                break
        keep(o.keep, c, a, b, f"{why}\n{'agrees with ' + setting if setting else 'no single setting explains it'}")
        if setting:
            explained.setdefault(setting, []).append(c["seed"])
        else:
            unexplained.append((c["seed"], why))
    count = sum(map(len, explained.values())) + len(unexplained)
    print(f"{peer}: {len(list_)} cases (seeds {o.first} to {o.first + o.cases - 1}), {trades} trades, {idle} cases without any; {count} differ, {len(unexplained)} of them unexplained; {time.time() - began:.0f} s", flush=True)
    for setting, seeds in sorted(explained.items()):
        print(f"  {setting} explains seeds {', '.join(map(str, seeds))}")
    for seed, why in unexplained[:12]:
        print(f"  UNEXPLAINED seed {seed}: {why}")
    bad = bool(unexplained) or count > len(list_) / 20 or idle > len(list_) / 4
    if o.settings and not bad:
        bad = not needed(peer, list_, them, o, folder)
    return not bad


def bare(settings):
    """Writes the file of a case without its profile, but with what else would make it faulty by itself: an account that may sell
    short and fractions of shares; and with orders that rest, whichever sides there are, which is what entry.tif of a profile does."""

    def text(c):
        lines = "account: regt\n" + "".join(line for line in made.strategy(c).splitlines(keepends=True) if not line.startswith("profile: "))
        if "size.fractional" in settings:
            lines = lines.replace("size: {", "size: {fractional: true, ")
        return lines.replace("entry: {", "entry: {tif: gtc, ") if "entry.tif" in settings else lines

    return text


def needed(peer, list_, them, o, folder):
    """Every setting of the profile is seen: without it some case differs that is equal with all of them. An empty value would
    bring the profile's own back, so that the settings are given one by one in place of the profile."""
    profile = json.loads(subprocess.run([o.backtester, "strategy", "profiles", peer, "--format", "json"], check=True, capture_output=True, text=True).stdout)
    profile = profile[0] if isinstance(profile, list) else profile
    paths = {s["path"] for s in profile["settings"]}
    settings = [(s["path"], s["value"]) for s in profile["settings"] if s["path"] not in UNSEEN and s["path"] != "entry.tif"]
    step, refused = 25, []

    def differing(sets, text=bare(paths)):
        """Seeds that differ from the other tool, batch by batch."""
        for at in range(0, len(list_), step):
            part = slice(at, at + step)
            again = ours(o.backtester, list_[part], folder, sets, text)
            if again is None:  # a case may be none without a setting, such as fractions of shares
                again = [(ours(o.backtester, [c], folder, sets, text) or [None])[0] for c in list_[part]]
            for c, a, b in zip(list_[part], again, them[part]):
                if a is None:
                    refused.append(c["seed"])
                elif differs(c, a, b):
                    yield c["seed"]

    anyway = set(differing(settings))
    fine = len(anyway) <= len(list_) / 20 and not refused
    print(f"  with all settings one by one: {len(anyway)} differ, {len(refused)} are refused", flush=True)
    for key, value in settings + [("entry.tif", "gtc")] * ("entry.tif" in paths):
        if value == PLAIN.get(key):
            continue
        without = [s for s in settings if s[0] != key] + ([(key, PLAIN[key])] if key in PLAIN else [])
        found = next((seed for seed in differing(without, bare(paths - {key} if key == "entry.tif" else paths)) if seed not in anyway), None)
        print(f"  without {key}: " + (f"seed {found} differs" if found is not None else "NOTHING DIFFERS, so it is not shown"), flush=True)
        fine = fine and found is not None
    return fine


def main():
    p = argparse.ArgumentParser()
    p.add_argument("backtester")
    p.add_argument("environments")
    p.add_argument("--cases", type=int, default=200)
    p.add_argument("--first", type=int, default=0)
    p.add_argument("--peer", choices=made.PEERS, action="append")
    p.add_argument("--keep", type=Path, default=Path(tempfile.gettempdir(), "backtester-peers"))
    p.add_argument("--settings", action="store_true")
    o = p.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        results = [compare(peer, o, Path(folder)) for peer in o.peer or made.PEERS]
    if not all(results):
        sys.exit(f"differences are kept in {o.keep}")


main()

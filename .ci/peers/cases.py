"""Random strategies on random markets, for the comparison with other tools.

Everything here is plain Python, because the tools run in environments of their own. A case is a JSON object:
bars, a strategy in a small language of conditions, sizes, costs, and the same strategy as a file of backtester.

Prices are whole multiples of a tick that is a power of two, and windows are powers of two: averages are then
exact in every tool, so that a tie is a tie everywhere and only conventions can tell the tools apart.
"""
import datetime
import random

HOLIDAYS = {  # of the New York Stock Exchange, 2016 and 2017
    "2016-01-18", "2016-02-15", "2016-03-25", "2016-05-30", "2016-07-04", "2016-09-05", "2016-11-24", "2016-12-26",
    "2017-01-02", "2017-01-16", "2017-02-20", "2017-04-14", "2017-05-29", "2017-07-04", "2017-09-04", "2017-11-23", "2017-12-25",
}
PEERS = ["backtesting.py", "backtrader", "vectorbt", "zipline"]


def sessions(n):
    out, day = [], datetime.date(2016, 1, 4)
    while len(out) < n:
        if day.weekday() < 5 and day.isoformat() not in HOLIDAYS:
            out.append(day.isoformat())
        day += datetime.timedelta(1)
    return out


def market(die, n, tick, volume):
    """n bars [date, open, high, low, close, volume]; coarse ticks make ties, touches and gaps frequent."""
    price, swing, rows = die.uniform(20, 60), die.uniform(0.01, 0.035), []
    on = lambda x: max(tick * 8, round(x / tick) * tick)
    for date in sessions(n):
        open_ = on(price * (1 + swing * die.gauss(0, 0.7)))
        price = max(5.0, open_ * (1 + swing * die.gauss(0, 1)))
        close = on(price)
        high = on(max(open_, close) * (1 + swing * abs(die.gauss(0, 0.6))))
        low = on(min(open_, close) * (1 - swing * abs(die.gauss(0, 0.6))))
        rows.append([date, open_, max(high, open_, close), min(low, open_, close), close, volume(die)])
    return rows


# Conditions: ["above" | "below" | "cross_up" | "cross_down", x, y] of operands ["close"], ["lag", k],
# ["sma", n], ["ema", n], ["highest", n] and ["lowest", n] of the bars before, ["level", price].
def operand(die, bars, smooth):
    kind = die.choice(["close", "close", "lag", "sma", "sma", "ema" if smooth else "sma", "level"])
    n = die.choice([2, 4, 8, 16])
    if kind == "lag":
        return [kind, die.choice([1, 2, 4])]
    if kind == "level":
        return [kind, die.choice(bars)[4]]
    return [kind] if kind == "close" else [kind, n]


def condition(die, bars, smooth=True):
    if die.random() < 0.15:
        return die.choice([["above", ["close"], ["highest", die.choice([2, 4, 8])]], ["below", ["close"], ["lowest", die.choice([2, 4, 8])]]])
    x, y = operand(die, bars, smooth), operand(die, bars, smooth)
    while x == y or x[0] == y[0] == "level":
        y = operand(die, bars, smooth)
    return [die.choice(["above", "below", "cross_up", "cross_up", "cross_down", "cross_down"]), x, y]


def text(c):
    """A condition or operand in the language of strategy files."""
    kind = c[0]
    if kind in ("above", "below"):
        return f"{text(c[1])} {'>' if kind == 'above' else '<'} {text(c[2])}"
    if kind in ("cross_up", "cross_down"):
        return f"crosses_{'above' if kind == 'cross_up' else 'below'}({text(c[1])}, {text(c[2])})"
    return {"close": lambda: "close", "lag": lambda: f"close[{c[1]}]", "sma": lambda: f"sma(close, {c[1]})", "ema": lambda: f"ema(close, {c[1]})",
            "highest": lambda: f"highest(high, {c[1]})[1]", "lowest": lambda: f"lowest(low, {c[1]})[1]", "level": lambda: repr(c[1])}[kind]()


def side_rules(die, bars, peer, tick, short, plain):
    """One direction: when to enter and how, and the ways out. Distances are in ticks from the deciding close."""
    up = -1 if short else 1
    s = {"entry": condition(die, bars, peer != "zipline"), "order": "market", "price": None, "exit": None, "stop": None, "target": None, "max_bars": 0}
    if not plain and peer != "vectorbt":
        s["order"] = die.choice(["market", "market", "limit", "stop"])
    close = bars[0][4]
    away = lambda low, high: max(1, round(die.uniform(low, high) * close / tick)) * tick
    if s["order"] != "market":
        s["price"] = away(0.0, 0.03) * up * (-1 if s["order"] == "limit" else 1)
    if die.random() < 0.6:
        s["exit"] = condition(die, bars, peer != "zipline")
    if not plain and die.random() < 0.6:
        s["stop"] = die.choice([0.02, 0.04, 0.08]) if peer == "vectorbt" else -up * (away(0.005, 0.06) + abs(s["price"] or 0))
    if not plain and die.random() < 0.6:
        s["target"] = die.choice([0.02, 0.04, 0.08]) if peer == "vectorbt" else up * (away(0.005, 0.06) + abs(s["price"] or 0))
    if peer != "vectorbt" and die.random() < 0.25 or not (s["exit"] or s["stop"] or s["target"]):
        s["max_bars"] = die.choice([1, 2, 5, 9])
    if peer == "vectorbt" and s["max_bars"]:
        s["max_bars"], s["exit"] = 0, condition(die, bars)
    return s


def case(peer, seed):
    die = random.Random(f"{peer} {seed}")
    tick = die.choice([0.25, 0.5, 1.0]) if peer == "zipline" else die.choice([1 / 64, 0.25, 0.5, 1.0])
    capped = peer == "zipline" and die.random() < 0.35
    bars = market(die, 180, tick, (lambda d: d.randrange(600, 4000)) if capped else (lambda d: d.randrange(200_000, 900_000)))
    c = {"peer": peer, "seed": seed, "symbol": f"C{seed:05d}", "bars": bars, "tick": tick, "end": "mark"}
    sides = die.choice(["long", "long", "short", "both"])
    if capped and sides == "both":
        sides = "long"
    plain = sides == "both" or capped
    c["long"] = side_rules(die, bars, peer, tick, False, plain) if sides != "short" else None
    c["short"] = side_rules(die, bars, peer, tick, True, plain) if sides != "long" else None
    c["cash"], c["size"] = 100_000.0 if peer == "zipline" else 1_000_000.0, {"shares": die.choice([1, 7, 100, 300])}
    scarce = sides == "long" and c["long"]["order"] != "stop" and die.random() < 0.3
    if scarce:
        c["cash"] = die.choice([0.97, 1.0, 1.05, 1.3]) * 100 * bars[20][4]
        c["size"] = {"shares": 100}
    elif sides != "both" and die.random() < 0.35:
        c["size"] = {"weight": die.choice([0.25, 0.5, 0.9])}
    bps = die.choice([0, 0, 5, 20])
    c["commission"], c["slippage"] = {"bps": bps}, 0
    if peer == "backtesting.py":
        if "shares" in c["size"] and sides != "both" and die.random() < 0.3:
            c["commission"]["per_order"] = die.choice([1.0, 2.5])
        c["end"] = die.choice(["mark", "mark", "open"])
    elif peer == "backtrader":
        c["slippage"] = die.choice([0, 0, 5, 50])
    elif peer == "vectorbt":
        c["slippage"] = die.choice([0, 0, 5, 50])
        if sides != "both" and die.random() < 0.3:
            c["commission"]["per_order"] = die.choice([1.0, 2.5])
        if sides == "long" and "weight" in c["size"]:
            c["size"] = {"weight": 1}  # all cash
        elif "weight" in c["size"]:
            c["size"] = {"shares": 12.5}
        if not scarce and c["slippage"] == 0 and sides != "both" and "shares" in c["size"] and die.random() < 0.3:
            c["size"] = {"value": 2500}
        for side in (c["long"], c["short"]):  # narrow enough that one bar opens beyond the target and then reaches the stop
            if side and side["stop"] and side["target"] and die.random() < 0.4:
                side["stop"] = side["target"] = 0.01
    elif peer == "zipline":
        c["commission"] = die.choice([{"per_share": 0.001}, {"per_share": 0.001}, {"per_share": 0.01, "min": 1.0}])
        c["slippage"] = die.choice([5, 5, 0, 30])
        if capped and not scarce:
            c["size"] = {"shares": die.choice([100, 300, 700])}
        elif sides == "short" and not capped and die.random() < 0.3:  # what a margin account would call in
            c["size"] = {"shares": round(2 * c["cash"] / bars[20][4])}
    return c


def side_file(c, s, short):
    entry, out = text(s["entry"]), s["exit"] and text(s["exit"])
    if c["peer"] == "vectorbt" and out:  # an entry and an exit on one bar cancel each other there
        never = lambda x: f"(is_absent({x}) or not ({x}))"  # a comparison with what is absent is false
        entry, out = f"({entry}) and {never(out)}", f"({out}) and {never(entry)}"
    lines = [f'  entry: {{when: "{entry}", order: {s["order"]}' + (f', price: "close + {s["price"]!r}"' if s["price"] is not None else "") + "}"]
    ways = [f'when: "{out}"'] if out else []
    for key in ("stop", "target"):
        if s[key] is None:
            continue
        if c["peer"] == "vectorbt":
            sign = "-" if (key == "stop") != short else "+"
            ways.append(f'{key}: "at_entry(close) * (1 {sign} {s[key]!r})"')
        else:
            ways.append(f'{key}: "at_entry(close + {s[key]!r})"')
    if s["max_bars"]:
        ways.append(f'max_bars: {s["max_bars"]}')
    return lines + ["  exit: {" + ", ".join(ways) + "}"]


def strategy(c):
    """The case as a strategy file. Conventions are those of the profile; the file names what the case chose."""
    lines = [f'name: {c["symbol"]}', f'profile: {c["peer"]}', f'universe: {{symbols: [{c["symbol"]}]}}', f'cash: {c["cash"]!r}']
    for name in ("long", "short"):
        if c[name]:
            lines += [name + ":"] + side_file(c, c[name], name == "short")
    key, value = next(iter(c["size"].items()))
    lines.append(f"size: {{{key}: {value!r}}}")
    charges = ", ".join(f"{k}: {v!r}" for k, v in c["commission"].items() if v)
    lines.append("costs: {commission: " + (f"{{{charges}}}" if charges else "none") + ", slippage: " + (f'{{bps: {c["slippage"]!r}}}' if c["slippage"] else "none")
                 + (", volume_cap: {bar: 0.1, open: 0.1, close: 0.1}" if c["peer"] == "zipline" else "") + "}")
    if c["end"] != "mark":
        lines.append(f'fills: {{end: {c["end"]}}}')
    return "\n".join(lines) + "\n"


def csv(c):
    return "date,open,high,low,close,volume\n" + "".join(",".join([b[0]] + [repr(x) for x in b[1:]]) + "\n" for b in c["bars"])

"""Plays cases in backtrader: python peer_backtrader.py CASES.json RESULTS.json"""
import datetime
import json
import math
import sys

import backtrader as bt


class Bars(bt.feed.DataBase):
    """Bars of a case as a data feed."""

    params = (("rows", None),)

    def start(self):
        super().start()
        self.at = 0

    def _load(self):
        if self.at == len(self.p.rows):
            return False
        date, open_, high, low, close, volume = self.p.rows[self.at]
        self.at += 1
        self.lines.datetime[0] = bt.date2num(datetime.datetime.fromisoformat(date))
        for line, x in zip(("open", "high", "low", "close", "volume", "openinterest"), (open_, high, low, close, volume, 0.0)):
            getattr(self.lines, line)[0] = x
        return True


class Case(bt.Strategy):
    params = (("case", None),)

    def __init__(self):
        self.c, self.waiting, self.levels, self.fills, self.held = self.p.case, None, [], [], 0
        self.made = {}
        self.conditions = {}
        for name in ("long", "short"):
            side = self.c[name]
            for key in ("entry", "exit"):
                if side and side[key]:
                    self.conditions[name, key] = self.condition(side[key])

    def series(self, x):
        key = json.dumps(x)
        if key not in self.made:
            d = self.data
            self.made[key] = {
                "close": lambda: d.close, "lag": lambda: d.close(-x[1]), "sma": lambda: bt.ind.SMA(d.close, period=x[1]), "ema": lambda: bt.ind.EMA(d.close, period=x[1]),
                "highest": lambda: bt.ind.Highest(d.high, period=x[1])(-1), "lowest": lambda: bt.ind.Lowest(d.low, period=x[1])(-1),
                "level": lambda: d.close * 0 + x[1],
            }[x[0]]()
        return self.made[key]

    def condition(self, cond):
        x, y = self.series(cond[1]), self.series(cond[2])
        if cond[0] == "cross_up":
            return bt.ind.CrossUp(x, y)
        if cond[0] == "cross_down":
            return bt.ind.CrossDown(x, y)
        return x > y if cond[0] == "above" else x < y

    def true(self, name, key):
        line = self.conditions.get((name, key))
        return line is not None and bool(line[0])

    def enter(self, name):
        side, close = self.c[name], self.data.close[0]
        price = None if side["price"] is None else close + side["price"]
        size = self.c["size"].get("shares") or math.floor(self.c["size"]["weight"] * self.broker.getvalue() / (price or close))
        if size < 1:
            return
        kind = {"market": bt.Order.Market, "limit": bt.Order.Limit, "stop": bt.Order.Stop}[side["order"]]
        up = name == "long"
        parts = [side[k] for k in ("stop", "target")]
        main = (self.buy if up else self.sell)(size=size, exectype=kind, price=price, transmit=parts == [None, None])
        for k, x in enumerate(parts):
            if x is not None:
                self.levels.append((self.sell if up else self.buy)(
                    size=size, exectype=bt.Order.Limit if k else bt.Order.Stop, price=close + x, parent=main, transmit=k == 1 or parts[1] is None))
        self.waiting = main

    def leave(self):
        for o in self.levels[:1]:
            self.cancel(o)
        self.close()

    def notify_order(self, order):
        if order.status == order.Completed:
            x = order.executed
            self.fills.append([self.data.datetime.date(0).isoformat(), x.size, x.price])
        if not order.alive():
            if self.waiting is not None and order.ref == self.waiting.ref:
                self.waiting = None
            self.levels = [o for o in self.levels if o.ref != order.ref]

    def next(self):
        go_long, go_short = self.true("long", "entry"), self.true("short", "entry")
        if not self.position:
            self.held = 0
            if self.waiting is None and go_long != go_short:
                self.enter("long" if go_long else "short")
            return
        up = self.position.size > 0
        self.held += 1
        name = "long" if up else "short"
        if go_short and not go_long if up else go_long and not go_short:
            self.leave()
            self.enter("short" if up else "long")
            self.held = 0
        elif self.true(name, "exit") or self.c[name]["max_bars"] and self.held >= self.c[name]["max_bars"]:
            self.leave()


def play(c):
    run = bt.Cerebro(stdstats=False)
    run.adddata(Bars(rows=c["bars"]))
    run.addstrategy(Case, case=c)
    run.broker.setcash(c["cash"])
    run.broker.setcommission(commission=c["commission"].get("bps", 0) / 1e4)
    if c["slippage"]:
        run.broker.set_slippage_perc(c["slippage"] / 1e4)
    case = run.run()[0]
    return {"fills": case.fills, "equity": run.broker.getvalue()}


cases = json.load(open(sys.argv[1]))
json.dump([play(c) for c in cases], open(sys.argv[2], "w"))

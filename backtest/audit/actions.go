package audit

import (
	"fmt"
	"math"
	"sort"

	"backtester/backtest/instrument"
)

// usualRatios of splits, new shares for an old one; their inverses are those of reverse splits.
func usualRatios() []float64 {
	return []float64{1.5, 2, 2.5, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 20, 25, 30, 35, 40, 50, 60, 75, 80, 100}
}

// splitLike finds the split that would explain an overnight move of the factor x: new for old.
func splitLike(x float64) (string, bool) {
	for _, r := range usualRatios() {
		if math.Abs(x*r-1) < splitNear {
			return ratioText(r, 1), true
		}
		if math.Abs(x/r-1) < splitNear {
			return ratioText(1, r), true
		}
	}
	return "", false
}

// ratioText is "2 for 1", in whole numbers for halves.
func ratioText(to, from float64) string {
	if to != math.Trunc(to) || from != math.Trunc(from) {
		to, from = 2*to, 2*from
	}
	return fmt.Sprintf("%g for %g", to, from)
}

// overnight visits every move from a close, less the dividend, to the next open. It leaves out days
// of a split or of a high dividend, for which other checks are, and all of what is no stock: nothing else
// has actions.
func (w *work) overnight(visit func(i int, x float64)) {
	s := w.days
	if instrument.ClassOf(w.subject.Instrument.Ticker) != instrument.Stock {
		return
	}
	splits, dividends := s.Actions.Splits, s.Actions.Dividends
	k, j := 0, 0
	for i := 1; i < s.Len(); i++ {
		before, d, cash := s.Date(i-1), s.Date(i), 0.0
		for k < len(splits) && splits[k].Ex <= before {
			k++
		}
		for ; j < len(dividends) && dividends[j].Ex <= d; j++ {
			if dividends[j].Ex > before {
				cash += dividends[j].Cash
			}
		}
		if k < len(splits) && splits[k].Ex <= d || !(cash <= dividendHigh*s.Close[i-1]) {
			continue
		}
		visit(i, s.Open[i]/(s.Close[i-1]-cash))
	}
}

// looksSplit reports whether bar i, which opened at x times the close before, looks like a split.
func (w *work) looksSplit(i int, x float64) (string, bool) {
	s := w.days
	if s.High[i]/s.Low[i]-1 >= splitCalm {
		return "", false
	}
	return splitLike(x)
}

func splitMissing(w *work) hits {
	h := found("moves like a split, without one")
	w.overnight(func(i int, x float64) {
		if ratio, ok := w.looksSplit(i, x); ok {
			h.add(w.days.Date(i), "opened at %.4g times the close before, like %s", x, ratio)
		}
	})
	return h
}

func jumps(w *work) hits {
	h := found("overnight moves without an action")
	w.overnight(func(i int, x float64) {
		if _, split := w.looksSplit(i, x); math.Abs(x-1) > jumpMove && !split {
			h.add(w.days.Date(i), "%+.0f %%", 100*(x-1))
		}
	})
	return h
}

// around gives the bar on or after a date, when it and the one before are near.
func (w *work) around(d instrument.Date) (int, bool) {
	s := w.days
	i := sort.Search(s.Len(), func(i int) bool { return s.Date(i) >= d })
	if i == 0 || i == s.Len() {
		return 0, false
	}
	far := w.market.Calendar.Count(s.Date(i-1)+1, s.Date(i)) > actionNear
	return i, !far
}

func splitNoJump(w *work) hits {
	h, s := found("splits that the prices do not show"), w.days
	for _, x := range s.Actions.Splits {
		i, ok := w.around(x.Ex)
		if !ok || distance(x.To/x.From) < splitVisible {
			continue
		}
		move := s.Open[i] / s.Close[i-1]
		if distance(move) < distance(move*x.To/x.From) {
			h.add(x.Ex, "%s, but the open is %.4g times the close before", ratioText(x.To, x.From), move)
		}
	}
	return h
}

// actions of the subject; without bars there are none to judge.
func (w *work) actions() instrument.Actions {
	switch {
	case w.days != nil:
		return w.days.Actions
	case w.minutes != nil:
		return w.minutes.Actions
	}
	return instrument.Actions{}
}

// pairs visits splits and a later or equally late one within days.
func pairs(splits []instrument.Split, days instrument.Date, visit func(a, b instrument.Split, same bool)) {
	for i, a := range splits {
		for _, b := range splits[i+1:] {
			if b.Ex-a.Ex > days {
				break
			}
			visit(a, b, float64(a.To*b.From) == float64(b.To*a.From))
		}
	}
}

func splitDuplicate(w *work) hits {
	h := found("the same split twice")
	pairs(w.actions().Splits, splitAgain, func(a, b instrument.Split, same bool) {
		if same {
			h.add(b.Ex, "%s, as on %s", ratioText(b.To, b.From), a.Ex)
		}
	})
	return h
}

func splitConflict(w *work) hits {
	h := found("different splits on one day")
	pairs(w.actions().Splits, 0, func(a, b instrument.Split, same bool) {
		if !same {
			h.add(b.Ex, "%s and %s", ratioText(a.To, a.From), ratioText(b.To, b.From))
		}
	})
	return h
}

func splitExtremes(w *work) hits {
	h := found("extreme ratios")
	for _, x := range w.actions().Splits {
		if distance(x.To/x.From) > splitExtreme {
			h.add(x.Ex, "%s", ratioText(x.To, x.From))
		}
	}
	return h
}

// dividends visits each ex-date with the sum of its dividends and the close before it, both in the
// share basis of the ex-date.
func (w *work) dividends(visit func(ex instrument.Date, cash, before float64)) {
	list := w.days.Actions.Dividends
	for i := 0; i < len(list); {
		ex, cash := list[i].Ex, 0.0
		for ; i < len(list) && list[i].Ex == ex; i++ {
			cash += list[i].Cash
		}
		k, ok := w.around(ex)
		if !ok {
			continue
		}
		before := w.days.Close[k-1]
		for _, s := range w.days.Actions.Splits {
			if s.Ex > w.days.Date(k-1) && s.Ex <= ex {
				before *= s.From / s.To
			}
		}
		visit(ex, cash, before)
	}
}

func dividendAbove(w *work) hits {
	h := found("dividends not smaller than the price")
	w.dividends(func(ex instrument.Date, cash, before float64) {
		if cash >= before {
			h.add(ex, "%v USD at a close of %.4g", cash, before)
		}
	})
	return h
}

func dividendHighs(w *work) hits {
	h := found("large dividends")
	w.dividends(func(ex instrument.Date, cash, before float64) {
		if cash < before && cash > dividendHigh*before {
			h.add(ex, "%v USD at a close of %.4g", cash, before)
		}
	})
	return h
}

func actionOffSession(w *work) hits {
	h, cal, a := found("ex-dates without a session"), w.market.Calendar, w.actions()
	first, last := cal.Known()
	check := func(kind string, ex instrument.Date) {
		if ex >= first && ex <= last && !cal.IsSession(ex) {
			h.add(ex, "of a %s was a %s", kind, ex.Weekday())
		}
	}
	for _, x := range a.Splits {
		check("split", x.Ex)
	}
	for _, x := range a.Dividends {
		check("dividend", x.Ex)
	}
	return h
}

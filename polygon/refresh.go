package polygon

import (
	"context"
	"errors"
	"fmt"
	"time"

	"backtester/backtest/bar"
	"backtester/backtest/instrument"
	"backtester/backtest/store"
	"backtester/polygon/flatfile"
	"backtester/polygon/reference"
)

// list of reference data: when it is due beside bars, and how it is had.
type list struct {
	name  string
	after time.Duration // its age at which it is due; a little less than a day, week, month
	fetch func(ctx context.Context, c *reference.Client, f *reference.Fetched) (calls int, err error)
}

// Actions are asked for daily, of late ex-dates only: the vendor has added some twelve days late. Once
// a month, or when named, all of them come.
const (
	daily      = 20 * time.Hour
	weekly     = 7*24*time.Hour - 4*time.Hour
	monthly    = 30 * 24 * time.Hour
	recentDays = 60
)

func (s *syncer) lists() []list {
	dir, today := s.referenceDir(), s.today
	return []list{
		{Actions, daily, func(ctx context.Context, c *reference.Client, f *reference.Fetched) (int, error) {
			if !s.wants(Actions) && s.Now().Sub(f.At(fullActions)) < monthly {
				return c.FetchRecentActions(ctx, dir, (today - recentDays).String())
			}
			calls, err := c.FetchActions(ctx, dir)
			if err == nil {
				err = f.Set(fullActions, s.Now())
			}
			return calls, err
		}},
		{Tickers, weekly, func(ctx context.Context, c *reference.Client, _ *reference.Fetched) (int, error) {
			calls, err := c.FetchTickers(ctx, dir)
			if err == nil {
				err = reference.KeepTypes(dir, today)
			}
			return calls, err
		}},
		{Calendar, daily, func(ctx context.Context, c *reference.Client, _ *reference.Fetched) (int, error) {
			return c.FetchHolidays(ctx, dir, today.String())
		}},
	}
}

// fullActions is when all actions were had, Actions when the recent ones were.
const fullActions = "all actions"

// dueReference is what was named, and beside bars whatever has come of age, so that prices never come
// without their splits. None without a key: the warning comes with loading.
func (s *syncer) dueReference() []list {
	if s.REST.Key == "" || s.Asset != flatfile.Stocks {
		return nil
	}
	had := reference.ReadFetched(s.referenceDir())
	var due []list
	for _, l := range s.lists() {
		if s.wants(l.name) || !s.onlyReference() && s.Now().Sub(had.At(l.name)) > l.after {
			due = append(due, l)
		}
	}
	return due
}

// fetchReference asks the REST API for the lists that are due.
func (s *syncer) fetchReference(ctx context.Context) error {
	had := reference.ReadFetched(s.referenceDir())
	for _, l := range s.dueReference() {
		s.Log.Info("asking for reference data", "list", l.name, "host", s.client.Host())
		calls, err := l.fetch(ctx, s.client, had)
		s.sum.reference().Calls += calls
		if err == nil {
			err = had.Set(l.name, s.Now())
		}
		if err := s.referenceFault(ctx, l.name, err); err != nil {
			return err
		}
	}
	if s.Events && s.wants(Tickers) && s.client != nil {
		calls, err := s.client.FetchEvents(ctx, s.referenceDir())
		s.sum.reference().Calls += calls
		if err := s.referenceFault(ctx, "ticker changes", err); err != nil {
			return err
		}
	}
	if s.datedTickers() {
		calls, err := s.client.FetchTypes(ctx, s.referenceDir(), s.quarters())
		s.sum.reference().Calls += calls
		return s.referenceFault(ctx, "tickers by date", err)
	}
	return nil
}

// datedTickers reports whether lists of tickers of past dates are wanted.
func (s *syncer) datedTickers() bool { return s.ByDate && s.wants(Tickers) && s.client != nil }

// quarters are the first sessions of all quarters of the range, which begins with the vendor's files where
// nobody said from when.
func (s *syncer) quarters() []instrument.Date {
	var list []instrument.Date
	for d := max(s.From, FirstSession()); d <= s.To; {
		year, month, _ := d.Civil()
		if first := bar.NYSE().Next(instrument.NewDate(year, time.Month((month-1)/3*3+1), 1) - 1); first >= s.From && first <= s.To {
			list = append(list, first)
		}
		d = instrument.NewDate(year, time.Month((month-1)/3*3+4), 1)
	}
	return list
}

// loadReference puts what is known into the store. Only stocks have instruments and actions; options and
// indices share the holidays with them, and currencies have closures of their own.
func (s *syncer) loadReference(w *store.Writer) error {
	if s.Asset == flatfile.Stocks {
		return loadReference(w, s.referenceDir(), s.sum)
	}
	data, err := reference.Read(s.closuresDir())
	if err != nil {
		return err
	}
	holidays, _ := reference.Build(&reference.Data{Holidays: data.Holidays, Closures: data.Closures})
	if len(holidays.Holidays) == 0 {
		return nil
	}
	return w.PutReference(holidays)
}

// referenceFault books the failure of one list, which does not stop bars, and passes on what does.
func (s *syncer) referenceFault(ctx context.Context, name string, err error) error {
	err = s.restError(ctx, err)
	if err == nil || ctx.Err() != nil || errors.Is(err, ErrUnauthorized) {
		return err
	}
	s.sum.fault(name, err)
	return nil
}

// restError makes errors of the REST API match those that callers of Sync act on.
func (s *syncer) restError(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, reference.ErrKey):
		return fmt.Errorf("%w: %w", ErrUnauthorized, err)
	case errors.Is(err, reference.ErrForbidden):
		return fmt.Errorf("%w: %w", ErrForbidden, err)
	}
	return err
}

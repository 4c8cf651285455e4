package cmd

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"backtester/backtest"
	"backtester/backtest/bar"
	"backtester/backtest/history"
	"backtester/backtest/strategy"
	"backtester/report"
	"backtester/server"
	"backtester/server/client"
)

// With --server, commands ask a server instead of computing: the strategy is read and checked here, its
// data is there.

func serverFlag(f *pflag.FlagSet) {
	f.String("server", "", "ask the server at this `URL`; its token comes from BACKTESTER_TOKEN")
}

// remote is the server to ask, nil to compute here.
func (a *app) remote() (*client.Client, error) {
	address := a.settings.get("server")
	if address == "" {
		return nil, nil
	}
	c, err := client.New(address, a.settings.get("token"))
	if err != nil {
		return nil, &usageError{err}
	}
	return c, nil
}

// refused is a refusal of a server as an error of the command line, with its exit code.
func refused(err error) error {
	p, ok := errors.AsType[*client.Problem](err)
	switch {
	case !ok:
		return err
	case p.Code == "data-missing":
		return &gapThere{err}
	case p.Status == 401:
		return fmt.Errorf("%w: put a personal token into BACKTESTER_TOKEN", err)
	case p.Status == 403:
		return fmt.Errorf("%w: the token in BACKTESTER_TOKEN needs the scopes read and run", err)
	case p.Status == 400 || p.Status == 422:
		return &usageError{err}
	}
	return err
}

// gapThere is a lack of data on a server; it matches bar.ErrNoData.
type gapThere struct{ error }

// Is makes errors.Is(err, bar.ErrNoData) hold.
func (*gapThere) Is(target error) bool { return target == bar.ErrNoData }

// document is a strategy as it is sent: canonical, with the files that it names.
func document(file *strategy.File) (client.Strategy, error) {
	b, err := file.MarshalJSON()
	if err != nil {
		return client.Strategy{}, fmt.Errorf("write the strategy: %w", err)
	}
	s := client.Strategy{Document: b, Files: map[string]string{}}
	for _, name := range file.Files() {
		if data, ok := file.Attached(name); ok {
			s.Files[name] = string(data)
		}
	}
	return s, nil
}

// runRemote has the batch computed by a server, one run after the other.
func (o *runOptions) runRemote(ctx context.Context, c *client.Client, files []*strategy.File) ([]outcome, error) {
	if len(o.bars) > 0 || o.independent || o.proof {
		return nil, usagef("--server computes with its own data, as a whole: leave --bars, --independent and --prove out")
	}
	outcomes := make([]outcome, len(files))
	var known []*history.Run
	for i, file := range files {
		s, err := document(file)
		if err != nil {
			return nil, err
		}
		run, err := c.Run(ctx, s, o.again)
		if err != nil {
			outcomes[i].err = refused(err)
			continue
		}
		if run.Recalled {
			known = append(known, &history.Run{ID: run.ID, Finished: run.Finished})
		}
		outcomes[i].results, outcomes[i].err = report.ReadJSON(bytes.NewReader(run.Result), "the server's run "+run.ID)
	}
	if len(known) > 0 {
		fmt.Fprintln(o.io.Err, recalled(known))
	}
	return outcomes, nil
}

// previewRemote has a server say what a strategy sees.
func (o *previewOptions) previewRemote(ctx context.Context, c *client.Client, file *strategy.File) (*backtest.Preview, error) {
	if len(o.bars) > 0 || o.proof {
		return nil, usagef("--server previews with its own data: leave --bars and --prove out")
	}
	s, err := document(file)
	if err != nil {
		return nil, err
	}
	b, err := c.Preview(ctx, s)
	if err != nil {
		return nil, refused(err)
	}
	var answer struct {
		server.Preview
		Config *strategy.File    `json:"config"`
		Data   backtest.DataInfo `json:"data"`
		Counts backtest.Counts   `json:"counts"`
	}
	if err := json.Unmarshal(b, &answer); err != nil {
		return nil, fmt.Errorf("read the server's preview: %w", err)
	}
	p := &backtest.Preview{Strategy: answer.Strategy, Config: answer.Config, Data: answer.Data, Counts: answer.Counts, Warnings: answer.Warnings}
	for _, x := range answer.Symbols {
		p.Symbols = append(p.Symbols, symbolOf(x))
	}
	return p, nil
}

func symbolOf(x server.PreviewSymbol) backtest.SymbolPreview {
	out := backtest.SymbolPreview{Symbol: x.Symbol, Strategy: x.Strategy, Warm: x.Warm, Open: values(x.Bars.Open), High: values(x.Bars.High), Low: values(x.Bars.Low),
		Close: values(x.Bars.Close), Volume: values(x.Bars.Volume), Members: x.Members, Entries: x.Entries, Exits: x.Exits, Shorts: x.Shorts, Covers: x.Covers}
	out.Time.Daily = len(x.Dates) == 0 || len(x.Dates[0]) == len(time.DateOnly)
	for _, ms := range x.Bars.T {
		out.Time.Nanos = append(out.Time.Nanos, ms*1e6)
	}
	for _, c := range x.Columns {
		out.Columns = append(out.Columns, backtest.PreviewColumn{Name: c.Name, Kind: c.Kind, Pane: c.Pane, Values: values(c.Values)})
	}
	return out
}

// values are numbers with NaN where there is none.
func values(list []*float64) backtest.Values {
	out := make(backtest.Values, len(list))
	for i, v := range list {
		if out[i] = math.NaN(); v != nil {
			out[i] = *v
		}
	}
	return out
}

// historyRemote is a page of the server's history.
func (o *historyOptions) historyRemote(ctx context.Context, c *client.Client) ([]*history.Run, error) {
	q := url.Values{}
	set := func(key, value string) {
		if value != "" {
			q.Set(key, value)
		}
	}
	set("q", o.filter.Query)
	set("kind", o.kind)
	set("status", o.state)
	set("from", o.from)
	if o.to != "" { // --until is the first day that does not count; the server's to is the last one that does
		set("to", o.filter.To.AddDate(0, 0, -1).Format(time.DateOnly))
	}
	set("symbol", o.filter.Symbol)
	set("strategy", o.filter.Strategy)
	set("tag", o.filter.Tag)
	set("sort", o.filter.Sort)
	if o.filter.Limit > 0 {
		set("limit", strconv.Itoa(o.filter.Limit))
	}
	if o.filter.Starred {
		set("starred", "true")
	}
	b, err := c.History(ctx, q)
	if err != nil {
		return nil, refused(err)
	}
	var runs []*history.Run
	if err := json.Unmarshal(b, &runs); err != nil {
		return nil, fmt.Errorf("read the server's history: %w", err)
	}
	return runs, nil
}

// resultRemote is the result of a run of the server.
func resultRemote(ctx context.Context, c *client.Client, id string) ([]*backtest.Result, error) {
	if !history.ValidID(strings.ToUpper(id)) {
		return nil, usagef("read run %q: with --server the whole id is needed; see: backtester history ls --server URL", id)
	}
	b, err := c.Result(ctx, strings.ToUpper(id))
	if err != nil {
		return nil, refused(err)
	}
	return report.ReadJSON(bytes.NewReader(b), "the server's run "+id)
}

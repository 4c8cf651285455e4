// Package report shows Results: as terminal tables and charts, JSON, CSV, and as one self-contained
// HTML page.
//
// In: Results of package backtest, or bars with their indicators for a preview. Out: bytes, the same
// for the same input. It computes no statistic: every ratio comes from package stats. It refuses
// nothing that a Result can hold; text from users (names, notes, symbols) is shown with its control
// characters removed, and never executes anything in a terminal, a spreadsheet or a browser.
package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"backtester/backtest"
	"backtester/backtest/stats"
	"backtester/backtest/validate/stress"
)

// Options of terminal output.
type Options struct {
	Width   int                // columns of the terminal; 0 = 100
	Color   bool               // ANSI colours; the caller decides by terminal and NO_COLOR
	Unicode bool               // line drawing and braille; otherwise plain ASCII
	Stress  *stress.Report     // of a single result, nil without one
	Factors *stats.Attribution // of a single result, nil without one
	Trades  int                // how many of the last trades to list; 0 = 10, negative = none
	Limits  stats.Limits       // thresholds of warnings that are not the defaults
}

func (o Options) width() int {
	if o.Width <= 0 {
		return 100
	}
	return max(o.Width, 40)
}

func (o Options) trades() int {
	if o.Trades == 0 {
		return 10
	}
	return max(o.Trades, 0)
}

// JSON writes one result as the object of Result.EncodeJSON, byte for byte, and several as an array
// of them, one a line.
func JSON(w io.Writer, rs []*backtest.Result) error {
	if len(rs) == 1 {
		return NDJSON(w, rs)
	}
	if _, err := io.WriteString(w, "[\n"); err != nil {
		return fmt.Errorf("write results as JSON: %w", err)
	}
	for i, r := range rs {
		b, err := r.EncodeJSON()
		if err != nil {
			return fmt.Errorf("write result of %s as JSON: %w", r.Strategy, err)
		}
		b = b[:len(b)-1]
		if i+1 < len(rs) {
			b = append(b, ',')
		}
		if _, err := w.Write(append(b, '\n')); err != nil {
			return fmt.Errorf("write results as JSON: %w", err)
		}
	}
	_, err := io.WriteString(w, "]\n")
	return err
}

// NDJSON writes one result a line.
func NDJSON(w io.Writer, rs []*backtest.Result) error {
	for _, r := range rs {
		if err := r.WriteJSON(w); err != nil {
			return fmt.Errorf("write result of %s as JSON: %w", r.Strategy, err)
		}
	}
	return nil
}

// ReadJSON reads what JSON and NDJSON write: an object, an array of objects, or objects in a row.
// name is for messages.
func ReadJSON(r io.Reader, name string) ([]*backtest.Result, error) {
	dec := json.NewDecoder(r)
	var out []*backtest.Result
	for {
		var raw json.RawMessage
		if err := dec.Decode(&raw); err == io.EOF {
			break
		} else if err != nil {
			if e, ok := errors.AsType[*fs.PathError](err); ok {
				return nil, fmt.Errorf("read result %s: %w", name, e.Err)
			}
			return nil, fmt.Errorf("read result %s: it is no JSON, want what run --format json or --out wrote: %w", name, err)
		}
		some, err := readResults(raw)
		if err != nil {
			return nil, fmt.Errorf("read result %s: %w", name, err)
		}
		out = append(out, some...)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("read result %s: it holds no result", name)
	}
	return out, nil
}

// readResults reads one document: a result or an array of them.
func readResults(raw json.RawMessage) ([]*backtest.Result, error) {
	var out []*backtest.Result
	if raw[0] == '[' {
		if err := json.Unmarshal(raw, &out); err != nil {
			return nil, err
		}
	} else {
		var r backtest.Result
		if err := json.Unmarshal(raw, &r); err != nil {
			return nil, err
		}
		out = append(out, &r)
	}
	for i, r := range out {
		if r == nil || r.Schema == 0 || len(r.Equity.Value) == 0 || len(r.Equity.Value) != r.Equity.Time.Len() {
			return nil, fmt.Errorf("document %d is not a result of a run: it has no schema or no equity curve", i+1)
		}
	}
	return out, nil
}

package farm

import (
	"bytes"
	"encoding/binary"
	"encoding/gob"
	"fmt"
	"math"
	"slices"

	"backtester/backtest/instrument"
	"backtester/backtest/sweep"
)

// task is a range of combinations, as a message.
type task struct {
	Sweep    string
	Turn     string // of the coordinator that asks
	Round    int    // how often it asked
	From, To int
}

// gain is what a worker made of a task.
type gain struct {
	Task   task
	Rows   []row
	Axes   [][]instrument.Date // of the returns of rows
	Faults []fault             // symbols that could not be played
	Failed string              // why the whole range could not be played
}

// row is one of sweep without what the plan knows.
type row struct {
	Index   int
	Symbol  string
	Metrics []float64
	Path    uint8
	Reason  string
	Axis    int    // of the returns, as a place in gain.Axes
	Returns []byte // 8 bytes a session; none where nobody asked
}

type fault struct{ Symbol, Text string }

// add takes a row, and the returns that came before it.
func (g *gain) add(r *sweep.Row, returns *sweep.Returns) {
	out := row{Index: r.Index, Symbol: r.Symbol, Metrics: slices.Clone(r.Metrics), Path: uint8(r.Path), Reason: r.Reason}
	if returns != nil {
		out.Axis = slices.IndexFunc(g.Axes, func(a []instrument.Date) bool { return slices.Equal(a, returns.Axis.Dates) })
		if out.Axis < 0 {
			out.Axis = len(g.Axes)
			g.Axes = append(g.Axes, slices.Clone(returns.Axis.Dates))
		}
		out.Returns = make([]byte, 0, 8*len(returns.Values))
		for _, v := range returns.Values {
			out.Returns = binary.LittleEndian.AppendUint64(out.Returns, math.Float64bits(v))
		}
	}
	g.Rows = append(g.Rows, out)
}

// returns of a row.
func (g *gain) returns(r *row) (*sweep.Returns, error) {
	if r.Axis < 0 || r.Axis >= len(g.Axes) || len(r.Returns) != 8*(len(g.Axes[r.Axis])-1) {
		return nil, fmt.Errorf("read a message of the farm: the returns of combination %d do not go with their sessions", r.Index)
	}
	out := &sweep.Returns{Index: r.Index, Symbol: r.Symbol, Axis: &sweep.Axis{Dates: g.Axes[r.Axis]}, Values: make([]float64, len(r.Returns)/8)}
	for i := range out.Values {
		out.Values[i] = math.Float64frombits(binary.LittleEndian.Uint64(r.Returns[8*i:]))
	}
	return out, nil
}

func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(v); err != nil {
		return nil, fmt.Errorf("write a message of the farm: %w", err)
	}
	return b.Bytes(), nil
}

func decode(b []byte, v any) error {
	if err := gob.NewDecoder(bytes.NewReader(b)).Decode(v); err != nil {
		return fmt.Errorf("read a message of the farm: %w", err)
	}
	return nil
}

// order is what workers must know of a sweep.
type order struct {
	Identity    string // of the plan, its data and its engine
	Document    []byte // the encoded job.Spec
	Independent bool
	Method      string
	Metrics     []string
	Memory      int64 // that a sweep may take, 0 is the default
	Fastest     sweep.Path
	Returns     bool // somebody asks for them
}

// options of the plan that workers make.
func (o *order) options() sweep.Options {
	return sweep.Options{Independent: o.Independent, Method: o.Method, Metrics: o.Metrics, Memory: o.Memory, Fastest: o.Fastest}
}

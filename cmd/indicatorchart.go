package cmd

import (
	"fmt"
	"math"
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"

	"backtester/backtest/indicator"
	"backtester/report"
)

// chartIndicator draws an indicator with lengths that are usual, below the bars it was computed on.
func (a *app) chartIndicator(s indicator.Spec) error {
	bars := sampleBars()
	p := usualNumbers(s)
	var in, out [][]float64
	for range s.Series {
		in = append(in, bars[indicator.Close])
	}
	if len(s.Series) > 0 && s.Series[0] == "anchor" {
		in[0] = bars["anchor"]
	}
	if len(s.Series) == 2 {
		in[1] = bars[indicator.Open]
	}
	for _, c := range s.Columns {
		in = append(in, bars[c])
	}
	for range s.Outputs {
		out = append(out, make([]float64, sampleLength))
	}
	s.Eval(&indicator.Scratch{}, out, in, p)
	curves := []report.Curve{{Name: fmt.Sprintf("close of %d made-up bars", drawnBars), Values: bars[indicator.Close][sampleLength-drawnBars:]}}
	for k, o := range s.Outputs {
		if o.Draw == indicator.Hidden || len(curves) > mostCurves {
			continue
		}
		name := usedCall(s, p)
		if k > 0 {
			name += "." + o.Name
		}
		curves = append(curves, report.Curve{Name: name, Values: out[k][sampleLength-drawnBars:], Marks: o.Draw == indicator.Marker})
	}
	return report.Curves(a.io.Out, curves, a.reportOptions())
}

const (
	sampleLength = 6000 // warms up whatever there is
	drawnBars    = 300  // the last of them
	mostCurves   = 5
)

// sampleBars are columns of made-up bars, the same everywhere: calm and wild stretches with trends. The
// session has 26 bars.
func sampleBars() map[string][]float64 {
	r := rand.New(rand.NewPCG(3, 14))
	m := map[string][]float64{}
	add := func(column string, v float64) { m[column] = append(m[column], v) }
	cents := func(x float64) float64 { return math.Round(x*100) / 100 }
	last, drift, wild := 50.0, 0.0, 0.01
	for i := range sampleLength {
		if i%60 == 0 {
			drift, wild = 0.006*(r.Float64()-0.48), 0.005+0.015*r.Float64()
		}
		open := cents(last * (1 + 0.3*wild*r.NormFloat64()))
		last = cents(open * (1 + drift + wild*r.NormFloat64()))
		add(indicator.Open, open)
		add(indicator.High, cents(max(open, last)*(1+0.6*wild*r.Float64())))
		add(indicator.Low, cents(min(open, last)*(1-0.6*wild*r.Float64())))
		add(indicator.Close, last)
		add(indicator.Volume, math.Round(1e6*(0.5+r.Float64()+40*wild)))
		add(indicator.Session, float64(i/26))
		anchor := 0.0
		if i%130 == 0 {
			anchor = 1
		}
		add("anchor", anchor)
	}
	return m
}

// usual are lengths that people take, by the names of parameters.
var usual = map[string]float64{"n": 14, "fast": 12, "slow": 26, "signal": 9, "smooth": 3, "range": 14, "long": 25, "short": 13, "q": 9, "lag": 1, "m": 5}

var original = regexp.MustCompile(`([0-9.]+) in the original`)

// usualNumbers are the parameters of a sample call.
func usualNumbers(s indicator.Spec) []float64 {
	p := make([]float64, len(s.Params))
	for k, q := range s.Params {
		p[k] = q.Default
		if !q.Required {
			continue
		}
		v, ok := usual[q.Name]
		if !ok {
			v = float64(10 * (k + 1))
		}
		if m := original.FindStringSubmatch(q.Doc); m != nil {
			v, _ = strconv.ParseFloat(m[1], 64)
		}
		if !q.Integer {
			v = min(max(0.5, q.Min), q.Max)
		}
		p[k] = min(max(v, q.Min), q.Max)
	}
	return p
}

// usedCall is a call with these numbers; options that have their defaults are left out.
func usedCall(s indicator.Spec, p []float64) string {
	var args []string
	for k, x := range s.Series {
		switch {
		case x == "anchor":
			args = append(args, x)
		default:
			args = append(args, []string{"close", "open"}[k])
		}
	}
	for k, q := range s.Params {
		if q.Required {
			args = append(args, q.Text(p[k]))
		}
	}
	return s.Name + "(" + strings.Join(args, ", ") + ")"
}

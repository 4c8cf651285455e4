package stats

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"gonum.org/v1/gonum/mat"

	"backtester/backtest/instrument"
)

// FactorReturns are returns of things that may explain a run, such as the market's, of small companies
// or of momentum: fractions of a session, those of portfolios without capital or above the risk-free rate.
type FactorReturns struct {
	Dates  []instrument.Date // strictly increasing
	Names  []string
	Values [][]float64 // by name, as long as Dates
}

// MostFactors is how many explanations a run can have.
const MostFactors = 20

// ReadFactors reads a CSV with a header date,NAME,NAME...: YYYY-MM-DD, oldest first, and a return for every
// name. name is for messages. It refuses what is not a number, dates that do not rise, two columns of
// one name and more than MostFactors, with the line.
func ReadFactors(r io.Reader, name string) (FactorReturns, error) {
	in := csv.NewReader(r)
	in.TrimLeadingSpace = true
	head, err := in.Read()
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = errors.New("the file is empty")
		}
		return FactorReturns{}, fmt.Errorf("read %s: no header line: want date,NAME,NAME...: %w", name, err)
	}
	f := FactorReturns{Names: head[1:]}
	for i, h := range f.Names {
		f.Names[i] = strings.TrimSpace(h)
		if f.Names[i] == "" || slices.Contains(f.Names[:i], f.Names[i]) {
			return FactorReturns{}, fmt.Errorf("read %s line 1: column %d is named %q: want a name of its own for every factor", name, i+2, f.Names[i])
		}
	}
	if !strings.EqualFold(strings.TrimSpace(strings.TrimPrefix(head[0], "\uFEFF")), "date") || len(f.Names) == 0 || len(f.Names) > MostFactors {
		return FactorReturns{}, fmt.Errorf("read %s line 1: columns are %q, want date and 1 to %d factors", name, head, MostFactors)
	}
	f.Values = make([][]float64, len(f.Names))
	for {
		row, err := in.Read()
		if errors.Is(err, io.EOF) {
			return f, nil
		}
		if err == nil {
			err = f.add(row)
		}
		if err != nil {
			line, _ := in.FieldPos(0)
			return FactorReturns{}, fmt.Errorf("read %s line %d: %w", name, line, err)
		}
	}
}

func (f *FactorReturns) add(row []string) error {
	text := strings.TrimSpace(row[0])
	d, err := instrument.ParseDate(text[:min(len(text), len(time.DateOnly))])
	if err != nil {
		return err
	}
	if n := len(f.Dates); n > 0 && d <= f.Dates[n-1] {
		return fmt.Errorf("date %s does not come after %s: sort the file, one row a date", d, f.Dates[n-1])
	}
	f.Dates = append(f.Dates, d)
	for k, cell := range row[1:] {
		v, err := strconv.ParseFloat(strings.TrimSpace(cell), 64)
		if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("%q of %s is not a number (fractions, not percent: 0.01 is one percent)", cell, f.Names[k])
		}
		f.Values[k] = append(f.Values[k], v)
	}
	return nil
}

// Exposure is what a run had of one factor.
type Exposure struct {
	Name   string  `json:"name"`
	Beta   float64 `json:"beta"`   // return of the run for a return of 1 of the factor, the others being still
	SE     float64 `json:"se"`     // its standard error, for independent residuals of one variance
	T      float64 `json:"t"`      // Beta/SE
	P      float64 `json:"p"`      // two-sided, Student
	Return float64 `json:"return"` // a year: Beta times the factor's arithmetic mean
}

// Attribution divides the mean excess return of a run among factors. Alpha and the factors' returns add
// up to it.
type Attribution struct {
	Sessions int        `json:"sessions"`
	LeftOut  int        `json:"left_out"` // sessions without factor returns
	Mean     float64    `json:"mean"`     // excess return a year, arithmetic
	Factors  []Exposure `json:"factors"`
	Alpha    Exposure   `json:"alpha"` // Beta and SE of a session; Return a year
	RSquared float64    `json:"r_squared"`
	Specific float64    `json:"specific_risk"` // deviation of the residuals, a year
}

// Attribute regresses the excess returns of a curve on factors by ordinary least squares, over the sessions
// for which they have a return. It refuses fewer than 60 such sessions or ten for each factor, and factors
// that are combinations of each other. Cost: O(sessions x factors^2).
func Attribute(dates []instrument.Date, equity []float64, f FactorReturns, perYear, riskFreeAnnual float64) (*Attribution, error) {
	rf, k := perPeriod(riskFreeAnnual, perYear), len(f.Names)
	var y []float64
	var x [][]float64 // rows: 1 and the factors
	r := Returns(nil, equity)
	for t := range r {
		at := firstFrom(f.Dates, dates[t+1])
		if at == len(f.Dates) || f.Dates[at] != dates[t+1] {
			continue
		}
		row := []float64{1}
		for _, v := range f.Values {
			row = append(row, v[at])
		}
		y, x = append(y, r[t]-rf), append(x, row)
	}
	n := len(y)
	if want := max(60, 10*(k+1)); n < want {
		return nil, fmt.Errorf("factors have returns for %d of %d sessions, want %d at least: check their dates", n, len(r), want)
	}
	a := &Attribution{Sessions: n, LeftOut: len(r) - n, Mean: mean(y) * perYear, Factors: make([]Exposure, k)}
	if err := a.fit(f.Names, y, x, perYear); err != nil {
		return nil, err
	}
	return a, nil
}

// fit solves for the exposures. Columns are scaled to one size first, so that the condition of the system says
// whether they depend on each other.
func (a *Attribution) fit(names []string, y []float64, x [][]float64, perYear float64) error {
	n, k := len(y), len(names)+1
	scale, means := make([]float64, k), make([]float64, k)
	design := mat.NewDense(n, k, nil)
	for j := range k {
		column := make([]float64, n)
		for t := range x {
			column[t] = x[t][j]
		}
		means[j], scale[j] = mean(column), math.Sqrt(partial(column, 0, 1, 2)+partial(column, 0, -1, 2))
		if !(scale[j] > 0) {
			return fmt.Errorf("factor %s is 0 in every session: leave it out", names[j-1])
		}
		for t := range column {
			design.Set(t, j, column[t]/scale[j])
		}
	}
	var qr mat.QR
	qr.Factorize(design)
	if !(qr.Cond() < 1e7) {
		return fmt.Errorf("factors %s depend on each other: leave out what the others add up to", strings.Join(names, ", "))
	}
	var solved mat.VecDense
	if err := qr.SolveVecTo(&solved, false, mat.NewVecDense(n, y)); err != nil {
		return fmt.Errorf("regress on factors: %w", err)
	}
	var full, inverse mat.Dense
	qr.RTo(&full)
	if err := inverse.Inverse(full.Slice(0, k, 0, k)); err != nil {
		return fmt.Errorf("regress on factors: %w", err)
	}
	var left, all sum // squared residuals, squared deviations
	m := mean(y)
	for t := range y {
		e := y[t]
		for j := range k {
			e -= float64(solved.AtVec(j) * design.At(t, j))
		}
		left = left.add(e * e)
		all = all.add((y[t] - m) * (y[t] - m))
	}
	df := float64(n - k)
	if left.value() <= flatVariance*float64(n) {
		return errors.New("factors explain every return of the curve: it is made of them")
	}
	for j := range k {
		spread := mat.Norm(inverse.RowView(j), 2)
		e := Exposure{Name: "alpha", Beta: solved.AtVec(j) / scale[j], SE: spread * math.Sqrt(left.value()/df) / scale[j]}
		e.T = e.Beta / e.SE
		e.P, e.Return = studentP(e.T, df), e.Beta*means[j]*perYear
		if j == 0 {
			a.Alpha = e
		} else {
			e.Name = names[j-1]
			a.Factors[j-1] = e
		}
	}
	a.RSquared = 1 - left.value()/all.value()
	a.Specific = math.Sqrt(left.value() / df * perYear)
	return nil
}

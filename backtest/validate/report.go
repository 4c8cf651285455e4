package validate

import (
	"backtester/backtest"
	"backtester/backtest/stats/overfit"
	"backtester/backtest/strategy"
	"backtester/backtest/validate/stress"
)

// Schema is the version of Report's shape.
const Schema = 1

// Number is a figure that may be undefined: NaN, null in JSON.
type Number = stress.Number

// Report is what all tests of a strategy came to. Chapters that could not be made are null; the question that
// they answer says why. Everything is a function of Config, data and engine, but for Selection, which names the
// state of the history that it counted in.
type Report struct {
	Schema    int        `json:"schema"`
	Engine    string     `json:"engine_version"`
	Strategy  string     `json:"strategy"`
	Verdict   Verdict    `json:"verdict"` // the worst answer
	Questions []Question `json:"questions"`
	Figures   Figures    `json:"figures"` // by key, for --fail-if
	Data      Data       `json:"data"`
	Search    Searched   `json:"search"`
	Seed      uint64     `json:"seed"` // of everything random, from the Config

	WalkForward *WalkForward       `json:"walk_forward"`
	PBO         *PBO               `json:"pbo"`
	CPCV        *Cross             `json:"cpcv"`
	KFold       *Cross             `json:"kfold"`
	Cash        *Superiority       `json:"against_cash"`
	Holding     *Superiority       `json:"against_holding"` // buy and hold, scaled to each combination's average exposure
	Selection   *overfit.Selection `json:"selection"`
	MonteCarlo  *MonteCarlo        `json:"monte_carlo"`
	Noise       []Noisy            `json:"noise"`
	Stress      *stress.Report     `json:"stress"`
	Proof       *Proof             `json:"proof"`

	Config *strategy.File   `json:"config"` // that was put to the test
	Judged *backtest.Result `json:"-"`      // the run that stands for the search
}

// Data is what everything was computed on.
type Data struct {
	Symbols   []string `json:"symbols"`
	From      string   `json:"from"`
	To        string   `json:"to"`
	Sessions  int      `json:"sessions"`
	SHA256    string   `json:"sha256"` // of the run that stands for the search
	Synthetic bool     `json:"synthetic,omitempty"`
}

// Searched is the search over all of the data.
type Searched struct {
	Method       string      `json:"method"`
	Objective    string      `json:"objective"`
	Eligibility  string      `json:"eligibility"`
	Combinations int         `json:"combinations"`
	Eligible     int         `json:"eligible"`
	Chosen       []Parameter `json:"chosen"`  // of the run that is judged
	Default      bool        `json:"default"` // nothing was eligible: the judged run has the values of the file
}

// Parameter is a value.
type Parameter struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
}

// Verdict is the answer to a question.
type Verdict string

// Verdicts, the worst last but for Undefined, which says that there is no answer.
const (
	Passes    Verdict = "passes"
	Doubtful  Verdict = "doubtful"
	Failing   Verdict = "fails"
	Undefined Verdict = "undefined"
)

// Question is one thing that a careful reader asks.
type Question struct {
	Key      string  `json:"key"`
	Question string  `json:"question"`
	Verdict  Verdict `json:"verdict"`
	Figure   string  `json:"figure"` // the key in Figures behind the verdict
	Value    Number  `json:"value"`
	Rule     string  `json:"rule"` // what passes and what fails
	Answer   string  `json:"answer"`
	On       string  `json:"on"`               // what was computed, and on what
	Reason   string  `json:"reason,omitempty"` // why there is no answer
}

package overfit

import (
	"math"

	"backtester/backtest/stats"
)

// Selection says what a Sharpe ratio is worth after so many trials. Null figures are undefined; Reason
// says why.
type Selection struct {
	Trials    int64    `json:"trials"`           // distinct ones on at least half of the symbols and sessions, this one included
	Effective *float64 `json:"effective_trials"` // rho + (1 - rho) x trials
	Rho       *float64 `json:"rho"`              // mean correlation of a sample of their returns
	Sampled   int      `json:"sampled"`          // return series in the sample
	Variance  *float64 `json:"variance"`         // of the trials' Sharpe ratios of one session
	Sharpe    *float64 `json:"sharpe_session"`   // of this run, of one session
	DSR       *float64 `json:"dsr"`              // deflated Sharpe ratio with trials
	Luck      *float64 `json:"expected_max"`     // Sharpe ratio of one session that the best of so many worthless trials reaches
	DSRLow    *float64 `json:"dsr_effective"`    // the same with effective trials
	LuckLow   *float64 `json:"expected_max_effective"`
	Assumed   bool     `json:"variance_assumed,omitempty"` // too few trials tell how they spread: Variance is that of worthless ones, 1/(n-1)
	PSR       *float64 `json:"psr"`                        // as if it had been the only trial
	MinTRL    *float64 `json:"min_track_record"`           // sessions after which PSR is 95%
	MinBTL    *float64 `json:"min_backtest_length"`        // sessions below which the best of so many worthless trials reaches this ratio
	Haircut   *float64 `json:"haircut_sharpe_session"`     // the ratio whose p-value alone is that of this one after the effective trials
	Cut       *float64 `json:"haircut"`                    // share of the ratio that is gone
	Snapshot  string   `json:"snapshot"`                   // state of the history that was asked
	Reason    string   `json:"reason,omitempty"`
}

// Select deflates s by n trials whose ratios have the given variance and whose returns have the mean
// correlation rho, NaN for unknown: then all trials count as independent.
func Select(s stats.Sharpe, n int64, variance, rho float64, sampled int) Selection {
	out := Selection{Trials: n, Sampled: sampled, Sharpe: defined(s.SR)}
	effective := float64(n)
	if rho == rho {
		rho = min(1, max(0, rho))
		effective = EffectiveTrials(rho, effective)
		out.Rho = defined(rho)
	}
	out.Effective = defined(effective)
	switch {
	case s.SR != s.SR:
		out.Reason = "the run has no Sharpe ratio: its returns do not vary"
		return out
	case n <= 1:
		variance = 0 // the only trial: nothing was selected
	case variance != variance:
		variance = 1 / float64(max(1, s.N-1))
		out.Variance, out.Assumed = defined(variance), true
	default:
		out.Variance = defined(variance)
	}
	full, luck := s.DSR(variance, float64(n))
	low, luckLow := s.DSR(variance, effective)
	out.DSR, out.Luck, out.DSRLow, out.LuckLow = defined(full), defined(luck), defined(low), defined(luckLow)
	out.PSR, out.MinTRL = defined(s.PSR(0)), defined(s.MinTRL(0, 0.95))
	if n > 1 && s.SR > 0 {
		out.MinBTL = defined(stats.MinBTL(float64(n), s.SR))
	}
	h := HaircutSharpe(s, effective)
	out.Haircut, out.Cut = defined(h.Sharpe), defined(h.Cut)
	return out
}

// defined is nil for what is no finite number.
func defined(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

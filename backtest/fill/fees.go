package fill

import (
	"strings"
	"time"

	"backtester/backtest/instrument"
	"backtester/backtest/order"
)

// Regulatory names whose fees sales pay.
type Regulatory string

// USFees are those of the United States: section 31 of the Exchange Act, and FINRA's trading activity fee.
const USFees Regulatory = "us"

// FeeRate is what a fee was from a date on, until the next of its kind. Sales pay it, purchases do not.
type FeeRate struct {
	Fee        string          `json:"fee"` // sec_section_31 | finra_taf
	From       instrument.Date `json:"from"`
	PerMillion float64         `json:"usd_per_million,omitempty"` // of the traded value
	PerShare   float64         `json:"usd_per_share,omitempty"`
	Most       float64         `json:"usd_most,omitempty"` // of one sale
	Source     string          `json:"source"`
	Quoted     bool            `json:"quoted,omitempty"` // rate and first day as others quote the source, which was not at hand itself
}

// The rates are known from the first to the last of these days. Outside of them nothing is charged, and a
// run that trades there says so: a rate is never guessed. For 2026-10-01 to 2026-12-31 FINRA filed to charge no
// activity fee (SR-FINRA-2026-021), which was not seen approved, and the next fiscal year may bring another section 31.
var (
	FeesFrom = instrument.NewDate(2013, 5, 25)
	FeesTo   = instrument.NewDate(2026, 9, 30)
)

// Where each rate and its first day were read. What was only to be had as others quote the document says so.
// Where only the order was at hand, the first day is reckoned: by section 31(j)(4) a new rate is in force from the
// 60th day after the regular appropriation was enacted, which a test checks.
const (
	advisory = "SEC, section 31 fee rate advisory"
	order31  = "SEC, order making annual adjustments to transaction fee rates, release "
	notice   = "FINRA, information notice of "
	byLaws   = "FINRA, schedule A to the by-laws, section 1"
	schedule = "FINRA, fee increase schedule of SR-FINRA-2020-032, by calendar year"
	reckoned = "; the first day is the 60th after the appropriation of "
	quoted   = " (as brokers and others quote it)"
)

// section31 in USD a million.
var section31 = feesOf("sec_section_31",
	feeSince{2013, 5, 25, 17.4, 0, notice + "2014-03-03 (rate); " + order31 + "34-69449, 78 FR 25515" + reckoned + "2013-03-26 (Public Law 113-6)"},
	feeSince{2014, 3, 18, 22.1, 0, notice + "2014-03-03"},
	feeSince{2015, 2, 14, 18.4, 0, order31 + "34-74057, 80 FR 2978" + reckoned + "2014-12-16 (Public Law 113-235)"},
	feeSince{2016, 2, 16, 21.8, 0, notice + "2016-03-15 (rate)" + reckoned + "2015-12-18 (Public Law 114-113)"},
	feeSince{2017, 7, 4, 23.1, 0, advisory + " for fiscal 2017"},
	feeSince{2018, 5, 22, 13, 0, notice + "2018-05-07"},
	feeSince{2019, 4, 16, 20.7, 0, advisory + " #2 for fiscal 2019, 2019-03-12; 84 FR 9576"},
	feeSince{2020, 2, 18, 22.1, 0, notice + "2020-02-03"},
	feeSince{2021, 2, 25, 5.1, 0, notice + "2021-02-16"},
	feeSince{2022, 5, 14, 22.9, 0, advisory + " for fiscal 2022" + reckoned + "2022-03-15 (Public Law 117-103)"},
	feeSince{2023, 2, 27, 8, 0, advisory + " #2 for fiscal 2024 (rate); " + order31 + "34-96724, 88 FR 5051" + reckoned + "2022-12-29 (Public Law 117-328)"},
	feeSince{2024, 5, 22, 27.8, 0, advisory + " #2 for fiscal 2024; release 34-99973, 89 FR 29402"},
	feeSince{2025, 5, 14, 0, 0, "SEC, release 34-102779, 2025-04-08; " + notice + "2025-04-24"},
	feeSince{2026, 4, 4, 20.6, 0, advisory + " for fiscal 2026, 2026-02-27" + quoted + "; " + order31 + "34-104909, 91 FR 10643"})

// activity in USD a share, and the most that one sale pays.
var activity = feesOf("finra_taf",
	feeSince{2012, 7, 1, 0.000119, 5.95, byLaws + "; proposed in 77 FR 27527, 2012-05-10; the first day is that of FINRA's form for reporting trades from then on"},
	feeSince{2022, 1, 1, 0.00013, 6.49, schedule},
	feeSince{2023, 1, 1, 0.000145, 7.27, schedule},
	feeSince{2024, 1, 1, 0.000166, 8.3, schedule},
	feeSince{2026, 1, 1, 0.000195, 9.79, "FINRA, fee schedule of SR-FINRA-2024-019, by calendar year, 89 FR 93709" + quoted})

type feeSince struct {
	year, month, day int
	rate, most       float64
	source           string
}

func feesOf(fee string, list ...feeSince) []FeeRate {
	out := make([]FeeRate, len(list))
	for k, x := range list {
		out[k] = FeeRate{Fee: fee, From: instrument.NewDate(x.year, time.Month(x.month), x.day), PerMillion: x.rate, Source: x.source, Quoted: strings.Contains(x.source, quoted)}
		if x.most > 0 {
			out[k].PerMillion, out[k].PerShare, out[k].Most = 0, x.rate, x.most
		}
	}
	return out
}

// Charge is the fees of an execution, USD, not rounded: value x rate / 1,000,000, and shares x rate up to
// the most that one sale pays.
func (r Regulatory) Charge(side order.Side, d instrument.Date, qty, value float64) float64 {
	if r != USFees || side != order.Sell || d < FeesFrom || d > FeesTo {
		return 0
	}
	taf := ruling(activity, d)
	return float64(value*ruling(section31, d).PerMillion/1e6) + min(taf.Most, float64(qty*taf.PerShare))
}

// ruling is the rate that is in force on a day.
func ruling(rates []FeeRate, d instrument.Date) *FeeRate {
	k := len(rates) - 1
	for k > 0 && rates[k].From > d {
		k--
	}
	return &rates[k]
}

// Rates lists what was in force between two days, as far as it is known and was charged.
func (r Regulatory) Rates(from, to instrument.Date) []FeeRate {
	if r != USFees || to < FeesFrom || from > FeesTo {
		return nil
	}
	var out []FeeRate
	for _, rates := range [][]FeeRate{section31, activity} {
		for k := range rates {
			if rates[k].From <= min(to, FeesTo) && (k+1 == len(rates) || rates[k+1].From > max(from, FeesFrom)) {
				out = append(out, rates[k])
			}
		}
	}
	return out
}

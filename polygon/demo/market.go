package demo

import "backtester/backtest/instrument"

// First and last session of the demo market, both inclusive, and the first session with minute bars.
const (
	FirstSession  = "2014-01-02"
	LastSession   = "2024-12-31"
	FirstMinutes  = "2024-09-03"
	fractionsFrom = "2024-01-02" // from here on some volumes are fractional
)

// Benchmark is the ticker of the fund that follows the market factor.
const Benchmark = "MKT"

// manner is how a security moves beside the market.
type manner int

const (
	walk   manner = iota // own news only
	trend                // long stretches in one direction
	revert               // pulled back to a slowly growing anchor
	bounce               // today's own move is partly undone tomorrow
)

// security is the recipe of one made-up company or fund.
type security struct {
	figi, name, kind, exchange string
	spans                      []span // oldest first
	price                      float64
	beta                       float64 // sensitivity to the market factor
	drift                      float64 // own mean return a session, a fraction
	sigma                      float64 // own standard deviation a session, a fraction
	manner                     manner
	volume                     float64 // shares of an ordinary session
	yield                      float64 // quarterly dividends, a fraction of the price a year
	special                    dated   // one special dividend, USD a share
	splits                     []split
	was                        []kind  // types before the present one, oldest first
	halted                     string  // a session without a single print
	delisted                   bool    // the last span ends with a delisting
	minutes                    float64 // share of minutes with a print; 0 = no minute bars
	fractional                 bool    // volume carries fractions of shares from fractionsFrom on
}

type span struct{ ticker, from, to string } // both inclusive; "" = first or last session

type kind struct{ kind, until string } // the last day of it

type dated struct {
	date string
	usd  float64
}

type split struct {
	date     string
	from, to float64 // from old shares become to new ones
}

// market is the whole listing. Tickers say what to look for; all companies are made up. BCPC beside
// BCpC and a company called NA are there because real listings contain such pairs and words, and
// software that changes case or reads NA as "no value" loses them.
func market() []security {
	always := func(ticker string) []span { return []span{{ticker: ticker}} }
	return []security{
		{figi: "BBGDEMO00ACM", name: "Acme Tools (demo)", kind: "CS", exchange: "XNYS", spans: always("ACME"), price: 48, beta: 1.0, drift: -0.0005, sigma: 0.011, volume: 4.2e6, yield: 0.018, splits: []split{{"2021-06-14", 2, 3}}, minutes: 1, fractional: true},
		{figi: "BBGDEMO00BCC", name: "Baker Chemical (demo)", kind: "CS", exchange: "XNAS", spans: always("BCPC"), price: 71, beta: 0.8, drift: 0.0002, sigma: 0.013, volume: 6.1e5, yield: 0.008},
		{figi: "BBGDEMO00BCP", name: "Baker Chemical 5.5% Preferred C (demo)", kind: "PFD", exchange: "XNYS", spans: always("BCpC"), price: 25, beta: 0.12, sigma: 0.003, manner: revert, volume: 3.3e4, yield: 0.055},
		{figi: "BBGDEMO00CHP", name: "Chop Paper Mills (demo)", kind: "CS", exchange: "XNYS", spans: always("CHOP"), price: 33, beta: 0.5, drift: 0.0001, sigma: 0.016, manner: revert, volume: 1.4e6, yield: 0.03},
		{figi: "BBGDEMO00DRF", name: "Drift Water (demo)", kind: "CS", exchange: "XNYS", spans: always("DRIFT"), price: 27, beta: 0.7, sigma: 0.010, manner: trend, volume: 9.5e5, yield: 0.012, fractional: true},
		{figi: "BBGDEMO00DUB", name: "Dual Media Class B (demo)", kind: "CS", exchange: "XNYS", spans: always("DUAL.B"), price: 91, beta: 1.1, drift: 0.0001, sigma: 0.012, volume: 2.2e5},
		{figi: "BBGDEMO00FLS", name: "Flash Semiconductors (demo)", kind: "CS", exchange: "XNAS", spans: always("FLASH"), price: 19, beta: 1.6, drift: 0.0003, sigma: 0.021, manner: trend, volume: 2.4e7, splits: []split{{"2020-08-31", 1, 4}}, minutes: 1, fractional: true},
		{figi: "BBGDEMO00GON", name: "Gone Stores (demo)", kind: "CS", exchange: "XNYS", spans: []span{{"GONE", "", "2019-06-28"}}, price: 24, beta: 1.2, drift: -0.0019, sigma: 0.022, volume: 1.8e6, delisted: true},
		{figi: "BBGDEMO00HLT", name: "Halt Biologics (demo)", kind: "CS", exchange: "XNAS", spans: always("HALT"), price: 38, beta: 0.9, drift: 0.0002, sigma: 0.027, volume: 1.1e6, halted: "2019-03-14"},
		{figi: "BBGDEMO00LAT", name: "Late Listing Software (demo)", kind: "CS", exchange: "XNAS", spans: []span{{"LATE", "2018-09-20", ""}}, price: 30, beta: 1.3, drift: -0.0004, sigma: 0.022, manner: trend, volume: 3.0e6},
		{figi: "BBGDEMO00MET", name: "Metal Trust (demo)", kind: "ETF", exchange: "ARCX", spans: always("METAL"), price: 118, beta: -0.05, drift: 0.0001, sigma: 0.009, manner: trend, volume: 7.0e6},
		{figi: "BBGDEMO00MKT", name: "Market Index Fund (demo)", kind: "ETF", exchange: "ARCX", spans: always("MKT"), price: 182, beta: 1, sigma: 0.0004, volume: 8.0e7, yield: 0.016, minutes: 1, fractional: true},
		{figi: "BBGDEMO000NA", name: "Nordic Aluminium (demo)", kind: "CS", exchange: "XNYS", spans: always("NA"), price: 44, beta: 1.2, drift: -0.0001, sigma: 0.017, volume: 8.8e5, yield: 0.02},
		{figi: "BBGDEMO00NEW", name: "Newco Networks, formerly Oldco (demo)", kind: "CS", exchange: "XNAS", spans: []span{{"OLDCO", "", "2021-06-08"}, {"NEWCO", "2021-06-09", ""}}, price: 62, beta: 1.1, drift: -0.0003, sigma: 0.015, volume: 5.5e6},
		{figi: "BBGDEMO00OIL", name: "Oily Exploration (demo)", kind: "CS", was: []kind{{"ADRC", "2018-08-14"}}, exchange: "XNYS", spans: always("OILY"), price: 88, beta: 1.0, drift: -0.0003, sigma: 0.018, manner: trend, volume: 6.6e6, yield: 0.035},
		{figi: "BBGDEMO00PEN", name: "Penny Mining (demo)", kind: "CS", exchange: "XASE", spans: always("PENNY"), price: 2.4, beta: 0.6, sigma: 0.028, manner: revert, volume: 4.5e5, minutes: 0.3},
		{figi: "BBGDEMO00PLS", name: "Pulse Health (demo)", kind: "CS", exchange: "XNYS", spans: always("PULSE"), price: 56, beta: 0.9, drift: -0.0002, sigma: 0.017, manner: bounce, volume: 1.9e6},
		{figi: "BBGDEMO00RE1", name: "Reuse Rail (demo)", kind: "CS", exchange: "XNYS", spans: []span{{"REUSE", "", "2016-05-31"}}, price: 15, beta: 0.9, sigma: 0.018, volume: 4.0e5, delisted: true},
		{figi: "BBGDEMO00RE2", name: "Reuse Robotics (demo)", kind: "CS", exchange: "XNAS", spans: []span{{"REUSE", "2020-02-03", ""}}, price: 52, beta: 1.4, drift: 0.0003, sigma: 0.024, volume: 1.2e6},
		{figi: "BBGDEMO00REV", name: "Reverse Solar (demo)", kind: "CS", exchange: "XNAS", spans: always("REVRS"), price: 26, beta: 1.3, drift: -0.0026, sigma: 0.026, volume: 9.0e6, splits: []split{{"2020-05-15", 10, 1}}},
		{figi: "BBGDEMO00SPL", name: "Split Systems (demo)", kind: "CS", exchange: "XNAS", spans: always("SPLIT"), price: 84, beta: 1.2, drift: 0.0002, sigma: 0.014, manner: trend, volume: 1.2e7, yield: 0.006, splits: []split{{"2015-06-09", 1, 2}, {"2018-03-20", 2, 3}}},
		{figi: "BBGDEMO00STL", name: "Steel Union (demo)", kind: "CS", exchange: "XNYS", spans: always("STEEL"), price: 41, beta: 1.3, drift: 0.0001, sigma: 0.018, manner: revert, volume: 3.1e6, yield: 0.022},
		{figi: "BBGDEMO00SRG", name: "Surge Cloud (demo)", kind: "CS", exchange: "XNAS", spans: []span{{"SURGE", "2015-05-20", ""}}, price: 22, beta: 1.3, drift: -0.0005, sigma: 0.019, manner: trend, volume: 5.2e6},
		{figi: "BBGDEMO00TBD", name: "Treasury Bond Fund (demo)", kind: "ETF", exchange: "ARCX", spans: always("TBOND"), price: 104, beta: -0.2, drift: 0.0002, sigma: 0.004, volume: 9.0e6, yield: 0.024},
		{figi: "BBGDEMO00UTL", name: "Utility Light and Power (demo)", kind: "CS", exchange: "XNYS", spans: always("UTILY"), price: 53, beta: 0.4, drift: 0.0001, sigma: 0.008, volume: 2.0e6, yield: 0.034},
		{figi: "BBGDEMO00YLD", name: "Yield Pipelines (demo)", kind: "CS", exchange: "XNYS", spans: always("YIELD"), price: 36, beta: 0.7, drift: 0.0001, sigma: 0.012, volume: 1.6e6, yield: 0.06, special: dated{"2017-11-15", 3.5}},
	}
}

// regime is a stretch of the market factor: it ends before until.
type regime struct {
	until     string
	mu, sigma float64 // mean and standard deviation a session, fractions
}

// regimes tell the story of the factor: calm rise, a correction, a long rise, a nervous year, a
// crash, a recovery, a slow fall, another rise. The dates are only like those of the real market.
func regimes() []regime {
	return []regime{
		{"2015-07-20", 0.0005, 0.0070},
		{"2016-02-12", -0.0011, 0.0130},
		{"2018-01-29", 0.0007, 0.0060},
		{"2018-12-26", -0.0006, 0.0115},
		{"2020-02-20", 0.0009, 0.0075},
		{"2020-03-24", -0.0150, 0.0330},
		{"2022-01-04", 0.0012, 0.0100},
		{"2022-10-13", -0.0012, 0.0140},
		{"9999-12-31", 0.0007, 0.0078},
	}
}

// day reads a date of this file's tables; a wrong one is a mistake in the program.
func day(s string, absent instrument.Date) instrument.Date {
	if s == "" {
		return absent
	}
	d, err := instrument.ParseDate(s)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	return d
}

package audit

import "fmt"

// Check is one row of the table of checks.
type Check struct {
	ID        string   `json:"id"` // a stable word
	Severity  Severity `json:"severity"`
	Threshold string   `json:"threshold"` // from when on it holds
	Doc       string   `json:"doc"`
}

// Checks is the table: everything that an audit looks at, in the order of its findings.
func Checks() []Check {
	var cs []Check
	for _, r := range table() {
		cs = append(cs, r.Check)
	}
	return cs
}

// need says what a check works on.
type need int

const (
	symbol   need = iota // anything
	daily                // daily bars
	minutely             // daily and minute bars
	market               // not one symbol: see Market.Overall
)

// row is a Check and how it is done.
type row struct {
	Check
	needs need
	basic bool // still makes sense when values are no numbers or times are out of order
	find  func(*work) hits
}

// The thresholds. The table spells them out; nothing else repeats them.
const (
	zeroVolumeShare = 0.05 // of a symbol's bars
	frozenRun       = 10   // bars
	gapRun          = 5    // sessions in a row
	gapShare        = 0.01 // of the sessions between first and last bar
	reuseGap        = 60   // sessions
	endedAfter      = 20   // sessions, as the rules of the market have it (6.3)
	spikeMove       = 0.25 // fraction
	spikeSigmas     = 10
	spikeReturn     = 0.3 // of the move
	spikeWindow     = 63  // returns before
	rangeFactor     = 2
	jumpMove        = 0.40 // fraction, as the rules of the market have it (6.3)
	splitNear       = 0.03 // fraction
	splitCalm       = 0.15 // high over low, less 1
	splitVisible    = 1.25 // ratios nearer to 1 cannot be told from a day's move
	actionNear      = 5    // sessions between a split and the bars around it
	splitExtreme    = 200
	splitAgain      = 10   // days
	dividendHigh    = 0.20 // of the price
	volumeApart     = 0.05 // fraction
	volumeDays      = 0.01 // of the days that have both
	priceApart      = 0.10 // fraction
)

func percent(x float64) string { return fmt.Sprintf("%g %%", 100*x) }

// table of all checks.
func table() []row {
	return []row{
		// Values that cannot be.
		{Check{"time_order", Fail, "any", "a bar is not later than the one before: duplicates, or rows out of order"}, daily, true, timeOrder},
		{Check{"price_invalid", Fail, "any", "a price is zero, negative, infinite or not a number"}, daily, true, priceInvalid},
		{Check{"ohlc_order", Fail, "any", "the low is above, or the high below, open or close"}, daily, true, ohlcOrder},
		{Check{"volume_invalid", Fail, "any", "a volume is negative, infinite or not a number"}, daily, true, volumeInvalid},
		// Bars against the calendar.
		{Check{"off_calendar", Warn, "any", "a bar on a day on which the exchange was closed"}, daily, false, offCalendar},
		{Check{"gap", Warn, fmt.Sprintf("%d sessions in a row, or more than %s of all", gapRun, percent(gapShare)),
			"sessions that the source holds, without a bar of the symbol between its first and its last"}, daily, false, gapsLong},
		{Check{"gap_short", Info, "any fewer", "the same, where it is seldom: halts, and days without a trade"}, daily, false, gapsShort},
		{Check{"ticker_joined", Warn, fmt.Sprintf("%d sessions", reuseGap), "a long gap under one ticker: two companies that used it may have been joined"}, daily, false, tickerJoined},
		{Check{"data_ended", Warn, fmt.Sprintf("%d sessions", endedAfter), "the bars end before the source does, and nothing says that the symbol was delisted"}, daily, false, dataEnded},
		{Check{"after_delisting", Warn, "any", "bars after the day on which reference data says that the symbol was delisted"}, daily, false, afterDelisting},
		// Values that are unlikely.
		{Check{"zero_volume", Warn, "more than " + percent(zeroVolumeShare) + " of the bars", "bars without volume: nothing can be filled there"}, daily, false, zeroVolume},
		{Check{"frozen", Warn, fmt.Sprintf("%d bars", frozenRun), "bars repeated unchanged: filled forward by whoever made the data"}, daily, false, frozen},
		{Check{"outlier", Warn, fmt.Sprintf("%s and %d robust standard deviations, %s of it undone at the next close", percent(spikeMove), spikeSigmas, percent(1-spikeReturn)),
			fmt.Sprintf("a close that jumps and comes back at once; the deviation is 1.4826 x the median absolute return of the %d bars before", spikeWindow)}, daily, false, outliers},
		{Check{"outlier_range", Warn, fmt.Sprintf("factor %d", rangeFactor), "a high far above both open and close, or a low far below both"}, daily, false, outlierRange},
		// Bars against corporate actions.
		{Check{"split_missing", Fail, fmt.Sprintf("within %s of a usual ratio, on a day that is calm otherwise (high over low below %s)", percent(splitNear), percent(splitCalm)),
			"an overnight move by the ratio of a split, and no split is known"}, daily, false, splitMissing},
		{Check{"jump", Warn, percent(jumpMove), "another overnight move without any action: a spin-off, a missing action, or news"}, daily, false, jumps},
		{Check{"split_no_jump", Fail, "ratio of 5 for 4 or more, either way", "a split is known, and the prices move as if there were none"}, daily, false, splitNoJump},
		{Check{"split_duplicate", Warn, fmt.Sprintf("within %d days", splitAgain), "the same split again: one of them may be the other's correction"}, symbol, false, splitDuplicate},
		{Check{"split_conflict", Fail, "any", "two splits of different ratios on one day"}, symbol, false, splitConflict},
		{Check{"split_extreme", Warn, fmt.Sprintf("factor %d", splitExtreme), "a ratio that hardly any company has"}, symbol, false, splitExtremes},
		{Check{"dividend_above_price", Fail, "any", "dividends of a day are not smaller than the close before: they restate nothing"}, daily, false, dividendAbove},
		{Check{"dividend_high", Warn, percent(dividendHigh), "dividends of a day that are a large part of the close before"}, daily, false, dividendHighs},
		{Check{"action_off_session", Warn, "any", "an ex-date on which the exchange was closed"}, symbol, false, actionOffSession},
		// Days against minutes.
		{Check{"minute_volume", Warn, fmt.Sprintf("%s apart, on more than %s of the days", percent(volumeApart), percent(volumeDays)),
			"the volumes of a day's minutes, extended hours included, do not add up to the day's"}, minutely, false, minuteVolume},
		{Check{"minute_price", Fail, percent(priceApart), "the last regular minute closes far away from the day"}, minutely, false, minutePrice},
		{Check{"minute_days", Warn, "any", "minutes without a day bar, or a day bar with volume and no minute"}, minutely, false, minuteDays},
		// The source as a whole, filled by Market.Overall.
		{Check{"session_missing", Fail, "any", "a session of the exchange of which nothing is stored, between the first and the last"}, market, false, nil},
		{Check{"session_extra", Warn, "any", "bars are stored for a day on which the exchange was closed"}, market, false, nil},
		{Check{"ticker_reuse", Info, "any", "a ticker that several companies used; each keeps its own bars"}, market, false, nil},
		{Check{"file_damaged", Fail, "any", "a file that cannot be read"}, market, false, nil},
		{Check{"file_rows", Fail, "any", "rows of a file that cannot be: left out"}, market, false, nil},
		{Check{"wrong_date", Warn, "any", "rows of a daily file stamped with another session: kept under the file's own"}, market, false, nil},
		{Check{"reference", Warn, "any", "reference data that cannot be used as it stands"}, market, false, nil},
	}
}

package strategy

import (
	"slices"
	"strings"

	"backtester/backtest/bar/spell"
)

// suggestWord finds what was probably meant by a word that is not among the ones allowed.
func suggestWord(text string, allowed []string) string {
	lower := strings.ToLower(text)
	if w := spell.Nearest(lower, allowed); w != "" {
		return w
	}
	for _, w := range allowed {
		if len(lower) >= 3 && (strings.Contains(w, lower) || strings.Contains(lower, w)) {
			return w
		}
	}
	if lower == "margin" {
		lower = "regt"
	}
	if slices.Contains(allowed, lower) {
		return lower
	}
	return ""
}

// suggestKey finds what was probably meant by an unknown key: a key of the same mapping that looks
// like it, a word that other tools use, or a key that stands elsewhere in the file.
func suggestKey(key string, here []field) string {
	var words []string
	for _, f := range here {
		words = append(words, f.key)
	}
	lower := strings.ToLower(strings.NewReplacer("-", "_", " ", "_").Replace(key))
	if w := spell.Nearest(lower, words); w != "" {
		return w
	}
	if w := elsewhere(lower); w != "" {
		return w
	}
	for _, path := range paths(describeFile(), "") {
		if _, last, ok := cutLast(path); ok && last == lower {
			return path
		}
	}
	return ""
}

// paths lists the dotted path of every key.
func paths(fields []field, prefix string) []string {
	var out []string
	for _, f := range fields {
		out = append(out, prefix+f.key)
		out = append(out, paths(f.fields, prefix+f.key+".")...)
	}
	return out
}

func cutLast(path string) (before, last string, ok bool) {
	i := strings.LastIndexByte(path, '.')
	if i < 0 {
		return "", path, false
	}
	return path[:i], path[i+1:], true
}

// elsewhere knows the words of other tools for what stands in a strategy file.
func elsewhere(key string) string {
	switch key {
	case "start", "start_date", "from_date", "begin":
		return "data.from"
	case "end", "end_date", "to_date", "until":
		return "data.to"
	case "timeframe", "time_frame", "interval", "resolution", "frequency", "freq", "period":
		return "data.bars"
	case "ticker", "tickers", "symbol", "assets", "instruments":
		return "universe.symbols"
	case "stop_loss", "stoploss", "sl":
		return "exit.stop"
	case "take_profit", "takeprofit", "profit_target", "tp", "roi":
		return "exit.target"
	case "trailing_stop", "trailing", "trail_stop":
		return "exit.trail"
	case "max_hold", "max_holding", "hold", "hold_bars", "time_stop":
		return "exit.max_bars"
	case "initial_capital", "capital", "starting_cash", "balance", "initial_cash", "equity":
		return "cash"
	case "fee", "fees", "commissions", "commission_bps":
		return "costs.commission"
	case "broker", "preset":
		return "costs.commission.broker"
	case "borrow_mark":
		return "costs.borrow.mark"
	case "regulatory_fees", "sec_fee", "taf":
		return "costs.regulatory"
	case "spread", "slippage_bps":
		return "costs.slippage.bps"
	case "buy", "enter", "entry_rule", "entry_conditions", "buy_when":
		return "entry"
	case "sell", "exit_rule", "exit_conditions", "close_when", "sell_when":
		return "exit"
	case "position_size", "sizing", "quantity", "qty", "amount", "position_sizing":
		return "size"
	case "max_positions", "max_open_trades", "slots":
		return "size.max_positions"
	case "parameters", "inputs", "variables", "vars":
		return "params"
	case "indicators", "conditions", "rules", "let":
		return "signals"
	case "def", "define", "funcs":
		return "functions"
	case "adjusted", "adjustment":
		return "data.adjust"
	case "margin", "leverage":
		return "account"
	case "hooks", "code", "starlark", "strategy":
		return "script"
	case "description", "comment", "comments", "note":
		return "notes"
	case "title":
		return "name"
	case "trials", "n_trials", "iterations", "n_iter", "max_evals", "max_tries":
		return "search.samples"
	}
	return ""
}

// notBuilt knows what the strategy file will take one day. A path without a value is a key, one with
// is a word. What it stands for follows, for the message.
func notBuilt(path string) (what string, ok bool) {
	path = strings.TrimPrefix(strings.TrimPrefix(path, "long."), "short.")
	switch path {
	case "data.prices":
		what = "declaring adjusted prices in the file; the bars do, by --bars SYMBOL:adjusted=FILE.csv or data import --prices"
	case "data.stale":
		what = "old values of other symbols for the whole file; a call says stale = n"
	case "data.source":
		what = "choosing between data sources in the file"
	case "entry.order=loc", "entry.order=loo":
		what = "this kind of entry order; a limit order with tif opg or cls is the same"
	case "entry.tif=fok":
		what = "this time in force; tif: ioc with size.all_or_none is the same"
	case "dnr":
		what = "keeping resting orders unreduced on ex-dates"
	case "search.method=genetic":
		what = "this search method"
	case "validate.spa", "validate.bootstrap", "validate.monte_carlo", "validate.deflated_sharpe",
		"validate.lookahead", "validate.random_entry", "validate.stress":
		what = "a setting of this test, which validate always makes"
	}
	return what, what != ""
}

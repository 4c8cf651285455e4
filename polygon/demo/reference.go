package demo

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"backtester/backtest/instrument"
)

// The vendor's REST answers, as far as the demo market fills them.

type splitRow struct {
	ID        string  `json:"id"`
	Ticker    string  `json:"ticker"`
	Execution string  `json:"execution_date"`
	From      float64 `json:"split_from"`
	To        float64 `json:"split_to"`
	Kind      string  `json:"adjustment_type"`
}

type dividendRow struct {
	ID        string  `json:"id"`
	Ticker    string  `json:"ticker"`
	Cash      float64 `json:"cash_amount"`
	Currency  string  `json:"currency"`
	Declared  string  `json:"declaration_date"`
	Ex        string  `json:"ex_dividend_date"`
	Record    string  `json:"record_date"`
	Pay       string  `json:"pay_date"`
	Frequency int     `json:"frequency"`
	Kind      string  `json:"distribution_type"`
}

type tickerRow struct {
	Ticker   string `json:"ticker"`
	Name     string `json:"name"`
	Market   string `json:"market"`
	Locale   string `json:"locale"`
	Exchange string `json:"primary_exchange"`
	Type     string `json:"type"`
	Active   bool   `json:"active"`
	Currency string `json:"currency_name"`
	FIGI     string `json:"composite_figi"`
	Share    string `json:"share_class_figi"`
	Delisted string `json:"delisted_utc,omitempty"`
}

type eventsRow struct {
	Name   string  `json:"name"`
	FIGI   string  `json:"composite_figi"`
	Events []event `json:"events"`
}

type event struct {
	Type   string `json:"type"`
	Date   string `json:"date"`
	Change struct {
		Ticker string `json:"ticker"`
	} `json:"ticker_change"`
}

// typeRow is a security in the list of tickers of a date.
type typeRow struct {
	Ticker string `json:"ticker"`
	Type   string `json:"type"`
	Share  string `json:"share_class_figi"`
}

// answer is the envelope of a list.
type answer struct {
	Status  string `json:"status"`
	Results any    `json:"results"`
}

// writeReference puts splits, dividends, tickers and ticker changes below rawDir/reference.
func (m *world) writeReference(rawDir string) error {
	var (
		splits    []splitRow
		dividends []dividendRow
		tickers   []tickerRow
		events    []eventsRow
	)
	for _, p := range m.paths {
		splits = append(splits, p.splitRows()...)
		dividends = append(dividends, p.dividendRows()...)
		tickers = append(tickers, m.tickerRow(p))
		events = append(events, m.eventsRow(p))
	}
	dir := filepath.Join(rawDir, "reference")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("write the demo market: %w", err)
	}
	for _, f := range []struct {
		name string
		rows any
	}{{"splits.json", splits}, {"dividends.json", dividends}, {"tickers.json", tickers}, {"events.json", events}} {
		if err := writeRows(filepath.Join(dir, f.name), f.rows); err != nil {
			return err
		}
	}
	return m.writeTypes(filepath.Join(dir, "types"))
}

// writeTypes puts down who was listed as what in the first session of every quarter.
func (m *world) writeTypes(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("write the demo market: %w", err)
	}
	quarter := -1
	for i, d := range m.sessions {
		_, month, _ := d.Civil()
		if (month-1)/3 == quarter {
			continue
		}
		quarter = (month - 1) / 3
		var rows []typeRow
		for _, x := range m.bySymbol[i] {
			p := m.paths[x.path]
			rows = append(rows, typeRow{x.ticker, p.kindOn(d), p.figi})
		}
		if err := writeRows(filepath.Join(dir, d.String()+".json"), rows); err != nil {
			return err
		}
	}
	return nil
}

// kindOn is the security's type on a date.
func (s security) kindOn(d instrument.Date) string {
	for _, k := range s.was {
		if d <= day(k.until, instrument.None) {
			return k.kind
		}
	}
	return s.kind
}

// writeRows writes one list.
func writeRows(path string, rows any) error {
	b, err := json.MarshalIndent(answer{"OK", rows}, "", " ")
	if err == nil {
		err = os.WriteFile(path, append(b, '\n'), 0o644)
	}
	if err != nil {
		return fmt.Errorf("write the demo market: %w", err)
	}
	return nil
}

func (p path) splitRows() []splitRow {
	var rows []splitRow
	for _, s := range p.splits {
		kind := "forward_split"
		if s.to < s.from {
			kind = "reverse_split"
		}
		d := day(s.date, instrument.None)
		rows = append(rows, splitRow{p.figi + "-" + s.date, p.ticker(d), s.date, s.from, s.to, kind})
	}
	return rows
}

func (p path) dividendRows() []dividendRow {
	var rows []dividendRow
	for _, d := range p.dividends {
		row := dividendRow{
			ID: p.figi + "-" + d.ex.String(), Ticker: p.ticker(d.ex), Cash: d.usd, Currency: "USD",
			Declared: (d.ex - 25).String(), Ex: d.ex.String(), Record: d.ex.String(), Pay: d.pay.String(),
			Frequency: 4, Kind: "recurring",
		}
		if d.special {
			row.ID, row.Frequency, row.Kind = row.ID+"-special", 0, "special"
		}
		rows = append(rows, row)
	}
	return rows
}

// tickerRow is the security under its latest ticker.
func (m *world) tickerRow(p path) tickerRow {
	last := p.spans[len(p.spans)-1]
	row := tickerRow{
		Ticker: last.ticker, Name: p.name, Market: "stocks", Locale: "us", Exchange: p.exchange,
		Type: p.kind, Active: !p.delisted, Currency: "usd", FIGI: p.figi, Share: p.figi,
	}
	if p.delisted {
		row.Delisted = m.sessions[p.bars[len(p.bars)-1].session].String() + "T00:00:00Z"
	}
	return row
}

// eventsRow lists the day each ticker of the security came into use, latest first as the vendor does.
func (m *world) eventsRow(p path) eventsRow {
	row := eventsRow{Name: p.name, FIGI: p.figi}
	for k := len(p.spans) - 1; k >= 0; k-- {
		e := event{Type: "ticker_change", Date: p.spans[k].from}
		if e.Date == "" {
			e.Date = FirstSession
		}
		e.Change.Ticker = p.spans[k].ticker
		row.Events = append(row.Events, e)
	}
	return row
}

package report_test

import (
	"bytes"
	"strings"
	"testing"

	"backtester/backtest"
	"backtester/report"
)

// The books are shown as the sum they are, in the terminal and in the tearsheet.
func TestBooksAreShown(t *testing.T) {
	r := pullback(300)
	r.Books = &backtest.Books{Start: 100_000, Closed: 4_366, Open: -12.5, Interest: -3.25, Borrow: 1.97, End: 104_348.28,
		Commission: 4, Dividends: -100, InLieu: 33}
	var screen, page bytes.Buffer
	if err := report.Terminal(&screen, []*backtest.Result{r}, report.Options{Width: 200}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		" $100,000.00 start + $4,366.00 closed trades - $12.50 open trades - $3.25 interest - $1.97 borrow fees = $104,348.28 equity\n",
		" In the trades: $4.00 of commission paid, $100.00 of dividends paid, $33.00 in lieu of fractions of shares received.\n",
	} {
		if !strings.Contains(screen.String(), want) {
			t.Errorf("the terminal does not say %q:\n%s", want, screen.String())
		}
	}
	if err := report.HTML(&page, r); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"<dt>Start</dt><dd>$100,000.00</dd>", "<dt>Borrow fees</dt><dd>-$1.97</dd>", "<dt>Equity</dt><dd>$104,348.28</dd>"} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("the tearsheet has no %s", want)
		}
	}
	r.Books = nil // of a result that was made before there were books in it
	screen.Reset()
	if err := report.Terminal(&screen, []*backtest.Result{r}, report.Options{Width: 200}); err != nil || strings.Contains(screen.String(), "Books") {
		t.Errorf("books of a result without them (%v):\n%s", err, screen.String())
	}
}

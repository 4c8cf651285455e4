package report

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"

	"backtester/backtest"
)

var (
	//go:embed page/frame.html
	frameHTML string
	//go:embed page/panel.html
	panelHTML string
	//go:embed page/sheet.html
	sheetHTML string
	//go:embed page/preview.html
	previewHTML string
	//go:embed page/compare.html
	compareHTML string
	//go:embed page/style.css
	styleCSS string
	//go:embed page/script.js
	scriptJS string
)

// The templates are parsed once; they are constant.
var (
	sheetTemplate   = parse("sheet", panelHTML+sheetHTML)
	previewTemplate = parse("preview", previewHTML)
	compareTemplate = parse("compare", compareHTML)
)

// parse gives a page the parts that all pages share.
func parse(name, text string) *template.Template {
	t := template.Must(template.New("frame").Parse(frameHTML))
	return template.Must(t.New(name).Parse(text))
}

// page is what every HTML page carries.
type page struct {
	Title    string
	Kind     string // what the page is
	Subtitle string
	Policy   string
	Style    template.CSS
	Script   template.JS
	Data     template.JS // JSON
}

func newPage(kind, title string, data []byte) page {
	return page{
		Title: title, Kind: kind, Style: template.CSS(styleCSS), Script: template.JS(scriptJS), Data: template.JS(data),
		Policy: "default-src 'none'; style-src '" + digest(styleCSS) + "'; script-src '" + digest(scriptJS) +
			"'; img-src data:; base-uri 'none'; form-action 'none'",
	}
}

// digest is the source expression by which a content security policy allows exactly this text.
func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// ScriptSource is the source expression by which a content security policy allows the one script that
// the pages have, and nothing else: for whoever serves them with a policy of its own.
func ScriptSource() string { return "'" + digest(scriptJS) + "'" }

// HTML writes the tearsheet of a run as one self-contained page: no network, readable without
// scripts, with every number as JSON in it. Equal results give equal bytes. Large runs are drawn so
// that extremes stay, and list their last 500 trades; what the JSON leaves out it names in `omitted`.
func HTML(w io.Writer, r *backtest.Result) error { return HTMLWith(w, r, Extras{}) }

// HTMLWith is HTML with what else is at hand.
func HTMLWith(w io.Writer, r *backtest.Result, extras Extras) error {
	v := newView(r)
	v.stress, v.selection, v.factors, v.limits = extras.Stress, extras.Selection, extras.Factors, extras.Limits
	s, err := newSheet(v, extras)
	if err != nil {
		return fmt.Errorf("write report of %s: %w", clean(r.Strategy), err)
	}
	if err := sheetTemplate.Execute(w, s); err != nil {
		return fmt.Errorf("write report of %s: %w", clean(r.Strategy), err)
	}
	return nil
}

package server

import (
	"context"
	"reflect"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"backtester/backtest/bar"
	"backtester/backtest/job"
	"backtester/backtest/strategy"
)

var problemReflect = reflect.TypeFor[Problem]()

// Metrics are all statistics of a run: numbers, dates, or null where they are undefined.
type Metrics map[string]any

// Schema says what the values can be.
func (Metrics) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, Description: "every statistic by its key", AdditionalProperties: &huma.Schema{OneOf: []*huma.Schema{
		{Type: huma.TypeNumber, Nullable: true}, {Type: huma.TypeString}, {Type: huma.TypeBoolean}}}}
}

func typeFor[T any]() reflect.Type { return reflect.TypeFor[T]() }

// bodySchema describes a body that is either ours or a document of the former application.
func (s *Server) bodySchema(name string, shape any) *huma.Schema {
	r := s.api.OpenAPI().Components.Schemas
	own := r.Schema(reflect.TypeOf(shape), true, name)
	def := r.SchemaFromRef(own.Ref)
	def.Properties["strategy"] = &huma.Schema{Description: "a strategy as a document, its text in YAML, or the name of a built-in or saved one (NAME or NAME@VERSION)",
		OneOf: []*huma.Schema{{Type: huma.TypeObject, AdditionalProperties: true}, {Type: huma.TypeString}}}
	values := &huma.Schema{Description: "changes by dotted path, or by the name of a parameter: a value as in the file", Type: huma.TypeObject, AdditionalProperties: &huma.Schema{}}
	def.Properties["set"] = values
	if def.Properties["options"] != nil {
		def.Properties["options"] = &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true, Description: "of a sweep or validation"}
	}
	list := &huma.Schema{Type: huma.TypeArray, Items: &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true}}
	old := &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true, Description: "A document of the former application: symbol or tickers, start_date, end_date, indicators, " +
		"entry_conditions, exit_conditions; camelCase is taken too", Properties: map[string]*huma.Schema{"entry_conditions": list, "entryConditions": list},
		AnyOf: []*huma.Schema{{Required: []string{"entry_conditions"}}, {Required: []string{"entryConditions"}}}}
	return &huma.Schema{OneOf: []*huma.Schema{own, old}}
}

// previewFits refuses previews of more bars than one waits for.
func previewFits(ctx context.Context, cfg *strategy.File, d *job.Data) error {
	held, err := d.Coverage(ctx, cfg.Data.Bars)
	if err != nil {
		return err
	}
	asked := map[string]bool{}
	for _, x := range cfg.Universe.Symbols {
		asked[x] = true
	}
	from, to := bar.Request{From: cfg.Data.From, To: cfg.Data.To}.Bounds()
	bars := int64(0)
	for _, c := range held {
		first, last := max(from, c.First), min(to, c.Last)
		if len(asked) > 0 && !asked[c.Instrument.Ticker] || first > last {
			continue
		}
		bars += c.Bars * int64(last-first+1) / int64(c.Last-c.First+1)
	}
	bars *= int64(max(1, len(cfg.Strategies))) // each sees them by itself
	if bars > previewBars {
		return problem("limit-exceeded", "about "+strconv.FormatInt(bars, 10)+" bars, at most "+strconv.Itoa(previewBars)+" in a preview: name symbols, or a shorter range")
	}
	return nil
}

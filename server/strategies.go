package server

import (
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"backtester/backtest/history"
	"backtester/backtest/indicator"
	"backtester/backtest/strategy"
	"backtester/backtest/strategy/editor"
	"backtester/backtest/sweep"
	"backtester/server/account"
	"backtester/server/library"
)

func (s *Server) strategyOperations() {
	const at = "/api/strategies"
	operation(s, route{id: "list-strategies", method: "GET", path: at, tag: "strategies", summary: "List built-in and saved strategies", status: 200, scope: account.Read}, s.listStrategies)
	operation(s, route{id: "get-strategy", method: "GET", path: at + "/{name}", tag: "strategies", summary: "Get a strategy's text; of a saved one, any version", status: 200, scope: account.Read,
		problems: []string{"not-found"}}, s.getStrategy)
	operation(s, route{id: "save-strategy", method: "PUT", path: at + "/{name}", tag: "strategies", summary: "Save a strategy; a changed text is a new version", status: 200, scope: account.Run,
		doc:      "A text with faults is saved too: work in progress is not lost. The answer lists them. The name of a built-in strategy is refused: a name means one strategy. One that was saved before there was a built-in of its name stays yours, takes new versions, and is what the name means to you until you delete it.",
		problems: []string{"changed", "validation"}}, s.saveStrategy)
	operation(s, route{id: "delete-strategy", method: "DELETE", path: at + "/{name}", tag: "strategies", summary: "Delete a saved strategy with all versions", status: 204, scope: account.Run,
		problems: []string{"not-found"}}, s.deleteStrategy)
	operation(s, route{id: "strategy-versions", method: "GET", path: at + "/{name}/versions", tag: "strategies", summary: "List the versions of a saved strategy", status: 200, scope: account.Read,
		problems: []string{"not-found"}}, s.strategyVersions)
	// What editors ask; the words are verbs, which no strategy can be called by (see reserved).
	operation(s, route{id: "check-strategy", method: "POST", path: at + "/check", tag: "editor", summary: "Find everything that is wrong or odd with a strategy's text", status: 200, scope: account.Read}, s.checkStrategy)
	operation(s, route{id: "format-strategy", method: "POST", path: at + "/format", tag: "editor", summary: "Lay a strategy's text out", status: 200, scope: account.Read,
		problems: []string{"invalid-strategy"}}, s.formatStrategy)
	operation(s, route{id: "complete-strategy", method: "POST", path: at + "/complete", tag: "editor", summary: "List what could be written at a place", status: 200, scope: account.Read}, s.completeStrategy)
	operation(s, route{id: "hover-strategy", method: "POST", path: at + "/hover", tag: "editor", summary: "Explain what stands at a place", status: 200, scope: account.Read}, s.hoverStrategy)
	operation(s, route{id: "explain-strategy", method: "POST", path: at + "/explain", tag: "editor", summary: "Say in words what a strategy does, and list every setting with its value", status: 200, scope: account.Read,
		problems: []string{"invalid-strategy"}}, s.explainStrategy)
	operation(s, route{id: "indicators", method: "GET", path: "/api/indicators", tag: "editor", summary: "List the indicators of the expression language", status: 200, scope: account.Read}, s.indicators)
	operation(s, route{id: "schema", method: "GET", path: "/api/schema", tag: "editor", summary: "Get the JSON Schema of the strategy file", status: 200, scope: account.Read},
		func(context.Context, *empty) (*struct{ Body any }, error) {
			return &struct{ Body any }{json.RawMessage(strategy.Schema())}, nil
		})
	operation(s, route{id: "profiles", method: "GET", path: "/api/profiles", tag: "editor", summary: "List the conventions of other tools that a strategy can take", status: 200, scope: account.Read}, s.profiles)
}

// StrategyInfo is a strategy in a list.
type StrategyInfo struct {
	Name      string     `json:"name"`
	Origin    string     `json:"origin" enum:"built-in,saved"`
	Title     string     `json:"title,omitempty" doc:"of built-in ones"`
	Source    string     `json:"source,omitempty" doc:"where the idea was published"`
	Doc       string     `json:"doc,omitempty"`
	Version   int        `json:"version,omitempty" doc:"the latest, of saved ones"`
	SHA256    string     `json:"sha256,omitempty"`
	ChangedAt *time.Time `json:"changed_at,omitempty"`
}

// StrategyText is a strategy with its text and what an editor shows beside it.
type StrategyText struct {
	StrategyInfo
	Latest   int         `json:"latest,omitempty" doc:"the latest version"`
	Text     string      `json:"text"`
	Params   []ParamInfo `json:"params" doc:"for a form; empty while the text has faults"`
	Findings []Finding   `json:"findings"`
}

// ParamInfo is a parameter of a strategy.
type ParamInfo struct {
	Name    string    `json:"name"`
	Default float64   `json:"default"`
	Values  []float64 `json:"values" doc:"what a sweep tries"`
}

// Finding is a fault of a text, or something odd about it. Line is 0 for what concerns all of it.
type Finding struct {
	Line     int    `json:"line"`
	From     int    `json:"from" doc:"columns [from, to), counted from 1 in characters"`
	To       int    `json:"to"`
	Severity string `json:"severity" enum:"error,warning"`
	Code     string `json:"code"`
	Message  string `json:"message"`
	Hint     string `json:"hint,omitempty"`
}

func findings(text string) []Finding {
	list := []Finding{}
	for _, d := range editor.Diagnose(text) {
		list = append(list, Finding{d.Line, d.From, d.To, d.Severity, d.Code, d.Message, d.Hint})
	}
	if f, faults := strategy.Parse("strategy.yaml", []byte(text)); len(faults) == 0 {
		for _, d := range sweep.Faults(f) {
			list = append(list, Finding{d.Line, d.Column, d.Column + d.Length, "error", d.Code, d.Message, d.Hint})
		}
	}
	return list
}

func savedInfo(v library.Saved) StrategyInfo {
	return StrategyInfo{Name: v.Name, Origin: "saved", Version: v.Version, SHA256: v.SHA256, ChangedAt: optional(v.Created)}
}

func builtinInfo(b strategy.Builtin) StrategyInfo {
	return StrategyInfo{Name: b.Name, Origin: "built-in", Title: b.Title, Source: b.Source, Doc: b.Doc}
}

func textInfo(info StrategyInfo, latest int, text string) StrategyText {
	t := StrategyText{StrategyInfo: info, Latest: latest, Text: text, Params: []ParamInfo{}, Findings: findings(text)}
	if f, faults := strategy.Parse(info.Name, []byte(text)); len(faults) == 0 {
		for _, p := range f.Params {
			t.Params = append(t.Params, ParamInfo{p.Name, p.Default, p.Values})
		}
	}
	return t
}

func (s *Server) shelf() library.Shelf { return library.Shelf{DB: s.History} }

// savedText finds a saved strategy by NAME or NAME@VERSION.
func (s *Server) savedText(ctx context.Context, owner, word string) (library.Saved, error) {
	name, number, _ := strings.Cut(word, "@")
	version, _ := strconv.Atoi(number) // none is the latest
	return s.shelf().Get(ctx, owner, name, version)
}

type strategiesOutput struct {
	Body struct {
		Items []StrategyInfo `json:"items"`
	}
}

func (s *Server) listStrategies(ctx context.Context, _ *empty) (*strategiesOutput, error) {
	saved, err := s.shelf().List(ctx, owner(ctx))
	if err != nil {
		return nil, err
	}
	out := &strategiesOutput{}
	out.Body.Items = []StrategyInfo{}
	for _, v := range saved {
		out.Body.Items = append(out.Body.Items, savedInfo(v))
	}
	for _, b := range strategy.Builtins() {
		out.Body.Items = append(out.Body.Items, builtinInfo(b))
	}
	return out, nil
}

type NameInput struct {
	Name string `path:"name" maxLength:"200"`
}

type textOutput struct {
	ETag string `header:"ETag"`
	Body StrategyText
}

func versionTag(v int) string { return `"v` + strconv.Itoa(v) + `"` }

func (s *Server) getStrategy(ctx context.Context, in *struct {
	NameInput
	Version int `query:"version" minimum:"0" maximum:"1000000"`
}) (*textOutput, error) {
	v, err := s.shelf().Get(ctx, owner(ctx), in.Name, in.Version)
	if err == nil {
		return &textOutput{versionTag(v.Version), textInfo(savedInfo(v), v.Latest, v.Text)}, nil
	}
	if !errors.Is(err, history.ErrNotFound) || in.Version > 0 {
		return nil, err
	}
	for _, b := range strategy.Builtins() {
		if b.Name == in.Name {
			text, err := strategy.FindBuiltin(b.Name)
			return &textOutput{Body: textInfo(builtinInfo(b), 0, string(text))}, err
		}
	}
	return nil, problem("not-found", "there is no strategy of that name")
}

func (s *Server) saveStrategy(ctx context.Context, in *struct {
	NameInput
	IfMatch     string `header:"If-Match" maxLength:"40" doc:"the ETag of the version that was changed"`
	IfNoneMatch string `header:"If-None-Match" maxLength:"40" doc:"*: only when there is none of that name"`
	Body        struct {
		Text string `json:"text" maxLength:"1000000"`
	}
}) (*textOutput, error) {
	if !regexp.MustCompile(`^[\pL\pN][\pL\pN ._-]{0,79}$`).MatchString(in.Name) || reserved(in.Name) {
		p := problem("validation", "name: want 1 to 80 letters, digits, blanks, dots, dashes and underscores, and none of "+strings.Join(reservedNames(), ", "))
		p.Errors = []Fault{{Pointer: "name", Code: "name", Detail: p.Detail}}
		return nil, p
	}
	latest := -1
	if in.IfNoneMatch == "*" {
		latest = 0
	} else if in.IfMatch != "" && in.IfMatch != "*" {
		n, err := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(in.IfMatch, `"v`), `"`))
		if err != nil || n < 1 {
			return nil, problem("changed", "If-Match is not the ETag of this strategy")
		}
		latest = n
	}
	if err := s.notBuiltin(ctx, in.Name); err != nil {
		return nil, err
	}
	v, err := s.shelf().Save(ctx, owner(ctx), in.Name, in.Body.Text, latest)
	if errors.Is(err, library.ErrFull) {
		return nil, problem("limit-exceeded", "at most "+strconv.Itoa(library.MostStrategies)+" strategies of one user and "+strconv.Itoa(library.MostVersions)+" versions of each")
	}
	if err != nil {
		return nil, err
	}
	return &textOutput{versionTag(v.Version), textInfo(savedInfo(v), v.Latest, v.Text)}, nil
}

// notBuiltin refuses a new strategy of the name of a built-in one.
func (s *Server) notBuiltin(ctx context.Context, name string) error {
	if !slices.ContainsFunc(strategy.Builtins(), func(b strategy.Builtin) bool { return strings.EqualFold(b.Name, name) }) {
		return nil
	}
	_, err := s.shelf().Get(ctx, owner(ctx), name, 0)
	if !errors.Is(err, history.ErrNotFound) {
		return err // nil: it was saved before the built-in came
	}
	p := problem("validation", "name: "+name+" is the name of a built-in strategy: choose another one")
	p.Errors = []Fault{{Pointer: "name", Code: "name", Detail: p.Detail}}
	return p
}

// reserved are the words that stand in the place of names for editors.
func reserved(name string) bool {
	for _, w := range reservedNames() {
		if strings.EqualFold(w, name) {
			return true
		}
	}
	return false
}

func reservedNames() []string { return []string{"check", "format", "complete", "hover", "explain"} }

func (s *Server) deleteStrategy(ctx context.Context, in *NameInput) (*noBody, error) {
	return &noBody{}, s.shelf().Delete(ctx, owner(ctx), in.Name)
}

func (s *Server) strategyVersions(ctx context.Context, in *NameInput) (*strategiesOutput, error) {
	list, err := s.shelf().Versions(ctx, owner(ctx), in.Name)
	if err != nil {
		return nil, err
	}
	out := &strategiesOutput{}
	for _, v := range list {
		out.Body.Items = append(out.Body.Items, savedInfo(v))
	}
	return out, nil
}

type editedText struct {
	Body struct {
		Text string `json:"text" maxLength:"1000000"`
	}
}

type editedPlace struct {
	Body struct {
		Text   string `json:"text" maxLength:"1000000"`
		Line   int    `json:"line" minimum:"1" doc:"counted from 1"`
		Column int    `json:"column" minimum:"1" doc:"counted from 1 in characters; a cursor stands before the character of its column"`
	}
}

type checkOutput struct {
	Body struct {
		Valid    bool        `json:"valid" doc:"it can run; warnings are no obstacle"`
		Findings []Finding   `json:"findings"`
		Params   []ParamInfo `json:"params"`
	}
}

func (s *Server) checkStrategy(_ context.Context, in *editedText) (*checkOutput, error) {
	out := &checkOutput{}
	t := textInfo(StrategyInfo{Name: "strategy"}, 0, in.Body.Text)
	out.Body.Valid, out.Body.Findings, out.Body.Params = true, t.Findings, t.Params
	for _, f := range t.Findings {
		if f.Severity == "error" {
			out.Body.Valid = false
		}
	}
	return out, nil
}

type formatOutput struct {
	Body struct {
		Text string `json:"text"`
	}
}

func (s *Server) formatStrategy(_ context.Context, in *editedText) (*formatOutput, error) {
	b, faults := strategy.Format("strategy", []byte(in.Body.Text))
	if err := faults.Err(); err != nil {
		return nil, err
	}
	out := &formatOutput{}
	out.Body.Text = string(b)
	return out, nil
}

func (s *Server) completeStrategy(_ context.Context, in *editedPlace) (*struct{ Body editor.Completion }, error) {
	c := editor.Complete(in.Body.Text, in.Body.Line, in.Body.Column)
	if c.Items == nil {
		c.Items = []editor.Item{}
	}
	return &struct{ Body editor.Completion }{c}, nil
}

type hoverOutput struct {
	Body struct {
		Hint *editor.Hint `json:"hint,omitempty" doc:"absent when there is nothing to say"`
	}
}

func (s *Server) hoverStrategy(_ context.Context, in *editedPlace) (*hoverOutput, error) {
	out := &hoverOutput{}
	if h, ok := editor.Hover(in.Body.Text, in.Body.Line, in.Body.Column); ok {
		if h.Lines == nil {
			h.Lines = []string{}
		}
		out.Body.Hint = &h
	}
	return out, nil
}

// SettingInfo is one setting of a strategy with the value that is in force.
type SettingInfo struct {
	Path    string `json:"path"`
	Value   string `json:"value"`
	Default bool   `json:"default"`
	Origin  string `json:"origin"`
	Unit    string `json:"unit,omitempty"`
	Doc     string `json:"doc"`
}

type explainOutput struct {
	Body struct {
		Text     string        `json:"text"`
		Settings []SettingInfo `json:"settings"`
	}
}

func (s *Server) explainStrategy(ctx context.Context, in *struct{ RawBody []byte }) (*explainOutput, error) {
	var q StrategyRequest
	if err := decode(in.RawBody, &q); err != nil {
		return nil, err
	}
	f, err := s.file(ctx, &q)
	if err != nil {
		return nil, err
	}
	out := &explainOutput{}
	text, faults := f.Explain()
	for _, x := range f.Effective() {
		out.Body.Settings = append(out.Body.Settings, SettingInfo{x.Path, x.Value, x.Default, x.Origin, x.Unit, x.Doc})
	}
	out.Body.Text = text
	return out, faults.Err()
}

// IndicatorInfo is an indicator of the expression language.
type IndicatorInfo struct {
	Name    string           `json:"name"`
	Title   string           `json:"title"`
	Family  string           `json:"family"`
	Aliases []string         `json:"aliases"`
	Doc     string           `json:"doc"`
	Formula string           `json:"formula"`
	Source  string           `json:"source"`
	Series  []string         `json:"series" doc:"the series arguments"`
	Columns []string         `json:"columns" doc:"bar columns that it reads by itself"`
	Params  []IndicatorParam `json:"params"`
	Outputs []string         `json:"outputs" doc:"the first is what the bare call means"`
}

// IndicatorParam is a number that an indicator takes.
type IndicatorParam struct {
	Name     string   `json:"name"`
	Required bool     `json:"required"`
	Default  float64  `json:"default"`
	Min      float64  `json:"min"`
	Max      float64  `json:"max"`
	Integer  bool     `json:"integer"`
	Words    []string `json:"words" doc:"what 0, 1, ... stand for when the parameter is a choice; a call takes the words, in quotes"`
	Doc      string   `json:"doc"`
}

type indicatorsOutput struct {
	Body struct {
		Items []IndicatorInfo `json:"items"`
	}
}

func (s *Server) indicators(context.Context, *empty) (*indicatorsOutput, error) {
	out := &indicatorsOutput{}
	for _, x := range indicator.Table() {
		info := IndicatorInfo{Name: x.Name, Title: x.Title, Family: string(x.Family), Aliases: append([]string{}, x.Aliases...), Doc: x.Doc, Formula: x.Formula, Source: x.Source,
			Series: append([]string{}, x.Series...), Columns: append([]string{}, x.Columns...), Params: []IndicatorParam{}, Outputs: []string{}}
		for _, p := range x.Params {
			info.Params = append(info.Params, IndicatorParam{p.Name, p.Required, p.Default, p.Min, p.Max, p.Integer, append([]string{}, p.Words...), p.Doc})
		}
		for _, o := range x.Outputs {
			info.Outputs = append(info.Outputs, o.Name)
		}
		out.Body.Items = append(out.Body.Items, info)
	}
	return out, nil
}

// ProfileInfo is the conventions of another tool.
type ProfileInfo struct {
	Name     string            `json:"name"`
	Tool     string            `json:"tool"`
	Settings map[string]string `json:"settings"`
	Basis    string            `json:"basis" doc:"how they are known"`
	Notes    []string          `json:"notes" doc:"what cannot be set here"`
}

type profilesOutput struct {
	Body struct {
		Items []ProfileInfo `json:"items"`
	}
}

func (s *Server) profiles(context.Context, *empty) (*profilesOutput, error) {
	out := &profilesOutput{}
	for _, p := range strategy.Profiles() {
		info := ProfileInfo{Name: p.Name, Tool: p.Tool, Settings: map[string]string{}, Basis: p.Basis, Notes: append([]string{}, p.Notes...)}
		for _, x := range p.Settings {
			info.Settings[x.Path] = x.Value
		}
		out.Body.Items = append(out.Body.Items, info)
	}
	return out, nil
}

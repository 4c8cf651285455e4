package server

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"backtester/server/account"
)

// route is an operation of the API.
type route struct {
	id, method, path string
	tag              string
	summary          string
	doc              string
	status           int           // of success
	scope            account.Scope // what the token must allow; "" with open
	open             bool          // no token is asked for
	person           bool          // a person's session, not a personal token
	problems         []string      // besides those that every operation can have
	body             int64         // most bytes, 0 is maxBody
	content          string        // media type of an answer that is no JSON
	also             []int         // other statuses of success with the same body
	bodyless         []int         // other statuses without a body
}

// operation registers a route with what answers it.
func operation[I, O any](s *Server, r route, h func(context.Context, *I) (*O, error)) {
	o := huma.Operation{
		OperationID: r.id, Method: r.method, Path: r.path, Summary: r.summary, Description: r.doc, Tags: []string{r.tag},
		DefaultStatus: r.status, MaxBodyBytes: -1, RejectUnknownQueryParameters: true, Responses: map[string]*huma.Response{},
	}
	if !r.open {
		scopes := []string{}
		if r.scope != "" {
			scopes = append(scopes, string(r.scope))
		}
		o.Security = []map[string][]string{{"token": scopes}, {"session": scopes}}
		o.Middlewares = append(o.Middlewares, s.guard(r))
	}
	if r.method == http.MethodPost || r.method == http.MethodPatch || r.method == http.MethodPut {
		limit := r.body
		if limit == 0 {
			limit = maxBody
		}
		o.Middlewares = append(o.Middlewares, s.bodies(limit))
	}
	schema := s.api.OpenAPI().Components.Schemas.Schema(problemReflect, true, "Problem")
	asProblem := func(description string) *huma.Response {
		return &huma.Response{Description: description, Content: map[string]*huma.MediaType{problemType: {Schema: schema}}}
	}
	o.Responses["default"] = asProblem("A problem that every operation can have")
	for _, row := range problemTable() {
		if key := strconv.Itoa(row.status); slices.Contains(r.problems, row.code) {
			if have := o.Responses[key]; have != nil {
				have.Description += "; " + row.title + " (" + row.code + ")"
			} else {
				o.Responses[key] = asProblem(row.title + " (" + row.code + ")")
			}
		}
	}
	if r.content != "" {
		o.Responses[strconv.Itoa(r.status)] = &huma.Response{Description: "The " + r.content,
			Content: map[string]*huma.MediaType{r.content: {Schema: rawSchema(r.content)}}}
	}
	for _, status := range r.bodyless {
		o.Responses[strconv.Itoa(status)] = &huma.Response{Description: http.StatusText(status)}
	}
	huma.Register(s.api, o, func(ctx context.Context, in *I) (*O, error) {
		out, err := h(ctx, in)
		if err != nil {
			return nil, s.fail(ctx, err)
		}
		return out, nil
	})
	if r.also != nil {
		made := s.api.OpenAPI().Paths[r.path]
		for _, m := range []*huma.Operation{made.Get, made.Post} {
			if m != nil && m.OperationID == r.id {
				for _, status := range r.also {
					m.Responses[strconv.Itoa(status)] = &huma.Response{Description: http.StatusText(status), Content: m.Responses[strconv.Itoa(r.status)].Content}
				}
			}
		}
	}
}

// rawSchema describes what is sent as it is.
func rawSchema(content string) *huma.Schema {
	if content == "application/json" {
		return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true}
	}
	return &huma.Schema{Type: huma.TypeString}
}

func (s *Server) apiConfig() huma.Config {
	c := huma.DefaultConfig("backtester", s.Version)
	c.OpenAPIPath, c.DocsPath, c.SchemasPath, c.CreateHooks, c.Transformers = "", "", "", nil, nil
	c.Info.Description = "Backtests of US stocks: the same engine as the command line, over HTTP. Errors are problem documents (RFC 9457). " +
		"Times are RFC 3339 or, of daily bars, dates; time series are columns with milliseconds since 1970."
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"token":   {Type: "http", Scheme: "bearer", Description: "A session token of /api/auth/login, or a personal token; scopes read, run, data, admin"},
		"session": {Type: "apiKey", In: "cookie", Name: "__Host-bt_session", Description: "The session of a browser; bt_session over plain HTTP on this machine"},
	}
	// Angle brackets are escaped, so that no answer is a page to anybody; json is for +json.
	format := huma.Format{Marshal: func(w io.Writer, v any) error { return json.NewEncoder(w).Encode(v) }, Unmarshal: json.Unmarshal}
	c.Formats = map[string]huma.Format{"application/json": format, "json": format}
	c.DefaultFormat = "application/json"
	return c
}

// finishDocument encodes the document once: it does not change any more.
func (s *Server) finishDocument() {
	b, err := json.Marshal(s.api.OpenAPI())
	if err != nil {
		panic("BUG: the OpenAPI document cannot be encoded: " + err.Error())
	}
	s.document = append(b, '\n')
	s.documentTag = etagOf(s.document)
}

// Document is the OpenAPI document of the API.
func (s *Server) Document() []byte { return slices.Clone(s.document) }

func (s *Server) openAPI(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-cache")
	if notModified(w, r, s.documentTag) {
		return
	}
	_, _ = w.Write(s.document) // the client has gone if this does not work
}

// operations is the table of everything that the API does.
func (s *Server) operations() {
	s.healthOperations()
	s.authOperations()
	s.sessionOperations()
	s.runOperations()
	s.seriesOperations()
	s.historyOperations()
	s.strategyOperations()
	s.metricOperations()
	s.dataOperations()
	s.fileOperations()
	s.sweepOperations()
}

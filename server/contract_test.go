package server_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"mime"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/jsonschema-go/jsonschema"
)

// contract is the OpenAPI document as a judge of answers. Every answer of every test goes through it,
// and when all tests have run, every status that it names must have been seen.
type contract struct {
	operations []*documented
	resolved   map[string]*jsonschema.Resolved // by operation, status and type
}

type documented struct {
	method, path string
	pattern      *regexp.Regexp
	responses    map[string]map[string]json.RawMessage // by status and media type
	seen         map[string]bool
}

var judge struct {
	sync.Mutex
	*contract
}

func newContract(document []byte) (*contract, error) {
	var doc struct {
		OpenAPI string
		Paths   map[string]map[string]struct {
			Responses map[string]struct {
				Content map[string]struct{ Schema json.RawMessage }
			}
		}
		Components struct{ Schemas map[string]json.RawMessage }
	}
	if err := json.Unmarshal(document, &doc); err != nil {
		return nil, err
	}
	if !strings.HasPrefix(doc.OpenAPI, "3.1.") {
		return nil, fmt.Errorf("OpenAPI %q", doc.OpenAPI)
	}
	c := &contract{resolved: map[string]*jsonschema.Resolved{}}
	made := map[string]*jsonschema.Resolved{}
	for path, methods := range doc.Paths {
		pattern := regexp.MustCompile("^" + regexp.MustCompile(`\\\{[a-z_]+\\\}`).ReplaceAllString(regexp.QuoteMeta(path), `[^/]+`) + "$")
		for method, op := range methods {
			d := &documented{strings.ToUpper(method), path, pattern, map[string]map[string]json.RawMessage{}, map[string]bool{}}
			for status, r := range op.Responses {
				d.responses[status] = map[string]json.RawMessage{}
				for kind, m := range r.Content {
					d.responses[status][kind] = m.Schema
					key := string(m.Schema)
					if made[key] == nil {
						schema, err := resolve(m.Schema, doc.Components.Schemas)
						if err != nil {
							return nil, fmt.Errorf("%s %s %s: %w", method, path, status, err)
						}
						made[key] = schema
					}
					c.resolved[d.method+path+status+kind] = made[key]
				}
			}
			c.operations = append(c.operations, d)
		}
	}
	sort.Slice(c.operations, func(i, j int) bool { // of two that match, the one with fewer parameters
		return strings.Count(c.operations[i].path, "{") < strings.Count(c.operations[j].path, "{")
	})
	return c, nil
}

// resolve makes a schema whose references lead into the components a schema of its own.
func resolve(schema json.RawMessage, components map[string]json.RawMessage) (*jsonschema.Resolved, error) {
	whole, err := json.Marshal(map[string]any{"$defs": components, "allOf": []json.RawMessage{schema}})
	if err != nil {
		return nil, err
	}
	whole = bytes.ReplaceAll(whole, []byte(`"#/components/schemas/`), []byte(`"#/$defs/`))
	var s jsonschema.Schema
	if err := json.Unmarshal(whole, &s); err != nil {
		return nil, err
	}
	return s.Resolve(nil)
}

// checkContract says what about an answer is not documented, "" when all is.
func checkContract(document []byte, r *http.Request, rec *httptest.ResponseRecorder) string {
	if !strings.HasPrefix(r.URL.Path, "/api/") || r.URL.Path == "/api/openapi.json" || r.Method == "OPTIONS" {
		return ""
	}
	judge.Lock()
	defer judge.Unlock()
	if judge.contract == nil {
		c, err := newContract(document)
		if err != nil {
			return err.Error()
		}
		judge.contract = c
	}
	return judge.check(r, rec)
}

func (c *contract) check(r *http.Request, rec *httptest.ResponseRecorder) string {
	kind, _, _ := mime.ParseMediaType(rec.Header().Get("Content-Type"))
	method, status := r.Method, strconv.Itoa(rec.Code)
	if method == "HEAD" {
		method = "GET"
	}
	for _, d := range c.operations {
		if d.method != method || !d.pattern.MatchString(r.URL.EscapedPath()) {
			continue
		}
		documented, ok := d.responses[status]
		if ok {
			d.seen[status] = true
		} else if rec.Code >= 400 {
			documented, status = d.responses["default"], "default"
		} else {
			return "status " + status
		}
		if r.Method == "HEAD" || rec.Body.Len() == 0 {
			return ""
		}
		if rec.Code >= 400 && documented[kind] == nil {
			documented, status = d.responses["default"], "default"
		}
		if documented[kind] == nil {
			return "type " + kind + " of status " + status
		}
		if !strings.HasSuffix(kind, "json") || rec.Code == http.StatusPartialContent { // part of a document is none
			return ""
		}
		var v any
		if err := json.Unmarshal(rec.Body.Bytes(), &v); err != nil {
			return err.Error()
		}
		if err := c.resolved[d.method+d.path+status+kind].Validate(v); err != nil {
			return err.Error()
		}
		return ""
	}
	if rec.Code >= 400 && kind == "application/problem+json" {
		return "" // no operation has this address
	}
	return "no operation has this address"
}

// unseen lists the documented statuses that no test has seen.
func (c *contract) unseen() []string {
	var list []string
	for _, d := range c.operations {
		for status := range d.responses {
			if status != "default" && !d.seen[status] {
				list = append(list, d.method+" "+d.path+" "+status)
			}
		}
	}
	sort.Strings(list)
	return list
}

func TestMain(m *testing.M) {
	flag.Parse()
	code := m.Run()
	if err := stopPostgres(); err != nil {
		fmt.Println("FAIL: stop PostgreSQL:", err)
		code = 1
	}
	if run := testFlag("test.run"); code == 0 && run == "" && testFlag("test.skip") == "" && judge.contract != nil {
		if list := judge.unseen(); len(list) > 0 {
			fmt.Printf("FAIL: the document names statuses that no test has seen:\n  %s\n", strings.Join(list, "\n  "))
			code = 1
		}
	}
	os.Exit(code)
}

func TestTheContractJudges(t *testing.T) {
	w := newWorld(t, worldOptions{})
	c, err := newContract(w.server.Document())
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		status     int
		kind, body string
		good       bool
	}{
		{200, "application/json", `{"status":"ok","timestamp":"2024-01-01T00:00:00Z","version":"1","engine_version":"1","synthetic":false}`, true},
		{200, "application/json", `{"status":"ok","timestamp":"2024-01-01T00:00:00Z","version":1,"engine_version":"1","synthetic":false}`, false},
		{200, "application/json", `{"status":"ok"}`, false},
		{200, "text/html", `<p>`, false},
		{201, "application/json", `{}`, false},
		{500, "application/problem+json", `{"type":"t","title":"t","status":500,"code":"c"}`, true},
		{500, "application/problem+json", `{"error":"x"}`, false},
	} {
		rec := httptest.NewRecorder()
		rec.Header().Set("Content-Type", x.kind)
		rec.WriteHeader(x.status)
		rec.WriteString(x.body)
		if fault := c.check(httptest.NewRequest("GET", "/api/health", nil), rec); (fault == "") != x.good {
			t.Errorf("%d %s %s: %q", x.status, x.kind, x.body, fault)
		}
	}
}

func testFlag(name string) string {
	for i, a := range os.Args {
		a = strings.TrimLeft(a, "-")
		if v, ok := strings.CutPrefix(a, name+"="); ok {
			return v
		}
		if a == name && i+1 < len(os.Args) {
			return os.Args[i+1]
		}
	}
	return ""
}

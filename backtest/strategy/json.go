package strategy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// looksJSON decides between the two ways to write a file. A name that ends in .json must hold JSON;
// otherwise whatever is valid JSON is read as such, and the rest as YAML.
func looksJSON(text *source) (bool, *Diagnostic) {
	trimmed := bytes.TrimLeft(text.data, " \t\r\n")
	named := strings.HasSuffix(strings.ToLower(text.name), ".json")
	if len(trimmed) == 0 || trimmed[0] != '{' && !named {
		return false, nil
	}
	var v json.RawMessage
	err := json.Unmarshal(text.data, &v)
	if err == nil || !named {
		return err == nil, nil
	}
	at := len(text.data)
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		at = max(0, min(int(syntax.Offset)-1, at))
	}
	return false, &Diagnostic{Pos: text.position(at), Length: 1, Code: "syntax",
		Message: fmt.Sprintf("this is not JSON: %s", err)}
}

// json makes nodes from text that is known to be valid JSON.
func (r *reader) json() *node {
	dec := json.NewDecoder(bytes.NewReader(r.text.data))
	dec.UseNumber()
	return r.jsonValue(dec, 0)
}

func (r *reader) jsonValue(dec *json.Decoder, depth int) *node {
	n, token := r.jsonToken(dec)
	if !r.admit(n, depth) {
		if _, opens := token.(json.Delim); opens {
			r.skipJSON(dec)
		}
		return nil
	}
	switch v := token.(type) {
	case json.Delim:
		n.flow = true
		if v == '[' {
			n.kind = listNode
			for dec.More() {
				if item := r.jsonValue(dec, depth+1); item != nil {
					n.items = append(n.items, item)
				}
			}
		} else {
			n.kind = mappingNode
			for dec.More() {
				key := r.jsonValue(dec, depth+1)
				item := r.jsonValue(dec, depth+1)
				if key != nil && item != nil {
					r.pair(n, key, item)
				}
			}
		}
		r.jsonToken(dec) // the closing bracket
	case string:
		n.text, n.style = v, '"'
	default:
		n.text = fmt.Sprint(v)
		if v == nil {
			n.text = "null"
		}
	}
	return n
}

// jsonToken reads the next token and where it starts.
func (r *reader) jsonToken(dec *json.Decoder) (*node, json.Token) {
	at := int(dec.InputOffset())
	for at < len(r.text.data) && strings.IndexByte(" \t\r\n,:", r.text.data[at]) >= 0 {
		at++
	}
	token, err := dec.Token()
	if err != nil {
		panic("BUG: read valid JSON: " + err.Error())
	}
	return &node{pos: r.text.position(at)}, token
}

// skipJSON passes the rest of the value that was just opened.
func (r *reader) skipJSON(dec *json.Decoder) {
	for open := 1; open > 0; {
		switch _, token := r.jsonToken(dec); token {
		case json.Delim('['), json.Delim('{'):
			open++
		case json.Delim(']'), json.Delim('}'):
			open--
		}
	}
}

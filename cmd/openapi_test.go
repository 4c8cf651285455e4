package cmd_test

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"
	"time"

	"backtester/server"
)

// The document from which the types of the web application are made is the one that the server of this
// commit answers with, but for its version, which differs from build to build. -update writes it; then
// `npm run types` in frontend/ makes the types.
func TestTypesOfTheWebApplicationAreOfThisAPI(t *testing.T) {
	const file = "../frontend/openapi.json"
	s := server.New(server.Options{Now: time.Now, Version: "0", Secret: make([]byte, 32)})
	var document any
	if err := json.Unmarshal(s.Document(), &document); err != nil {
		t.Fatal(err)
	}
	var want bytes.Buffer
	e := json.NewEncoder(&want)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err := e.Encode(document); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(file, want.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(have, want.Bytes()) {
		t.Errorf("%s is not what the server answers (make golden writes it, then npm run types in frontend):\n%s", file, firstDifference(string(have), want.String()))
	}
}

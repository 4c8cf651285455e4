package job

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"backtester/backtest"
	"backtester/backtest/history"
	"backtester/backtest/strategy"
)

// Spec is a complete description of work.
type Spec struct {
	Kind history.Kind
	// Config of a run, sweep or validation, with the files that it names attached; nil for a fetch.
	Config *backtest.Config
	// Options of the kind: canonical JSON, nil without any.
	Options json.RawMessage
}

// document is a Spec as it is stored and sent to workers.
type document struct {
	Kind     history.Kind    `json:"kind"`
	Strategy json.RawMessage `json:"strategy,omitempty"`
	Files    []attached      `json:"files,omitempty"`
	Options  json.RawMessage `json:"options,omitempty"`
}

type attached struct {
	Name string `json:"name"`
	Data []byte `json:"data"`
}

// Encode is the canonical document: equal bytes are the same work.
func (s Spec) Encode() ([]byte, error) {
	doc := document{Kind: s.Kind, Options: s.Options}
	if s.Config != nil {
		b, err := s.Config.MarshalJSON()
		if err != nil {
			return nil, fmt.Errorf("write the strategy: %w", err)
		}
		doc.Strategy = b
		for _, name := range s.Config.Files() {
			data, ok := s.Config.Attached(name)
			if !ok {
				return nil, fmt.Errorf("read %s: the strategy names this file, and its contents were not handed over", name)
			}
			doc.Files = append(doc.Files, attached{name, data})
		}
	}
	b, err := json.Marshal(doc)
	if err != nil {
		return nil, fmt.Errorf("write the document of a run: %w", err)
	}
	return b, nil
}

// DecodeSpec reads what Encode wrote.
func DecodeSpec(b []byte) (Spec, error) {
	var doc document
	if err := json.Unmarshal(b, &doc); err != nil {
		return Spec{}, fmt.Errorf("read the document of a run: %w", err)
	}
	s := Spec{Kind: doc.Kind, Options: doc.Options}
	if len(doc.Strategy) == 0 {
		return s, nil
	}
	file, faults := strategy.Parse("strategy", doc.Strategy)
	if err := faults.Err(); err != nil {
		return Spec{}, err
	}
	for _, f := range doc.Files {
		file.Attach(f.Name, f.Data)
	}
	s.Config = file
	return s, nil
}

// Sum names the work that encoded stands for on a state of the data: equal is the same result.
func Sum(encoded []byte, snapshot string) string {
	h := sha256.New()
	for _, part := range []string{string(encoded), snapshot, backtest.EngineVersion} {
		fmt.Fprintf(h, "%d\n", len(part))
		h.Write([]byte(part))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// check refuses what could not be executed.
func (s *Service) check(spec Spec) error {
	switch {
	case spec.Kind != history.KindRun && s.Execute[spec.Kind] == nil:
		return fmt.Errorf("queue a %s: this server does not do that", spec.Kind)
	case spec.Kind != history.KindFetch && spec.Config == nil:
		return errors.New("queue a run: it has no strategy")
	case spec.Config == nil:
		return nil
	}
	_, faults := spec.Config.Compile()
	return faults.Err()
}

package sweep

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"

	"github.com/parquet-go/parquet-go"

	"backtester/backtest"
	"backtester/backtest/strategy"
)

// Columns are the names of the columns of rows in files: symbol, the parameters in the order of the
// strategy file, the metrics.
func (p *Plan) Columns() []string {
	return append(append([]string{"symbol"}, p.Space.Names...), p.Metrics...)
}

// AppendCSV appends a row as one line of CSV. Numbers have Go's shortest form, undefined ones are empty; the
// symbol is empty where symbols share the cash.
func AppendCSV(dst []byte, r *Row) []byte {
	if strings.ContainsAny(r.Symbol, ",\"\n") {
		dst = append(append(append(dst, '"'), strings.ReplaceAll(r.Symbol, `"`, `""`)...), '"')
	} else {
		dst = append(dst, r.Symbol...)
	}
	for _, list := range [2][]float64{r.Params, r.Metrics} {
		for _, v := range list {
			dst = append(dst, ',')
			if v == v {
				dst = appendNumber(dst, v)
			}
		}
	}
	return append(dst, '\n')
}

// appendNumber writes whole numbers, which many columns hold, without the work of the shortest form.
func appendNumber(dst []byte, v float64) []byte {
	if n := int64(v); float64(n) == v && n > -1e15 && n < 1e15 && (n != 0 || !math.Signbit(v)) {
		return strconv.AppendInt(dst, n, 10)
	}
	return strconv.AppendFloat(dst, v, 'g', -1, 64)
}

// summation names the order in which the fast paths add up. It changes whenever a metric could differ in its last digit,
// so that rows of two builds are not mixed in one file.
const summation = "stretches"

// Identity is a hash of all that the rows depend on: settings, symbols, the way of searching, data, engine.
func (p *Plan) Identity(ctx context.Context) (string, error) {
	text, err := json.Marshal(p.Config)
	if err != nil {
		return "", err
	}
	h := sha256.New()
	fmt.Fprintf(h, "%s\n%s\n%q\n%q\n%s %s\n", text, p.Method, p.Symbols, p.Metrics, backtest.EngineVersion, summation)
	for _, symbol := range p.Symbols {
		cfg := p.config(symbol)
		rules, faults := cfg.Compile()
		if err := faults.Err(); err != nil {
			return "", err
		}
		b, err := backtest.NewBatch(ctx, cfg, []*strategy.Rules{rules}, p.src, nil)
		if err != nil && len(p.Symbols) > 1 {
			fmt.Fprintf(h, "%s: no data\n", symbol)
			continue
		}
		if err != nil {
			return "", err
		}
		fmt.Fprintf(h, "%s %s\n", symbol, b.Digest())
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// File is a file of rows that can be interrupted at any time and continued to the same bytes. Beside it lies
// NAME.state, which says of which sweep the rows are and how far they go: by it the same sweep is not played
// into the same file twice, and Merge knows the ranges of a plan. A Parquet file is made when the rows are
// complete, which are kept in NAME.rows.csv until then.
type File struct {
	path  string // of the rows as CSV
	final string // the Parquet file to be made of them; "" for none
	f     *os.File
	w     *bufio.Writer
	line  []byte
	state fileState
	whole bool // every row was there before
}

// fileState says how far a file is.
type fileState struct {
	Identity string   `json:"identity"`
	Columns  []string `json:"columns"`
	Total    int      `json:"total"` // combinations of the plan
	From     int      `json:"from"`  // the file has combinations [From, To)
	To       int      `json:"to"`
	Next     int      `json:"next"`  // the first that is not in the file yet
	Bytes    int64    `json:"bytes"` // of the rows up to it
}

// Create opens a file for combinations [from, to) of p, in place of what another sweep left there. Rows of the
// same sweep stay: when all are there, Whole says so, and nothing can be added; when some are, Next says from
// which combination on with resume, and without it that is refused, so that none is lost by a slip.
func Create(path string, p *Plan, identity string, from, to int, resume bool) (*File, error) {
	o := &File{path: path, state: fileState{identity, p.Columns(), p.Len(), from, to, from, 0}}
	if strings.EqualFold(filepath.Ext(path), ".parquet") {
		o.path, o.final = path+".rows.csv", path
	}
	if err := o.read(path, resume); err != nil || o.whole {
		return o, err
	}
	f, err := os.OpenFile(o.path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	o.f = f
	if info, err := f.Stat(); err == nil && info.Size() < o.state.Bytes {
		f.Close()
		return nil, fmt.Errorf("resume %s: it has %d bytes and had %d when the sweep stopped: start it anew without --resume", o.path, info.Size(), o.state.Bytes)
	}
	if err := errors.Join(f.Truncate(o.state.Bytes), seek(f, o.state.Bytes)); err != nil {
		f.Close()
		return nil, err
	}
	o.w = bufio.NewWriterSize(f, 1<<18)
	if o.state.Bytes == 0 {
		w := csv.NewWriter(o.w)
		err = w.Write(o.state.Columns)
		w.Flush()
		if err = errors.Join(err, w.Error(), o.Commit(from)); err != nil {
			f.Close()
			return nil, err
		}
	}
	return o, nil
}

func seek(f *os.File, to int64) error {
	_, err := f.Seek(to, io.SeekStart)
	return err
}

// read takes up what an earlier run left.
func (o *File) read(path string, resume bool) error {
	s, err := readState(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		if _, err := os.Stat(path); resume && err == nil {
			return fmt.Errorf("resume %s: the file is there and %s.state is not: nothing says which sweep it is of", path, path)
		}
		return nil
	case err != nil && resume:
		return err
	case err != nil || s.Identity != o.state.Identity || s.From != o.state.From || s.To != o.state.To:
		if resume {
			return fmt.Errorf("resume %s: what lies there is of another sweep (other settings, data, shard or engine): start anew without --resume", path)
		}
		return nil
	case s.Next == s.To:
		rows, err := os.Stat(o.path)
		kept := err == nil && rows.Size() == s.Bytes
		if o.whole = kept && o.final == ""; o.final != "" && err != nil { // the rows end in the Parquet file
			_, err = os.Stat(o.final)
			o.whole = err == nil
		}
		if !o.whole && (!kept || o.final == "") {
			return nil // taken away, or changed: it is made anew
		}
	case s.Next > s.From && !resume:
		return fmt.Errorf("sweep into %s: an interrupted sweep of the same settings lies there, with %d of %d combinations: --resume goes on with it; without %s.state it starts anew",
			path, s.Next-s.From, s.To-s.From, path)
	case !resume:
		return nil
	}
	o.state = s
	return nil
}

// Whole reports whether every row was there before: then there is nothing to add, and no need to Close.
func (o *File) Whole() bool { return o.whole }

func readState(path string) (fileState, error) {
	var s fileState
	b, err := os.ReadFile(path + ".state")
	if err != nil {
		return s, err
	}
	if err := json.Unmarshal(b, &s); err != nil {
		return s, fmt.Errorf("read %s.state: %w", path, err)
	}
	return s, nil
}

// Next is the first combination that is not in the file.
func (o *File) Next() int { return o.state.Next }

// Add a row.
func (o *File) Add(r *Row) error {
	o.line = AppendCSV(o.line[:0], r)
	_, err := o.w.Write(o.line)
	return err
}

// Commit makes everything before combination next durable against interruptions.
func (o *File) Commit(next int) error {
	if err := o.w.Flush(); err != nil {
		return err
	}
	at, err := o.f.Seek(0, io.SeekCurrent)
	if err != nil {
		return err
	}
	o.state.Next, o.state.Bytes = next, at
	return o.writeState()
}

func (o *File) name() string {
	if o.final != "" {
		return o.final
	}
	return o.path
}

func (o *File) writeState() error {
	b, err := json.Marshal(o.state)
	if err != nil {
		return err
	}
	temp := o.name() + ".state.new"
	if err := os.WriteFile(temp, append(b, '\n'), 0o644); err != nil {
		return err
	}
	return os.Rename(temp, o.name()+".state")
}

// Close ends the file. One that has all of its rows becomes final.
func (o *File) Close() error {
	err := errors.Join(o.w.Flush(), o.f.Close())
	if err != nil || o.state.Next != o.state.To || o.final == "" {
		return err
	}
	return errors.Join(toParquet(o.path, o.final, o.state.Columns), os.Remove(o.path))
}

// Merged says of which sweep a merged file is.
type Merged struct {
	Identity string // of its plan
	Total    int    // combinations
}

// Merge puts files of ranges of one plan together in the order of the plan, into a CSV or Parquet file. It
// refuses files of different sweeps, gaps, repetitions, and ranges that are not complete.
func Merge(out string, paths []string) (Merged, error) {
	parts := make([]fileState, len(paths))
	order := make([]int, 0, len(paths))
	for i, path := range paths {
		s, err := readState(path)
		if err != nil {
			return Merged{}, fmt.Errorf("merge %s: %w: a shard needs its .state file beside it", path, err)
		}
		if s.Next != s.To {
			return Merged{}, fmt.Errorf("merge %s: it has combinations %d to %d of %d to %d: continue it with --resume", path, s.From, s.Next, s.From, s.To)
		}
		if i > 0 && (s.Identity != parts[0].Identity || s.Total != parts[0].Total) {
			return Merged{}, fmt.Errorf("merge %s: it is of another sweep than %s (other settings, data or engine)", path, paths[0])
		}
		parts[i] = s
		at := len(order)
		for at > 0 && parts[order[at-1]].From > s.From {
			at--
		}
		order = append(order[:at], append([]int{i}, order[at:]...)...)
	}
	next := 0
	for _, i := range order {
		switch s := parts[i]; {
		case s.From < next:
			return Merged{}, fmt.Errorf("merge %s: combinations %d to %d are in another file too", paths[i], s.From, min(next, s.To))
		case s.From > next:
			return Merged{}, fmt.Errorf("no file has combinations %d to %d", next, s.From)
		default:
			next = s.To
		}
	}
	if next != parts[0].Total {
		return Merged{}, fmt.Errorf("no file has combinations %d to %d", next, parts[0].Total)
	}
	whole := Merged{parts[0].Identity, parts[0].Total}
	csvOut := out
	if strings.EqualFold(filepath.Ext(out), ".parquet") {
		csvOut = out + ".rows.csv"
	}
	if err := os.Remove(out + ".state"); err != nil && !errors.Is(err, os.ErrNotExist) {
		return whole, err // it is of the sweep whose rows were there before
	}
	if err := concatenate(csvOut, paths, parts, order); err != nil || csvOut == out {
		return whole, err
	}
	return whole, errors.Join(toParquet(csvOut, out, parts[0].Columns), os.Remove(csvOut))
}

// concatenate copies the rows behind one header.
func concatenate(out string, paths []string, parts []fileState, order []int) (err error) {
	f, err := os.Create(out)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	for n, i := range order {
		in, err := os.Open(paths[i])
		if err != nil {
			return err
		}
		r := bufio.NewReader(io.LimitReader(in, parts[i].Bytes))
		if n > 0 {
			_, err = r.ReadString('\n')
		}
		if err == nil {
			_, err = io.Copy(f, r)
		}
		if err = errors.Join(err, in.Close()); err != nil {
			return err
		}
	}
	return nil
}

// toParquet makes a Parquet file of rows in CSV: symbol is a text, everything else a double that may be
// absent.
func toParquet(from, to string, columns []string) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.CreateTemp(filepath.Dir(to), "."+filepath.Base(to)+"-*")
	if err != nil {
		return err
	}
	defer os.Remove(out.Name()) // gone already when all went well
	w := parquet.NewWriter(out, rowSchema(columns), parquet.Compression(&parquet.Zstd))
	r := csv.NewReader(bufio.NewReaderSize(in, 1<<18))
	r.ReuseRecord = true
	if _, err := r.Read(); err != nil {
		return err
	}
	row := make(parquet.Row, len(columns))
	for {
		record, err := r.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		for i, text := range record {
			switch {
			case i == 0:
				row[i] = parquet.ByteArrayValue([]byte(text)).Level(0, 0, i)
			case text == "":
				row[i] = parquet.NullValue().Level(0, 0, i)
			default:
				v, err := strconv.ParseFloat(text, 64)
				if err != nil {
					return err
				}
				row[i] = parquet.DoubleValue(v).Level(0, 1, i)
			}
		}
		if _, err := w.WriteRows([]parquet.Row{row}); err != nil {
			return err
		}
	}
	if err := errors.Join(w.Close(), out.Chmod(0o644), out.Close()); err != nil {
		return err
	}
	return os.Rename(out.Name(), to)
}

// rowSchema has the columns in their order, which a schema has only when it comes of a struct.
func rowSchema(columns []string) *parquet.Schema {
	fields := make([]reflect.StructField, len(columns))
	for i, name := range columns {
		fields[i] = reflect.StructField{Name: "C" + strconv.Itoa(i), Type: reflect.TypeFor[*float64](), Tag: reflect.StructTag(`parquet:"` + name + `,optional"`)}
	}
	fields[0].Type, fields[0].Tag = reflect.TypeFor[string](), `parquet:"symbol,dict"`
	return parquet.SchemaOf(reflect.New(reflect.StructOf(fields)).Interface())
}

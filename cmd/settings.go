package cmd

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"
	"github.com/spf13/viper"

	"backtester/backtest/stats"
)

// setting is one row of the table of settings.
type setting struct {
	key     string   // in the config file; the flag is the same with dashes
	names   []string // environment variables, the first that is set wins
	secret  bool     // may not be a flag, is never printed; NAME_FILE gives a file that holds it
	initial string
	check   func(string) error
	doc     string
}

// settingsTable is what can be set from outside a command line. home is the user's data directory.
func settingsTable(home string) []setting {
	return append([]setting{
		{key: "data_dir", names: []string{"BACKTESTER_DATA_DIR"}, initial: home, doc: "folder of downloaded data"},
		{key: "store", names: []string{"BACKTESTER_STORE"}, check: storeName, doc: "name of the store to read: vendor, demo, or an imported one (default vendor, else demo)"},
		{key: "results_dir", names: []string{"BACKTESTER_RESULTS_DIR"}, doc: "folder of saved results (default results in the data folder)"},
		{key: "backup_dir", names: []string{"BACKTESTER_BACKUP_DIR"}, doc: "folder of backups (default backups in the data folder)"},
		{key: "polygon_api_key", names: []string{"BACKTESTER_POLYGON_API_KEY", "POLYGON_API_KEY", "MASSIVE_API_KEY"}, secret: true, check: noBlanks, doc: "key of the vendor's REST interface: splits, dividends, tickers"},
		{key: "polygon_url", names: []string{"BACKTESTER_POLYGON_URL"}, initial: "https://api.massive.com", check: webURL, doc: "address of the vendor's REST interface"},
		{key: "polygon_per_minute", names: []string{"BACKTESTER_POLYGON_PER_MINUTE"}, check: perMinute, doc: "requests a minute that the plan allows: 5 on the free one"},
		{key: "s3_access_key_id", names: []string{"BACKTESTER_S3_ACCESS_KEY_ID", "AWS_ACCESS_KEY_ID"}, secret: true, check: noBlanks, doc: "key id for the vendor's flat files"},
		{key: "s3_secret_access_key", names: []string{"BACKTESTER_S3_SECRET_ACCESS_KEY", "AWS_SECRET_ACCESS_KEY"}, secret: true, check: noBlanks, doc: "secret for the vendor's flat files"},
		{key: "s3_endpoint", names: []string{"BACKTESTER_S3_ENDPOINT", "MASSIVE_S3_ENDPOINT"}, initial: "https://files.massive.com", check: webURL, doc: "address of the flat files"},
		{key: "s3_bucket", names: []string{"BACKTESTER_S3_BUCKET", "MASSIVE_S3_BUCKET"}, initial: "flatfiles", check: noBlanks, doc: "bucket of the flat files"},
		{key: "fetch_datasets", names: []string{"BACKTESTER_FETCH_DATASETS"}, check: datasetNames, doc: "what fetch brings up to date without --dataset, separated by commas"},
		{key: "fetch_since", names: []string{"BACKTESTER_FETCH_SINCE"}, check: sinceSpan, doc: "how far fetch goes back without --from: 30d, 6m, 5y"},
		{key: "fetch_source", names: []string{"BACKTESTER_FETCH_SOURCE"}, initial: "flatfiles", check: oneOf("flatfiles", "rest"), doc: "where fetch takes bars from: flatfiles or rest"},
		{key: "fetch_symbols", names: []string{"BACKTESTER_FETCH_SYMBOLS"}, doc: "tickers that fetch takes from rest, separated by commas"},
		{key: "warn", names: []string{"BACKTESTER_WARN"}, check: thresholds, doc: "thresholds of warnings that are not the defaults: few_trades=50,leveraged=1.5"},
		{key: "history", names: []string{"BACKTESTER_HISTORY"}, initial: "on", check: oneOf("on", "off"), doc: "on writes down every run, sweep and validation"},
		{key: "database_url", names: []string{"BACKTESTER_DATABASE_URL"}, secret: true, check: noBlanks, doc: "PostgreSQL database of the history, postgres://...; default SQLite in the results folder"},
		{key: "cluster", names: []string{"BACKTESTER_CLUSTER"}, initial: "nats://127.0.0.1:4222", check: natsURL, doc: "NATS server by which --distributed and workers find each other"},
		{key: "cluster_listen", names: []string{"BACKTESTER_CLUSTER_LISTEN"}, doc: "HOST:PORT at which sweep, validate and serve let workers of other machines help"},
		{key: "distributed", names: []string{"BACKTESTER_DISTRIBUTED"}, check: oneOf("true", "false"), doc: "true plays sweeps on the workers of the NATS server that cluster names"},
		{key: "cluster_token", names: []string{"BACKTESTER_CLUSTER_TOKEN"}, secret: true, check: noBlanks, doc: "what workers of other machines must know"},
	}, serveSettings()...)
}

func thresholds(s string) error {
	_, err := stats.ParseLimits(s)
	return err
}

// settings are the effective values: flags > environment > .env > config file > defaults.
type settings struct {
	values map[string]string
	given  map[string]string // where each value that is not a default came from, for messages
	notes  []string          // warnings; names only, never values
}

func (s *settings) get(key string) string { return s.values[key] }

// secrets are the values that must never be shown.
func (s *settings) secrets() [][]byte {
	var list [][]byte
	for _, row := range settingsTable("") {
		if v := s.values[row.key]; row.secret && len(v) >= 6 {
			list = append(list, []byte(v))
		}
	}
	return list
}

// settingsInput is where settings come from.
type settingsInput struct {
	io      IO
	flags   *pflag.FlagSet
	config  string // --config, "" = the usual places
	envFile string // --env-file, "" = .env if it is there, "none" = no such file
}

// loadSettings reads all levels and refuses what it does not understand. Values stay the strings
// they were: viper's typed getters turn junk into zero and split lists at blanks.
func loadSettings(in settingsInput) (*settings, error) {
	table := settingsTable(userDataDir(in.io))
	v := viper.New()
	for _, row := range table {
		v.SetDefault(row.key, row.initial)
	}
	s := &settings{values: make(map[string]string), given: make(map[string]string)}
	if err := s.readConfig(v, in, table); err != nil {
		return nil, err
	}
	dotenv, envName, err := readDotenv(in, table)
	if err != nil {
		return nil, err
	}
	faults := unknownVariables("environment", in.io.Environ, table)
	for _, row := range table {
		level := func(source string, get func(string) string) error {
			value, name, err := s.pick(row, get)
			if err == nil && name != "" {
				v.Set(row.key, value)
				s.given[row.key] = name + source
			}
			return err
		}
		if err := level(" in "+envName, func(n string) string { return dotenv[n] }); err != nil {
			return nil, err
		}
		if err := level("", in.io.env); err != nil {
			return nil, err
		}
		flag := strings.ReplaceAll(row.key, "_", "-")
		if f := in.flags.Lookup(flag); f != nil && f.Changed && !row.secret {
			v.Set(row.key, f.Value.String())
			s.given[row.key] = "--" + flag
		}
		s.values[row.key] = text(v.Get(row.key))
		if row.check != nil && s.values[row.key] != "" {
			if err := row.check(s.values[row.key]); err != nil {
				shown := strconv.Quote(s.values[row.key])
				if row.secret || strings.Contains(shown, "@") { // an address may hold a password
					shown = "[redacted]"
				}
				faults = append(faults, fmt.Errorf("read setting %s = %s from %s: %w", row.key, shown, s.given[row.key], err))
			}
		}
	}
	if err := allFaults(faults); err != nil {
		return nil, err
	}
	if dir := s.values["data_dir"]; s.values["results_dir"] == "" && dir != "" {
		s.values["results_dir"] = filepath.Join(dir, "results")
	}
	if dir := s.values["data_dir"]; s.values["backup_dir"] == "" && dir != "" {
		s.values["backup_dir"] = filepath.Join(dir, "backups")
	}
	return s, nil
}

// allFaults is everything that is wrong with the settings, a line each: nobody should find the next one only by
// mending the one before.
func allFaults(faults []error) error {
	switch len(faults) {
	case 0:
		return nil
	case 1:
		return &usageError{faults[0]}
	}
	list := ""
	for _, err := range faults {
		list += "\n  " + err.Error()
	}
	return usagef("read the settings: %d faults:%s", len(faults), list)
}

// pick takes the first name of row that is set in one level and notes contradictions.
func (s *settings) pick(row setting, get func(string) string) (value, name string, err error) {
	for _, n := range row.names {
		got := get(n)
		if file := get(n + "_FILE"); got == "" && row.secret && file != "" {
			b, err := os.ReadFile(file)
			if err != nil {
				return "", "", usagef("read setting %s from %s_FILE: %w", row.key, n, err)
			}
			got = strings.TrimSpace(string(b))
		}
		switch {
		case got == "":
		case name == "":
			value, name = got, n
		case got != value:
			s.notes = append(s.notes, fmt.Sprintf("%s and %s differ: %s is used", name, n, name))
		}
	}
	return value, name, nil
}

// readConfig merges the config file, the first found of --config, BACKTESTER_CONFIG,
// ./backtester.yaml and the user's configuration folder.
func (s *settings) readConfig(v *viper.Viper, in settingsInput, table []setting) error {
	path, asked := in.config, true
	if path == "" {
		path = in.io.env("BACKTESTER_CONFIG")
	}
	if path == "" {
		path, asked = "backtester.yaml", false
		if _, err := os.Stat(path); err != nil {
			if path = userConfigDir(in.io); path == "" {
				return nil
			}
			path = filepath.Join(path, "backtester.yaml")
		}
	}
	if _, err := os.Stat(path); err != nil {
		if !asked && errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return usagef("read config file: %w", err)
	}
	v.SetConfigFile(path)
	v.SetConfigType("yaml")
	if err := v.ReadInConfig(); err != nil {
		return usagef("read config file %s: %w", path, err)
	}
	for _, key := range v.AllKeys() {
		known := slices.ContainsFunc(table, func(row setting) bool { return row.key == key })
		if !known {
			return usagef("read config file %s: unknown setting %q%s", path, key, suggest(key, keysOf(table)))
		}
		if v.InConfig(key) {
			s.given[key] = path
		}
	}
	return nil
}

// readDotenv reads --env-file, or .env in the working folder when it is there.
func readDotenv(in settingsInput, table []setting) (values map[string]string, name string, err error) {
	name = in.envFile
	if name == "none" {
		return nil, name, nil
	}
	asked := name != ""
	if !asked {
		name = ".env"
	}
	b, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) && !asked {
		return nil, name, nil
	}
	if err != nil {
		return nil, name, usagef("read environment file: %w", err)
	}
	values, err = parseDotenv(name, string(b), func(key string) bool { return isOurs(key, table) })
	if err == nil {
		err = allFaults(unknownVariables(name, assignments(values), table))
	}
	if err != nil {
		return nil, name, usagef("%w (--env-file none ignores the file)", err)
	}
	return values, name, nil
}

func assignments(values map[string]string) []string {
	var list []string
	for k, v := range values {
		list = append(list, k+"="+v)
	}
	slices.Sort(list)
	return list
}

// isOurs reports whether an environment variable belongs to this program.
func isOurs(name string, table []setting) bool {
	return strings.HasPrefix(name, "BACKTESTER_") || slices.Contains(namesOf(table), name)
}

// unknownVariables refuses BACKTESTER_* names that mean nothing: a misspelt setting must not be
// ignored in silence.
func unknownVariables(from string, environ []string, table []setting) (faults []error) {
	known := namesOf(table)
	for _, kv := range environ {
		name, value, _ := strings.Cut(kv, "=")
		if value != "" && strings.HasPrefix(name, "BACKTESTER_") && !slices.Contains(known, name) {
			faults = append(faults, fmt.Errorf("read %s: unknown setting %s%s", from, name, suggest(name, known)))
		}
	}
	return faults
}

// namesOf lists every environment variable of the table.
func namesOf(table []setting) []string {
	names := []string{"BACKTESTER_CONFIG"}
	for _, row := range table {
		for _, n := range row.names {
			names = append(names, n)
			if row.secret {
				names = append(names, n+"_FILE")
			}
		}
	}
	return names
}

func keysOf(table []setting) []string {
	var keys []string
	for _, row := range table {
		keys = append(keys, row.key)
	}
	return keys
}

// text is a config value as the string it was; lists are joined with commas.
func text(v any) string {
	list, ok := v.([]any)
	if !ok {
		if v == nil {
			return ""
		}
		return fmt.Sprint(v)
	}
	parts := make([]string, len(list))
	for i, x := range list {
		parts[i] = text(x)
	}
	return strings.Join(parts, ",")
}

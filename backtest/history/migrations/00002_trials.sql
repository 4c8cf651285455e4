-- +goose Up
-- What was tried on which data. No row refers to a run: removing runs does not undo that data was searched.
CREATE TABLE symbol_sets (
  sha256 TEXT NOT NULL PRIMARY KEY,
  symbols TEXT NOT NULL
);

-- One row a search and set of symbols; keys (16 bytes a trial) and sharpes (8 bytes a trial) are columns.
CREATE TABLE trials (
  id TEXT NOT NULL PRIMARY KEY,
  owner TEXT NOT NULL,
  run TEXT NOT NULL,
  symbols TEXT NOT NULL,
  first_day BIGINT NOT NULL,
  last_day BIGINT NOT NULL,
  sessions BIGINT NOT NULL,
  amount BIGINT NOT NULL,
  keys BYTEA NOT NULL,
  sharpes BYTEA NOT NULL,
  created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX trials_once ON trials (run, symbols);
CREATE INDEX trials_of_days ON trials (owner, first_day, last_day);

-- A sample of return series: from them comes how alike trials are.
CREATE TABLE trial_returns (
  batch TEXT NOT NULL,
  key TEXT NOT NULL,
  first_day BIGINT NOT NULL,
  series BYTEA NOT NULL,
  PRIMARY KEY (batch, key)
);

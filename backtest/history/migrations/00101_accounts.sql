-- +goose Up
-- People, what lets them in, and what slows down those who guess. No row lets anybody in: passwords are
-- hashes, tokens and keys are HMACs under a key that is not in the database.
CREATE TABLE account_users (
  id TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  name_key TEXT NOT NULL UNIQUE,
  password TEXT NOT NULL,
  admin BIGINT NOT NULL,
  disabled BIGINT NOT NULL,
  created BIGINT NOT NULL
);

CREATE TABLE account_tokens (
  id TEXT NOT NULL PRIMARY KEY,
  user_id TEXT NOT NULL REFERENCES account_users (id) ON DELETE CASCADE,
  kind TEXT NOT NULL,
  mac TEXT NOT NULL UNIQUE,
  previous TEXT NOT NULL,
  rotated BIGINT NOT NULL,
  name TEXT NOT NULL,
  scopes TEXT NOT NULL,
  created BIGINT NOT NULL,
  used BIGINT NOT NULL,
  idle_until BIGINT NOT NULL,
  expires BIGINT NOT NULL
);
CREATE INDEX account_tokens_previous ON account_tokens (previous);
CREATE INDEX account_tokens_of ON account_tokens (user_id, created);

CREATE TABLE account_keys (
  mac TEXT NOT NULL PRIMARY KEY,
  used_for TEXT NOT NULL,
  expires BIGINT NOT NULL
);

CREATE TABLE account_attempts (
  who TEXT NOT NULL PRIMARY KEY,
  count BIGINT NOT NULL,
  since BIGINT NOT NULL
);
CREATE INDEX account_attempts_age ON account_attempts (since);

-- Strategies that people keep, every version of each.
CREATE TABLE strategies (
  id TEXT NOT NULL PRIMARY KEY,
  owner TEXT NOT NULL,
  name TEXT NOT NULL,
  latest BIGINT NOT NULL,
  created BIGINT NOT NULL,
  changed BIGINT NOT NULL,
  UNIQUE (owner, name)
);

CREATE TABLE strategy_versions (
  strategy TEXT NOT NULL REFERENCES strategies (id) ON DELETE CASCADE,
  version BIGINT NOT NULL,
  text TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  created BIGINT NOT NULL,
  PRIMARY KEY (strategy, version)
);

-- +goose Up
-- Parts of sweeps that several machines play: each is there once, whoever and however often played it.
CREATE TABLE sweep_chunks (
  sweep TEXT NOT NULL,
  first_index BIGINT NOT NULL,
  last_index BIGINT NOT NULL,
  content BYTEA NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (sweep, first_index)
);

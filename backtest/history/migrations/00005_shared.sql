-- +goose Up
-- A shared run is read by everybody who is signed in, and changed by its owner alone.
ALTER TABLE runs ADD COLUMN shared BIGINT NOT NULL DEFAULT 0;

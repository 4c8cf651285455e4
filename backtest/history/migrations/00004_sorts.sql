-- +goose Up
-- The orders that people ask for most. The expressions are those of the queries.
CREATE INDEX runs_by_sharpe ON runs (owner, COALESCE(sharpe, -1e308), id);
CREATE INDEX runs_by_return ON runs (owner, COALESCE(total_return, -1e308), id);

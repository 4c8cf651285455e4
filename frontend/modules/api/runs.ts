// Runs: asking for one, watching it, its parts, and the history of all.
import { address, request } from './request';
import type { Asked } from './strategies';
import type { Compared, Detail, Equity, Page, Run, RunBars, SweepTable, Trade, TradesCompared } from './types';

const results = '/api/backtest/results';
const runs = '/api/backtest/runs';

/** A key that makes a request safe to send again: the same key never starts a second run. */
export function newKey(): string {
  return crypto.randomUUID?.() ?? Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, '0')).join('');
}

/** With dedupe an earlier run of the same work on the same data is taken instead of a new one. */
export const start = (asked: Asked, key: string, dedupe = false): Promise<Run> => request('/api/backtest/run', { method: 'POST', body: asked, query: dedupe ? { dedupe } : {}, headers: { 'Idempotency-Key': key } });

export const run = (id: string, signal?: AbortSignal): Promise<Run> => request(`${results}/${id}`, { signal });

export const detail = (id: string, include: string, signal?: AbortSignal): Promise<Detail> => request(`${results}/${id}`, { query: { include, points: 20_000 }, signal });

export const equity = (id: string, query: { from?: string; to?: string; points?: number }, signal?: AbortSignal): Promise<Equity> => request(`${results}/${id}/equity`, { query, signal });

export const trades = (id: string, cursor: string | null, signal?: AbortSignal): Promise<Page<Trade> & { total: number }> => request(`${results}/${id}/trades`, { query: { cursor, limit: 5_000 }, signal });

export const runBars = (id: string, query: { symbol: string; from?: string; to?: string; points?: number }, signal?: AbortSignal): Promise<RunBars> => request(`${results}/${id}/bars`, { query, signal });

/** The rows of a sweep that has ended. */
export const sweepRows = (id: string, signal?: AbortSignal): Promise<SweepTable> => request(`${results}/${id}/rows`, { signal });

export const cancel = (id: string): Promise<{ status: string }> => request(`${runs}/${id}`, { method: 'DELETE' });

export const purge = (id: string): Promise<void> => request(`${runs}/${id}`, { method: 'DELETE', query: { purge: true } });

export interface Label { name?: string; notes?: string; tags?: string[]; starred?: boolean; shared?: boolean }

export const label = (run: Pick<Run, 'run_id' | 'revision'>, change: Label): Promise<Run> => request(`${runs}/${run.run_id}`, { method: 'PATCH', body: change, headers: { 'If-Match': `"r${run.revision}"` } });

export interface Filter { q?: string; status?: string; symbol?: string; strategy?: string; tag?: string; from?: string; to?: string; starred?: string; kind?: string; sort?: string }

export const history = (filter: Filter, cursor: string | null, limit: number, signal?: AbortSignal): Promise<Page<Run>> => request('/api/backtest/history', { query: { ...filter, cursor, limit }, signal });

export const compare = async (ids: string[], signal?: AbortSignal): Promise<Compared[]> => (await request<{ items: Compared[] }>('/api/backtest/compare', { query: { ids: ids.join(',') }, signal })).items;

export type Show = 'all' | 'differ' | 'only_a' | 'only_b';

/** The trades that two runs did not make alike, in the order in which the runs come to differ. */
export const compareTrades = (a: string, b: string, show: Show, limit: number, signal?: AbortSignal): Promise<TradesCompared> => request('/api/backtest/compare/trades', { query: { a, b, show, limit }, signal });

export const events = (id: string): string => address(`${runs}/${id}/events`);

export const tearsheet = (id: string, download = false): string => address(`/api/files/tearsheet/${id}.html`, download ? { download: true } : {});

export const csv = (id: string): string => address(`/api/files/csv/${id}.csv`);

export const json = (id: string): string => address(`${results}/${id}/result`);


// Strategies: the built-in ones, those that were saved, and what the server says about a text that is
// being written.
import { mostDays } from '../charts/window';
import { request } from './request';
import type { Completions, Diagnostic, Hover, Indicator, Preview, StrategyEntry } from './types';

const all = '/api/strategies';
const at = (name: string): string => `${all}/${encodeURIComponent(name)}`;

interface Items<T> { items: T[] | null }

export const strategies = async (signal?: AbortSignal): Promise<StrategyEntry[]> => (await request<Items<StrategyEntry>>(all, { signal })).items ?? [];

export const strategy = (name: string, signal?: AbortSignal, version?: number): Promise<StrategyEntry> => request(at(name), { query: { version }, signal });

export const versions = async (name: string, signal?: AbortSignal): Promise<StrategyEntry[]> => (await request<Items<StrategyEntry>>(`${at(name)}/versions`, { signal })).items ?? [];

/** Save as a new version after the one that was read; refused when somebody saved another one since. */
export const save = (name: string, text: string, after: number): Promise<StrategyEntry> =>
  request(at(name), { method: 'PUT', body: { text }, headers: after > 0 ? { 'If-Match': `"v${after}"` } : { 'If-None-Match': '*' } });

export const remove = (name: string): Promise<void> => request(at(name), { method: 'DELETE' });

export const validate = async (text: string, signal?: AbortSignal): Promise<Diagnostic[]> => (await request<{ findings: Diagnostic[] }>(`${all}/check`, { method: 'POST', body: { text }, signal })).findings;

export const complete = (text: string, line: number, column: number, signal?: AbortSignal): Promise<Completions> => request(`${all}/complete`, { method: 'POST', body: { text, line, column }, signal });

export const hover = async (text: string, line: number, column: number): Promise<Hover | null> => (await request<{ hint?: Hover }>(`${all}/hover`, { method: 'POST', body: { text, line, column } })).hint ?? null;

export const format = async (text: string): Promise<string> => (await request<{ text: string }>(`${all}/format`, { method: 'POST', body: { text } })).text;

export interface Setting { path: string; value: string; default: boolean; origin: string; unit?: string; doc: string }
export interface Explained { text: string; settings: Setting[] }

export const explain = (strategyDocument: unknown, signal?: AbortSignal): Promise<Explained> => request(`${all}/explain`, { method: 'POST', body: { strategy: strategyDocument }, signal });

export const schema = (signal?: AbortSignal): Promise<Record<string, unknown>> => request('/api/schema', { signal });

export const indicators = async (signal?: AbortSignal): Promise<Indicator[]> => (await request<Items<Indicator>>('/api/indicators', { signal })).items ?? [];

export interface Asked { strategy: unknown; symbols?: string[]; from?: string; to?: string; tags?: string[]; notes?: string; kind?: string; options?: unknown; set?: Record<string, unknown> }

export const preview = (asked: Asked, signal?: AbortSignal): Promise<Preview> => request('/api/backtest/preview', { method: 'POST', body: { ...asked, max_points: mostDays }, signal });

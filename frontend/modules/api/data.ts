// Data: which symbols there are, their bars, and fetching more.
import { request } from './request';
import type { Bars, Page, Ranges, Run, SymbolCalendar, Ticker } from './types';

/** Every symbol of the server, all pages. */
export async function tickers(signal?: AbortSignal): Promise<Ticker[]> {
  const out: Ticker[] = [];
  let cursor: string | null = null;
  do {
    const page: Page<Ticker> = await request('/api/data/tickers', { query: { cursor, limit: 10_000 }, signal });
    out.push(...page.items);
    cursor = page.next_cursor;
  } while (cursor);
  return out;
}

export const coverage = (signal?: AbortSignal): Promise<Ranges> => request('/api/data/coverage', { signal });

/** Which sessions of a symbol are there, and what an audit finds. */
export const calendar = (symbol: string, timeframe: string, signal?: AbortSignal): Promise<SymbolCalendar> => request(`/api/data/calendar/${encodeURIComponent(symbol)}`, { query: { timeframe }, signal });

export interface BarsAsk { from?: string; to?: string; timeframe?: string; points?: number }

export const bars = (symbol: string, query: BarsAsk, signal?: AbortSignal): Promise<Bars> => request(`/api/data/bars/${encodeURIComponent(symbol)}`, { query: { ...query }, signal });

export interface FetchAsk { dataset: string; from?: string; to?: string }

export const fetchData = (ask: FetchAsk): Promise<Run> => request('/api/data/fetch', { method: 'POST', body: ask });

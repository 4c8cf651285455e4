// One way to ask the server. Answers that are no success, and silence, are thrown as Problem.
import { signal } from '@preact/signals';
import { Problem, problemOf } from './problem';

interface Config { apiBase?: string }

const config = (globalThis as { BACKTESTER_CONFIG?: Config }).BACKTESTER_CONFIG ?? {};
const opened = typeof location !== 'undefined' && location.protocol === 'file:';

/** Where the API is; "" is the origin of this page. */
export const apiBase = (config.apiBase || (opened ? 'http://localhost:5000' : '')).replace(/\/+$/, '');

/** Whether the last request reached the server. */
export const reachable = signal(true);

/** Counts answers that say that nobody is signed in any more. */
export const expiries = signal(0);

export interface Ask {
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  query?: Record<string, string | number | boolean | null | undefined>;
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal | undefined;
  quiet?: boolean; // a 401 is an ordinary answer
}

export function address(path: string, query: Ask['query'] = {}): string {
  const q = new URLSearchParams();
  for (const [k, v] of Object.entries(query)) if (v !== undefined && v !== null && v !== '') q.set(k, String(v));
  const text = q.toString();
  return `${apiBase}${path}${text ? `?${text}` : ''}`;
}

async function send(path: string, ask: Ask): Promise<Response> {
  const headers: Record<string, string> = { Accept: 'application/json', ...ask.headers };
  const init: RequestInit = { method: ask.method ?? 'GET', headers, credentials: 'include', cache: 'no-cache' };
  if (ask.signal) init.signal = ask.signal;
  if (ask.body !== undefined) {
    headers['Content-Type'] = 'application/json';
    init.body = JSON.stringify(ask.body);
  }
  let answer: Response;
  try {
    answer = await fetch(address(path, ask.query), init);
  } catch (e) {
    if (ask.signal?.aborted) throw e;
    reachable.value = false;
    throw new Problem(0, 'offline', 'The server cannot be reached', `${ask.method ?? 'GET'} ${apiBase || 'this origin'}${path} got no answer`);
  }
  reachable.value = true;
  if (!answer.ok) {
    if (answer.status === 401 && !ask.quiet) expiries.value++;
    const body: unknown = await answer.json().catch(() => null);
    throw problemOf(answer.status, body, (n) => answer.headers.get(n));
  }
  return answer;
}

export async function request<T>(path: string, ask: Ask = {}): Promise<T> {
  return (await full<T>(path, ask)).body;
}

/** request, with the headers and the status of the answer. */
export async function full<T>(path: string, ask: Ask = {}): Promise<{ body: T; status: number; headers: Headers }> {
  const answer = await send(path, ask);
  const text = await answer.text();
  return { body: (text ? JSON.parse(text) : undefined) as T, status: answer.status, headers: answer.headers };
}

/** Whether an error is only that somebody no longer wants the answer. */
export function aborted(e: unknown): boolean {
  return e instanceof DOMException && e.name === 'AbortError';
}

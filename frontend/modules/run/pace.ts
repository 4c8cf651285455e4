// How far a run is, from what the server tells of it.
import { count } from '../format/number';

export interface Pace { done: number | null; eta: number | null; text: string } // done is a fraction

const num = (x: unknown): number | null => (typeof x === 'number' && Number.isFinite(x) ? x : null);

/** write writes what is counted: bars, combinations, bytes. */
export function paceOf(p: Record<string, unknown>, write: (x: number) => string = count): Pace {
  const done = num(p['done']);
  const total = num(p['total']);
  const fraction = num(p['fraction']) ?? (done !== null && total ? done / total : null);
  return {
    done: fraction === null ? null : Math.min(1, Math.max(0, fraction)),
    eta: num(p['eta_s']),
    text: done !== null && total ? `${write(done)} of ${write(total)}` : '',
  };
}

/** Equity so far: times in milliseconds. */
export interface Partial { t: number[]; equity: number[] }

/** Further points go behind those that are there; points from before them mean that the run began anew. */
export function extend(old: Partial | null, told: unknown): Partial | null {
  const x = (typeof told === 'object' && told !== null ? told : {}) as { time?: string[]; value?: number[] };
  if (!Array.isArray(x.time) || !Array.isArray(x.value) || x.time.length !== x.value.length || x.time.length === 0) return old;
  const t = x.time.map((s) => Date.parse(s));
  const last = old?.t[old.t.length - 1];
  if (!old || last === undefined || t[0]! <= last) return { t, equity: x.value };
  return { t: [...old.t, ...t], equity: [...old.equity, ...x.value] };
}

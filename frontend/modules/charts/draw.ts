// Series from numbers: pure functions that views of a result share. None of them computes a statistic;
// those come from the server.

import type { Num } from '../api/types';
import type { Line } from './lines';

export interface Month { year: number; month: number; value: number } // month 1..12

/** Growth by calendar month; t in milliseconds. Months are those of UTC, in which sessions are midnight
 * and regular trading of New York lies within one day. */
export function months(t: readonly number[], value: readonly number[]): Month[] {
  const out: Month[] = [];
  const key = (ms: number) => new Date(ms).toISOString().slice(0, 7);
  let before = value[0];
  for (let i = 1; i < t.length; i++) {
    const k = key(t[i]!);
    if (i + 1 < t.length && key(t[i + 1]!) === k) continue;
    const last = value[i]!;
    if (before !== undefined && before > 0) out.push({ year: Number(k.slice(0, 4)), month: Number(k.slice(5)), value: last / before - 1 });
    before = last;
  }
  return out;
}

/** Growth by year, compounded from months. */
export function years(list: readonly Month[]): Map<number, number> {
  const out = new Map<number, number>();
  for (const m of list) out.set(m.year, (1 + (out.get(m.year) ?? 0)) * (1 + m.value) - 1);
  return out;
}

export interface Band { name: string; low: Num[]; high: Num[] }

/** What lies between two columns of the same times; null where one of them has no value. Null without both. */
export function band(name: string, a: readonly Num[] | undefined, b: readonly Num[] | undefined): Band | null {
  if (!a || !b) return null;
  const pick = (choose: (x: number, y: number) => number): Num[] => a.map((x, i) => {
    const y = b[i] ?? null;
    return x === null || y === null ? null : choose(x, y);
  });
  return { name, low: pick(Math.min), high: pick(Math.max) };
}

/** What was in the market: long above zero, short below it, and the net of both where a run was short. */
export function exposure(long: readonly number[] | undefined, short: readonly number[] | undefined): Line[] {
  const above: Line = { name: 'Long', values: [...(long ?? [])], colour: 'run', fill: true };
  if (!short) return long ? [above] : [];
  return [above, { name: 'Short', values: short.map((x) => (x === 0 ? 0 : -x)), colour: 'loss', fill: true }, { name: 'Net', values: short.map((x, i) => (long?.[i] ?? 0) - x), colour: 'bench', thin: true }];
}

export interface Bin { from: number; to: number; count: number }

/** Counts of values in bins of one round width, with a border at zero. */
export function histogram(values: readonly number[], wanted = 24): Bin[] {
  const finite = values.filter(Number.isFinite);
  if (finite.length === 0) return [];
  let lo = Number.POSITIVE_INFINITY;
  let hi = Number.NEGATIVE_INFINITY;
  for (const v of finite) {
    lo = Math.min(lo, v);
    hi = Math.max(hi, v);
  }
  const width = round((hi - lo || Math.abs(hi) || 1) / wanted);
  const first = Math.floor(lo / width);
  const n = Math.max(1, Math.floor(hi / width) - first + 1);
  const bins: Bin[] = Array.from({ length: n }, (_, i) => ({ from: (first + i) * width, to: (first + i + 1) * width, count: 0 }));
  for (const v of finite) bins[Math.min(n - 1, Math.max(0, Math.floor(v / width) - first))]!.count++;
  return bins;
}

/** The next number of 1, 2, 2.5, 5 times a power of ten that is at least x. */
export function round(x: number): number {
  const power = 10 ** Math.floor(Math.log10(x));
  for (const m of [1, 2, 2.5, 5, 10]) if (m * power >= x * (1 - 1e-12)) return m * power;
  return 10 * power;
}

/** Which of a session's days, in milliseconds, for charts on a time axis. */
export function millis(t: string): number {
  return t.length === 10 ? Date.UTC(Number(t.slice(0, 4)), Number(t.slice(5, 7)) - 1, Number(t.slice(8))) : Date.parse(t);
}

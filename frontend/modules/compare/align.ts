// Runs of different length on one axis, and what differs between them.
import type { Equity, Metrics, Num } from '../api/types';
import type { Row } from '../ui/settings';

/** Curves over all their times, each divided by its first value. Where a curve has no point between its
 * ends its last value stands; outside of its ends it is absent. */
export function overlay(curves: readonly Pick<Equity, 't' | 'equity'>[]): { t: number[]; values: Num[][] } {
  const t = [...new Set(curves.flatMap((c) => c.t))].sort((a, b) => a - b);
  const values = curves.map((c) => {
    const at = new Map(c.t.map((x, i) => [x, c.equity[i]!]));
    const start = c.equity[0] || 1;
    const last = c.t[c.t.length - 1] ?? 0;
    let held: Num = null;
    return t.map((x) => {
      const v = at.get(x);
      if (v !== undefined) held = v / start;
      return x > last ? null : held;
    });
  });
  return { t, values };
}

/** The settings that are not the same everywhere. */
export function differing(lists: readonly Row[][]): { key: string; values: (string | null)[] }[] {
  const keys = [...new Set(lists.flatMap((l) => l.map((r) => r.key)))];
  const maps = lists.map((l) => new Map(l.map((r) => [r.key, r.value])));
  return keys.map((key) => ({ key, values: maps.map((m) => m.get(key) ?? null) })).filter((r) => new Set(r.values).size > 1);
}

/** The index of the best value, -1 when none is better than all others. */
export function best(values: readonly Metrics[string][], sense: 'higher' | 'lower' | 'none'): number {
  if (sense === 'none') return -1;
  const known = values.map((v, i) => [v, i] as const).filter((x): x is readonly [number, number] => typeof x[0] === 'number');
  if (known.length < 2) return -1;
  const order = [...known].sort((a, b) => (sense === 'higher' ? b[0] - a[0] : a[0] - b[0]));
  return order[0]![0] === order[1]![0] ? -1 : order[0]![1];
}

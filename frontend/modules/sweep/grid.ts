// The rows of a sweep as a person looks at them: laid out over two parameters, the other ones folded away.
import type { SweepTable } from '../api/types';
import type { Num } from '../api/types';

export interface Row { symbol: string; at: number[]; value: Num; eligible: boolean }

/** What is known of a sweep so far. Rows have a key, so that one that is told twice is there once. */
export interface Rows { params: string[]; rows: Map<string, Row> }

const key = (symbol: string, at: readonly number[]): string => `${symbol} ${at.join(' ')}`;

/** What the server tells while a sweep goes on; what it is not is left out. */
export function extend(old: Rows | null, told: unknown): Rows | null {
  const x = (typeof told === 'object' && told !== null ? told : {}) as { params?: string[]; symbol?: string[]; at?: number[][]; value?: Num[]; eligible?: boolean[] };
  if (!Array.isArray(x.params) || !Array.isArray(x.at) || x.at.length !== x.value?.length) return old;
  const rows = new Map(old?.rows ?? []);
  x.at.forEach((at, i) => {
    const symbol = x.symbol?.[i] ?? '';
    rows.set(key(symbol, at), { symbol, at, value: x.value?.[i] ?? null, eligible: x.eligible?.[i] ?? false });
  });
  return { params: x.params, rows };
}

/** The rows of a sweep that has ended, by a column of its table or by its objective (""). */
export function rowsOf(table: SweepTable, params: string[], column: string): Rows {
  const rows = new Map<string, Row>();
  const values = column ? (table.values[column] ?? []) : table.objective;
  table.symbols.forEach((symbol, i) => {
    const at = params.map((p) => table.values[p]?.[i] ?? Number.NaN);
    rows.set(key(symbol, at), { symbol, at, value: values[i] ?? null, eligible: table.eligible[i] ?? false });
  });
  return { params, rows };
}

export interface Cell { x: number; y: number; value: Num; best: Row; rows: number; eligible: boolean }

export interface Surface { xs: number[]; ys: number[]; cells: Map<string, Cell>; low: number; high: number; best: Cell | null }

export type Fold = 'best' | 'median';

const better = (a: Num, b: Num, lower: boolean): boolean => a !== null && (b === null || (lower ? a < b : a > b));

/** Lays rows out over parameters x and y (-1 for a single line); where several fall into one place, the best
 * of them or the middle one stands for all. */
export function surface(rows: Rows, x: number, y: number, lower: boolean, fold: Fold = 'best'): Surface {
  const places = new Map<string, Row[]>();
  for (const r of rows.rows.values()) {
    const k = `${r.at[x]} ${y < 0 ? 0 : r.at[y]}`;
    const list = places.get(k);
    if (list) list.push(r);
    else places.set(k, [r]);
  }
  const out: Surface = { xs: [], ys: [], cells: new Map(), low: Number.POSITIVE_INFINITY, high: Number.NEGATIVE_INFINITY, best: null };
  for (const [k, list] of places) {
    const rising = [...list].sort((a, b) => (better(a.value, b.value, lower) ? -1 : better(b.value, a.value, lower) ? 1 : 0));
    const known = rising.filter((r) => r.value !== null);
    const first = rising[0]!;
    const value = fold === 'best' ? first.value : (known[Math.floor(known.length / 2)]?.value ?? null);
    const cell: Cell = { x: first.at[x]!, y: y < 0 ? 0 : first.at[y]!, value, best: first, rows: list.length, eligible: list.some((r) => r.eligible) };
    out.cells.set(k, cell);
    if (value === null) continue;
    out.low = Math.min(out.low, value);
    out.high = Math.max(out.high, value);
    if (cell.eligible && better(value, out.best?.value ?? null, lower)) out.best = cell;
  }
  const sorted = (pick: (c: Cell) => number) => [...new Set([...out.cells.values()].map(pick))].sort((a, b) => a - b);
  out.xs = sorted((c) => c.x);
  out.ys = sorted((c) => c.y);
  return out;
}

export const cellAt = (s: Surface, i: number, j: number): Cell | undefined => s.cells.get(`${s.xs[i]} ${s.ys[j]}`);

/** How strong the colour of a value is, and which: around zero where values lie on both sides of it,
 * otherwise from the lowest to the highest. */
export function tone(v: number, low: number, high: number): { kind: 'gain' | 'loss'; strength: number } {
  if (low < 0 && high > 0) {
    const most = Math.max(-low, high);
    return { kind: v < 0 ? 'loss' : 'gain', strength: Math.abs(v) / most };
  }
  const share = high > low ? (v - low) / (high - low) : 1;
  return high <= 0 ? { kind: 'loss', strength: 1 - share } : { kind: 'gain', strength: share };
}

/** How many values a parameter of a file has: a list, a range such as 10..60 step 10, or one value; null where
 * only the server can tell. */
export function valuesIn(v: unknown): number | null {
  if (Array.isArray(v)) return v.length;
  if (typeof v === 'object' && v !== null) return 'values' in v ? valuesIn((v as Record<string, unknown>)['values']) : 1;
  if (typeof v !== 'string') return 1;
  const m = /^\s*(-?[\d.]+?)\s*\.\.\s*(-?[\d.]+)\s*(?:step\s+([\d.]+))?\s*$/.exec(v);
  if (!m) return v.includes('..') ? null : 1;
  const [from, to, step] = [Number(m[1]), Number(m[2]), Number(m[3] ?? 1)];
  return Number.isFinite(from) && Number.isFinite(to) && step > 0 && to >= from ? Math.floor((to - from) / step + 1e-9) + 1 : null;
}

/** How many combinations the parameters of a file make; null where only the server can tell. */
export function combinations(params: Record<string, unknown>): number | null {
  let n = 1;
  for (const v of Object.values(params)) {
    const k = valuesIn(v);
    if (k === null) return null;
    n *= k;
  }
  return n;
}

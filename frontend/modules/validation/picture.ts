// What the pictures of a validation are drawn from: pure functions over what the server found.
import type { Point, Question, Validation, Verdict, Window } from '../api/validation';
import type { Num } from '../api/types';
import { millis, type Bin } from '../charts/draw';

const order: Verdict[] = ['fails', 'doubtful', 'undefined', 'passes'];

/** The questions, those that should worry first; equal ones stay in the order of the server. */
export const byWorry = (list: readonly Question[]): Question[] => [...list].sort((a, b) => order.indexOf(a.verdict) - order.indexOf(b.verdict));

const sentences: Record<Verdict, string> = {
  passes: 'It stands: nothing that could be tested speaks against it.',
  doubtful: 'It is doubtful: nothing fails, but not everything holds.',
  fails: 'It does not stand: do not trade this on these numbers.',
  undefined: 'There is no verdict: nothing could be tested.',
};

export function sentence(v: Validation): string {
  const n = (k: Verdict) => v.questions.filter((q) => q.verdict === k).length;
  return `${sentences[v.verdict]} ${n('passes')} pass, ${n('doubtful')} doubtful, ${n('fails')} fail, ${n('undefined')} without an answer.`;
}

export interface Piece { from: number; to: number } // fractions of the whole time

/** Where training and test of each window lie between the first day of all and the last one. */
export function timeline(list: readonly Window[]): { train: Piece; test: Piece }[] {
  const first = Math.min(...list.map((w) => millis(w.train_from)));
  const whole = Math.max(...list.map((w) => millis(w.test_to))) - first || 1;
  const piece = (from: string, to: string): Piece => ({ from: (millis(from) - first) / whole, to: (millis(to) - first) / whole });
  return list.map((w) => ({ train: piece(w.train_from, w.train_to), test: piece(w.test_from, w.test_to) }));
}

/** Every other test window, in milliseconds, to be shaded. */
export const shades = (list: readonly Window[]): [number, number][] => list.filter((_, i) => i % 2 === 1).map((w) => [millis(w.test_from), millis(w.test_to)]);

/** Logits, which come as values with counts, in bins of one width with a border at zero. */
export function logitBins(logits: readonly { value: number; count: number }[]): Bin[] {
  if (logits.length === 0) return [];
  const width = 0.5;
  const lo = Math.floor(Math.min(0, ...logits.map((l) => l.value)) / width);
  const hi = Math.floor(Math.max(0, ...logits.map((l) => l.value)) / width);
  const bins: Bin[] = Array.from({ length: hi - lo + 1 }, (_, i) => ({ from: (lo + i) * width, to: (lo + i + 1) * width, count: 0 }));
  for (const l of logits) bins[Math.floor(l.value / width) - lo]!.count += l.count;
  return bins;
}

export interface Bars { low: number; high: number; list: { label: string; value: Num; base: boolean; note: string }[] }

/** Runs with one thing changed as bars of a figure, with zero among them. */
export function barsOf(points: readonly Point[], figure: 'sharpe' | 'total_return'): Bars {
  const values = points.map((p) => p[figure]).filter((v): v is number => v !== null);
  return { low: Math.min(0, ...values), high: Math.max(0, ...values), list: points.map((p) => ({ label: p.label, value: p[figure], base: p.base, note: p.fault ?? '' })) };
}

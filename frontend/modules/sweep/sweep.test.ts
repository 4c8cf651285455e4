import { describe, expect, it } from 'vitest';
import { cellAt, combinations, extend, rowsOf, surface, tone, valuesIn } from './grid';
import { layout, ticks } from './heat';

const told = (...rows: [number, number, number | null, boolean][]) => ({ params: ['a', 'b'], symbol: rows.map(() => 'X'), at: rows.map((r) => [r[0], r[1]]), value: rows.map((r) => r[2]), eligible: rows.map((r) => r[3]) });

describe('rows of a sweep', () => {
  it('are there once, however often they are told', () => {
    const first = extend(null, told([1, 2, 0.5, true], [1, 3, null, false]));
    const second = extend(first, told([1, 2, 0.5, true], [2, 2, 0.7, true]));
    expect(second?.rows.size).toBe(3);
    expect(first?.rows.size).toBe(2);
  });
  it('stay what they were when something else is told', () => {
    const rows = extend(null, told([1, 2, 0.5, true]));
    for (const x of [null, 'x', {}, { params: ['a'], at: [[1]], value: [] }]) expect(extend(rows, x)).toBe(rows);
  });
  it('come from the table of a sweep that has ended', () => {
    const table = { symbols: ['X', 'X'], columns: ['a', 'sharpe', 'trades'], values: { a: [1, 2], sharpe: [0.1, null], trades: [3, 4] }, objective: [0.1, null], eligible: [true, false], total: 2 };
    expect([...rowsOf(table, ['a'], '').rows.values()]).toEqual([{ symbol: 'X', at: [1], value: 0.1, eligible: true }, { symbol: 'X', at: [2], value: null, eligible: false }]);
    expect([...rowsOf(table, ['a'], 'trades').rows.values()].map((r) => r.value)).toEqual([3, 4]);
  });
});

describe('the map', () => {
  const rows = extend(null, told([1, 20, 0.5, true], [1, 30, 0.9, false], [2, 20, -0.1, true], [10, 30, null, false]))!;
  it('has its axes in the order of numbers, and holes', () => {
    const s = surface(rows, 0, 1, false);
    expect([s.xs, s.ys]).toEqual([[1, 2, 10], [20, 30]]);
    expect(cellAt(s, 1, 1)).toBeUndefined();
    expect(cellAt(s, 2, 1)?.value).toBeNull();
    expect([s.low, s.high]).toEqual([-0.1, 0.9]);
  });
  it('calls only an eligible cell the best', () => {
    expect(surface(rows, 0, 1, false).best).toMatchObject({ x: 1, y: 20, value: 0.5 });
    expect(surface(rows, 0, 1, true).best).toMatchObject({ x: 2, y: 20 });
  });
  it('folds what is not shown away', () => {
    const s = surface(rows, 0, -1, false);
    expect(cellAt(s, 0, 0)).toMatchObject({ value: 0.9, rows: 2, eligible: true });
    expect(cellAt(surface(rows, 0, -1, true), 0, 0)?.value).toBe(0.5);
    expect(cellAt(surface(rows, 0, -1, false, 'median'), 0, 0)?.value).toBe(0.5);
  });
  it('colours around zero, or from the lowest to the highest', () => {
    expect(tone(-1, -1, 2)).toEqual({ kind: 'loss', strength: 0.5 });
    expect(tone(2, -1, 2)).toEqual({ kind: 'gain', strength: 1 });
    expect(tone(3, 1, 5)).toEqual({ kind: 'gain', strength: 0.5 });
    expect(tone(-5, -5, -1)).toEqual({ kind: 'loss', strength: 1 });
    expect(tone(4, 4, 4).strength).toBe(1);
  });
  it('fits its picture', () => {
    const l = layout(600, 10, 5, true);
    expect(l.left + 10 * l.w).toBeLessThanOrEqual(600);
    expect(layout(600, 3, 1, false).h).toBe(52);
    expect(ticks(100, 5, 44)).toHaveLength(12);
    expect(ticks(3, 80, 44)).toEqual([0, 1, 2]);
  });
});

describe('combinations', () => {
  it('are counted as the file writes values', () => {
    expect([valuesIn(5), valuesIn([1, 2, 3]), valuesIn('10..60 step 10'), valuesIn('1..3'), valuesIn('0.1..0.5 step 0.1'), valuesIn({ default: 5, values: [1, 2] }), valuesIn({ default: 5 })]).toEqual([1, 3, 6, 3, 5, 2, 1]);
    expect(combinations({ a: [1, 2], b: '10..60 step 10' })).toBe(12);
  });
  it('are left to the server where a range is of another kind', () => {
    expect(valuesIn('5..1')).toBeNull();
    expect(combinations({ a: '1..100 log 5', b: 3 })).toBeNull();
  });
});

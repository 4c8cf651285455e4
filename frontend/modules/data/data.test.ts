import { describe, expect, it } from 'vitest';
import { fullness, yearsOf } from './calendar';
import { part } from './span';

const month = (name: string, sessions: number, held: number) => ({ month: name, sessions, held, bars: held });

describe('the calendar of a symbol', () => {
  it('tells whole months from those with holes', () => {
    expect([fullness(undefined), fullness(month('2024-01', 0, 0)), fullness(month('2024-01', 21, 21)), fullness(month('2024-01', 21, 20)), fullness(month('2024-01', 21, 0))]).toEqual(['none', 'none', 'full', 'gap', 'bare']);
  });
  it('has the newest year first, and a place for every month', () => {
    const rows = yearsOf([month('2023-12', 20, 20), month('2024-01', 21, 19), month('2024-03', 20, 20)]);
    expect(rows.map((r) => r[0])).toEqual(['2024', '2023']);
    expect(rows[0]![1].map((m) => m?.held)).toEqual([19, undefined, 20, ...Array.from({ length: 9 }, () => undefined)]);
    expect(rows[1]![1][11]?.month).toBe('2023-12');
  });
});

describe('the span of a symbol', () => {
  it('is a part of all the time that there is data of', () => {
    expect(part('2020-01-01', '2020-12-31', '2020-01-01', '2020-12-31')).toEqual([0, 1]);
    const [at, length] = part('2021-01-01', '2022-01-01', '2020-01-01', '2024-01-01');
    expect(at).toBeCloseTo(0.25, 2);
    expect(length).toBeCloseTo(0.25, 2);
    expect(part('2020-01-01', '2020-01-01', '2020-01-01', '2020-01-01')).toEqual([0, 1]);
  });
});

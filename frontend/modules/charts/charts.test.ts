import { describe, expect, it } from 'vitest';
import { band, exposure, histogram, months, round, years } from './draw';
import { around, lastAt, outside, tooCoarse } from './window';

const day = (y: number, m: number, d: number): number => Date.UTC(y, m - 1, d);

describe('months', () => {
  it('grow from the last value of the month before', () => {
    const t = [day(2023, 12, 29), day(2024, 1, 2), day(2024, 1, 31), day(2024, 2, 1), day(2024, 2, 29)];
    const list = months(t, [100, 105, 110, 99, 121]);
    expect(list.map((m) => [m.year, m.month, Number(m.value.toFixed(6))])).toEqual([[2024, 1, 0.1], [2024, 2, 0.1]]);
    expect(years(list).get(2024)).toBeCloseTo(0.21, 12);
  });
  it('are none of nothing, and end with money', () => {
    expect(months([], [])).toEqual([]);
    expect(months([day(2024, 1, 31), day(2024, 2, 29), day(2024, 3, 28)], [100, 0, 0])).toHaveLength(1);
  });
});

describe('exposure', () => {
  it('draws shorts below zero and the net between, and only what there was', () => {
    const [long, short, net] = exposure([0, 0.5, 0.5], [0, 0, 0.75]);
    expect([long?.values, short?.values, net?.values]).toEqual([[0, 0.5, 0.5], [0, 0, -0.75], [0, 0.5, -0.25]]);
    expect(exposure([0, 1], undefined).map((l) => l.name)).toEqual(['Long']);
    expect(exposure(undefined, undefined)).toEqual([]);
  });
});

describe('band', () => {
  it('lies between two columns, whichever is higher', () => {
    expect(band('either', [100, 90, 120], [100, 110, 100])).toEqual({ name: 'either', low: [100, 90, 100], high: [100, 110, 120] });
  });
  it('has gaps where a column has, and is none of results without the columns', () => {
    expect(band('either', [100, null, 90], [101, 102])).toEqual({ name: 'either', low: [100, null, null], high: [101, null, null] });
    expect(band('either', undefined, undefined)).toBeNull();
  });
});

describe('histogram', () => {
  it('counts every value once, with a border at zero', () => {
    const values = [-0.05, -0.01, 0, 0.01, 0.02, 0.05, 0.31];
    const bins = histogram(values);
    expect(bins.reduce((n, b) => n + b.count, 0)).toBe(values.length);
    expect(bins.some((b) => b.from < 0 && b.to > 1e-12)).toBe(false);
  });
  it('takes one value and none', () => {
    expect(histogram([5]).reduce((n, b) => n + b.count, 0)).toBe(1);
    expect(histogram([0, 0]).reduce((n, b) => n + b.count, 0)).toBe(2);
    expect(histogram([Number.NaN])).toEqual([]);
  });
  it('has round widths', () => expect([round(0.0123), round(3), round(1), round(7)]).toEqual([0.02, 5, 1, 10]));
});

describe('what a chart asks for', () => {
  const whole = { from: 0, to: 1000 };
  it('is more when few points of a thinned series are shown', () => {
    expect(tooCoarse({ from: 400, to: 500 }, whole, 2000, true, 1000)).toBe(true);
    expect(tooCoarse({ from: 400, to: 500 }, whole, 2000, false, 1000)).toBe(false);
    expect(tooCoarse({ from: 0, to: 1000 }, whole, 2000, true, 1000)).toBe(false);
    expect(tooCoarse({ from: 2000, to: 3000 }, whole, 2000, true, 1000)).toBe(false);
  });
  it('is more when what is shown was not loaded', () => {
    expect(outside({ from: 300, to: 500 }, { from: 400, to: 600 }, whole)).toBe(true);
    expect(outside({ from: 0, to: 500 }, { from: 0, to: 600 }, whole)).toBe(false);
    expect(outside({ from: 500, to: 1000 }, { from: 400, to: 1000 }, whole)).toBe(false);
  });
  it('has room on both sides and stays within the whole', () => {
    expect(around({ from: 400, to: 500 }, whole)).toEqual({ from: 350, to: 550 });
    expect(around({ from: 0, to: 900 }, whole)).toEqual({ from: 0, to: 1000 });
  });
  it('finds the last time that is not later', () => {
    expect([lastAt([1, 3, 5], 0), lastAt([1, 3, 5], 3), lastAt([1, 3, 5], 4), lastAt([1, 3, 5], 9), lastAt([], 1)]).toEqual([-1, 1, 1, 2, -1]);
  });
});

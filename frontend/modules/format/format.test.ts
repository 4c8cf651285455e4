import { describe, expect, it } from 'vitest';
import { absent, bytes, change, count, fixed, percent, plural, price, shares, short, shortUsd, sign, trim, usd } from './number';
import { plain, words } from './text';
import { ago, duration, instant, isSession, stamp, when, zoneName } from './time';

describe('numbers', () => {
  it('are a dash when undefined', () => {
    for (const f of [fixed, percent, change, usd, shortUsd, count, short, price, shares, bytes]) for (const x of [null, undefined, Number.NaN, Number.POSITIVE_INFINITY]) expect(f(x)).toBe(absent);
  });
  it('have a minus as wide as a digit, and no negative zero', () => {
    expect(fixed(-1.5)).toBe('−1.50');
    expect(fixed(-0.001)).toBe('0.00');
    expect(usd(-1234.5)).toBe('−$1,234.50');
    expect(percent(-0.0567, 1)).toBe('−5.7%');
  });
  it('say the sign of changes', () => {
    expect(change(0.1234, 1)).toBe('+12.3%');
    expect(change(0.0000001, 1)).toBe('0.0%');
    expect(change(-0.5, 0)).toBe('−50%');
    expect([sign(1), sign(-1), sign(0), sign(null)]).toEqual(['gain', 'loss', '', '']);
  });
  it('are short where there is little room', () => {
    expect([short(999), short(12_400), short(999_800), short(1_240_000), short(-3e9)]).toEqual(['999', '12.4k', '1M', '1.24M', '−3B']);
    expect(shortUsd(-103_990)).toBe('−$104k');
    expect([trim(0.00012345), trim(12.345), trim(1.005)]).toEqual(['0.000123', '12.3', '1.01']);
  });
  it('have the digits of their kind', () => {
    expect([price(0.5), price(123.456), price(0)]).toEqual(['0.5000', '123.46', '0.00']);
    expect([shares(226), shares(0.123456789)]).toEqual(['226', '0.123457']);
    expect([bytes(999), bytes(1500), bytes(2_345_000_000)]).toEqual(['999 B', '1.5 kB', '2.3 GB']);
    expect([plural(1, 'run'), plural(10_000, 'run')]).toEqual(['1 run', '10,000 runs']);
  });
});

describe('times', () => {
  it('leave sessions alone in every zone', () => {
    for (const z of ['exchange', 'local', 'utc'] as const) expect(when('2024-03-08', z)).toBe('2024-03-08');
    expect(isSession('2024-03-08T14:30:00Z')).toBe(false);
  });
  it('follow the clock of the exchange through summer time', () => {
    expect(when('2024-03-08T14:30:00Z', 'exchange')).toBe('2024-03-08 09:30');
    expect(when('2024-03-11T13:30:00Z', 'exchange')).toBe('2024-03-11 09:30');
    expect(zoneName(new Date('2024-07-01T12:00:00Z'), 'exchange')).toBe('EDT');
    expect(when('2024-03-08T00:30:00Z', 'exchange')).toBe('2024-03-07 19:30');
  });
  it('read the milliseconds of daily bars as sessions', () => {
    expect(instant(Date.UTC(2024, 2, 8), 'exchange')).toBe('2024-03-08');
    expect(instant(Date.UTC(2024, 2, 8, 14, 30), 'exchange')).toBe('2024-03-08 09:30');
    expect([stamp(Date.UTC(2024, 2, 8), false), stamp(Date.UTC(2024, 2, 8), true)]).toEqual(['2024-03-08', '2024-03-08T00:00:00.000Z']);
  });
  it('say lengths and ages roughly', () => {
    expect([duration(0.0421), duration(3.25), duration(80), duration(3700), duration(null)]).toEqual(['42 ms', '3.3 s', '1 m 20 s', '1 h 1 m', '–']);
    const now = Date.parse('2024-03-08T12:00:00Z');
    expect([ago('2024-03-08T11:59:50Z', now), ago('2024-03-08T11:57:00Z', now), ago('2024-03-06T12:00:00Z', now), ago('2023-03-06T12:00:00Z', now)]).toEqual(['just now', '3 min ago', '2 d ago', '2023-03-06']);
  });
});

describe('texts of others', () => {
  it('lose what cannot be seen and are cut by letters', () => {
    expect(plain('a\u202eb\u0000c')).toBe('a b c');
    expect(plain('😀'.repeat(5), 3)).toBe('😀😀…');
    expect(plain(undefined)).toBe('');
    expect(words('exit_reason.max')).toBe('Exit reason max');
  });
});

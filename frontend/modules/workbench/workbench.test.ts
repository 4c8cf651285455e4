import { describe, expect, it } from 'vitest';
import { diff } from '../editor/lines';
import { suggest } from '../ui/symbols';
import { without } from './clone';
import { hasUniverse, nameIn, symbolsOf } from './draft';
import { marksOf } from './preview';

describe('drafts', () => {
  it('know their name and symbols', () => {
    expect([nameIn('# x\nname: my idea # y\n'), nameIn('name: "a b"\n'), nameIn('entry: x')]).toEqual(['my idea', 'a b', '']);
    expect(symbolsOf(' aapl, msft;BRK.B  aapl')).toEqual(['AAPL', 'MSFT', 'BRK.B']);
    expect([hasUniverse('universe: {symbols: [A]}'), hasUniverse('# universe: no')]).toEqual([true, false]);
  });
});

describe('a clone', () => {
  it('says only what somebody decided', () => {
    expect(without({ name: 'x', costs: { slippage: { bps: 2 }, borrow: 'none' }, fills: { end: 'mark' } }, new Set(['costs.borrow', 'fills.end']))).toEqual({ name: 'x', costs: { slippage: { bps: 2 } } });
  });
});

describe('signals', () => {
  it('are marked where they begin', () => {
    expect(marksOf({ dates: ['1', '2', '3', '4'], entries: [false, true, true, false], exits: [true, false, false, true] }).map((m) => [m.time, m.kind])).toEqual([['1', 'leave'], ['2', 'enter'], ['4', 'leave']]);
  });
});

describe('differences', () => {
  it('are the fewest lines', () => {
    expect(diff(['a', 'b', 'c'], ['a', 'x', 'c', 'd']).map((p) => p.kind + p.text)).toEqual([' a', '-b', '+x', ' c', '+d']);
    expect(diff([], ['a']).map((p) => p.kind)).toEqual(['+']);
    expect(diff(['a'], ['a']).map((p) => p.kind)).toEqual([' ']);
  });
  it('give both texts back', () => {
    const a = 'one two three two one'.split(' ');
    const b = 'two one two four one one'.split(' ');
    const d = diff(a, b);
    expect(d.filter((p) => p.kind !== '+').map((p) => p.text)).toEqual(a);
    expect(d.filter((p) => p.kind !== '-').map((p) => p.text)).toEqual(b);
    expect(diff(a, b, 0).filter((p) => p.kind !== '-').map((p) => p.text)).toEqual(b);
  });
});

describe('suggestions', () => {
  it('put tickers that begin with the letters first', () => {
    const t = (ticker: string, name: string) => ({ ticker, name, first: '', last: '', bars: 1, holes: 0 });
    expect(suggest([t('MSFT', 'Microsoft'), t('MA', 'Mastercard'), t('X', 'Max')], 'ma').map((x) => x.ticker)).toEqual(['MA', 'X']);
    expect(suggest([t('A', '')], '')).toEqual([]);
  });
});

import { describe, expect, it } from 'vitest';
import type { Trade } from '../api/types';
import { severity } from '../ui/alerts';
import { leaves } from '../ui/settings';
import { visible } from '../ui/virtual';
import { best, differing, overlay } from '../compare/align';
import { firstOf, pairOf } from '../compare/trades';
import { tagsOf } from './labels';
import { written } from './metrics';
import { extend, paceOf } from './pace';
import { fillsOf, marked, marksOf, mostMarked, type Row, sorted, within } from './trading';
import { bytes } from '../format/number';
import { verdict } from './verdict';

const trade = (over: Partial<Trade>): Trade => ({
  symbol: 'A', side: 'long', quantity: 10, entry_time: '2024-01-02', entry_price: 10, exit_time: '2024-01-05', exit_price: 11, pnl: 10, return: 0.1, commission: 0, bars: 3, mae: 0, mfe: 0, exit_reason: 'signal', open: false, ...over,
});

describe('progress', () => {
  it('is a fraction within 0 and 1, or unknown', () => {
    expect(paceOf({ done: 30, total: 120, eta_s: 4 })).toEqual({ done: 0.25, eta: 4, text: '30 of 120' });
    expect(paceOf({ fraction: 1.2 }).done).toBe(1);
    expect(paceOf({}).done).toBeNull();
    expect(paceOf({ done: 1_388, total: 40_301 }, bytes).text).toBe('1.4 kB of 40.3 kB');
  });
  it('joins partial equity and begins anew with the run', () => {
    const a = extend(null, { time: ['2024-01-02T00:00:00Z'], value: [1] });
    const b = extend(a, { time: ['2024-01-03T00:00:00Z'], value: [2] });
    expect(b?.equity).toEqual([1, 2]);
    expect(extend(b, { time: ['2024-01-02T00:00:00Z'], value: [9] })?.equity).toEqual([9]);
    expect(extend(b, { time: ['x'], value: [] })).toBe(b);
    expect(extend(b, null)).toBe(b);
  });
});

describe('trades', () => {
  const rows = [trade({ return: 0.1 }), trade({ return: -0.2, symbol: 'B' }), trade({ return: 0.1, side: 'short', open: true })].map((t, index) => ({ trade: t, index }));
  it('are sorted by a column, ties in their order', () => {
    expect(sorted(rows, 'return', false).map((r) => r.index)).toEqual([1, 0, 2]);
    expect(sorted(rows, 'return', true).map((r) => r.index)).toEqual([2, 0, 1]);
  });
  it('have marks where they were opened and closed', () => {
    expect(marksOf(rows, 'A').map((m) => [m.id, m.kind])).toEqual([['0', 'enter'], ['0', 'leave'], ['2', 'short']]);
  });
  it('know their fills', () => {
    const fill = { time: '2024-01-02', decided: '2023-12-29', symbol: 'A', side: 'buy' as const, quantity: 10, reference: 10, price: 10, commission: 0, slippage: 0, rule: 'open', reason: 'entry' };
    expect(fillsOf(rows[0]!.trade, [fill, { ...fill, symbol: 'B' }, { ...fill, time: '2024-01-03' }])).toEqual([fill]);
  });
});

describe('trades of two runs', () => {
  it('are of the runs asked for, or of the first two', () => {
    expect(pairOf('c,a', ['a', 'b', 'c'])).toEqual([2, 0]);
    for (const bad of [null, '', 'a', 'a,a', 'a,x', ',']) expect(pairOf(bad, ['a', 'b', 'c'])).toEqual([0, 1]);
  });
  it('say the first difference', () => {
    const d = { at: '2024-01-02', in: [] };
    expect(firstOf({ ...d, a: trade({}) }, 'one', 'two')).toBe('only one bought A');
    expect(firstOf({ ...d, b: trade({ side: 'short' }) }, 'one', 'two')).toBe('only two sold A');
    expect(firstOf({ ...d, a: trade({}), b: trade({}), in: ['entry_price', 'commission'] }, 'one', 'two')).toBe('both bought A on 2024-01-02, with a difference in entry price, commission');
  });
});

describe('verdict', () => {
  const m = { total_return: 0.2, max_drawdown: -0.1, trades: 50, sharpe: 0.8, sharpe_low: -0.1, sharpe_high: 1.7, benchmark_return: 0.3 };
  it('says what cannot be told from chance', () => expect(verdict(m, []).text).toContain('cannot be told from zero'));
  it('says on which side of zero all of an interval lies', () => {
    expect(verdict({ ...m, sharpe_low: 0.2 }, []).text).toContain('above zero at 95% (0.20 to 1.70)');
    expect(verdict({ ...m, sharpe: -3, sharpe_low: -5, sharpe_high: -1 }, []).text).toContain('below zero at 95% (−5.00 to −1.00)');
  });
  it('puts grave warnings before every number', () => {
    const v = verdict(m, [{ code: 'synthetic_data', message: '' }]);
    expect(v.kind).toBe('grave');
    expect(v.text.startsWith('Do not act')).toBe(true);
  });
  it('compares with the benchmark and says when nothing was traded', () => {
    expect(verdict(m, []).text).toContain("Less than the benchmark's +30.0%");
    expect(verdict({ ...m, trades: 0 }, []).text).toContain('Nothing was traded');
  });
  it('takes what it does not know for a caution', () => expect([severity({ code: 'x', message: '' }), severity({ code: 'off_calendar', message: '' })]).toEqual(['caution', 'note']));
});

describe('small things', () => {
  it('writes metrics in their unit', () => expect([written(0.1234, 'fraction'), written(1822, 'days'), written(16_436, 'date'), written(null, 'ratio')]).toEqual(['12.34%', '1,822', '2015-01-01', '–']));
  it('reads tags', () => expect(tagsOf('a, b,, a\nc')).toEqual(['a', 'b', 'c']));
  it('lists settings with their paths', () => expect(leaves({ a: { b: 1, c: [1, 2] }, d: [{ e: 'x' }] })).toEqual([{ key: 'a.b', value: '1' }, { key: 'a.c', value: '1, 2' }, { key: 'd.0.e', value: 'x' }]));
  it('draws only rows that can be seen', () => {
    expect(visible(0, 100, 10, 200_000)).toEqual([0, 18]);
    expect(visible(1_999_900, 100, 10, 200_000)).toEqual([199_982, 200_000]);
    expect(visible(0, 100, 10, 0)).toEqual([0, 0]);
  });
});

describe('comparison', () => {
  it('begins every curve at one and holds values in between', () => {
    expect(overlay([{ t: [1, 2, 3], equity: [100, 110, 120] }, { t: [2, 4], equity: [50, 75] }])).toEqual({ t: [1, 2, 3, 4], values: [[1, 1.1, 1.2, null], [null, 1, 1, 1.5]] });
  });
  it('shows settings that differ', () => expect(differing([[{ key: 'a', value: '1' }, { key: 'b', value: '2' }], [{ key: 'a', value: '1' }]])).toEqual([{ key: 'b', values: ['2', null] }]));
  it('finds the one best value', () => expect([best([1, 2, null], 'higher'), best([1, 2], 'lower'), best([2, 2], 'higher'), best([1, 2], 'none')]).toEqual([1, 0, -1, -1]));
});

describe('marks of many trades', () => {
  const many = Array.from({ length: 5_000 }, (_, i): Row => ({ index: i, trade: { symbol: i % 2 ? 'A' : 'B', entry_time: new Date(Date.UTC(2000, 0, 1 + i)).toISOString().slice(0, 10), exit_time: new Date(Date.UTC(2000, 0, 2 + i)).toISOString().slice(0, 10), open: false } as Trade }));
  it('are those of the symbol that is shown, in the time that is shown', () => {
    const list = within(many, 'A', { from: Date.UTC(2000, 0, 10), to: Date.UTC(2000, 0, 20) });
    expect(list.map((r) => r.index)).toEqual([9, 11, 13, 15, 17, 19]);
  });
  it('are an even choice of too many, with the one that is looked at', () => {
    const list = marked(within(many, 'A', null), mostMarked(720), [4001]);
    expect(2 * list.length).toBeGreaterThanOrEqual(720 / 6);
    expect(2 * list.length).toBeLessThanOrEqual(720 / 6 + 2);
    expect(list.some((r) => r.index === 4001)).toBe(true);
    expect(list[0]!.index).toBe(1);
  });
});

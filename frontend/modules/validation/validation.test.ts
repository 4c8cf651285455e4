import { describe, expect, it } from 'vitest';
import type { Question, Validation, Window } from '../api/validation';
import { barsOf, byWorry, logitBins, sentence, shades, timeline } from './picture';

const question = (key: string, verdict: Question['verdict']): Question => ({ key, verdict, question: key, figure: key, value: 1, rule: '', answer: '', on: '' });
const window = (train_from: string, train_to: string, test_from: string, test_to: string) => ({ train_from, train_to, test_from, test_to }) as Window;

describe('the verdict', () => {
  it('puts what should worry first, and otherwise keeps the order', () => {
    const list = [question('a', 'passes'), question('b', 'fails'), question('c', 'undefined'), question('d', 'doubtful'), question('e', 'fails')];
    expect(byWorry(list).map((q) => q.key)).toEqual(['b', 'e', 'd', 'c', 'a']);
    expect(sentence({ verdict: 'fails', questions: list } as Validation)).toBe('It does not stand: do not trade this on these numbers. 1 pass, 1 doubtful, 2 fail, 1 without an answer.');
  });
});

describe('windows', () => {
  const list = [window('2020-01-01', '2021-12-31', '2022-01-01', '2022-12-31'), window('2021-01-01', '2022-12-31', '2023-01-01', '2023-12-31')];
  it('lie between the first and the last day', () => {
    const t = timeline(list);
    expect(t[0]!.train.from).toBe(0);
    expect(t[1]!.test.to).toBe(1);
    expect(t[0]!.test.from).toBeCloseTo(0.5, 2);
  });
  it('are shaded every other one', () => {
    expect(shades(list)).toEqual([[Date.UTC(2023, 0, 1), Date.UTC(2023, 11, 31)]]);
  });
});

describe('pictures', () => {
  it('count every split once, with a border at zero', () => {
    const bins = logitBins([{ value: -1.3, count: 13 }, { value: 0, count: 2 }, { value: 1.4, count: 55 }]);
    expect(bins.reduce((n, b) => n + b.count, 0)).toBe(70);
    expect(bins.filter((b) => b.to <= 0).reduce((n, b) => n + b.count, 0)).toBe(13);
    expect(logitBins([])).toEqual([]);
  });
  it('have zero among their bars, and say what could not be run', () => {
    const point = (sharpe: number | null, fault?: string) => ({ label: 'x', at: 0, base: false, trades: 1, total_return: 0, sharpe, max_drawdown: 0, ...(fault ? { fault } : {}) });
    const b = barsOf([point(0.4), point(null, 'no data')], 'sharpe');
    expect([b.low, b.high, b.list[1]]).toEqual([0, 0.4, { label: 'x', value: null, base: false, note: 'no data' }]);
    expect(barsOf([point(-1)], 'sharpe').high).toBe(0);
  });
});

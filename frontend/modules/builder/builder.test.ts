import { describe, expect, it } from 'vitest';
import { parseCondition, parseGroup, writeGroup } from './condition';
import { condition, read, write } from './file';
import { fieldsOf } from './form';
import { valuesOf } from './builder';

describe('conditions', () => {
  it('are read from expressions', () => {
    expect(parseCondition('close > sma(close, 50)')).toEqual({ source: 'close', comparison: '>', target: 'sma(close, 50)', beyond: 0, delay: 0 });
    expect(parseCondition('crosses_above(close, bbands(close, 20, 2).upper)')).toEqual({ source: 'close', comparison: 'crosses_above', target: 'bbands(close, 20, 2).upper', beyond: 0, delay: 0 });
    expect(parseCondition('(ema(tr(), 14) < 2.5)[3]')).toEqual({ source: 'ema(tr(), 14)', comparison: '<', target: '2.5', beyond: 0, delay: 3 });
    expect(parseCondition('close >= sma(close, 20) * 1.02')).toMatchObject({ target: 'sma(close, 20)', beyond: 2, comparison: '>=' });
    expect(parseCondition('close <= low[1] * 0.995')).toMatchObject({ target: 'low[1]', beyond: 0.5 });
  });
  it('stay text where the form has no words for them', () => {
    for (const t of ['not golden', 'golden', 'a and (b or c)', 'month == 1 and day < 5 or x', 'f(a, b > c)', '1 < close < 5']) expect(parseCondition(t)).toEqual({ text: t });
  });
  it('are joined by all or any', () => {
    expect(parseGroup('a > 1 and b < 2')).toMatchObject({ join: 'all', parts: [{ source: 'a' }, { source: 'b' }] });
    expect(parseGroup('a > 1 or b < 2 and c > 3')).toMatchObject({ join: 'any', parts: [{ source: 'a' }, { text: 'b < 2 and c > 3' }] });
    expect(parseGroup('')).toEqual({ join: 'all', parts: [] });
  });
  it('write what they read', () => {
    for (const t of [
      'rsi(close, 2) < 10 and close > sma(close, 200)', 'crosses_below(close, ema(close, 20)) or close <= 5', '(close > open)[1] and not golden', 'close >= sma(close, 20) * 1.02',
      'close <= (high + low) * 0.99', 'a > 1 or (b < 2 and c > 3)', 'close[1] >= low and volume > sma(volume, 20)',
    ]) {
      const once = writeGroup(parseGroup(t));
      expect(once).toBe(t);
      expect(parseGroup(once)).toEqual(parseGroup(t));
    }
  });
  it('widen loose targets in parentheses', () => {
    expect(writeGroup({ join: 'all', parts: [{ source: 'close', comparison: '>', target: 'open + 1', beyond: 1, delay: 0 }] })).toBe('close >= (open + 1) * 1.01');
  });
});

const file = `# an idea
name: idea # with a comment
entry: close > 5
costs: {slippage: {bps: 2}}
`;

describe('the file behind the form', () => {
  it('keeps comments and order when a value changes', () => {
    expect(write(file, ['entry'], 'close > 6')).toBe(file.replace('close > 5', 'close > 6'));
    expect(write(file, ['costs', 'slippage', 'bps'], 3)).toBe(file.replace('bps: 2', 'bps: 3'));
  });
  it('turns a short form into a section when it gets a second key', () => {
    const next = write(file, ['entry', 'rank'], '-rsi(close, 2)');
    expect(next).toContain('when: close > 5');
    expect(condition(read(next), 'entry')).toEqual({ text: 'close > 5', path: ['entry', 'when'], known: true });
    expect(next).toContain('# with a comment');
  });
  it('takes empty sections away with their last key', () => {
    expect(write(file, ['costs', 'slippage', 'bps'], undefined)).not.toContain('costs');
  });
  it('makes sections that are not there', () => {
    expect(read(write(file, ['exit', 'stop'], 'entry_price * 0.9')).get(['exit', 'stop'])).toBe('entry_price * 0.9');
  });
  it('leaves alone what it cannot read, and lists of exits', () => {
    expect(read('entry: [a').readable).toBe(false);
    expect(write('entry: [a', ['entry'], 'x')).toBe('entry: [a');
    expect(condition(read('exit:\n  - {name: a, when: b}\n'), 'exit').known).toBe(false);
  });
  it('reads values of parameters', () => {
    expect([valuesOf('10'), valuesOf('5, 10'), valuesOf('10..60 step 10'), valuesOf(' ')]).toEqual([10, [5, 10], '10..60 step 10', undefined]);
  });
});

describe('forms of the schema', () => {
  const schema = { properties: { costs: { anyOf: [{ type: 'object', properties: { slippage: { description: 'worse', anyOf: [{ type: 'object', properties: { bps: { type: 'number', description: 'x', default: 0 } } }, { const: 'none' }] }, kind: { enum: ['a', 'b'], default: 'a' }, on: { type: 'boolean' } } }, { const: 'none' }] } } };
  it('have a field for every plain setting', () => {
    expect(fieldsOf(schema, 'costs').map((f) => [f.path.join('.'), f.kind])).toEqual([['slippage.bps', 'number'], ['kind', 'word'], ['on', 'flag']]);
    expect(fieldsOf(schema, 'nothing')).toEqual([]);
  });
});

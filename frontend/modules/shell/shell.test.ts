import { describe, expect, it } from 'vitest';
import { problemOf } from '../api/problem';
import { nameOf } from './keys';
import { link, parse } from './route';
import { contrast, over } from './theme';

describe('addresses', () => {
  it('say the same when they are read again', () => {
    const to = link(['edit', 'a b/ü'], { from: 'x&y', none: undefined });
    expect(parse(to).path).toEqual(['edit', 'a b/ü']);
    expect(parse(to).query.get('from')).toBe('x&y');
    expect(to).not.toContain('none');
  });
  it('are never a fault', () => {
    expect(parse('').path).toEqual([]);
    expect(parse('#/%zz?=').path).toEqual(['%zz']);
  });
});

describe('problems', () => {
  const none = () => null;
  it('have every fault with its place', () => {
    const p = problemOf(422, { code: 'invalid-strategy', title: 'The strategy has faults', errors: [{ line: 2, column: 8, code: 'unknown', detail: 'unknown name clos', hint: 'close' }] }, none);
    expect(p.faults).toEqual([{ line: 2, column: 8, code: 'unknown', message: 'unknown name clos', hint: 'close' }]);
  });
  it('say what to do', () => {
    expect(problemOf(429, {}, (n) => (n === 'Retry-After' ? '7' : null)).cure).toContain('7 seconds');
    expect(problemOf(500, { request_id: 'abc' }, none).cure).toContain('abc');
    expect(problemOf(424, { missing: [{ symbol: 'X', reason: 'no bars', have: '' }] }, none).faults[0]?.message).toBe('X: no bars');
  });
  it('are made of answers without a body', () => expect(problemOf(502, null, none).title).toBe('The server answered 502'));
});

describe('keys', () => {
  it('have one name on every system', () => {
    const e = { key: 'Enter', ctrlKey: false, metaKey: true, altKey: false };
    expect([nameOf(e), nameOf({ ...e, metaKey: false, ctrlKey: true }), nameOf({ ...e, metaKey: false })]).toEqual(['mod+Enter', 'mod+Enter', 'Enter']);
  });
});

describe('colours', () => {
  it('have the contrast that WCAG gives them', () => {
    expect(contrast('rgb(0, 0, 0)', 'rgb(255, 255, 255)')).toBeCloseTo(21);
    expect(contrast('rgb(119, 119, 119)', 'rgb(255, 255, 255)')).toBeCloseTo(4.48, 2);
    expect(contrast('rgb(9, 9, 9)', 'rgb(9, 9, 9)')).toBe(1);
  });
  it('lie over others as much as they are told', () => {
    expect(over('rgb(200, 0, 100)', 'rgb(0, 100, 100)', 0.25)).toBe('rgb(50, 75, 100)');
    expect(over('rgb(1, 2, 3)', 'rgb(9, 9, 9)', 1)).toBe('rgb(1, 2, 3)');
  });
});

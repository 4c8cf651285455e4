// Conditions as a form has them, and the expressions that say the same. The form is a part of the
// language: what it can write it can read back, and what it cannot show it leaves as text.
//
// A condition compares a source with a target, which is a number or a series. `beyond` widens the
// target by a fraction, `delay` asks for the condition some bars ago.

export const comparisons = ['>', '<', '>=', '<=', '==', 'crosses_above', 'crosses_below'] as const;
export type Comparison = (typeof comparisons)[number];

export const comparisonNames: Record<Comparison, string> = {
  '>': 'is above', '<': 'is below', '>=': 'is at or above', '<=': 'is at or below', '==': 'equals', crosses_above: 'crosses above', crosses_below: 'crosses below',
};

export interface Condition {
  source: string;
  comparison: Comparison;
  target: string;
  beyond: number; // percent by which the target is widened, 0 for none
  delay: number; // bars
}

export interface Text { text: string } // a condition that the form cannot show

export interface Group { join: 'all' | 'any'; parts: (Condition | Text)[] }

export const isText = (c: Condition | Text): c is Text => 'text' in c;

/** Splits at a word or sign outside of parentheses and brackets; null when those do not match. */
export function split(text: string, at: RegExp): string[] | null {
  const parts: string[] = [];
  let depth = 0;
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!;
    if (c === '(' || c === '[') depth++;
    else if (c === ')' || c === ']') depth--;
    if (depth < 0) return null;
    if (depth > 0) continue;
    at.lastIndex = i;
    const m = at.exec(text);
    if (m) {
      parts.push(text.slice(from, i));
      from = i + m[0].length;
      i = from - 1;
    }
  }
  if (depth !== 0) return null;
  parts.push(text.slice(from));
  return parts.map((p) => p.trim());
}

/** Whether the parentheses around a text belong together, so that they can be taken away. */
function wrapped(text: string): boolean {
  if (!text.startsWith('(')) return false;
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '(') depth++;
    if (text[i] === ')') depth--;
    if (depth === 0) return i === text.length - 1;
  }
  return false;
}

const strip = (text: string): string => {
  let t = text.trim();
  while (wrapped(t)) t = t.slice(1, -1).trim();
  return t;
};

const and = /\s+and\s+/y;
const or = /\s+or\s+/y;
const not = /(^|\s)(and|or|not)\s/;

/** Reads an expression of conditions joined by one word. */
export function parseGroup(text: string): Group {
  const t = strip(text.replace(/\s+/g, ' '));
  if (t === '') return { join: 'all', parts: [] };
  const any = split(t, or);
  const all = split(t, and);
  if (any && any.length > 1) return { join: 'any', parts: any.map(parseCondition) };
  return { join: 'all', parts: (all ?? [t]).map(parseCondition) };
}

export function parseCondition(text: string): Condition | Text {
  let t = strip(text);
  let delay = 0;
  const delayed = /^(.*)\[(\d+)\]$/.exec(t);
  if (delayed && wrapped(delayed[1]!.trim())) {
    t = strip(delayed[1]!);
    delay = Number(delayed[2]);
  }
  const cross = /^(crosses_above|crosses_below)\((.*)\)$/.exec(t);
  if (cross && wrapped(t.slice(cross[1]!.length))) {
    const ends = split(cross[2]!, /,/y);
    if (ends?.length === 2) return { source: ends[0]!, comparison: cross[1] as Comparison, target: ends[1]!, beyond: 0, delay };
    return { text };
  }
  if (not.test(` ${t} `)) return { text };
  const sides = split(t, /\s*(>=|<=|==|>|<)\s*/y);
  if (sides?.length !== 2 || !sides[0] || !sides[1]) return { text };
  const comparison = t.slice(sides[0].length).trim().slice(0, 2).replace(/[^<>=].*$/, '').trim() as Comparison;
  const [target, beyond] = widened(sides[1], comparison);
  return { source: sides[0], comparison, target, beyond, delay };
}

// widened takes `* 1.01` or `* 0.99` off a target where the direction of the comparison fits.
function widened(target: string, c: Comparison): [string, number] {
  const m = /^(.+?)\s*\*\s*(\d+(?:\.\d+)?)$/.exec(target);
  if (!m || (c !== '>=' && c !== '<=')) return [target, 0];
  const percent = Math.round((c === '>=' ? Number(m[2]) - 1 : 1 - Number(m[2])) * 1e8) / 1e6;
  return percent > 0 && percent < 100 ? [m[1]!, percent] : [target, 0];
}

const plainNumber = (x: number): string => String(Math.round(x * 1e10) / 1e10);

export function writeCondition(c: Condition | Text, among: boolean): string {
  if (isText(c)) return among && /\b(or|and)\b/.test(c.text) && !wrapped(c.text) ? `(${c.text})` : c.text;
  const { target, text } = ends(c);
  const core = c.comparison.startsWith('crosses') ? `${c.comparison}(${c.source}, ${target})` : text;
  return c.delay > 0 ? `(${core})[${c.delay}]` : core;
}

function ends(c: Condition): { target: string; text: string } {
  const loose = /[+-]/.test(c.target.replace(/\([^()]*\)/g, '')) && !wrapped(c.target);
  const widens = c.beyond > 0 && !c.comparison.startsWith('crosses') && c.comparison !== '==';
  const up = c.comparison.startsWith('>');
  const target = widens ? `${loose ? `(${c.target})` : c.target} * ${plainNumber(up ? 1 + c.beyond / 100 : 1 - c.beyond / 100)}` : c.target;
  const comparison = widens ? (up ? '>=' : '<=') : c.comparison;
  return { target, text: `${c.source} ${comparison} ${target}` };
}

export function writeGroup(g: Group): string {
  return g.parts.map((p) => writeCondition(p, g.parts.length > 1)).join(g.join === 'all' ? ' and ' : ' or ');
}

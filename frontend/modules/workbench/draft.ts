// Drafts: what is being written is kept in this browser from the first letter on, until it is saved or
// thrown away.
import { isString, recall, remember } from '../shell/memory';

export interface Source { kind: 'new' | 'named' | 'run'; name: string } // where a text came from

/** The place of the draft of a source. */
export function draftKey(s: Source): string {
  return `draft.${s.kind}.${s.name}`;
}

export const readDraft = (s: Source): string => recall(draftKey(s), '', isString);

export function writeDraft(s: Source, text: string, original: string): void {
  remember(draftKey(s), text === original ? '' : text);
}

/** The value of `name:` in a file, "" when there is none. */
export function nameIn(text: string): string {
  const m = /^name:[ \t]*("([^"\n]*)"|'([^'\n]*)'|[^\n#]*)/m.exec(text);
  return (m?.[2] ?? m?.[3] ?? m?.[1] ?? '').trim();
}

/** Symbols as people write them: blanks, commas, any case. */
export function symbolsOf(text: string): string[] {
  return [...new Set(text.toUpperCase().split(/[\s,;]+/).filter(Boolean))];
}

/** Whether a file says itself which symbols it trades. */
export function hasUniverse(text: string): boolean {
  return /^universe:/m.test(text) || /^\s*"universe"\s*:/m.test(text);
}

export const blank = `# One file is one complete run. Ctrl-Space shows what can be written at a place.
name: my-strategy
data: {bars: 1d, from: 2015-01-01}
params:
  n: {default: 50, values: 20..100 step 10}
signals:
  up: close > sma(close, 200)
entry: up and crosses_above(close, sma(close, n))
exit: close < sma(close, n)
costs: {commission: {per_share: 0.005, min: 1}, slippage: {bps: 2}}
`;

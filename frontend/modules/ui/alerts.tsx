// Warnings, the gravest first: they come before every number.
import type { Warning } from '../api/types';
import { words } from '../format/text';

// The same words as in the report: what makes a result meaningless, and what is only to be known.
const grave = new Set(['synthetic_data', 'bankrupt', 'same_bar_fills', 'margin_call']);
const note = new Set(['off_calendar', 'no_benchmark', 'adjusted_prices', 'growth_of_one']);

export function severity(w: Warning): 'grave' | 'caution' | 'note' {
  return grave.has(w.code) ? 'grave' : note.has(w.code) ? 'note' : 'caution';
}

const order = { grave: 0, caution: 1, note: 2 };

export function Alerts({ list }: { list: Warning[] }) {
  if (list.length === 0) return null;
  const sorted = [...list].sort((a, b) => order[severity(a)] - order[severity(b)]);
  return (
    <ul class="alerts">
      {sorted.map((w, i) => (
        <li key={i} class={severity(w)}>
          <span class="tag-word">{severity(w)}</span>
          <span>{w.message} <small>{words(w.code)}</small></span>
        </li>
      ))}
    </ul>
  );
}

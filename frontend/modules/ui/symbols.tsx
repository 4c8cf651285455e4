// A field for symbols with suggestions from the market.
import { useId, useMemo, useState } from 'preact/hooks';
import type { Ticker } from '../api/types';
import { plain } from '../format/text';

/** The symbols that go on from what is being written, those that begin with it first. */
export function suggest(market: readonly Ticker[], written: string, most = 8): Ticker[] {
  const q = written.toUpperCase();
  if (!q) return [];
  const first = market.filter((t) => t.ticker.toUpperCase().startsWith(q));
  const rest = market.filter((t) => !t.ticker.toUpperCase().startsWith(q) && (t.name ?? '').toUpperCase().includes(q));
  return [...first, ...rest].slice(0, most);
}

export function SymbolField({ label, value, onChange, market, disabled, hint }: { label: string; value: string; onChange: (v: string) => void; market: Ticker[]; disabled?: boolean; hint?: string | undefined }) {
  const id = useId();
  const [open, setOpen] = useState(false);
  const [at, setAt] = useState(0);
  const written = /[^\s,;]*$/.exec(value)?.[0] ?? '';
  const list = useMemo(() => (open ? suggest(market, written) : []), [open, market, written]);
  const take = (t: Ticker) => {
    onChange(`${value.slice(0, value.length - written.length)}${t.ticker}, `);
    setAt(0);
  };
  return (
    <div class="symbols">
      <label for={id}>{label}</label>
      <input
        id={id} value={value} disabled={disabled} placeholder={hint ?? 'AAPL, MSFT'} autocomplete="off" autocapitalize="characters" spellcheck={false} role="combobox" aria-expanded={list.length > 0} aria-controls={`${id}-list`} aria-autocomplete="list"
        {...(list.length > 0 ? { 'aria-activedescendant': `${id}-${at}` } : {})}
        onInput={(e) => { onChange(e.currentTarget.value); setOpen(true); setAt(0); }}
        onBlur={() => setTimeout(() => setOpen(false), 150)}
        onKeyDown={(e) => {
          if (list.length === 0) return;
          if (e.key === 'ArrowDown') setAt((at + 1) % list.length);
          else if (e.key === 'ArrowUp') setAt((at + list.length - 1) % list.length);
          else if (e.key === 'Enter' || e.key === 'Tab') take(list[at]!);
          else if (e.key === 'Escape') setOpen(false);
          else return;
          e.preventDefault();
        }}
      />
      <div class="suggestions" id={`${id}-list`} role="listbox" aria-label="Suggestions" hidden={list.length === 0}>
        {list.map((t, i) => (
          <div key={t.ticker} id={`${id}-${i}`} role="option" aria-selected={i === at} class={i === at ? 'on' : ''} onMouseDown={(e) => { e.preventDefault(); take(t); }}>
            <b>{plain(t.ticker, 20)}</b> <span>{plain(t.name, 40)}</span> <small>{t.first} – {t.last}</small>
          </div>
        ))}
      </div>
    </div>
  );
}

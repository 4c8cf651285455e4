// The condition builder: the same file as the text, as a form. Both ways: what is changed here is
// written into the text, and what is written there is shown here.
import { useMemo } from 'preact/hooks';
import { indicators, schema } from '../api/strategies';
import type { Indicator } from '../api/types';
import { useFetched } from '../ui/fetched';
import { Button, Choice, Empty } from '../ui/kit';
import { Typed } from '../ui/typed';
import { type Comparison, type Condition, comparisonNames, comparisons, type Group, isText, parseGroup, type Text, writeGroup } from './condition';
import { condition, type Path, read, type Reading, write } from './file';
import { fieldsOf, SchemaForm } from './form';
import { usage } from './usage';

export default function Builder({ text, onChange }: { text: string; onChange: (t: string) => void }) {
  const r = useMemo(() => read(text), [text]);
  const words = useFetched(indicators, []);
  const rules = useFetched(schema, []);
  const series = useMemo(() => seriesOf(words.data ?? [], r), [words.data, r]);
  if (!r.readable) return <Empty title="The text cannot be read yet"><p>A bracket or an indentation is not right. Mend it in the text; the faults under it say where.</p></Empty>;
  const set = (path: Path, value: unknown) => onChange(write(text, path, value));
  return (
    <div class="builder">
      <datalist id="series">{series.map((s) => <option key={s} value={s} />)}</datalist>
      <Side title="Enter when" side="entry" r={r} set={set} />
      <Side title="Leave when" side="exit" r={r} set={set} />
      <section>
        <h3>Stop, target and time</h3>
        <p class="sub">Prices as expressions; inside them <code>entry_price</code> is what the position was opened at.</p>
        <div class="form-grid">
          <Expression label="Stop price" path={['exit', 'stop']} r={r} set={set} placeholder="entry_price - 2 * atr(14)" />
          <Expression label="Target price" path={['exit', 'target']} r={r} set={set} placeholder="entry_price * 1.1" />
          <Expression label="Most bars held" path={['exit', 'max_bars']} r={r} set={set} placeholder="no limit" number />
          <Expression label="Rank of candidates" path={['entry', 'rank']} r={r} set={set} placeholder="-rsi(close, 14)" />
        </div>
      </section>
      <Params r={r} set={set} />
      {rules.data && ['size', 'costs', 'fills', 'data'].map((k) => <SchemaForm key={k} title={titles[k]!} path={[k]} fields={fieldsOf(rules.data!, k)} r={r} set={set} />)}
    </div>
  );
}

const titles: Record<string, string> = { size: 'Size', costs: 'Costs', fills: 'Fills', data: 'Data' };

interface Part { r: Reading; set: (path: Path, value: unknown) => void }

/** Names that can stand on either side of a comparison. */
export function seriesOf(list: readonly Indicator[], r: Reading): string[] {
  const columns = ['close', 'open', 'high', 'low', 'volume'];
  const common = ['sma(close, 50)', 'sma(close, 200)', 'ema(close, 20)', 'hma(close, 20)', 'kama(close, 20)', 'rsi(close, 14)', 'bbands(close, 20).upper', 'bbands(close, 20).middle', 'bbands(close, 20).lower', 'atr(14)', 'macd(close, 12, 26, 9).signal', 'highest(close, 20)', 'lowest(close, 20)'];
  const names = new Set(list.map((x) => x.name));
  const given = Object.keys((r.get(['params']) as Record<string, unknown> | undefined) ?? {});
  const known = common.filter((c) => names.size === 0 || names.has(c.slice(0, c.indexOf('('))));
  return [...columns, ...given, ...known, ...list.filter((x) => x.outputs.length === 1 && !x.name.startsWith('cdl')).map(usage)];
}

function Side({ title, side, r, set }: Part & { title: string; side: 'entry' | 'exit' }) {
  const c = condition(r, side);
  if (!c.known) return <section><h3>{title}</h3><p class="sub">The file has a list of exits: change them in the text.</p></section>;
  const g = parseGroup(c.text);
  const put = (next: Group) => set(c.path, next.parts.length === 0 ? undefined : writeGroup(next));
  return (
    <section>
      <div class="head">
        <h3>{title}</h3>
        {g.parts.length > 1 && <Choice small label={`${title}: which of them`} value={g.join} onChange={(join) => put({ ...g, join })} options={[['all', 'all hold'], ['any', 'any holds']]} />}
      </div>
      {g.parts.map((p, i) => (
        <Row key={i} part={p} label={`${title} ${i + 1}`} onChange={(x) => put({ ...g, parts: g.parts.map((o, k) => (k === i ? x : o)) })} onRemove={() => put({ ...g, parts: g.parts.filter((_, k) => k !== i) })} />
      ))}
      <Button small onClick={() => put({ ...g, parts: [...g.parts, { source: 'close', comparison: '>', target: 'sma(close, 50)', beyond: 0, delay: 0 }] })}>Add a condition</Button>
    </section>
  );
}

function Row({ part, label, onChange, onRemove }: { part: Condition | Text; label: string; onChange: (c: Condition | Text) => void; onRemove: () => void }) {
  const remove = <Button kind="quiet" small aria-label={`Remove ${label}`} onClick={onRemove}>✕</Button>;
  if (isText(part)) {
    return (
      <div class="condition">
        <Typed class="expression grow" label={`${label}, expression`} value={part.text} onCommit={(text) => onChange({ text })} />
        {remove}
      </div>
    );
  }
  const c = part;
  return (
    <div class="condition">
      <Typed class="expression" list="series" label={`${label}, source`} value={c.source} onCommit={(t) => onChange({ ...c, source: t || 'close' })} />
      <select aria-label={`${label}, comparison`} value={c.comparison} onChange={(e) => onChange({ ...c, comparison: e.currentTarget.value as Comparison })}>
        {comparisons.map((k) => <option key={k} value={k}>{comparisonNames[k]}</option>)}
      </select>
      <Typed class="expression" list="series" label={`${label}, target`} value={c.target} onCommit={(t) => onChange({ ...c, target: t || '0' })} />
      {!c.comparison.startsWith('crosses') && c.comparison !== '==' && (
        <label class="tiny">by <Typed mode="decimal" label={`${label}, by at least percent`} value={c.beyond ? String(c.beyond) : ''} placeholder="0" onCommit={(t) => onChange({ ...c, beyond: Math.min(99, Math.max(0, Number(t) || 0)) })} /> %</label>
      )}
      <label class="tiny"><Typed mode="numeric" label={`${label}, bars ago`} value={c.delay ? String(c.delay) : ''} placeholder="0" onCommit={(t) => onChange({ ...c, delay: Math.max(0, Math.trunc(Number(t) || 0)) })} /> bars ago</label>
      {remove}
    </div>
  );
}

function Expression({ label, path, r, set, placeholder, number }: Part & { label: string; path: Path; placeholder: string; number?: boolean }) {
  const parent = r.get(path.slice(0, -1));
  const list = Array.isArray(parent);
  const value = list || typeof parent !== 'object' ? undefined : r.get(path);
  return (
    <label class="form-field">
      <span>{label}</span>
      <Typed
        class={number ? '' : 'expression'} mode={number ? 'numeric' : 'text'} disabled={list} placeholder={list ? 'see the text' : placeholder} value={value === undefined || value === null ? '' : String(value)}
        onCommit={(t) => set(path, t.trim() === '' ? undefined : number && Number.isFinite(Number(t)) ? Number(t) : t.trim())}
      />
    </label>
  );
}

/** The parameters of a file with the values that they have or are tried with. */
export function Params({ r, set }: Part) {
  const params = (r.get(['params']) as Record<string, unknown> | undefined) ?? {};
  return (
    <section>
      <h3>Parameters</h3>
      <p class="sub">A run uses the first value or the default; a sweep tries them all: <code>10, 20, 30</code> or <code>10..60 step 10</code>.</p>
      <div class="form-grid">
        {Object.entries(params).map(([name, v]) => {
          const whole = typeof v === 'object' && v !== null && !Array.isArray(v);
          const path: Path = whole ? ['params', name, 'values'] : ['params', name];
          const shown = whole ? (v as Record<string, unknown>)['values'] : v;
          return (
            <label key={name} class="form-field">
              <span><code>{name}</code>{whole ? ` = ${String((v as Record<string, unknown>)['default'])}` : ''}</span>
              <Typed class="expression" value={Array.isArray(shown) ? shown.join(', ') : String(shown ?? '')} onCommit={(t) => set(path, valuesOf(t))} />
            </label>
          );
        })}
      </div>
      {Object.keys(params).length === 0 && <p class="sub">The file has none.</p>}
    </section>
  );
}

/** What was written for a parameter: a number, a list, or a range as text. */
export function valuesOf(text: string): unknown {
  const t = text.trim();
  if (t === '') return undefined;
  if (t.includes('..')) return t;
  const list = t.split(',').map((x) => x.trim()).filter(Boolean).map((x) => (Number.isFinite(Number(x)) ? Number(x) : x));
  return list.length === 1 ? list[0] : list;
}

// All runs: search, filters, stars, tags, and up to ten of them side by side.
import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { type Filter, history, label } from '../api/runs';
import type { Page, Run } from '../api/types';
import { change, count, fixed, percent, plural, sign } from '../format/number';
import { plain } from '../format/text';
import { ago, whenFull } from '../format/time';
import { useKeys } from '../shell/keys';
import { amend, go, link, route } from '../shell/route';
import { complain } from '../shell/toast';
import { Button, Empty, LinkButton, Loading, Trouble } from '../ui/kit';
import { StatusTag } from '../ui/status';
import { Virtual } from '../ui/virtual';
import { metric } from '../run/verdict';

const keys = ['q', 'status', 'tag', 'symbol', 'strategy', 'starred', 'kind', 'sort'] as const;

export function filterOf(query: URLSearchParams): Filter {
  const f: Filter = {};
  for (const k of keys) {
    const v = query.get(k);
    if (v) f[k] = v;
  }
  return f;
}

const sorts: [string, string][] = [['-created', 'Newest first'], ['created', 'Oldest first'], ['-sharpe', 'Sharpe ratio'], ['-total_return', 'Total return'], ['-max_drawdown', 'Smallest fall'], ['-trades', 'Most trades']];

/** The most runs that can be compared at once. */
export const mostCompared = 10;

export default function History() {
  const filter = useMemo(() => filterOf(route.value.query), [route.value]);
  const on = JSON.stringify(filter);
  const [items, setItems] = useState<Run[]>([]);
  const [cursor, setCursor] = useState<string | null>(null);
  const [state, setState] = useState<'busy' | 'more' | 'end' | 'error'>('busy');
  const [error, setError] = useState<unknown>();
  const [picked, setPicked] = useState<string[]>([]);
  const [at, setAt] = useState(-1);
  const asking = useRef<AbortController | null>(null);
  const searchBox = useRef<HTMLInputElement>(null);

  const ask = useCallback(async (from: string | null, old: Run[]) => {
    asking.current?.abort();
    const stop = new AbortController();
    asking.current = stop;
    setState('busy');
    try {
      const page: Page<Run> = await history(filter, from, from ? 500 : 100, stop.signal);
      if (stop.signal.aborted) return;
      setItems([...old, ...page.items]);
      setCursor(page.next_cursor);
      setState(page.next_cursor ? 'more' : 'end');
      setError(undefined);
    } catch (e) {
      if (stop.signal.aborted) return;
      setError(e);
      setState('error');
    }
  }, [on]);

  useEffect(() => {
    const timer = setTimeout(() => void ask(null, []), 150);
    return () => {
      clearTimeout(timer);
      asking.current?.abort();
    };
  }, [ask]);

  // Runs that are not over change by themselves.
  const moving = items.slice(0, 100).some((r) => r.status === 'queued' || r.status === 'running');
  useEffect(() => {
    if (!moving) return;
    const timer = setInterval(() => {
      history(filter, null, 100).then((p) => {
        const fresh = new Map(p.items.map((r) => [r.run_id, r]));
        setItems((old) => [...p.items.filter((r) => !old.some((o) => o.run_id === r.run_id)), ...old.map((r) => fresh.get(r.run_id) ?? r)]);
      }, () => undefined);
    }, 2000);
    return () => clearInterval(timer);
  }, [moving, on]);

  const pick = (id: string) => setPicked((p) => (p.includes(id) ? p.filter((x) => x !== id) : p.length < mostCompared ? [...p, id] : p));
  const star = async (r: Run) => {
    try {
      const next = await label(r, { starred: !r.starred });
      setItems((list) => list.map((x) => (x.run_id === next.run_id ? { ...x, starred: next.starred, revision: next.revision } : x)));
    } catch (e) {
      complain('Star the run', e);
    }
  };
  useKeys([
    { keys: 'j', does: 'Next run', run: () => setAt((i) => Math.min(items.length - 1, i + 1)) },
    { keys: 'k', does: 'Run before', run: () => setAt((i) => Math.max(0, i - 1)) },
    { keys: 'Enter', does: 'Open the run', run: () => items[at] && go(link(['runs', items[at].run_id])) },
    { keys: 'x', does: 'Choose the run for comparing', run: () => items[at] && comparable(items[at]) && pick(items[at].run_id) },
    { keys: 'c', does: 'Compare the chosen runs', run: () => picked.length > 1 && go(link(['compare'], { ids: picked.join(',') })) },
    { keys: '/', does: 'Search runs', run: () => searchBox.current?.focus() },
  ], [items, at, picked]);

  const filtered = keys.some((k) => k !== 'sort' && filter[k]);
  return (
    <>
      <div class="page-head">
        <div><h1>Runs</h1><p class="sub">{state === 'busy' && items.length === 0 ? 'Asking…' : `${plural(items.length, 'run')}${state === 'more' ? ' so far; more come when you scroll' : ''}`}</p></div>
        <div class="actions">
          {picked.length > 0 && <Button kind="quiet" onClick={() => setPicked([])}>Clear {picked.length}</Button>}
          <LinkButton kind={picked.length > 1 ? 'main' : 'plain'} href={picked.length > 1 ? link(['compare'], { ids: picked.join(',') }) : link(['compare'])}>{picked.length > 1 ? `Compare ${picked.length}` : 'Compare'}</LinkButton>
        </div>
      </div>
      <div class="filters">
        <input ref={searchBox} type="search" aria-label="Search runs" placeholder="Search names, strategies, notes, tags" value={filter.q ?? ''} onInput={(e) => amend({ q: e.currentTarget.value })} />
        <input type="search" class="narrow" aria-label="Symbol" placeholder="Symbol" value={filter.symbol ?? ''} onInput={(e) => amend({ symbol: e.currentTarget.value.toUpperCase() })} />
        <input type="search" class="narrow" aria-label="Tag" placeholder="Tag" value={filter.tag ?? ''} onInput={(e) => amend({ tag: e.currentTarget.value })} />
        <select aria-label="State" value={filter.status ?? ''} onChange={(e) => amend({ status: e.currentTarget.value })}>
          <option value="">Any state</option>
          {['queued', 'running', 'succeeded', 'failed', 'cancelled'].map((s) => <option key={s} value={s}>{s === 'succeeded' ? 'done' : s}</option>)}
        </select>
        <select aria-label="Kind" value={filter.kind ?? ''} onChange={(e) => amend({ kind: e.currentTarget.value })}>
          <option value="">Any kind</option>
          {[['run', 'runs'], ['sweep', 'sweeps'], ['validate', 'validations'], ['fetch', 'downloads']].map(([k, name]) => <option key={k} value={k}>{name}</option>)}
        </select>
        <select aria-label="Order" value={filter.sort ?? '-created'} onChange={(e) => amend({ sort: e.currentTarget.value === '-created' ? undefined : e.currentTarget.value })}>
          {sorts.map(([k, name]) => <option key={k} value={k}>{name}</option>)}
        </select>
        <Button small aria-pressed={filter.starred !== undefined} class={filter.starred ? 'on' : ''} onClick={() => amend({ starred: filter.starred ? undefined : 'true' })}>★ Starred</Button>
      </div>
      {error !== undefined && <Trouble act="List runs" error={error} retry={() => void ask(cursor, items)} />}
      {state === 'busy' && items.length === 0 && <Loading what="Listing runs" />}
      {state === 'end' && items.length === 0 && (
        filtered ? (
          <Empty title="No run is like that" action={<Button onClick={() => amend(Object.fromEntries(keys.map((k) => [k, undefined])))}>Show all runs</Button>}><p>Take a word or a filter away.</p></Empty>
        ) : (
          <Empty title="No runs yet" action={<LinkButton kind="main" href={link(['strategies'])}>Choose an idea</LinkButton>}><p>Every run is kept here with its settings, its data's fingerprint and its result, so that what you tried stays countable: the more you try, the less the best of it means.</p></Empty>
        )
      )}
      {items.length > 0 && (
        <Virtual
          label="Runs" total={items.length} row={52} class="runs card" show={at < 0 ? null : at}
          onEnd={() => state === 'more' && cursor && void ask(cursor, items)}
          head={<div class="rrow vhead" role="row"><span role="columnheader"><span class="unseen">Choose</span></span><span role="columnheader"><span class="unseen">Star</span></span><span role="columnheader" class="l">Run</span><span role="columnheader" class="l wide">Symbols</span><span role="columnheader">Return</span><span role="columnheader" class="wide">Sharpe</span><span role="columnheader" class="wide">Deepest fall</span><span role="columnheader" class="wide">Trades</span><span role="columnheader">When</span></div>}
          render={(i) => <RunRow key={items[i]!.run_id} r={items[i]!} i={i} on={i === at} picked={picked.includes(items[i]!.run_id)} full={picked.length >= mostCompared} onPick={pick} onStar={(r) => void star(r)} />}
        />
      )}
    </>
  );
}

// comparable runs have a curve: sweeps, validations and fetches have none.
function comparable(r: Run): boolean {
  return r.status === 'succeeded' && r.kind === 'run';
}

function RunRow({ r, i, on, picked, full, onPick, onStar }: { r: Run; i: number; on: boolean; picked: boolean; full: boolean; onPick: (id: string) => void; onStar: (r: Run) => void }) {
  const m = r.metrics;
  const g = (k: string) => metric(m, k);
  const done = r.status === 'succeeded';
  const name = plain(r.name || r.strategy || r.kind);
  return (
    <div class={`rrow ${on ? 'chosen' : ''} ${picked ? 'lit' : ''}`} role="row" aria-rowindex={i + 2}>
      <span role="cell"><input type="checkbox" aria-label={`Choose ${name} for comparing`} checked={picked} disabled={!comparable(r) || (full && !picked)} onChange={() => onPick(r.run_id)} /></span>
      <span role="cell"><button type="button" class={`star ${r.starred ? 'on' : ''}`} aria-pressed={r.starred} aria-label={`Star ${name}`} onClick={() => onStar(r)}>{r.starred ? '★' : '☆'}</button></span>
      <span role="cell" class="l name">
        <a href={link(['runs', r.run_id])}>{name}</a>
        <small>{[r.kind === 'run' ? '' : r.kind === 'validate' ? 'validation' : r.kind, r.name ? plain(r.strategy, 40) : '', `${(r.tags ?? []).map((t) => `#${plain(t, 30)}`).join(' ')} ${plain(r.notes, 80)}`.trim()].filter(Boolean).join(' · ')}</small>
      </span>
      <span role="cell" class="l wide">{plain((r.symbols ?? []).slice(0, 3).join(', '), 28)}{(r.symbols ?? []).length > 3 ? ` +${(r.symbols ?? []).length - 3}` : ''}</span>
      {done ? <span role="cell" class={sign(g('total_return'))}>{change(g('total_return'), 1)}</span> : <span role="cell"><StatusTag status={r.status} /></span>}
      <span role="cell" class="wide">{done ? fixed(g('sharpe')) : ''}</span>
      <span role="cell" class="wide">{done ? percent(g('max_drawdown'), 1) : ''}</span>
      <span role="cell" class="wide">{done ? count(g('trades')) : ''}</span>
      <span role="cell" class="dim"><time title={whenFull(r.created_at)}>{ago(r.created_at, Date.now())}</time></span>
    </div>
  );
}

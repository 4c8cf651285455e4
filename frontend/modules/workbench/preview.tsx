// What a strategy sees, before any money moves: candles with its indicators and signals, what was only
// warm-up, what data there is, and every setting with its default filled in.
import { useEffect, useMemo, useState } from 'preact/hooks';
import type { Preview, SymbolPreview } from '../api/types';
import type { Mark, Series } from '../charts/prices';
import { count, percent, plural } from '../format/number';
import { plain } from '../format/text';
import { lazy } from '../shell/lazy';
import { Problem } from '../api/problem';
import { link } from '../shell/route';
import type { Fetched } from '../ui/fetched';
import { Alerts } from '../ui/alerts';
import { Settings } from '../ui/settings';
import { Choice, Empty, Loading, Trouble } from '../ui/kit';
import type { PricesProps } from '../charts/prices';

const Prices = lazy<PricesProps>('the chart', () => import('../charts/prices'));

type Tab = 'chart' | 'data' | 'settings';

/** Marks where a condition begins to hold: those are the bars whose close decides. */
export function marksOf(s: Pick<SymbolPreview, 'dates' | 'entries' | 'exits' | 'shorts' | 'covers'>): Mark[] {
  const out: Mark[] = [];
  const begin = (list: boolean[] | undefined, kind: Mark['kind']) => {
    list?.forEach((x, i) => {
      if (x && !list[i - 1]) out.push({ time: s.dates[i]!, kind });
    });
  };
  begin(s.entries, 'enter');
  begin(s.exits, 'leave');
  begin(s.shorts, 'short');
  begin(s.covers, 'cover');
  return out.sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0));
}

export function PreviewPane({ state, ready, faulty }: { state: Fetched<Preview>; ready: boolean; faulty: boolean }) {
  const [tab, setTab] = useState<Tab>('chart');
  const [symbol, setSymbol] = useState('');
  const p = state.data;
  const chosen = p?.symbols.find((s) => s.symbol === symbol) ?? p?.symbols[0];
  useEffect(() => {
    if (chosen && chosen.symbol !== symbol) setSymbol(chosen.symbol);
  }, [p]);
  if (!ready) {
    return (
      <Empty title="Which symbols?">
        <p>Write symbols into the field above, or a <code>universe</code> into the file, and this side shows their bars, your indicators and every signal while you write.</p>
      </Empty>
    );
  }
  const invalid = faulty || (state.error instanceof Problem && state.error.status === 422);
  if (!p && faulty) return <Empty title="There are faults"><p>They are listed under the text, with their places. The preview comes back with the last one gone.</p></Empty>;
  if (!p) return state.error ? <Refused error={state.error} retry={state.reload} /> : <Loading what="Computing indicators and signals" />;
  return (
    <div class={`preview ${state.busy ? 'stale' : ''}`}>
      <div class="head">
        <Choice<Tab> small label="Preview" value={tab} onChange={setTab} options={[['chart', 'Chart'], ['data', 'Data'], ['settings', 'Settings']]} />
        {p.symbols.length > 1 && (
          <select aria-label="Symbol" value={chosen?.symbol} onChange={(e) => setSymbol(e.currentTarget.value)}>
            {p.symbols.map((s) => <option key={s.symbol} value={s.symbol}>{s.symbol}</option>)}
          </select>
        )}
        <span class="sub" role="status">{state.busy ? 'Updating…' : invalid ? 'Showing the last version without faults' : ''}</span>
      </div>
      {state.error !== undefined && !invalid && <Refused error={state.error} retry={state.reload} />}
      {tab === 'chart' && chosen && <Chart s={chosen} />}
      {tab === 'chart' && <Numbers p={p} s={chosen} />}
      {tab === 'data' && <Coverage p={p} />}
      {tab === 'settings' && <Settings config={p.config} />}
      {tab !== 'settings' && <Alerts list={p.warnings} />}
    </div>
  );
}

/** What the server says would bring the data that is missing, as the query of the data page. */
export function cureOf(error: unknown): Record<string, string | undefined> {
  const cure = error instanceof Problem ? (error.body['cure'] as Record<string, string> | undefined) : undefined;
  return cure ? { dataset: cure['dataset'], from: cure['from'], to: cure['to'] } : {};
}

function Refused({ error, retry }: { error: unknown; retry: () => void }) {
  const missing = error instanceof Problem && (error.status === 424 || error.code === 'no_data');
  return (
    <>
      <Trouble act="Preview" error={error} retry={error instanceof Problem && error.status === 422 ? undefined : retry} />
      {missing && <p><a class="button" href={link(['data'], cureOf(error))}>Fetch data</a></p>}
    </>
  );
}

function Chart({ s }: { s: SymbolPreview }) {
  const series = useMemo<Series[]>(() => s.columns.filter((c) => c.kind === 'number').map((c) => ({ name: c.name, values: c.values, pane: c.pane === 'price' ? 'price' : 'own' })), [s]);
  const marks = useMemo(() => marksOf(s), [s]);
  const candles = { open: s.bars.open, high: s.bars.high, low: s.bars.low, close: s.bars.close, volume: s.bars.volume };
  return <Prices label={`Candles of ${s.symbol} with indicators and signals`} time={s.dates} {...candles} series={series} marks={marks} warm={s.warm} />;
}

function Numbers({ p, s }: { p: Preview; s: SymbolPreview | undefined }) {
  const begins = s ? marksOf(s) : [];
  const enter = begins.filter((m) => m.kind === 'enter' || m.kind === 'short').length;
  return (
    <div class="tiles small">
      <div><span>First decision</span><b>{p.data.first_decision || '–'}</b></div>
      <div><span>Warm-up</span><b>{plural(p.data.warmup_bars, 'bar')}</b></div>
      <div><span>Entry signals begin</span><b>{plural(enter, 'time')}</b></div>
      <div><span>Bars deciding</span><b>{count(p.counts.bars - p.counts.warming)}</b></div>
    </div>
  );
}

function Coverage({ p }: { p: Preview }) {
  return (
    <>
      <p class="sub">{p.data.from} to {p.data.to}; every price an expression sees at a close was known at that close. Data {p.data.sha256.slice(0, 12)}.</p>
      <div class="scroll">
        <table>
          <thead><tr><th scope="col" class="l">Symbol</th><th scope="col">First bar</th><th scope="col">Last bar</th><th scope="col">Bars</th><th scope="col">Before the start</th><th scope="col">Missing</th><th scope="col" class="l">Ended</th></tr></thead>
          <tbody>
            {p.data.coverage.map((c) => (
              <tr key={c.symbol}><th scope="row" class="l"><a href={link(['data', c.symbol])}>{plain(c.symbol, 20)}</a></th><td>{c.first}</td><td>{c.last}</td><td>{count(c.bars)}</td><td>{count(c.warm ?? 0)}</td><td>{c.missing ? <>{count(c.missing)} ({percent(c.missing / (c.bars + c.missing), 1)})</> : '0'}</td><td class="l">{plain(c.ended) || '–'}</td></tr>
            ))}
          </tbody>
        </table>
      </div>
      <h3>How often conditions held</h3>
      <table>
        <tbody>{Object.entries(p.counts.signals ?? {}).map(([k, n]) => <tr key={k}><th scope="row" class="l"><code>{k}</code></th><td>{plural(n, 'bar')}</td></tr>)}</tbody>
      </table>
    </>
  );
}

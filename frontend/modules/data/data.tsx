// What data this server has, and fetching more of it.
import { useMemo, useState } from 'preact/hooks';
import { coverage, fetchData, tickers } from '../api/data';
import type { Ranges as RangesOf, Ticker } from '../api/types';
import { count, plural } from '../format/number';
import { plain } from '../format/text';
import { go, link, route } from '../shell/route';
import { server } from '../shell/session';
import { useFetched } from '../ui/fetched';
import { Button, Card, Empty, Facts, Field, Loading, Trouble } from '../ui/kit';
import { Virtual } from '../ui/virtual';
import { Jobs } from './jobs';
import { Span } from './span';

export default function Data() {
  const list = useFetched(tickers, []);
  const [query, setQuery] = useState('');
  const rows = useMemo(() => {
    const q = query.toLowerCase();
    return (list.data ?? []).filter((t) => `${t.ticker} ${t.name ?? ''}`.toLowerCase().includes(q));
  }, [list.data, query]);
  const all = list.data ?? [];
  const first = all.map((t) => t.first).sort()[0] ?? '';
  const last = all.map((t) => t.last).sort().at(-1) ?? '';
  const bars = all.reduce((n, t) => n + t.bars, 0);
  return (
    <>
      <div class="page-head"><div><h1>Data</h1><p class="sub">{all.length > 0 ? `${plural(all.length, 'symbol')}, ${count(bars)} daily bars from ${first} to ${last}` : 'Prices that runs can use'}</p></div></div>
      {server.value?.synthetic && <div class="banner">This is the demo market: every price is made up. Give the server keys of the vendor, or import files with <code>backtester data import</code>, to use real ones.</div>}
      {list.error !== undefined && <Trouble act="List symbols" error={list.error} retry={list.reload} />}
      {!list.data && list.busy && <Loading what="Listing symbols" />}
      <div class="columns wide-left">
        <Card title="Symbols" actions={<input type="search" aria-label="Search symbols" placeholder="Ticker or name" value={query} onInput={(e) => setQuery(e.currentTarget.value)} />}>
          {list.data && rows.length === 0 && <Empty title={query ? 'No symbol has these letters' : 'There is no data yet'}><p>{query ? 'Look for a ticker, such as AAPL, or a part of a name.' : 'Fetch some on the right.'}</p></Empty>}
          {rows.length > 0 && (
            <Virtual
              label="Symbols" total={rows.length} row={40} class="symbols-list"
              head={<div class="srow vhead" role="row"><span role="columnheader" class="l">Symbol</span><span role="columnheader" class="l wide">Name</span><span role="columnheader" class="l">Coverage</span><span role="columnheader" class="wide">First</span><span role="columnheader">Last</span><span role="columnheader" class="wide">Bars</span><span role="columnheader" class="wide">Holes</span></div>}
              render={(i) => <Row key={rows[i]!.ticker} t={rows[i]!} i={i} first={first} last={last} />}
            />
          )}
        </Card>
        <div>
          <Fetch />
          <Jobs />
        </div>
      </div>
    </>
  );
}

function Row({ t, i, first, last }: { t: Ticker; i: number; first: string; last: string }) {
  return (
    <div class="srow" role="row" aria-rowindex={i + 2}>
      <span role="cell" class="l"><a href={link(['data', t.ticker])}><b>{plain(t.ticker, 20)}</b></a></span>
      <span role="cell" class="l wide">{plain(t.name, 60)}{t.delisted ? ` (delisted ${t.delisted})` : ''}</span>
      <span role="cell" class="l"><Span from={t.first} to={t.last} first={first} last={last} /></span>
      <span role="cell" class="wide">{t.first}</span>
      <span role="cell">{t.last}</span>
      <span role="cell" class="wide">{count(t.bars)}</span>
      <span role="cell" class={`wide ${t.holes > 0 ? 'loss' : 'dim'}`}>{count(t.holes)}</span>
    </div>
  );
}

function Fetch() {
  const wanted = route.value.query;
  const ranges = useFetched(coverage, []);
  const [dataset, setDataset] = useState(wanted.get('dataset') ?? 'day');
  const [from, setFrom] = useState(wanted.get('from') ?? '');
  const [to, setTo] = useState(wanted.get('to') ?? '');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const submit = async (e: Event) => {
    e.preventDefault();
    setBusy(true);
    setError(undefined);
    try {
      const r = await fetchData({ dataset, ...(from ? { from } : {}), ...(to ? { to } : {}) });
      go(link(['runs', r.run_id]));
    } catch (x) {
      setError(x);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Card title="Fetch data" intro="Only what is missing or has changed is fetched; one file of a day holds every symbol.">
      {ranges.data && !ranges.data.can_fetch && <p class="prose">This server has no keys of the vendor. Whoever runs it writes them into its settings: <code>POLYGON_API_KEY</code>, <code>AWS_ACCESS_KEY_ID</code>, <code>AWS_SECRET_ACCESS_KEY</code>. Own files come in with <code>backtester data import</code>.</p>}
      <Ranges list={ranges.data?.frames ?? []} />
      <form onSubmit={(e) => void submit(e)}>
        <Field label="What">
          {(id) => (
            <select id={id} value={dataset} onChange={(e) => setDataset(e.currentTarget.value)}>
              <option value="day">Daily bars</option>
              <option value="minute">Minute bars</option>
              <option value="actions">Splits and dividends</option>
              <option value="tickers">Names and listings</option>
              <option value="all">Everything</option>
            </select>
          )}
        </Field>
        <div class="pair">
          <Field label="From">{(id) => <input id={id} type="date" value={from} onInput={(e) => setFrom(e.currentTarget.value)} />}</Field>
          <Field label="To">{(id) => <input id={id} type="date" value={to} onInput={(e) => setTo(e.currentTarget.value)} />}</Field>
        </div>
        {error !== undefined && <Trouble act="Fetch" error={error} />}
        <div class="actions end"><Button kind="main" type="submit" busy={busy} disabled={ranges.data?.can_fetch === false}>Fetch</Button></div>
      </form>
    </Card>
  );
}

function Ranges({ list }: { list: RangesOf['frames'] }) {
  return <Facts rows={list.map((f) => [f.timeframe === '1d' ? 'Daily bars' : 'Minute bars', <>{plural(f.symbols, 'symbol')}, <span class="together">{f.first} to {f.last}</span></>] as const)} />;
}

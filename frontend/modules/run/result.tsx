// What came out of a run.
import { useMemo, useState } from 'preact/hooks';
import { csv, detail, json, tearsheet } from '../api/runs';
import type { Ambiguity, Detail, Equity, Metrics, Run } from '../api/types';
import { band, exposure, histogram, months } from '../charts/draw';
import type { LinesProps } from '../charts/lines';
import { Histogram, MonthTable } from '../charts/shapes';
import { change, count, fixed, percent, plural, shortUsd, sign, usd } from '../format/number';
import { plain } from '../format/text';
import { duration } from '../format/time';
import { lazy } from '../shell/lazy';
import { amend, route } from '../shell/route';
import { Alerts } from '../ui/alerts';
import { useFetched } from '../ui/fetched';
import { Card, Choice, Empty, Facts, LinkButton, Loading, Trouble } from '../ui/kit';
import { Settings } from '../ui/settings';
import { MetricTable } from './metrics';
import { Trading } from './trading';
import { type Trades, useTrades } from './trades';
import { metric, verdict } from './verdict';

const Lines = lazy<LinesProps>('the chart', () => import('../charts/lines'));

const tabs = [['overview', 'Overview'], ['trades', 'Trades'], ['metrics', 'Metrics'], ['settings', 'Settings'], ['tearsheet', 'Tearsheet']] as const;
type Tab = (typeof tabs)[number][0];

export function ResultView({ run }: { run: Run }) {
  const got = useFetched((s) => detail(run.run_id, 'metrics,config,data,counts,ambiguity,equity', s), [run.run_id]);
  const trade = Number(route.value.query.get('trade')) || 0; // counted from 1
  const trades = useTrades(run.run_id, trade);
  const asked = route.value.query.get('tab');
  const tab: Tab = tabs.find(([k]) => k === asked)?.[0] ?? 'overview';
  const r = got.data;
  if (!r) return got.error ? <Trouble act="Open the result" error={got.error} retry={got.reload} /> : <Loading what="Reading the result" />;
  const warnings = r.warnings ?? [];
  const v = verdict(r.all_metrics ?? {}, warnings);
  return (
    <>
      <section class={`verdict ${v.kind}`} aria-label="Verdict">
        <p>{v.text}</p>
        <Alerts list={warnings} />
      </section>
      <Tiles r={r} />
      <div class="tab-bar">
        <Choice<Tab> label="Part of the result" value={tab} onChange={(t) => amend({ tab: t === 'overview' ? undefined : t })} options={tabs} />
        <div class="actions">
          <LinkButton small href={json(run.run_id)} download>JSON</LinkButton>
          <LinkButton small href={csv(run.run_id)} download>CSV</LinkButton>
          <LinkButton small href={tearsheet(run.run_id, true)} download>HTML</LinkButton>
        </div>
      </div>
      {tab === 'overview' && r.equity && <Overview e={r.equity} trades={trades} />}
      {tab === 'overview' && r.ambiguity && <Either a={r.ambiguity} metrics={r.all_metrics ?? {}} />}
      {tab === 'trades' && <Trading run={run} r={r} trades={trades} first={trade > 0 ? trade - 1 : null} />}
      {tab === 'metrics' && <MetricTable metrics={r.all_metrics ?? {}} />}
      {tab === 'settings' && <Provenance run={run} r={r} />}
      {tab === 'tearsheet' && <iframe class="tearsheet" title="Tearsheet" sandbox="allow-scripts" src={tearsheet(run.run_id)} />}
    </>
  );
}

function Tiles({ r }: { r: Detail }) {
  const m = r.all_metrics;
  const g = (k: string) => metric(m, k);
  return (
    <div class="tiles">
      <div><span>Total return</span><b class={sign(g('total_return'))}>{change(g('total_return'), 1)}</b><small>{usd(g('final_equity'), 0)} at the end</small></div>
      <div><span>Growth a year</span><b class={sign(g('cagr'))}>{change(g('cagr'), 1)}</b><small>{g('cagr') === null ? 'less than a year' : 'compound'}</small></div>
      <div><span>Sharpe ratio</span><b>{fixed(g('sharpe'))}</b><small>{g('sharpe_low') === null ? '' : `${fixed(g('sharpe_low'))} to ${fixed(g('sharpe_high'))} at 95%`}</small></div>
      <div><span>Deepest fall</span><b class={sign(g('max_drawdown'))}>{percent(g('max_drawdown'), 1)}</b><small>{g('max_drawdown_days') === null ? '' : `${count(g('max_drawdown_days'))} days under water`}</small></div>
      <div><span>Closed trades</span><b>{count(g('trades'))}</b><small>{g('win_rate') === null ? '' : `${percent(g('win_rate'), 0)} won`}</small></div>
      <div><span>Profit factor</span><b>{fixed(g('profit_factor'))}</b><small>{percent(g('exposure'), 0)} of the time invested</small></div>
    </div>
  );
}

function Overview({ e, trades }: { e: Equity; trades: Trades }) {
  const [scale, setScale] = useState<'lin' | 'log'>('lin');
  const lines = useMemo(() => [{ name: 'Strategy', values: e.equity, colour: 'run' }, ...(e.benchmark ? [{ name: 'Benchmark', values: e.benchmark, colour: 'bench', thin: true }] : [])], [e]);
  const either = useMemo(() => band('Stop or target first', e.stop_first, e.target_first), [e]);
  const under = useMemo(() => [{ name: 'Under water', values: e.drawdown, colour: 'loss', fill: true }], [e]);
  const held = useMemo(() => exposure(e.long, e.short), [e]);
  const whole = e.points_total <= e.t.length;
  const list = useMemo(() => (whole ? months(e.t, e.equity) : []), [e]);
  const closed = trades.items.filter((t) => !t.open);
  if (e.t.length < 2) return <Empty title="No equity curve"><p>The run had no session to trade in. Widen the dates or look at the coverage in the settings.</p></Empty>;
  return (
    <>
      <Card title="Equity" actions={<Choice small label="Scale" value={scale} onChange={setScale} options={[['lin', 'Linear'], ['log', 'Log']]} />}>
        <Lines label="Equity over time" t={e.t} lines={lines} format={(x) => usd(x, 0)} axis={shortUsd} height={300} log={scale === 'log'} group="run" band={either} />
        {either && <p class="sub">Shaded: between the run with the stop first and the run with the target first in every bar that leaves it open, at the end of each session. No bounds.</p>}
        <h3 class="chart-title">Drawdown</h3>
        <Lines label="Drawdown over time" t={e.t} lines={under} format={(x) => percent(x, 1)} axis={(x) => percent(x, 0)} height={150} zero group="run" />
        {held.length > 0 && (
          <>
            <h3 class="chart-title">Exposure</h3>
            <Lines label="Exposure over time" t={e.t} lines={held} format={(x) => percent(x, 1)} axis={(x) => percent(x, 0)} height={130} zero group="run" />
            <p class="sub">Positions at their value at entry, as a share of equity at the close of each session. Trades within one session do not show.</p>
          </>
        )}
        <p class="sub how">Drag to zoom, double click to see everything.{whole ? '' : ` ${count(e.t.length)} of ${count(e.points_total)} points are drawn, the highest and lowest among them.`}</p>
      </Card>
      {whole && (
        <Card title="Return by month" intro="Percent. Blue is gain and orange is loss, in four steps of two percent.">
          <MonthTable list={list} />
        </Card>
      )}
      <div class="columns">
        <Card title="Trades by return" intro={trades.note}>
          {closed.length === 0 ? <p class="sub">{trades.busy ? 'Reading…' : 'No closed trades.'}</p> : <Histogram bins={histogram(closed.map((t) => t.return))} label="Number of closed trades by return" format={(x) => percent(x, 1)} unit={['trade', 'trades']} />}
        </Card>
        <Card title="Trades by bars held" intro={trades.note}>
          {closed.length === 0 ? <p class="sub">{trades.busy ? 'Reading…' : 'No closed trades.'}</p> : <Histogram bins={histogram(closed.map((t) => t.bars))} label="Number of closed trades by bars held" format={(x) => count(x)} unit={['trade', 'trades']} />}
        </Card>
      </div>
    </>
  );
}

// Either says how much hangs on what the bars do not tell: whether the stop or the target came first.
function Either({ a, metrics }: { a: Ambiguity; metrics: Metrics }) {
  const columns: [string, Metrics][] = [['Stop first', a.stop_first.metrics], ['This run', metrics], ['Target first', a.target_first.metrics]];
  const rows: [string, string, (x: number | null) => string][] = [
    ['At the end', 'final_equity', (x) => usd(x, 0)], ['Total return', 'total_return', (x) => change(x, 1)], ['Sharpe ratio', 'sharpe', (x) => fixed(x)], ['Deepest fall', 'max_drawdown', (x) => percent(x, 1)], ['Trades', 'trades', (x) => count(x)],
  ];
  return (
    <Card title="Stop or target first" intro={`In ${plural(a.bars, 'bar')} both could have filled, and a rule decided which came first. The run was played twice more with either answer: no bounds, since another fill changes what is traded later.`}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable with the keyboard */}
      <div class="scroll" tabIndex={0} role="region" aria-label="The run with either answer">
        <table class="either">
          <thead><tr><th scope="col" class="l">Figure</th>{columns.map(([name]) => <th key={name} scope="col">{name}</th>)}</tr></thead>
          <tbody>{rows.map(([name, key, show]) => <tr key={key}><th scope="row" class="l">{name}</th>{columns.map(([c, m]) => <td key={c}>{show(metric(m, key))}</td>)}</tr>)}</tbody>
        </table>
      </div>
    </Card>
  );
}

function Provenance({ run, r }: { run: Run; r: Detail }) {
  const d = r.data;
  const seconds = run.started_at && run.finished_at ? (Date.parse(run.finished_at) - Date.parse(run.started_at)) / 1000 : null;
  return (
    <>
      <Card title="Where it comes from" intro="The result is a function of the settings, the data and the engine only: the same three give the same bytes.">
        <Facts
          rows={[
            ['Fingerprint', <code key="f">{r.fingerprint}</code>],
            ['Data', <code key="d">{r.data_sha256}</code>],
            ['Engine', r.engine_version],
            ['Path', r.path ?? ''],
            ['Sessions', d ? <><span class="together">{d.from} to {d.to}</span>, <span class="together">first decision {d.first_decision}</span></> : '–'],
            ['Bars read', d ? `${count(d.bars)}, of them ${plural(d.warmup_bars, 'bar')} of warm-up a symbol` : '–'],
            ['Run', <code key="r">{run.run_id}</code>],
            ['Time taken', duration(seconds)],
          ]}
        />
      </Card>
      <Card title="Settings" intro="Every default is filled in."><Settings config={r.config ?? {}} /></Card>
      <Card title="Data used">
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable with the keyboard */}
        <div class="scroll tall" tabIndex={0} role="region" aria-label="Data used">
          <table>
            <thead><tr><th scope="col" class="l">Symbol</th><th scope="col">First</th><th scope="col">Last</th><th scope="col">Bars</th><th scope="col">Missing</th><th scope="col" class="l">Ended</th></tr></thead>
            <tbody>{(d?.coverage ?? []).map((c) => <tr key={c.symbol}><th scope="row" class="l">{plain(c.symbol, 20)}</th><td>{c.first}</td><td>{c.last}</td><td>{count(c.bars)}</td><td>{count(c.missing ?? 0)}</td><td class="l">{plain(c.ended) || '–'}</td></tr>)}</tbody>
          </table>
        </div>
      </Card>
    </>
  );
}

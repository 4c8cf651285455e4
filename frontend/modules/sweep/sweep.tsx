// A sweep: while it goes on and afterwards, what was tried as a map over two parameters and as a list. A
// click on a cell shows its combination, from where it is run alone.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { csv, detail, newKey, sweepRows, start } from '../api/runs';
import type { MetricRow, Num, Run, SweepTable } from '../api/types';
import { count, fixed, plural, trim } from '../format/number';
import { plain, words } from '../format/text';
import { metricTable, written } from '../run/metrics';
import { amend, go, link, route } from '../shell/route';
import { complain } from '../shell/toast';
import { useFetched } from '../ui/fetched';
import { Button, Card, Choice, Empty, Facts, LinkButton, Loading, Trouble } from '../ui/kit';
import { Virtual } from '../ui/virtual';
import { type Cell, type Fold, type Row, type Rows, rowsOf, surface } from './grid';
import { Heat } from './heat';

interface Summary { objective: string; params: string[]; combinations: number; rows: number; kept: number; eligible: number }

/** A sweep that goes on: the rows that were told so far. */
export function LiveSweep({ run, rows }: { run: Run; rows: Rows }) {
  const got = useFetched((s) => detail(run.run_id, 'config', s), [run.run_id]);
  const search = (got.data?.config?.['search'] ?? {}) as { objective?: string };
  const table = useFetched(metricTable, []);
  const objective = search.objective ?? 'sharpe';
  return (
    <Card title="Tried so far" intro="The map fills while the sweep goes on. A cell can be run alone already.">
      <Plane rows={rows} objective={objective} column="" metrics={table.data ?? []} config={got.data?.config} />
    </Card>
  );
}

export default function Sweep({ run }: { run: Run }) {
  const got = useFetched((s) => sweepRows(run.run_id, s), [run.run_id]);
  const asked = useFetched((s) => detail(run.run_id, 'config', s), [run.run_id]);
  const table = useFetched(metricTable, []);
  const summary = run.summary as unknown as Summary;
  const column = route.value.query.get('by') ?? '';
  const rows = useMemo(() => (got.data ? rowsOf(got.data, summary.params, column) : null), [got.data, column]);
  if (!rows || !got.data) return got.error ? <Trouble act="Read the rows" error={got.error} retry={got.reload} /> : <Loading what="Reading the rows" />;
  const columns = got.data.columns.filter((c) => !summary.params.includes(c) && c !== summary.objective);
  const best = run.metrics;
  return (
    <>
      <section class={`verdict ${summary.eligible === 0 ? 'grave' : 'caution'}`} aria-label="Verdict">
        <p>{summary.eligible === 0 ? 'No combination is eligible: none of them may be called the best.' : `The best of ${plural(summary.combinations, 'combination')} looks better than it is: it was chosen for that.`}</p>
        <p class="sub">A good one stands among others that are nearly as good. Whether choosing works at all is what a validation asks.</p>
      </section>
      <div class="tiles small">
        <div><span>Combinations</span><b>{count(summary.combinations)}</b></div>
        <div><span>Rows kept</span><b>{count(summary.kept)} of {count(summary.rows)}</b></div>
        <div><span>Eligible</span><b>{count(summary.eligible)}</b></div>
        <div><span>Best {inSentence(nameOf(table.data ?? [], summary.objective))}</span><b>{written(best[summary.objective] ?? null, table.data?.find((m) => m.key === summary.objective)?.unit ?? 'ratio')}</b></div>
      </div>
      {rows.rows.size === 0 ? <Empty title="No row is left"><p>What the file requires is met by none of the combinations. Loosen <code>require</code> and sweep again.</p></Empty> : (
        <>
          <Card
            title="Map"
            actions={<>
              <label class="inline">Coloured by <select value={column} onChange={(e) => amend({ by: e.currentTarget.value || undefined })}>
                <option value="">{nameOf(table.data ?? [], summary.objective)} (objective)</option>
                {columns.map((c) => <option key={c} value={c}>{nameOf(table.data ?? [], c)}</option>)}
              </select></label>
              <LinkButton small href={link(['edit'], { run: run.run_id, start: 'validate' })}>Validate</LinkButton>
              <LinkButton small href={csv(run.run_id)} download>CSV</LinkButton>
            </>}
          >
            <Plane rows={rows} objective={summary.objective} column={column} metrics={table.data ?? []} config={asked.data?.config} table={got.data} />
            {got.data.total > got.data.symbols.length && <p class="sub">{count(got.data.symbols.length)} of {count(got.data.total)} rows are drawn; the CSV has all of them.</p>}
          </Card>
          <List table={got.data} params={summary.params} objective={summary.objective} metrics={table.data ?? []} config={asked.data?.config} />
        </>
      )}
    </>
  );
}

/** The name of a metric; of an expression of several what was written. */
const nameOf = (metrics: MetricRow[], key: string): string => metrics.find((m) => m.key === key)?.name ?? (/^[a-z_0-9]+$/.test(key) ? words(key) : key);

const inSentence = (name: string): string => (/^[A-Z][a-z]/.test(name) ? name.charAt(0).toLowerCase() + name.slice(1) : name);

const unitOf = (metrics: MetricRow[], key: string): string => metrics.find((m) => m.key === key)?.unit ?? 'ratio';

interface PlaneProps { rows: Rows; objective: string; column: string; metrics: MetricRow[]; config: Record<string, unknown> | undefined; table?: SweepTable }

function Plane({ rows, objective, column, metrics, config, table }: PlaneProps) {
  const key = column || objective;
  const lower = metrics.find((m) => m.key === key)?.sense === 'lower';
  const varying = useMemo(() => rows.params.map((_, i) => i).filter((i) => new Set([...rows.rows.values()].map((r) => r.at[i])).size > 1), [rows]);
  const [axes, setAxes] = useState<[number, number] | null>(null);
  const [fold, setFold] = useState<Fold>('best');
  const [cell, setCell] = useState<Cell | null>(null);
  const [x, y] = axes ?? [varying[0] ?? 0, varying[1] ?? -1];
  const s = useMemo(() => surface(rows, x, y, lower, fold), [rows, x, y, lower, fold]);
  const show = useMemo(() => (v: number) => short(v, unitOf(metrics, key)), [metrics, key]);
  useEffect(() => setCell(null), [x, y, fold, column]);
  const deep = varying.length > 2 || [...rows.rows.values()].some((r, _, all) => r.symbol !== all[0]!.symbol);
  const options = varying.map((i) => <option key={i} value={i}>{rows.params[i]}</option>);
  return (
    <>
      {deep && (
        <div class="filters">
          <label class="inline">Right <select value={x} onChange={(e) => setAxes([Number(e.currentTarget.value), y === Number(e.currentTarget.value) ? x : y])}>{options}</select></label>
          {y >= 0 && <label class="inline">Up <select value={y} onChange={(e) => setAxes([x === Number(e.currentTarget.value) ? y : x, Number(e.currentTarget.value)])}>{options}</select></label>}
          <Choice<Fold> small label="Of the combinations in a cell" value={fold} onChange={setFold} options={[['best', 'Best of the rest'], ['median', 'Median of the rest']]} />
        </div>
      )}
      <Heat label={`${nameOf(metrics, key)} over ${rows.params[x]}${y >= 0 ? ` and ${rows.params[y]}` : ''}`} surface={s} x={rows.params[x] ?? ''} y={y >= 0 ? rows.params[y]! : ''} objective={nameOf(metrics, key)} show={show} chosen={cell} onChoose={setCell} />
      {cell && <Chosen row={cell.best} params={rows.params} objective={key} show={show} metrics={metrics} config={config} {...(table ? { table } : {})} />}
    </>
  );
}

/** A value in few characters, for cells. */
export function short(v: number, unit: string): string {
  return unit === 'fraction' || unit === 'probability' ? `${fixed(100 * v, Math.abs(v) < 0.0995 ? 1 : 0)}%` : unit === 'ratio' ? fixed(v) : trim(v);
}

interface ChosenProps { row: Row; params: string[]; objective: string; show: (v: number) => string; metrics: MetricRow[]; config: Record<string, unknown> | undefined; table?: SweepTable }

// Chosen is one combination, to be run alone: the same work again is taken from the history.
function Chosen({ row, params, objective, show, metrics, config, table }: ChosenProps) {
  const [busy, play] = usePlay(config);
  const i = table ? table.symbols.findIndex((s, k) => s === row.symbol && params.every((p, n) => table.values[p]?.[k] === row.at[n])) : -1;
  const more = table && i >= 0 ? table.columns.filter((c) => !params.includes(c)) : [];
  return (
    <div class="chosen-cell" role="region" aria-label="Chosen combination">
      <Facts rows={[...(row.symbol ? [['Symbol', plain(row.symbol, 20)] as const] : []), ...params.map((p, n) => [p, trim(row.at[n]!)] as const), [nameOf(metrics, objective), row.value === null ? 'undefined' : show(row.value)]]} />
      {more.length > 0 && <Facts rows={more.filter((c) => c !== objective).slice(0, 8).map((c) => [nameOf(metrics, c), written(table!.values[c]?.[i] ?? null, unitOf(metrics, c))] as const)} />}
      <Button kind="main" busy={busy} disabled={!config} onClick={() => void play(row, params)}>Run this one</Button>
    </div>
  );
}

function usePlay(config: Record<string, unknown> | undefined): [boolean, (row: Row, params: string[]) => Promise<void>] {
  const [busy, setBusy] = useState(false);
  const key = useRef(newKey());
  const play = async (row: Row, params: string[]) => {
    if (!config) return;
    setBusy(true);
    try {
      const set = Object.fromEntries(params.map((p, i) => [`params.${p}`, row.at[i]]));
      const r = await start({ strategy: config, set, ...(row.symbol ? { symbols: [row.symbol] } : {}), kind: 'run' }, key.current, true);
      key.current = newKey();
      go(link(['runs', r.run_id]));
    } catch (e) {
      complain('Run', e);
    } finally {
      setBusy(false);
    }
  };
  return [busy, play];
}

interface ListProps { table: SweepTable; params: string[]; objective: string; metrics: MetricRow[]; config: Record<string, unknown> | undefined }

function List({ table, params, objective, metrics, config }: ListProps) {
  const lower = metrics.find((m) => m.key === objective)?.sense === 'lower';
  const [sort, setSort] = useState<[string, boolean]>(['', !lower]);
  const [busy, play] = usePlay(config);
  const shown = ['total_return', 'sharpe', 'max_drawdown', 'trades'].filter((k) => k !== objective && table.columns.includes(k));
  const value = (k: string, i: number): Num => (k === '' ? (table.objective[i] ?? null) : (table.values[k]?.[i] ?? null));
  const order = useMemo(() => table.symbols.map((_, i) => i).sort((a, b) => {
    const [x, y] = [value(sort[0], a), value(sort[0], b)];
    if (x === null || y === null) return x === y ? a - b : x === null ? 1 : -1;
    return (sort[1] ? y - x : x - y) || a - b;
  }), [table, sort]);
  const heads: [string, string, string][] = [...params.map((p): [string, string, string] => [p, p, '']), ['', nameOf(metrics, objective), ''], ...shown.map((k): [string, string, string] => [k, nameOf(metrics, k), 'wide'])];
  return (
    <Card title="All of them" intro="Click a heading to sort. Rows in grey are not eligible.">
      <div class="combos-box">
        <Virtual
          label="Combinations" total={order.length} row={38} class="combos"
          head={
            <div class="crow vhead" role="row">
              <span role="columnheader" class="l">Symbol</span>
              {heads.map(([k, text, c]) => (
                <span key={k} role="columnheader" class={c} aria-sort={sort[0] === k ? (sort[1] ? 'descending' : 'ascending') : 'none'}>
                  <button type="button" onClick={() => setSort([k, sort[0] === k ? !sort[1] : true])}>{text}{sort[0] === k ? (sort[1] ? ' ↓' : ' ↑') : ''}</button>
                </span>
              ))}
              <span role="columnheader"><span class="unseen">Run</span></span>
            </div>
          }
          render={(n) => {
            const i = order[n]!;
            const row: Row = { symbol: table.symbols[i]!, at: params.map((p) => table.values[p]?.[i] ?? Number.NaN), value: table.objective[i] ?? null, eligible: table.eligible[i] ?? false };
            return (
              <div key={i} class={`crow ${row.eligible ? '' : 'dim'}`} role="row" aria-rowindex={n + 2}>
                <span role="cell" class="l">{plain(row.symbol, 12) || 'all'}</span>
                {params.map((p, k) => <span key={p} role="cell">{trim(row.at[k]!)}</span>)}
                <span role="cell"><b>{written(row.value, unitOf(metrics, objective))}</b></span>
                {shown.map((k) => <span key={k} role="cell" class="wide">{written(value(k, i), unitOf(metrics, k))}</span>)}
                <span role="cell"><Button small kind="quiet" disabled={busy || !config} aria-label={`Run ${params.map((p, k) => `${p} ${trim(row.at[k]!)}`).join(', ')}`} onClick={() => void play(row, params)}>Run</Button></span>
              </div>
            );
          }}
        />
      </div>
    </Card>
  );
}

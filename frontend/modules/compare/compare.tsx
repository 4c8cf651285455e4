// Up to ten runs side by side: curves from one starting point, metrics, and the settings and trades in which
// they differ.
import { useMemo, useState } from 'preact/hooks';
import { compare, history } from '../api/runs';
import type { Compared } from '../api/types';
import type { LinesProps } from '../charts/lines';
import { fixed } from '../format/number';
import { plain, words } from '../format/text';
import { lazy } from '../shell/lazy';
import { amend, link, route } from '../shell/route';
import { metricTable, written } from '../run/metrics';
import { useFetched } from '../ui/fetched';
import { Button, Card, Choice, Empty, LinkButton, Loading, Trouble } from '../ui/kit';
import { leaves } from '../ui/settings';
import { best, differing, overlay } from './align';
import { TradesOfTwo } from './trades';

const Lines = lazy<LinesProps>('the chart', () => import('../charts/lines'));
const colours = ['s0', 's1', 's2', 's3', 's4', 's5', 's0', 's1', 's2', 's3'];

const main = ['total_return', 'cagr', 'sharpe', 'sortino', 'volatility', 'max_drawdown', 'max_drawdown_days', 'trades', 'win_rate', 'profit_factor', 'exposure', 'final_equity'];

export default function Compare() {
  const ids = (route.value.query.get('ids') ?? '').split(',').filter(Boolean).slice(0, 10);
  const got = useFetched(ids.length > 1 ? (s) => compare(ids, s) : null, [ids.join()], { fresh: true });
  const set = (list: string[]) => amend({ ids: list.join(',') });
  return (
    <>
      <div class="page-head">
        <div><h1>Compare runs</h1><p class="sub">At most ten. The best of many tries looks better than it is: count the tries.</p></div>
        <div class="actions"><LinkButton href={link(['runs'])}>Choose from all runs</LinkButton></div>
      </div>
      {ids.length < 10 && <Add taken={ids} onAdd={(id) => set([...ids, id])} />}
      {got.error !== undefined && <Trouble act="Compare" error={got.error} retry={got.reload} />}
      {ids.length < 2 && <Empty title={ids.length === 1 ? 'One more to compare with' : 'Nothing to compare yet'}><p>Choose runs above, or tick them in the list of runs. Their curves are laid over each other, and the settings in which they differ are shown.</p></Empty>}
      {ids.length > 1 && !got.data && got.busy && <Loading what="Reading results" />}
      {got.data && got.data.length > 0 && <Table list={got.data} onRemove={(id) => set(ids.filter((x) => x !== id))} />}
    </>
  );
}

function Add({ taken, onAdd }: { taken: string[]; onAdd: (id: string) => void }) {
  const list = useFetched((s) => history({ status: 'succeeded', kind: 'run' }, null, 50, s), []);
  const free = (list.data?.items ?? []).filter((r) => !taken.includes(r.run_id));
  return (
    <div class="filters">
      <select aria-label="Add a run" value="" onChange={(e) => e.currentTarget.value && onAdd(e.currentTarget.value)}>
        <option value="">Add a run…</option>
        {free.map((r) => <option key={r.run_id} value={r.run_id}>{plain(r.name || r.strategy)} · {plain((r.symbols ?? []).join(', '), 30)} · {r.created_at.slice(0, 16).replace('T', ' ')}</option>)}
      </select>
    </div>
  );
}

function Table({ list, onRemove }: { list: Compared[]; onRemove: (id: string) => void }) {
  const [scale, setScale] = useState<'lin' | 'log'>('lin');
  const [all, setAll] = useState(false);
  const rows = useFetched(metricTable, []);
  const names = list.map((b, i) => `${i + 1} ${plain(b.name || b.strategy, 40)}`);
  const lines = useMemo(() => overlay(list.map((b) => b.equity)), [list]);
  const drawn = useMemo(() => lines.values.map((values, i) => ({ name: names[i]!, values, colour: colours[i]!, dash: i >= 6 })), [lines]);
  const known = new Map((rows.data ?? []).map((m) => [m.key, m]));
  const keys = all ? Object.keys(list[0]!.all_metrics) : main;
  const settings = useMemo(() => differing(list.map((b) => leaves(b.config))), [list]);
  return (
    <>
      <Card title="Equity from one starting point" actions={<Choice small label="Scale" value={scale} onChange={setScale} options={[['lin', 'Linear'], ['log', 'Log']]} />}>
        <Lines label="Equity of the runs, all beginning at 1" t={lines.t} lines={drawn} format={(x) => fixed(x, 3)} height={320} log={scale === 'log'} />
      </Card>
      <Card title="Metrics" actions={<Button small onClick={() => setAll(!all)}>{all ? 'The main ones' : 'All metrics'}</Button>}>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable with the keyboard */}
        <div class="scroll" tabIndex={0} role="region" aria-label="Metrics of the runs">
          <table class="compare">
            <thead>
              <tr>
                <th scope="col" class="l">Metric</th>
                {list.map((b, i) => (
                  <th key={b.run_id} scope="col">
                    <i class={`swatch ${colours[i]}`} /> <a href={link(['runs', b.run_id])}>{names[i]}</a>
                    <button type="button" class="linklike" aria-label={`Remove ${names[i]}`} onClick={() => onRemove(b.run_id)}>✕</button>
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {keys.map((k) => {
                const values = list.map((b) => b.all_metrics[k] ?? null);
                const row = known.get(k);
                const top = best(values, row?.sense ?? 'none');
                return (
                  <tr key={k}>
                    <th scope="row" class="l" title={row?.doc}>{row?.name ?? words(k)}</th>
                    {values.map((v, i) => <td key={i} class={top === i ? 'best' : ''}>{written(v, row?.unit ?? 'ratio')}</td>)}
                  </tr>
                );
              })}
            </tbody>
          </table>
        </div>
      </Card>
      <Card title="Where the settings differ">
        {settings.length === 0 ? <p class="sub">They do not differ.</p> : (
          // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable with the keyboard
          <div class="scroll" tabIndex={0} role="region" aria-label="Settings that differ">
            <table class="compare">
              <thead><tr><th scope="col" class="l">Setting</th>{names.map((n) => <th key={n} scope="col" class="l">{n}</th>)}</tr></thead>
              <tbody>{settings.map((s) => <tr key={s.key}><th scope="row" class="l"><code>{s.key}</code></th>{s.values.map((v, i) => <td key={i} class="l"><code>{v ?? '–'}</code></td>)}</tr>)}</tbody>
            </table>
          </div>
        )}
      </Card>
      <TradesOfTwo list={list} names={names} />
    </>
  );
}

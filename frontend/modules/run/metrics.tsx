// Every metric of a run with what it says, how it is computed, and why it is absent where it is.
import { useMemo, useState } from 'preact/hooks';
import { request } from '../api/request';
import type { MetricRow, Metrics, Num } from '../api/types';
import { count, fixed, percent, usd } from '../format/number';
import { words } from '../format/text';
import { useFetched } from '../ui/fetched';
import { Card, Trouble } from '../ui/kit';

export function written(v: Metrics[string], unit: string): string {
  if (typeof v === 'string') return v;
  const n: Num = typeof v === 'number' ? v : null;
  switch (unit) {
    case 'fraction':
    case 'probability':
      return percent(n);
    case 'USD':
      return usd(n);
    case 'date':
      return n === null ? '–' : new Date(86_400_000 * n).toISOString().slice(0, 10);
    case 'count':
    case 'days':
    case 'bars':
    case 'sessions':
      return n !== null && !Number.isInteger(n) ? fixed(n, 1) : count(n);
    default:
      return fixed(n, n !== null && Math.abs(n) < 0.01 && n !== 0 ? 5 : 3);
  }
}

export const metricTable = (signal?: AbortSignal): Promise<MetricRow[]> => request<{ items: MetricRow[] }>('/api/metrics', { signal }).then((p) => p.items);

export function MetricTable({ metrics }: { metrics: Metrics }) {
  const table = useFetched(metricTable, []);
  const [query, setQuery] = useState('');
  const rows = useMemo(() => {
    const known = new Map((table.data ?? []).map((m) => [m.key, m]));
    const q = query.toLowerCase();
    return Object.entries(metrics)
      .map(([key, value]) => ({ key, value, row: known.get(key) }))
      .filter((x) => `${x.key} ${x.row?.name ?? ''} ${x.row?.doc ?? ''}`.toLowerCase().includes(q));
  }, [metrics, table.data, query]);
  const groups = [...new Set(rows.map((x) => x.row?.group ?? 'all'))];
  return (
    <Card title="Metrics" actions={<input type="search" aria-label="Search metrics" placeholder="Search" value={query} onInput={(e) => setQuery(e.currentTarget.value)} />}>
      {table.error !== undefined && <Trouble act="Explain metrics" error={table.error} retry={table.reload} />}
      <div class="groups">
        {groups.map((g) => (
          <div key={g}>
            <h3>{words(g)}</h3>
            {rows.filter((x) => (x.row?.group ?? 'all') === g).map((x) => (
              <details key={x.key} class="metric">
                <summary><span>{x.row?.name ?? words(x.key)}</span><b>{written(x.value, x.row?.unit ?? 'ratio')}</b></summary>
                <div>
                  {x.value === null && <p class="why">Undefined here{x.row?.needs ? `: it needs ${x.row.needs}` : ''}.</p>}
                  {x.row && <><p>{x.row.doc}</p><p><code>{x.row.formula}</code></p>{x.row.source !== 'definition' && <p class="sub">{x.row.source}</p>}</>}
                  <p class="sub"><code>{x.key}</code>{x.row && x.row.sense !== 'none' ? ` · ${x.row.sense} is better` : ''}</p>
                </div>
              </details>
            ))}
          </div>
        ))}
      </div>
    </Card>
  );
}

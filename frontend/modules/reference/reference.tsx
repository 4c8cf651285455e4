// The words of the language: every indicator with its formula, and every metric.
import { useMemo, useState } from 'preact/hooks';
import { indicators } from '../api/strategies';
import { usage } from '../builder/usage';
import { metricTable } from '../run/metrics';
import { words } from '../format/text';
import { amend, route } from '../shell/route';
import { useFetched } from '../ui/fetched';
import { Card, Choice, Loading, Trouble } from '../ui/kit';

type Part = 'indicators' | 'metrics';

export default function Reference() {
  const part: Part = route.value.query.get('part') === 'metrics' ? 'metrics' : 'indicators';
  const [query, setQuery] = useState('');
  return (
    <>
      <div class="page-head"><div><h1>Reference</h1><p class="sub">What expressions can say and what results mean, from the tables the engine itself uses.</p></div></div>
      <div class="filters">
        <Choice<Part> label="Part" value={part} onChange={(p) => amend({ part: p === 'metrics' ? p : undefined })} options={[['indicators', 'Indicators'], ['metrics', 'Metrics']]} />
        <input type="search" aria-label="Search the reference" placeholder="Search" value={query} onInput={(e) => setQuery(e.currentTarget.value)} />
      </div>
      {part === 'indicators' ? <Indicators query={query.toLowerCase()} /> : <Metrics query={query.toLowerCase()} />}
    </>
  );
}

function Indicators({ query }: { query: string }) {
  const got = useFetched(indicators, []);
  const list = useMemo(() => (got.data ?? []).filter((x) => `${x.name} ${x.title} ${x.family} ${x.aliases.join(' ')} ${x.doc}`.toLowerCase().includes(query)), [got.data, query]);
  if (got.error !== undefined) return <Trouble act="List indicators" error={got.error} retry={got.reload} />;
  if (!got.data) return <Loading what="Listing indicators" />;
  const families = [...new Set(list.map((x) => x.family))];
  return (
    <>
      {families.map((f) => (
        <Card key={f} title={words(f)}>
          {list.filter((x) => x.family === f).map((x) => (
            <details key={x.name} class="entry">
              <summary><code>{usage(x)}</code> <span>{x.title}</span></summary>
              <div class="prose">
                <p>{x.doc}</p>
                <p><code>{x.formula}</code></p>
                {x.params.length > 0 && <dl class="facts">{x.params.map((p) => <div key={p.name}><dt><code>{p.name}</code></dt><dd>{p.doc}; {p.required ? 'required' : p.words?.length ? `default "${p.words[p.default]}"` : `default ${p.default}`}, {p.words?.length ? p.words.map((w) => `"${w}"`).join(', ') : `${p.min} to ${p.max}`}</dd></div>)}</dl>}
                {x.outputs.length > 1 && <p class="sub">Outputs: {x.outputs.map((o) => <code key={o}>.{o} </code>)}</p>}
                <p class="sub">{x.source}{x.aliases.length > 0 ? ` · also ${x.aliases.join(', ')}` : ''}</p>
              </div>
            </details>
          ))}
        </Card>
      ))}
      {list.length === 0 && <p class="sub">No indicator has these letters.</p>}
    </>
  );
}

function Metrics({ query }: { query: string }) {
  const got = useFetched(metricTable, []);
  const list = useMemo(() => (got.data ?? []).filter((x) => `${x.key} ${x.name} ${x.doc}`.toLowerCase().includes(query)), [got.data, query]);
  if (got.error !== undefined) return <Trouble act="List metrics" error={got.error} retry={got.reload} />;
  if (!got.data) return <Loading what="Listing metrics" />;
  return (
    <>
      {[...new Set(list.map((x) => x.group))].map((g) => (
        <Card key={g} title={words(g)}>
          {list.filter((x) => x.group === g).map((x) => (
            <details key={x.key} class="entry">
              <summary><code>{x.key}</code> <span>{x.name}</span></summary>
              <div class="prose"><p>{x.doc}</p><p><code>{x.formula}</code></p><p class="sub">{x.unit}{x.sense !== 'none' ? ` · ${x.sense} is better` : ''}{x.source !== 'definition' ? ` · ${x.source}` : ''}{x.needs ? ` · needs ${x.needs}` : ''}</p></div>
            </details>
          ))}
        </Card>
      ))}
    </>
  );
}

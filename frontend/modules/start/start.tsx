// The first page: own strategies, the last runs, and ideas to start from.
import { useMemo, useState } from 'preact/hooks';
import { history } from '../api/runs';
import { strategies } from '../api/strategies';
import type { Run, StrategyEntry } from '../api/types';
import { change, fixed, sign } from '../format/number';
import { plain } from '../format/text';
import { ago } from '../format/time';
import { link } from '../shell/route';
import { server } from '../shell/session';
import { useFetched } from '../ui/fetched';
import { Card, Empty, LinkButton, Loading, Trouble } from '../ui/kit';
import { StatusTag } from '../ui/status';

const isBuiltin = (s: StrategyEntry): boolean => s.origin === 'built-in';

export function Start() {
  const list = useFetched(strategies, []);
  const runs = useFetched((s) => history({ sort: '-created', kind: 'run' }, null, 6, s), []);
  const [query, setQuery] = useState('');
  const all = list.data ?? [];
  const own = all.filter((s) => !isBuiltin(s));
  const ideas = useMemo(() => {
    const q = query.toLowerCase();
    return all.filter((s) => isBuiltin(s) && `${s.name} ${s.title} ${s.source ?? ''}`.toLowerCase().includes(q));
  }, [list.data, query]);
  return (
    <>
      <div class="page-head">
        <div>
          <h1>Strategies</h1>
          <p class="sub">Write an idea down, see its signals, run it, and doubt the result before you believe it.</p>
        </div>
        <LinkButton kind="main" href={link(['edit'])}>New strategy</LinkButton>
      </div>
      {server.value?.synthetic && (
        <div class="banner">
          This server has the demo market only: prices are made up, so that everything can be tried. <a href={link(['data'])}>What data there is</a>
        </div>
      )}
      <div class="columns">
        <Card title="Your strategies">
          {list.error !== undefined && <Trouble act="List strategies" error={list.error} retry={list.reload} />}
          {!list.data && list.busy && <Loading what="Listing" />}
          {list.data && own.length === 0 && (
            <Empty title="Nothing saved yet">
              <p>Open one of the ideas below or start a new file. Every save is a version, and a run keeps the file it ran.</p>
            </Empty>
          )}
          {own.length > 0 && (
            <ul class="rows">
              {own.map((s) => (
                <li key={s.name}>
                  <a href={link(['edit', s.name])}><b>{plain(s.name)}</b> <span>{plain(s.title)}</span></a>
                  <small>{[s.version ? `version ${s.version}` : '', s.changed_at ? ago(s.changed_at, Date.now()) : ''].filter(Boolean).join(' · ')}</small>
                </li>
              ))}
            </ul>
          )}
        </Card>
        <Card title="Last runs" actions={<a href={link(['runs'])}>All runs</a>}>
          {runs.error !== undefined && <Trouble act="List runs" error={runs.error} retry={runs.reload} />}
          {runs.data && runs.data.items.length === 0 && (
            <Empty title="No runs yet">
              <p>A run plays a strategy on past prices with orders, costs and cash, and keeps the result with everything needed to repeat it.</p>
            </Empty>
          )}
          {runs.data && runs.data.items.length > 0 && <ul class="rows">{runs.data.items.map((r) => <RunRow key={r.run_id} run={r} />)}</ul>}
        </Card>
      </div>
      <Card title="Ideas to start from" actions={<input type="search" aria-label="Search ideas" placeholder="Search" value={query} onInput={(e) => setQuery(e.currentTarget.value)} />} intro="Published rules with their source. Opening one makes a copy; change what you like.">
        <div class="ideas">
          {ideas.map((s) => (
            <a key={s.name} class="idea" href={link(['edit'], { from: s.name })}>
              <h3>{plain(s.title)}</h3>
              <code>{s.name}</code>
              <p>{plain(s.doc, 400)}</p>
              <small>{plain(s.source, 300)}</small>
            </a>
          ))}
        </div>
        {list.data && ideas.length === 0 && <p class="sub">No idea has these words.</p>}
      </Card>
    </>
  );
}

function RunRow({ run }: { run: Run }) {
  const m = run.metrics ?? {};
  return (
    <li>
      <a href={link(['runs', run.run_id])}><b>{plain(run.name || run.strategy)}</b> <span>{plain((run.symbols ?? []).join(', '), 40)}</span></a>
      {run.status === 'succeeded' ? <span class="figures"><span class={sign(m['total_return'])}>{change(m['total_return'], 1)}</span> <span>Sharpe {fixed(m['sharpe'])}</span></span> : <StatusTag status={run.status} />}
      <small>{ago(run.created_at, Date.now())}</small>
    </li>
  );
}

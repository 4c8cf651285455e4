// Downloads of data: those that go on with how far they are, and the last ones.
import { useEffect, useState } from 'preact/hooks';
import { ended, watch } from '../api/events';
import { history } from '../api/runs';
import type { Run } from '../api/types';
import { plain } from '../format/text';
import { ago, duration } from '../format/time';
import { type Pace, paceOf } from '../run/pace';
import { link } from '../shell/route';
import { useFetched } from '../ui/fetched';
import { Bar, Card } from '../ui/kit';
import { StatusTag } from '../ui/status';

export function Jobs() {
  const jobs = useFetched((s) => history({ kind: 'fetch' }, null, 8, s), []);
  if (!jobs.data || jobs.data.items.length === 0) return null;
  return (
    <Card title="Downloads">
      <ul class="rows">{jobs.data.items.map((r) => <Job key={r.run_id} first={r} />)}</ul>
    </Card>
  );
}

function Job({ first }: { first: Run }) {
  const [run, setRun] = useState(first);
  const [pace, setPace] = useState<Pace | null>(null);
  useEffect(() => {
    if (ended(first)) return;
    const w = watch(first.run_id, { state: setRun, progress: (p) => setPace(paceOf(p)), partial: () => {}, rows: () => {}, note: () => {}, lost: () => {} });
    return () => w.stop();
  }, [first.run_id]);
  return (
    <li class="job">
      <a href={link(['runs', run.run_id])}>{plain(run.name) || 'Download'}</a>
      {ended(run) ? <StatusTag status={run.status} /> : <span class="job-bar"><Bar value={run.status === 'queued' ? 0 : (pace?.done ?? null)} label="Progress of the download" /></span>}
      <small>{ended(run) ? ago(run.created_at, Date.now()) : run.status === 'queued' ? 'waiting' : pace?.eta ? `${duration(pace.eta)} left` : 'started'}</small>
    </li>
  );
}

// A run that is not over: where it stands in the queue, how far it is, and its equity so far.
import type { Run } from '../api/types';
import { usd, shortUsd, plural } from '../format/number';
import { plain } from '../format/text';
import { duration } from '../format/time';
import { lazy } from '../shell/lazy';
import { Bar, Card } from '../ui/kit';
import type { LinesProps } from '../charts/lines';
import type { Pace, Partial } from './pace';

const Lines = lazy<LinesProps>('the chart', () => import('../charts/lines'));

export function Live({ run, pace, partial, note }: { run: Run; pace: Pace | null; partial: Partial | null; note: string }) {
  return (
    <Card title={run.status === 'queued' ? 'Waiting for its turn' : 'Running'}>
      <Bar value={run.status === 'queued' ? 0 : (pace?.done ?? null)} label="Progress of the run" />
      <p class="sub" role="status">
        {run.status === 'queued'
          ? run.position
            ? `${plural(run.position - 1, 'run')} before this one`
            : 'In the queue'
          : [pace?.done !== null && pace?.done !== undefined ? `${Math.round(100 * pace.done)}%` : '', pace?.text, pace?.eta ? `about ${duration(pace.eta)} left` : ''].filter(Boolean).join(' · ') || 'Started'}
        {note && run.status === 'running' && ` · ${plain(note, 120)}`}
        {(run.attempt ?? 1) > 1 && ` · attempt ${run.attempt}, after its worker was interrupted`}
      </p>
      {partial && partial.t.length > 1 && (
        <Lines label="Equity so far" t={partial.t} lines={[{ name: 'Equity so far', values: partial.equity, colour: 'run' }]} format={(x) => usd(x, 0)} axis={shortUsd} height={220} />
      )}
      <p class="sub">You can close this page: the run goes on at the server, and is in the list of runs.</p>
    </Card>
  );
}

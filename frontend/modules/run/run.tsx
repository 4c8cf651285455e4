// One run: while it is computed, its progress; afterwards, what came out, with what makes it doubtful
// first.
import { useEffect, useState } from 'preact/hooks';
import { ended, watch } from '../api/events';
import { cancel, label, run as runOf } from '../api/runs';
import type { Run } from '../api/types';
import { bytes } from '../format/number';
import { plain } from '../format/text';
import { whenFull } from '../format/time';
import { lazy } from '../shell/lazy';
import { link } from '../shell/route';
import { complain } from '../shell/toast';
import { useFetched } from '../ui/fetched';
import { Button, LinkButton, Loading, Trouble } from '../ui/kit';
import { StatusTag } from '../ui/status';
import { Labels } from './labels';
import { Live } from './live';
import { extend, type Pace, type Partial, paceOf } from './pace';
import { ResultView } from './result';
import { Share, Shared } from './sharing';
import { extend as extendRows, type Rows } from '../sweep/grid';

const Sweep = lazy<{ run: Run }>('the sweep', () => import('../sweep/sweep'));
const LiveSweep = lazy<{ run: Run; rows: Rows }>('the sweep', () => import('../sweep/sweep').then((m) => ({ default: m.LiveSweep })));
const Validation = lazy<{ run: Run }>('the validation', () => import('../validation/validation'));

export default function RunView({ id }: { id: string }) {
  const first = useFetched((s) => runOf(id, s), [id]);
  const [run, setRun] = useState<Run>();
  const [pace, setPace] = useState<Pace | null>(null);
  const [partial, setPartial] = useState<Partial | null>(null);
  const [rows, setRows] = useState<Rows | null>(null);
  const [note, setNote] = useState('');
  const [lost, setLost] = useState(false);

  useEffect(() => {
    if (!first.data) return;
    setRun(first.data);
    if (ended(first.data)) return;
    const w = watch(id, {
      state: setRun,
      progress: (p) => setPace(paceOf(p, first.data?.kind === 'fetch' ? bytes : undefined)),
      partial: (x) => setPartial((old) => extend(old, x)),
      rows: (x) => setRows((old) => extendRows(old, x)),
      note: setNote,
      lost: setLost,
    });
    return () => w.stop();
  }, [first.data]);

  if (!run) return first.error ? <Trouble act="Open the run" error={first.error} retry={first.reload} /> : <Loading what="Opening the run" />;

  const change = async (c: Parameters<typeof label>[1]) => {
    try {
      setRun(await label(run, c));
      return true;
    } catch (e) {
      complain('Change the run', e);
      first.reload();
      return false;
    }
  };
  const stop = async () => {
    try {
      await cancel(id);
      setRun({ ...run, cancelling: true });
    } catch (e) {
      complain('Cancel', e);
    }
  };

  const title = plain(run.name || run.strategy) || (run.kind === 'fetch' ? 'Download' : 'Run');
  return (
    <>
      <div class="page-head">
        <div>
          <h1>
            {!run.owner && <button type="button" class={`star ${run.starred ? 'on' : ''}`} aria-pressed={run.starred} aria-label="Star" onClick={() => void change({ starred: !run.starred })}>{run.starred ? '★' : '☆'}</button>}
            {title}
          </h1>
          <p class="sub">
            <StatusTag status={run.status} /> {plain((run.symbols ?? []).join(', '), 60)} {run.from && <span class="together">· {run.from} to {run.to || 'the last session'}</span>}{' '}
            <span class="together">· asked for <time>{whenFull(run.created_at)}</time></span>
          </p>
        </div>
        <div class="actions">
          {!ended(run) && !run.owner && <Button kind="danger" disabled={run.cancelling === true} onClick={() => void stop()}>{run.cancelling ? 'Cancelling…' : 'Cancel'}</Button>}
          <Share run={run} onChange={change} />
          {run.kind !== 'fetch' && <LinkButton href={link(['edit'], { run: id })}>Clone with changes</LinkButton>}
          {run.status === 'succeeded' && run.kind === 'run' && <LinkButton href={link(['edit'], { run: id, start: 'validate' })}>Validate</LinkButton>}
          {run.status === 'succeeded' && run.kind === 'run' && <LinkButton href={link(['compare'], { ids: id })}>Compare</LinkButton>}
        </div>
      </div>
      {!run.owner && <Labels run={run} onChange={change} />}
      <Shared run={run} onChange={change} />
      {lost && <div class="banner" role="status">The server cannot be reached. The run goes on there; this page picks it up again by itself.</div>}
      {!ended(run) && <Live run={run} pace={pace} partial={partial} note={note} />}
      {!ended(run) && run.kind === 'sweep' && rows && <LiveSweep run={run} rows={rows} />}
      {run.status === 'cancelled' && <p class="prose">This run was cancelled before it ended. Nothing of it was kept but what was asked.</p>}
      {run.status === 'failed' && run.error && <Failed run={run} />}
      {run.status === 'succeeded' && (run.kind === 'sweep' ? <Sweep run={run} /> : run.kind === 'validate' ? <Validation run={run} /> : run.kind === 'fetch' ? <p class="prose">The data was fetched. <a href={link(['data'])}>See what there is now</a>.</p> : <ResultView run={run} />)}
    </>
  );
}

function Failed({ run }: { run: Run }) {
  const e = run.error!;
  const faults = [...(e.errors ?? []).map((f) => f.detail), ...(e.missing ?? []).map((m) => `${m.symbol}: ${m.reason}`)].filter((f) => !e.detail?.includes(f ?? ''));
  return (
    <div class="trouble" role="alert">
      <strong>The run failed: {e.title}</strong>
      {e.detail && <p>{e.detail}</p>}
      {faults.length > 0 && <ul>{faults.slice(0, 20).map((f, i) => <li key={i}>{plain(f, 300)}</li>)}</ul>}
      <p class="cure">{e.code === 'data-missing' || e.code === 'no_data' ? 'Fetch the missing data on the Data page, then clone the run.' : e.code === 'crash-loop' ? 'It brought its worker down three times. Try fewer symbols or a shorter time, and tell the administrator.' : 'Clone it, change what the message names, and run it again.'}</p>
    </div>
  );
}

// Events of a run as the server tells them. When they cannot be had, a proxy in between may hold them
// back, the state is asked for every second instead. Either way the run itself goes on at the server:
// a page that is closed and opened again picks it up.
import { events, run } from './runs';
import type { Run } from './types';

export interface Watching { stop: () => void }

export interface Told {
  state: (r: Run) => void; // a new state, whole
  progress: (p: Record<string, unknown>) => void;
  partial: (points: unknown) => void;
  rows: (rows: unknown) => void; // of a sweep
  note: (line: string) => void; // what the work is at
  lost: (lost: boolean) => void; // the server cannot be reached now
}

export const ended = (r: Pick<Run, 'status'>): boolean => r.status === 'succeeded' || r.status === 'failed' || r.status === 'cancelled';

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
};

export function watch(id: string, told: Told): Watching {
  let over = false;
  let source: EventSource | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;

  // The state is asked for whenever something says that it is another one; one request at a time.
  let asking = false;
  const ask = async (): Promise<void> => {
    if (asking || over) return;
    asking = true;
    try {
      const r = await run(id);
      if (over) return;
      told.lost(false);
      told.state(r);
      if (ended(r)) stop();
    } catch {
      if (!over) told.lost(true);
    } finally {
      asking = false;
    }
  };

  const poll = (every: number) => {
    clearTimeout(timer);
    timer = setTimeout(() => void ask().then(() => !over && poll(every)), every);
  };

  const open = () => {
    source = new EventSource(events(id), { withCredentials: true });
    source.onopen = () => {
      told.lost(false);
      poll(15_000); // in case an event is lost
    };
    source.onerror = () => {
      if (over) return;
      poll(1_000);
      if (source?.readyState === EventSource.CLOSED) {
        source = null;
        setTimeout(() => !over && open(), 3_000);
      }
    };
    source.addEventListener('state', () => void ask());
    for (const name of ['done', 'failed', 'cancelled', 'restart']) source.addEventListener(name, () => void ask());
    source.addEventListener('progress', (e) => {
      const p = parsed(e.data as string);
      if (typeof p === 'object' && p !== null) told.progress(p as Record<string, unknown>);
    });
    source.addEventListener('partial', (e) => told.partial(parsed(e.data as string)));
    source.addEventListener('log', (e) => {
      const line = (parsed(e.data as string) as { line?: unknown } | null)?.line;
      if (typeof line === 'string') told.note(line);
    });
    source.addEventListener('rows', (e) => told.rows(parsed(e.data as string)));
  };

  const stop = () => {
    over = true;
    source?.close();
    clearTimeout(timer);
  };

  open();
  poll(1_000);
  void ask();
  return { stop };
}

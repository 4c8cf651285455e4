// The trades of a run, page after page. The first pages are read at once; the rest when somebody scrolls
// to them, because a run may have hundreds of thousands.
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { Problem } from '../api/problem';
import { aborted } from '../api/request';
import { trades as pageOf } from '../api/runs';
import type { Trade } from '../api/types';
import { count } from '../format/number';

export interface Trades {
  items: Trade[];
  total: number;
  busy: boolean;
  error: unknown;
  note: string | undefined; // says that not all are here
  more: () => void;
}

const atOnce = 5_000;

/** The first trades of a run, at least so many of them. */
export function useTrades(id: string, least = 0): Trades {
  const [state, setState] = useState<{ items: Trade[]; total: number; cursor: string | null; busy: boolean; error: unknown }>({ items: [], total: 0, cursor: null, busy: true, error: undefined });
  const [want, setWant] = useState(Math.max(atOnce, least));
  const asking = useRef(false);
  useEffect(() => {
    if (asking.current || state.error || (state.total > 0 && (state.cursor === null || state.items.length >= want)) || (state.total === 0 && !state.busy)) return;
    const stop = new AbortController();
    asking.current = true;
    const read = async () => {
      try {
        const page = await pageOf(id, state.cursor, stop.signal);
        setState((s) => ({ items: [...s.items, ...page.items], total: page.total, cursor: page.next_cursor, busy: page.next_cursor !== null && s.items.length + page.items.length < want, error: undefined }));
      } catch (e) {
        if (aborted(e)) return;
        // The server asks for patience: that is no error, only slower.
        if (e instanceof Problem && e.status === 429) setTimeout(() => setState((s) => ({ ...s })), 1000 * (e.retryAfter ?? 1));
        else setState((s) => ({ ...s, busy: false, error: e }));
      } finally {
        asking.current = false;
      }
    };
    void read();
    return () => stop.abort();
  }, [id, state, want]);
  const more = useCallback(() => {
    setWant((w) => Math.max(w, state.items.length + 2_000));
    setState((s) => (s.cursor === null ? s : { ...s, busy: true }));
  }, [state.items.length]);
  const part = state.total > state.items.length && !state.busy;
  return { ...state, note: part ? `Of the first ${count(state.items.length)} of ${count(state.total)} trades.` : undefined, more };
}

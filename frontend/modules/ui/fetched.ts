// useFetched asks for something when what it depends on changes, forgets answers that are too late, and
// keeps the old answer on the page while the new one is on its way.
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { aborted } from '../api/request';

export interface Fetched<T> {
  data: T | undefined;
  error: unknown;
  busy: boolean;
  reload: () => void;
  set: (value: T) => void;
}

export function useFetched<T>(ask: ((signal: AbortSignal) => Promise<T>) | null, on: readonly unknown[], options: { delay?: number; fresh?: boolean } = {}): Fetched<T> {
  const [state, setState] = useState<{ data: T | undefined; error: unknown; busy: boolean }>({ data: undefined, error: undefined, busy: ask !== null });
  const [turn, setTurn] = useState(0);
  const latest = useRef(ask);
  latest.current = ask;
  const wanted = ask !== null;
  useEffect(() => {
    if (!wanted) {
      setState((s) => ({ ...s, busy: false }));
      return;
    }
    const stop = new AbortController();
    setState((s) => ({ data: options.fresh ? undefined : s.data, error: undefined, busy: true }));
    const timer = setTimeout(() => {
      latest.current?.(stop.signal).then(
        (data) => {
          if (!stop.signal.aborted) setState({ data, error: undefined, busy: false });
        },
        (error: unknown) => {
          if (!stop.signal.aborted && !aborted(error)) setState((s) => ({ data: s.data, error, busy: false }));
        },
      );
    }, options.delay ?? 0);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [...on, turn, wanted]);
  const reload = useCallback(() => setTurn((t) => t + 1), []);
  const set = useCallback((data: T) => setState({ data, error: undefined, busy: false }), []);
  return { ...state, reload, set };
}

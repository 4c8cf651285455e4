// lazy draws a part of the application that is fetched when it is first needed.
import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { Loading, Trouble } from '../ui/kit';

export function lazy<P extends object>(what: string, load: () => Promise<{ default: ComponentType<P> }>): ComponentType<P> {
  let got: ComponentType<P> | undefined;
  return function Lazy(props: P) {
    const [error, setError] = useState<unknown>();
    const [, setReady] = useState(got !== undefined);
    const [turn, setTurn] = useState(0);
    useEffect(() => {
      if (got) return;
      let here = true;
      load().then(
        (m) => {
          got = m.default;
          if (here) setReady(true);
        },
        (e: unknown) => here && setError(e),
      );
      return () => {
        here = false;
      };
    }, [turn]);
    if (got) {
      const Part = got;
      return <Part {...props} />;
    }
    if (error) {
      return (
        <Trouble
          act={`Open ${what}`}
          error={error}
          retry={() => {
            setError(undefined);
            setTurn(turn + 1);
          }}
        />
      );
    }
    return <Loading what={`Opening ${what}`} />;
  };
}

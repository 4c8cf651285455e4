// A span of time on a line: how much of all the data one symbol covers.
import { useLayoutEffect, useRef } from 'preact/hooks';
import { millis } from '../charts/draw';

/** Where a span begins and how long it is, as fractions of the whole. */
export function part(from: string, to: string, first: string, last: string): [at: number, length: number] {
  const whole = millis(last) - millis(first);
  if (!(whole > 0)) return [0, 1];
  const at = Math.max(0, (millis(from) - millis(first)) / whole);
  return [at, Math.max(0.01, Math.min(1 - at, (millis(to) - millis(from)) / whole))];
}

export function Span({ from, to, first, last }: { from: string; to: string; first: string; last: string }) {
  const bar = useRef<HTMLElement>(null);
  useLayoutEffect(() => {
    const [at, length] = part(from, to, first, last);
    if (bar.current) {
      bar.current.style.marginLeft = `${100 * at}%`;
      bar.current.style.width = `${100 * length}%`;
    }
  }, [from, to, first, last]);
  return <span class="span" role="img" aria-label={`${from} to ${to}`}><i ref={bar} /></span>;
}

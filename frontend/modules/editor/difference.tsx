// Two versions of a file, line by line. Lines that did not change are left out but for a few around.
import { useMemo } from 'preact/hooks';
import { diff, type Piece } from './lines';

export default function Difference({ before, after }: { before: string; after: string }) {
  const pieces = useMemo(() => diff(before.split('\n'), after.split('\n')), [before, after]);
  const added = pieces.filter((p) => p.kind === '+').length;
  const removed = pieces.filter((p) => p.kind === '-').length;
  return (
    <figure class="difference">
      <figcaption class="sub">{added} added, {removed} removed</figcaption>
      <pre>
        {near(pieces).map((p, i) => (p === null ? <span key={i} class="gap">⋯</span> : <span key={i} class={p.kind === '+' ? 'added' : p.kind === '-' ? 'removed' : ''}>{`${p.kind} ${p.text}`}</span>))}
      </pre>
    </figure>
  );
}

/** The pieces within three lines of a change; null where some were left out. */
export function near(pieces: Piece[], around = 3): (Piece | null)[] {
  const keep = pieces.map((_, i) => pieces.slice(Math.max(0, i - around), i + around + 1).some((p) => p.kind !== ' '));
  const out: (Piece | null)[] = [];
  pieces.forEach((p, i) => {
    if (keep[i]) out.push(p);
    else if (out.length === 0 || out[out.length - 1] !== null) out.push(null);
  });
  return out;
}

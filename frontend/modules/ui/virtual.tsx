// A list of any length: only the rows that can be seen are in the page. Rows have one height.
import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';

/** The rows [from, to) to draw, with some more on both sides so that scrolling does not show gaps. */
export function visible(scroll: number, height: number, row: number, total: number, more = 8): [from: number, to: number] {
  const from = Math.max(0, Math.floor(scroll / row) - more);
  const to = Math.min(total, Math.ceil((scroll + height) / row) + more);
  return [Math.min(from, Math.max(0, total - 1)), Math.max(to, 0)];
}

interface Props {
  label: string;
  total: number;
  row: number; // height in pixels
  head?: ComponentChildren;
  render: (i: number) => ComponentChildren;
  onEnd?: () => void; // the last rows come into view
  show?: number | null; // scroll so that this row can be seen
  class?: string;
}

export function Virtual({ label, total, row, head, render, onEnd, show, class: name = '' }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const [[from, to], setRange] = useState<[number, number]>([0, Math.min(total, 40)]);
  const inner = useRef<HTMLDivElement>(null);
  const update = () => {
    const b = box.current;
    if (!b) return;
    const next = visible(b.scrollTop, b.clientHeight, row, total);
    setRange((old) => (old[0] === next[0] && old[1] === next[1] ? old : next));
    if (onEnd && total > 0 && next[1] >= total) onEnd();
  };
  useLayoutEffect(() => {
    if (inner.current) inner.current.style.height = `${total * row}px`;
    // A short list is as high as its rows; a long one as style.css says.
    if (box.current) box.current.style.maxHeight = `${(total + (head ? 1 : 0)) * row + 24}px`;
    update();
  }, [total, row]);
  useLayoutEffect(() => {
    const top = inner.current?.firstElementChild as HTMLElement | null;
    if (top) top.style.transform = `translateY(${from * row}px)`;
  }, [from, row, to]);
  useEffect(() => {
    const b = box.current;
    if (!b || show === null || show === undefined || show < 0) return;
    const top = show * row;
    if (top < b.scrollTop || top + 2 * row > b.scrollTop + b.clientHeight) b.scrollTop = Math.max(0, top - b.clientHeight / 2);
  }, [show]);
  useEffect(() => {
    const b = box.current;
    if (!b || typeof ResizeObserver === 'undefined') return;
    const watch = new ResizeObserver(update);
    watch.observe(b);
    return () => watch.disconnect();
  }, [total]);
  const rows: ComponentChildren[] = [];
  for (let i = from; i < Math.min(to, total); i++) rows.push(render(i));
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable with the keyboard
    <div class={`virtual ${name}`} ref={box} onScroll={update} role="table" aria-label={label} aria-rowcount={total + (head ? 1 : 0)} tabIndex={0}>
      {head}
      <div class="virtual-rows" ref={inner} role="rowgroup">
        <div role="presentation">{rows}</div>
      </div>
    </div>
  );
}

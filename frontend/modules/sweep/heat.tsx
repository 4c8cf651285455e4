// The objective over two parameters as a map. A pointer or the arrow keys go over its cells; a click or Enter
// chooses one. Cells that were not tried yet are empty, those that may not be the best one are hatched.
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { trim } from '../format/number';
import { colour, contrast, dark, over } from '../shell/theme';
import { type Cell, cellAt, type Surface, tone } from './grid';

interface Props {
  label: string;
  surface: Surface;
  x: string; // names of the parameters
  y: string; // "" when there is one only
  objective: string; // its name
  show: (v: number) => string;
  chosen: Cell | null;
  onChoose: (c: Cell) => void;
}

interface Layout { left: number; top: number; w: number; h: number; width: number; height: number }

const font = '12px "Inter", "Segoe UI", system-ui, sans-serif';

/** Where cells lie in a picture of some width. */
export function layout(width: number, columns: number, rows: number, wide: boolean): Layout {
  const left = wide ? 58 : 8;
  const w = Math.max(2, (width - left - 4) / Math.max(1, columns));
  const h = Math.max(rows > 60 ? 4 : 10, Math.min(46, w * 0.75, 460 / Math.max(1, rows)));
  return { left, top: 4, w, h: rows === 1 ? 52 : h, width, height: 4 + (rows === 1 ? 52 : h) * rows + 24 };
}

export function Heat({ label, surface: s, x, y, objective, show, chosen, onChoose }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  const [at, setAt] = useState<[number, number] | null>(null);
  const isDark = dark.value;
  const l = layout(width, s.xs.length, s.ys.length, y !== '');

  useLayoutEffect(() => {
    const b = box.current;
    if (!b) return;
    setWidth(b.clientWidth);
    const watch = new ResizeObserver(() => setWidth(b.clientWidth));
    watch.observe(b);
    return () => watch.disconnect();
  }, []);
  useEffect(() => {
    if (canvas.current && width > 0) draw(canvas.current, l, s, show, y !== '', at, chosen);
  }, [s, width, at, chosen, isDark, show]);

  const under = useCallback((e: MouseEvent): [number, number] | null => {
    const r = canvas.current!.getBoundingClientRect();
    const i = Math.floor((e.clientX - r.left - l.left) / l.w);
    const j = s.ys.length - 1 - Math.floor((e.clientY - r.top - l.top) / l.h);
    return i >= 0 && i < s.xs.length && j >= 0 && j < s.ys.length ? [i, j] : null;
  }, [s, l.left, l.w, l.h]);
  const choose = (p: [number, number] | null) => {
    const c = p && cellAt(s, p[0], p[1]);
    if (c) onChoose(c);
  };
  const move = (e: KeyboardEvent) => {
    const by: Record<string, [number, number]> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    const d = by[e.key];
    if (e.key === 'Enter' || e.key === ' ') {
      e.preventDefault();
      choose(at);
    }
    if (!d) return;
    e.preventDefault();
    const [i, j] = at ?? [-d[0], -d[1]];
    setAt([Math.min(s.xs.length - 1, Math.max(0, i + d[0])), Math.min(s.ys.length - 1, Math.max(0, j + d[1]))]);
  };
  const cell = at ? cellAt(s, at[0], at[1]) : (chosen ?? s.best);
  return (
    <div class="heat-map">
      <p class="read" role="status">
        {cell ? (
          <>
            <b>{x} {trim(cell.x)}{y && `, ${y} ${trim(cell.y)}`}</b>
            <span>{objective} <b>{cell.value === null ? 'undefined' : show(cell.value)}</b></span>
            {cell.rows > 1 && <span>of {cell.rows} rows</span>}
            {!cell.eligible && <span>not eligible</span>}
            {!at && !chosen && <span>the best so far</span>}
          </>
        ) : <span>{at ? 'Not tried' : 'Nothing eligible yet'}</span>}
      </p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: the arrow keys go over the cells */}
      <div ref={box} class="heat-box" role="application" aria-label={`${label}: arrow keys go over the cells, Enter chooses one`} tabIndex={0} onKeyDown={move} onBlur={() => setAt(null)}>
        <canvas ref={canvas} onMouseMove={(e) => setAt(under(e))} onMouseLeave={() => setAt(null)} onClick={(e) => choose(under(e))} />
      </div>
      <p class="sub heat-key"><span>{y ? `${y} upwards, ` : ''}{x} to the right</span>{s.high >= s.low && <span><i class="ramp" data-kind={s.low < 0 && s.high > 0 ? 'both' : s.high <= 0 ? 'loss' : 'gain'} /> {show(s.low)} to {show(s.high)}</span>}<span>hatched: not eligible</span></p>
    </div>
  );
}

function draw(el: HTMLCanvasElement, l: Layout, s: Surface, show: (v: number) => string, wide: boolean, at: [number, number] | null, chosen: Cell | null): void {
  const ratio = devicePixelRatio || 1;
  el.width = Math.round(l.width * ratio);
  el.height = Math.round(l.height * ratio);
  el.style.width = `${l.width}px`;
  el.style.height = `${l.height}px`;
  const g = el.getContext('2d');
  if (!g) return;
  g.scale(ratio, ratio);
  g.font = font;
  const shades = { gain: colour('gain'), loss: colour('loss') };
  const [ink, dim, soft, card] = [colour('ink'), colour('dim'), colour('soft'), colour('card')];
  const gap = l.w > 8 && l.h > 8 ? 1 : 0;
  const place = (i: number, j: number): [number, number] => [l.left + i * l.w, l.top + (s.ys.length - 1 - j) * l.h];
  for (let i = 0; i < s.xs.length; i++) {
    for (let j = 0; j < s.ys.length; j++) {
      const [px, py] = place(i, j);
      const c = cellAt(s, i, j);
      g.fillStyle = soft;
      g.fillRect(px, py, l.w - gap, l.h - gap);
      if (!c || c.value === null) continue;
      const { kind, strength } = tone(c.value, s.low, s.high);
      const shade = over(shades[kind], soft, 0.06 + 0.84 * strength);
      g.fillStyle = shade;
      g.fillRect(px, py, l.w - gap, l.h - gap);
      if (!c.eligible) hatch(g, px, py, l.w - gap, l.h - gap, card);
      if (l.w >= 46 && l.h >= 18) {
        g.textAlign = 'center';
        g.textBaseline = 'middle';
        g.strokeStyle = shade; // between the hatching and the figures
        g.lineWidth = 4;
        if (!c.eligible) g.strokeText(show(c.value), px + l.w / 2, py + l.h / 2);
        g.fillStyle = contrast(card, shade) > contrast(ink, shade) ? card : ink;
        g.fillText(show(c.value), px + l.w / 2, py + l.h / 2);
      }
    }
  }
  const outline = (x: number, y: number, style: string) => {
    const i = s.xs.indexOf(x);
    const j = s.ys.indexOf(y);
    if (i < 0 || j < 0) return;
    const [px, py] = place(i, j);
    g.strokeStyle = style;
    g.lineWidth = 2;
    g.strokeRect(px - 1, py - 1, l.w + 1, l.h + 1);
  };
  if (s.best) outline(s.best.x, s.best.y, ink);
  if (chosen) outline(chosen.x, chosen.y, colour('caution'));
  if (at) outline(s.xs[at[0]]!, s.ys[at[1]]!, dim);
  g.fillStyle = dim;
  g.textBaseline = 'middle';
  g.textAlign = 'right';
  if (wide) for (const j of ticks(s.ys.length, l.h, 16)) g.fillText(trim(s.ys[j]!), l.left - 8, place(0, j)[1] + l.h / 2);
  g.textAlign = 'center';
  for (const i of ticks(s.xs.length, l.w, 44)) g.fillText(trim(s.xs[i]!), place(i, 0)[0] + l.w / 2, l.height - 10);
}

/** Which of n labels fit when each has some room and needs more. */
export function ticks(n: number, room: number, needed: number): number[] {
  const every = Math.max(1, Math.ceil(needed / room));
  return Array.from({ length: Math.ceil(n / every) }, (_, i) => i * every);
}

function hatch(g: CanvasRenderingContext2D, x: number, y: number, w: number, h: number, style: string): void {
  g.save();
  g.beginPath();
  g.rect(x, y, w, h);
  g.clip();
  g.beginPath();
  for (let d = -h; d < w; d += 6) {
    g.moveTo(x + d, y + h);
    g.lineTo(x + d + h, y);
  }
  g.globalAlpha = 0.55;
  g.strokeStyle = style;
  g.lineWidth = 1.2;
  g.stroke();
  g.restore();
}

// Lines draws curves over time: equity, benchmark, drawdown. Charts with the same group share their
// cross-hair and their zoom.
import uPlot from 'uplot';
import { useEffect, useRef } from 'preact/hooks';
import type { Num } from '../api/types';
import { instant } from '../format/time';
import { colour, dark } from '../shell/theme';
import type { Band } from './draw';

export interface Line { name: string; values: Num[]; colour: string; fill?: boolean; dash?: boolean; thin?: boolean }

export interface LinesProps {
  label: string;
  t: number[]; // milliseconds
  lines: Line[];
  format: (x: Num) => string; // values, at the cross-hair
  axis?: (x: Num) => string; // and at the axis
  log?: boolean;
  height: number;
  group?: string;
  zero?: boolean; // the axis begins or ends at 0
  shade?: [number, number][]; // spans of time, in milliseconds
  band?: Band | null; // what lies between two columns
}

export default function Lines(p: LinesProps) {
  const box = useRef<HTMLDivElement>(null);
  const read = useRef<HTMLParagraphElement>(null);
  const isDark = dark.value;
  const latest = useRef(p);
  latest.current = p;

  useEffect(() => {
    const el = box.current;
    const out = read.current;
    if (!el || !out) return;
    const plot = new uPlot(options(p, el.clientWidth, (i) => say(out, latest.current, i)), data(p), el);
    const watch = new ResizeObserver(() => plot.setSize({ width: el.clientWidth, height: p.height }));
    watch.observe(el);
    say(out, p, null);
    return () => {
      watch.disconnect();
      plot.destroy();
    };
  }, [p.t, p.lines, p.band, p.log, p.height, isDark]);

  return (
    <div class="lines">
      <p class="read" ref={read} />
      <div ref={box} role="img" aria-label={p.label} />
    </div>
  );
}

// The edges of the band come first, so that the lines lie over it.
function data(p: LinesProps): uPlot.AlignedData {
  const columns = [...(p.band ? [p.band.high, p.band.low] : []), ...p.lines.map((l) => l.values)];
  return [p.t.map((t) => t / 1000), ...columns.map((c) => (p.log ? c.map((v) => (v !== null && v > 0 ? v : null)) : c))] as uPlot.AlignedData;
}

// say writes the values at the cross-hair, or the last ones that are shown.
function say(out: HTMLElement, p: LinesProps, i: number | null): void {
  const at = i ?? p.t.length - 1;
  out.replaceChildren();
  if (at < 0) return;
  const b = document.createElement('b');
  b.textContent = instant(p.t[at]!);
  out.append(b);
  const key = (name: string, value: string, ink: string): HTMLElement => {
    const s = document.createElement('span');
    s.className = 'key';
    const swatch = document.createElement('i');
    swatch.style.borderTopColor = ink;
    const v = document.createElement('b');
    v.textContent = value;
    s.append(swatch, ` ${name} `, v);
    out.append(s);
    return swatch;
  };
  for (const l of p.lines) {
    const swatch = key(l.name, p.format(l.values[at] ?? null), colour(l.colour));
    if (l.dash) swatch.style.borderTopStyle = 'dashed';
  }
  if (p.band) key(p.band.name, `${p.format(p.band.low[at] ?? null)} to ${p.format(p.band.high[at] ?? null)}`, colour('run', bandAlpha)).classList.add('band');
}

const bandAlpha = 0.25;

const edge: uPlot.Series = { width: 0, stroke: 'transparent', points: { show: false } };

function options(p: LinesProps, width: number, hover: (i: number | null) => void): uPlot.Options {
  const dim = colour('dim');
  const font = '11px "Inter", "Segoe UI", system-ui, sans-serif';
  const grid = { stroke: colour('faint'), width: 1 };
  const axis = p.axis ?? p.format;
  return {
    width,
    height: p.height,
    tzDate: (s) => uPlot.tzDate(new Date(1000 * s), 'Etc/UTC'),
    cursor: {
      points: { size: 6 },
      y: false,
      drag: { x: true, y: false, setScale: true },
      ...(p.group ? { sync: { key: p.group, setSeries: false } } : {}),
    },
    legend: { show: false },
    scales: { x: { time: true }, y: p.log ? { distr: 3 } : p.zero ? { range: (_u, lo, hi) => [Math.min(0, lo) * 1.05, Math.max(0, hi) * 1.05 || 0.0001] } : {} },
    axes: [
      { stroke: dim, font, grid, ticks: { show: false }, space: 70, size: 38 },
      {
        side: 1, stroke: dim, font, grid, ticks: { show: false }, size: 64, gap: 6,
        values: (_u, splits) => splits.map((v) => (v === null ? '' : axis(v))),
        ...(p.log ? { filter: (u: uPlot, splits: number[]) => logTicks(u, splits) } : {}),
      },
    ],
    ...(p.band ? { bands: [{ series: [1, 2], fill: colour('run', bandAlpha) }] } : {}),
    series: [
      {},
      ...(p.band ? [edge, edge] : []),
      ...p.lines.map((l): uPlot.Series => ({
        label: l.name,
        stroke: colour(l.colour),
        width: l.thin ? 1 : 1.6,
        points: { show: false },
        ...(l.dash ? { dash: [6, 3] } : {}),
        ...(l.fill ? { fill: colour(l.colour, 0.15) } : {}),
      })),
    ],
    hooks: { setCursor: [(u) => hover(u.cursor.idx ?? last(u))], setScale: [(u, key) => { if (key === 'x') hover(u.cursor.idx ?? last(u)); }], ...(p.shade ? { drawClear: [(u: uPlot) => shadeIn(u, p.shade!)] } : {}) },
  };
}

// last is the last point that is shown; null before there is a chart.
function last(u: uPlot): number | null {
  const end = u.scales['x']?.max;
  return typeof end === 'number' && u.data[0].length > 0 ? u.valToIdx(end) : null;
}

// shadeIn paints spans of time behind the lines.
function shadeIn(u: uPlot, spans: readonly [number, number][]): void {
  u.ctx.fillStyle = colour('faint');
  for (const [from, to] of spans) {
    const left = Math.max(u.bbox.left, u.valToPos(from / 1000, 'x', true));
    const right = Math.min(u.bbox.left + u.bbox.width, u.valToPos(to / 1000, 'x', true));
    if (right > left) u.ctx.fillRect(left, u.bbox.top, right - left, u.bbox.height);
  }
}

// logTicks leaves labels at 1, 2 and 5 when there are few of them, and at powers of ten otherwise.
function logTicks(u: uPlot, splits: number[]): (number | null)[] {
  const lo = u.scales['y']?.min ?? 1;
  const hi = u.scales['y']?.max ?? 10;
  const wide = hi / lo > 100;
  return splits.map((v) => {
    const lead = Number(v.toExponential()[0]);
    return (wide ? lead === 1 : hi / lo < 5 || lead === 1 || lead === 2 || lead === 5) ? v : null;
  });
}

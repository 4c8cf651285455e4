// Small charts that are drawn as SVG: a table of months, bars of a distribution, a spark line.
import { useLayoutEffect, useRef } from 'preact/hooks';
import type { Num } from '../api/types';
import { change, plural } from '../format/number';
import { type Bin, type Month, years } from './draw';

const names = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** A class of style.css for how good or bad a fraction is, in four steps on each side. */
export function heat(v: Num, step = 0.02): string {
  if (v === null || v === 0 || !Number.isFinite(v)) return '';
  return `${v > 0 ? 'g' : 'b'}${Math.min(4, Math.max(1, Math.ceil(Math.abs(v) / step)))}`;
}

export function MonthTable({ list }: { list: Month[] }) {
  const byYear = new Map<number, (Month | undefined)[]>();
  for (const m of list) {
    const row = byYear.get(m.year) ?? [];
    row[m.month] = m;
    byYear.set(m.year, row);
  }
  const sums = years(list);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable with the keyboard
    <div class="scroll" tabIndex={0} role="region" aria-label="Return by month">
      <table class="heat">
        <thead>
          <tr>
            <th scope="col">Year</th>
            {names.map((n) => <th key={n} scope="col">{n}</th>)}
            <th scope="col">Year</th>
          </tr>
        </thead>
        <tbody>
          {[...byYear].sort((a, b) => b[0] - a[0]).map(([year, row]) => (
            <tr key={year}>
              <th scope="row">{year}</th>
              {names.map((n, i) => {
                const v = row[i + 1]?.value ?? null;
                return <td key={n} class={heat(v)}>{v === null ? '' : change(v, 1).replace('%', '')}</td>;
              })}
              <td class={`sum ${heat(sums.get(year) ?? null, 0.08)}`}>{change(sums.get(year), 1)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export function Histogram({ bins, label, format, unit }: { bins: Bin[]; label: string; format: (x: number) => string; unit: [string, string] }) {
  const w = 520;
  const h = 170;
  const most = Math.max(1, ...bins.map((b) => b.count));
  const bar = w / Math.max(1, bins.length);
  const zero = bins.findIndex((b) => b.from >= 0);
  const mark = useRef<HTMLSpanElement>(null);
  useLayoutEffect(() => {
    if (mark.current) mark.current.style.left = `${(100 * zero) / Math.max(1, bins.length)}%`;
  }, [bins]);
  return (
    <figure class="histogram">
      <svg viewBox={`0 0 ${w} ${h}`} role="img" aria-label={label} preserveAspectRatio="none">
        {bins.map((b, i) => {
          const top = ((h - 24) * b.count) / most;
          return (
            <rect key={b.from} class={b.from < 0 ? 'loss' : 'gain'} x={i * bar + 1} y={h - 22 - top} width={Math.max(1, bar - 2)} height={top}>
              <title>{`${format(b.from)} to ${format(b.to)}: ${plural(b.count, ...unit)}`}</title>
            </rect>
          );
        })}
        <line class="axis" x1={0} x2={w} y1={h - 22} y2={h - 22} />
      </svg>
      <figcaption>
        <span>{bins[0] ? format(bins[0].from) : ''}</span>
        {zero > 0 && <span class="zero" ref={mark}>0</span>}
        <span>{bins.length > 0 ? format(bins[bins.length - 1]!.to) : ''}</span>
      </figcaption>
      <p class="sub">The highest bar is {plural(most, ...unit)}.</p>
    </figure>
  );
}

export function Spark({ values, label, colour = 'run', width = 120, height = 28 }: { values: Num[]; label: string; colour?: string; width?: number; height?: number }) {
  const path = useRef<SVGPathElement>(null);
  useLayoutEffect(() => {
    const known = values.filter((v): v is number => v !== null);
    const lo = Math.min(...known);
    const hi = Math.max(...known);
    const y = (v: number) => height - 2 - ((height - 4) * (v - lo)) / (hi - lo || 1);
    path.current?.setAttribute('d', values.map((v, i) => (v === null ? '' : `${i === 0 ? 'M' : 'L'}${((width * i) / Math.max(1, values.length - 1)).toFixed(1)} ${y(v).toFixed(1)}`)).join(''));
  }, [values]);
  return (
    <svg class="spark" viewBox={`0 0 ${width} ${height}`} role="img" aria-label={label}>
      <path ref={path} class={colour} />
    </svg>
  );
}

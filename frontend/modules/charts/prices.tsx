// Prices draws candles with volume, indicators on them and in panes of their own, marks of signals and
// trades, and shades what was only warm-up.
import {
  AreaSeries, type BarPrice, CandlestickSeries, ColorType, createChart, createSeriesMarkers, CrosshairMode, HistogramSeries, type IChartApi, type ISeriesApi, type ISeriesMarkersPluginApi,
  type Logical, LineSeries, LineStyle, type MouseEventParams, type SeriesMarker, type Time, type UTCTimestamp,
} from 'lightweight-charts';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Num } from '../api/types';
import { count, price, trim } from '../format/number';
import { clock, when, whenFull, zone, zoneName } from '../format/time';
import { colour, dark } from '../shell/theme';
import { millis } from './draw';
import { lastAt } from './window';

export interface Series { name: string; values: Num[]; pane: 'price' | 'own' }
export interface Mark { time: string; kind: 'enter' | 'leave' | 'short' | 'cover' | 'signal'; text?: string; id?: string }

export interface PricesProps {
  label: string;
  time: string[];
  open: Num[];
  high: Num[];
  low: Num[];
  close: Num[];
  volume: Num[];
  series?: Series[];
  marks?: Mark[];
  warm?: number; // the first bars, which were not traded
  focus?: { time: string; until?: string } | null; // where to go
  lit?: string | null; // id of the mark to show larger
  height?: number;
  onMark?: (id: string | null) => void;
  onRange?: (from: string, to: string, width: number) => void; // what is shown in how many pixels, after it has come to rest
}

const seriesColours = ['bench', 's3', 's2', 's1', 's4', 's5'];

export default function Prices(p: PricesProps) {
  const box = useRef<HTMLDivElement>(null);
  const chart = useRef<Drawn | null>(null);
  const [at, setAt] = useState<number | null>(null); // under the cross-hair
  const [last, setLast] = useState<number | null>(null); // of what is shown
  const props = useRef(p);
  props.current = p;
  const isDark = dark.value;
  const z = zone.value;

  useEffect(() => {
    const el = box.current;
    if (!el) return;
    const range = chart.current?.api.timeScale().getVisibleRange();
    const drawn = draw(el, props, setAt, setLast);
    chart.current = drawn;
    if (range && drawn.kept === p.time[0]) drawn.api.timeScale().setVisibleRange(range);
    return () => {
      drawn.stop();
      chart.current = null;
    };
  }, [p.time, p.open, p.series, isDark, z]);

  useEffect(() => {
    chart.current?.marks(p.marks ?? [], p.lit ?? null);
  }, [p.marks, p.lit, p.time, p.open, p.series, isDark, z]);

  useEffect(() => {
    if (p.focus) chart.current?.focus(p.focus.time, p.focus.until);
  }, [p.focus, p.time, p.open, p.series, isDark, z]);

  const i = at ?? Math.min(last ?? p.time.length - 1, p.time.length - 1);
  return (
    <div class="prices">
      <p class="read" aria-live="off">
        {i >= 0 && p.time[i] && (
          <>
            <b title={whenFull(p.time[i])}>{when(p.time[i], z)}</b>
            <span>O {price(p.open[i])}</span>
            <span>H {price(p.high[i])}</span>
            <span>L {price(p.low[i])}</span>
            <span>C {price(p.close[i])}</span>
            <span>Vol {count(p.volume[i])}</span>
            {(p.series ?? []).map((s, k) => (
              <span key={s.name} class={`key ${seriesColours[k % seriesColours.length]}`}>
                <i /> {s.name} <b>{s.values[i] === null || s.values[i] === undefined ? '–' : trim(s.values[i])}</b>
              </span>
            ))}
          </>
        )}
      </p>
      <div class="canvas" ref={box} role="img" aria-label={p.label} />
    </div>
  );
}

interface Drawn {
  api: IChartApi;
  kept: string | undefined;
  marks: (list: Mark[], lit: string | null) => void;
  focus: (time: string, until?: string) => void;
  stop: () => void;
}

function draw(el: HTMLElement, props: { current: PricesProps }, setAt: (i: number | null) => void, setLast: (i: number) => void): Drawn {
  const p = props.current;
  const stamps = p.time.map((t) => (millis(t) / 1000) as UTCTimestamp);
  const intraday = (p.time[0]?.length ?? 10) > 10;
  const dim = colour('dim');
  const api = createChart(el, {
    autoSize: true,
    layout: {
      attributionLogo: false, // its script would break the page's policy; the footer names the library
      background: { type: ColorType.Solid, color: 'transparent' },
      textColor: dim,
      fontSize: 11,
      fontFamily: '"Inter", "Segoe UI", system-ui, sans-serif',
      panes: { separatorColor: colour('faint'), separatorHoverColor: colour('rule') },
    },
    grid: { vertLines: { color: colour('faint') }, horzLines: { color: colour('faint') } },
    crosshair: { mode: CrosshairMode.Normal, vertLine: { color: dim, labelBackgroundColor: colour('ink') }, horzLine: { color: dim, labelBackgroundColor: colour('ink') } },
    rightPriceScale: { borderVisible: false, minimumWidth: 64, entireTextOnly: true },
    timeScale: {
      borderVisible: false,
      timeVisible: intraday,
      minBarSpacing: 0.05,
      fixLeftEdge: true, // no dragging into nothing
      tickMarkFormatter: (t: Time, kind: number) => tick(t as number, kind, intraday),
    },
    localization: {
      timeFormatter: (t: Time) => (intraday ? `${when(iso(t as number))} ${zoneName(new Date((t as number) * 1000))}` : iso(t as number).slice(0, 10)),
      priceFormatter: (x: BarPrice) => price(x),
    },
  });
  shade(api, stamps, p);
  const up = colour('gain');
  const down = colour('loss');
  const candles = api.addSeries(CandlestickSeries, { upColor: up, downColor: down, wickUpColor: up, wickDownColor: down, borderVisible: false, priceLineVisible: false, lastValueVisible: false });
  candles.setData(stamps.map((time, i) => (p.close[i] === null ? { time } : { time, open: p.open[i]!, high: p.high[i]!, low: p.low[i]!, close: p.close[i]! })));
  volume(api, stamps, p);
  indicators(api, stamps, p);
  const plugin: ISeriesMarkersPluginApi<Time> = createSeriesMarkers(candles as ISeriesApi<'Candlestick', Time>, []);
  const move = (e: MouseEventParams) => {
    const i = e.time === undefined ? -1 : lastAt(stamps, e.time as UTCTimestamp);
    setAt(i < 0 ? null : i);
    props.current.onMark?.(typeof e.hoveredObjectId === 'string' ? e.hoveredObjectId : null);
  };
  api.subscribeCrosshairMove(move);
  let rest: ReturnType<typeof setTimeout> | undefined;
  api.timeScale().subscribeVisibleLogicalRangeChange((r) => {
    clearTimeout(rest);
    if (!r) return;
    rest = setTimeout(() => {
      const a = Math.max(0, Math.floor(r.from));
      const b = Math.min(p.time.length - 1, Math.ceil(r.to));
      setLast(Math.max(0, Math.min(p.time.length - 1, Math.floor(r.to))));
      if (p.time[a] && p.time[b]) props.current.onRange?.(p.time[a], p.time[b], el.clientWidth);
    }, 200);
  });
  const shown = Math.min(p.time.length, Math.max(80, Math.floor(el.clientWidth / 5)));
  api.timeScale().setVisibleLogicalRange({ from: (p.onRange ? 0 : p.time.length - shown) as Logical, to: (p.time.length + 2) as Logical });
  const where = (t: string) => Math.max(0, lastAt(stamps, (millis(t) / 1000) as UTCTimestamp));
  return {
    api,
    kept: p.time[0],
    marks: (list, lit) => plugin.setMarkers((stamps.length > 0 ? list : []).map((m) => marker(m, stamps[where(m.time)]!, lit === m.id && lit !== null)).sort((a, b) => (a.time as number) - (b.time as number))),
    focus: (time, until) => {
      const a = where(time);
      const b = until ? where(until) : a;
      const margin = Math.max(30, Math.floor((b - a) * 0.6));
      api.timeScale().setVisibleLogicalRange({ from: (a - margin) as Logical, to: (b + margin) as Logical });
    },
    stop: () => {
      clearTimeout(rest);
      api.remove();
    },
  };
}

const iso = (t: number): string => new Date(1000 * t).toISOString();

// tick labels the time axis. The kinds are those of the library: year, month, day, time.
function tick(t: number, kind: number, intraday: boolean): string {
  const text = intraday ? when(iso(t)) : iso(t).slice(0, 10);
  if (kind === 0) return text.slice(0, 4);
  if (kind === 1) return new Date(Date.UTC(2000, Number(text.slice(5, 7)) - 1, 1)).toLocaleDateString('en-US', { month: 'short', timeZone: 'UTC' });
  if (kind === 2) return String(Number(text.slice(8, 10)));
  return clock(iso(t));
}

// shade draws a band behind the bars that were only warm-up, and one behind bars outside the universe.
function shade(api: IChartApi, stamps: UTCTimestamp[], p: PricesProps): void {
  if (!p.warm) return;
  // One area, not a bar for each: bars that overlap when much is in view would hide what is behind them.
  const tint = colour('dim', 0.14);
  const band = api.addSeries(AreaSeries, { priceScaleId: 'shade', lineVisible: false, topColor: tint, bottomColor: tint, crosshairMarkerVisible: false, priceLineVisible: false, lastValueVisible: false, autoscaleInfoProvider: () => ({ priceRange: { minValue: 0, maxValue: 1 } }) });
  band.setData(stamps.slice(0, p.warm).map((time) => ({ time, value: 1 })));
  api.priceScale('shade').applyOptions({ scaleMargins: { top: 0, bottom: 0 }, visible: false });
}

function volume(api: IChartApi, stamps: UTCTimestamp[], p: PricesProps): void {
  if (!p.volume.some((v) => v)) return;
  const bars = api.addSeries(HistogramSeries, { priceScaleId: 'volume', color: colour('dim', 0.35), priceLineVisible: false, lastValueVisible: false, priceFormat: { type: 'volume' } });
  bars.setData(stamps.map((time, i) => ({ time, value: p.volume[i] ?? 0 })));
  api.priceScale('volume').applyOptions({ scaleMargins: { top: 0.84, bottom: 0 }, visible: false });
  api.priceScale('right').applyOptions({ scaleMargins: { top: 0.06, bottom: 0.18 } });
}

function indicators(api: IChartApi, stamps: UTCTimestamp[], p: PricesProps): void {
  let pane = 0;
  (p.series ?? []).forEach((s, k) => {
    const where = s.pane === 'price' ? 0 : ++pane;
    const line = api.addSeries(LineSeries, {
      color: colour(seriesColours[k % seriesColours.length]!), lineWidth: 2, lineStyle: LineStyle.Solid, priceLineVisible: false, lastValueVisible: false, crosshairMarkerVisible: false,
      priceFormat: { type: 'custom', formatter: (x: BarPrice) => trim(x), minMove: 1e-6 },
    }, where);
    line.setData(stamps.map((time, i) => (s.values[i] === null || s.values[i] === undefined ? { time } : { time, value: s.values[i]! })));
  });
  const panes = api.panes();
  panes.forEach((x, i) => {
    x.setStretchFactor(i === 0 ? Math.max(3, panes.length) : 1);
  });
}

function marker(m: Mark, time: UTCTimestamp, lit: boolean): SeriesMarker<Time> {
  const buys = m.kind === 'enter' || m.kind === 'cover';
  return {
    time,
    position: buys || m.kind === 'signal' ? 'belowBar' : 'aboveBar',
    shape: m.kind === 'signal' ? 'circle' : buys ? 'arrowUp' : 'arrowDown',
    color: lit ? colour('ink') : colour(buys || m.kind === 'signal' ? 'gain' : 'loss'),
    size: lit ? 2 : m.kind === 'signal' ? 0.5 : 1,
    ...(m.id ? { id: m.id } : {}),
    ...(m.text && lit ? { text: m.text } : {}),
  };
}

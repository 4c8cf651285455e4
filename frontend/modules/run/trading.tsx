// The trades of a run and the prices they were made at, linked both ways: a click on a trade moves the
// chart to it, and a mark under the pointer lights its row up.
import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { runBars } from '../api/runs';
import type { Detail, Fill, Run, RunBars, Trade } from '../api/types';
import { millis } from '../charts/draw';
import type { Mark, PricesProps } from '../charts/prices';
import { around, ends, mostCandles, mostDays, outside, tooCoarse, type Window } from '../charts/window';
import { change, count, price, shares, sign, usd } from '../format/number';
import { plain, words } from '../format/text';
import { isSession, stamp, when } from '../format/time';
import { lazy } from '../shell/lazy';
import { useKeys } from '../shell/keys';
import { useFetched } from '../ui/fetched';
import { Card, Empty, Facts, Loading, Trouble } from '../ui/kit';
import { Virtual } from '../ui/virtual';
import type { Trades } from './trades';

const Prices = lazy<PricesProps>('the chart', () => import('../charts/prices'));

const timesOf = (b: RunBars | undefined): string[] => (b ? b.bars.t.map((t) => stamp(t, /[mh]$/.test(b.frame))) : []);

export interface Row { trade: Trade; index: number }
type Sort = 'index' | 'symbol' | 'entry_time' | 'return' | 'pnl' | 'bars';

export function sorted(rows: readonly Row[], by: Sort, down: boolean): readonly Row[] {
  if (by === 'index' && !down) return rows; // as they come
  const key = (r: Row): number | string => (by === 'index' ? r.index : r.trade[by]);
  return [...rows].sort((a, b) => {
    const x = key(a);
    const y = key(b);
    const order = x < y ? -1 : x > y ? 1 : a.index - b.index;
    return down ? -order : order;
  });
}

/** How many trades are marked in a chart of a width in pixels: two arrows a trade, no more than one every 6 pixels. */
export const mostMarked = (width: number): number => Math.max(20, Math.floor(width / 12));

/** The trades of a symbol that lie in what is shown. */
export const within = (trades: readonly Row[], symbol: string, shown: Window | null): Row[] =>
  trades.filter(({ trade: t }) => t.symbol === symbol && (!shown || (millis(t.entry_time) <= shown.to && (t.open || millis(t.exit_time) >= shown.from))));

/** The trades to mark: all, or an even choice of so many of them and those that must be seen. */
export function marked(own: readonly Row[], most: number, must: readonly (number | null)[] = []): readonly Row[] {
  if (own.length <= most) return own;
  const every = own.length / most;
  return own.filter((r, i) => Math.floor(i / every) !== Math.floor((i - 1) / every) || must.includes(r.index));
}

/** Two marks a trade: where it was opened and where it was closed. */
export function marksOf(trades: readonly Row[], symbol: string): Mark[] {
  return trades.filter((r) => r.trade.symbol === symbol).flatMap(({ trade: t, index }): Mark[] => {
    const long = t.side === 'long';
    const enter: Mark = { time: t.entry_time, kind: long ? 'enter' : 'short', id: String(index), text: `${long ? 'buy' : 'short'} ${shares(t.quantity)} at ${price(t.entry_price)}` };
    return t.open ? [enter] : [enter, { time: t.exit_time, kind: long ? 'leave' : 'cover', id: String(index), text: `${change(t.return, 1)} ${words(t.exit_reason)}` }];
  });
}

/** The fills that a trade was made of: those of its symbol at its two times. */
export function fillsOf(t: Trade, fills: readonly Fill[]): Fill[] {
  return fills.filter((f) => f.symbol === t.symbol && (f.time === t.entry_time || (!t.open && f.time === t.exit_time)));
}

const heads: [Sort, string, string][] = [['index', '#', 'wide'], ['symbol', 'Symbol', 'l'], ['entry_time', 'Opened', 'l'], ['bars', 'Bars', 'wide'], ['return', 'Return', ''], ['pnl', 'Profit', '']];

/** first is the index of the trade that is chosen when the view opens. */
export function Trading({ run, r, trades, first }: { run: Run; r: Detail; trades: Trades; first: number | null }) {
  const all = useMemo<Row[]>(() => trades.items.map((trade, index) => ({ trade, index })), [trades.items]);
  const [sort, setSort] = useState<[Sort, boolean]>(['index', false]);
  const [query, setQuery] = useState('');
  const rows = useMemo(() => {
    const q = query.trim().toLowerCase();
    const found = q ? all.filter(({ trade: t }) => `${t.symbol} ${t.side} ${t.exit_reason} ${t.entry_time} ${t.exit_time}`.toLowerCase().includes(q)) : all;
    return sorted(found, sort[0], sort[1]);
  }, [all, sort, query]);
  const [chosen, setChosen] = useState<number | null>(first);
  const [lit, setLit] = useState<number | null>(null);
  const trade = chosen === null ? undefined : all[chosen]?.trade;
  const symbol = trade?.symbol ?? all[0]?.trade.symbol ?? run.symbols?.[0] ?? '';
  const [zoom, setZoom] = useState<{ from?: string; to?: string }>({});
  const whole = useRef<Window | null>(null);
  const series = useFetched(
    symbol
      ? async (s) => {
          const got = await runBars(run.run_id, { symbol, points: mostDays, ...zoom }, s);
          if (!zoom.from) whole.current = ends(got.bars.t);
          return got;
        }
      : null,
    [symbol, run.run_id, zoom],
  );
  const times = useMemo(() => timesOf(series.data), [series.data]);
  const [view, setView] = useState<{ shown: Window | null; width: number }>({ shown: null, width: 600 });
  const here = useMemo(() => within(all, symbol, view.shown ?? (series.data ? ends(series.data.bars.t) : null)), [all, symbol, series.data, view]);
  const arrows = useMemo(() => marked(here, mostMarked(view.width), [chosen]), [here, view.width, chosen]);
  const marks = useMemo(() => marksOf(arrows, symbol), [arrows, symbol]);
  const onRange = useCallback((from: string, to: string, width: number) => {
    const now = series.data;
    if (!now || !whole.current) return;
    const shown = { from: millis(from), to: millis(to) };
    setView({ shown, width });
    const loaded = ends(now.bars.t);
    if (!tooCoarse(shown, loaded, now.bars.t.length, now.bars.points_total > now.bars.t.length, mostCandles / 2) && !outside(shown, loaded, whole.current)) return;
    const next = around(shown, whole.current);
    setZoom({ from: stamp(next.from, false), to: stamp(next.to, false) });
  }, [series.data]);
  const focus = useMemo(() => (trade ? { time: trade.entry_time, ...(trade.open ? {} : { until: trade.exit_time }) } : null), [trade]);
  const step = useCallback((by: number) => {
    const at = rows.findIndex((x) => x.index === chosen);
    const next = rows[Math.min(rows.length - 1, Math.max(0, at + by))];
    if (next) setChosen(next.index);
  }, [rows, chosen]);
  useKeys([{ keys: 'j', does: 'Next trade', run: () => step(1) }, { keys: 'k', does: 'Trade before', run: () => step(-1) }], [step]);
  useEffect(() => {
    setLit(null);
    setZoom({});
    setView(({ width }) => ({ shown: null, width }));
    whole.current = null;
  }, [symbol]);

  if (all.length === 0 && trades.busy) return <Loading what="Reading trades" />;
  if (all.length === 0 && trades.error !== undefined) return <Trouble act="Read the trades" error={trades.error} />;
  if (all.length === 0) {
    return (
      <Empty title="Nothing was traded">
        <p>Either the entry condition never held, or orders could not be filled. What was counted:</p>
        <Facts rows={Object.entries(r.counts?.signals ?? {}).map(([k, n]) => [k, `held at ${count(n)} bars`] as const)} />
        <Facts rows={Object.entries(r.counts?.refused ?? {}).map(([k, n]) => [words(k), `${count(n)} entries`] as const)} />
      </Empty>
    );
  }
  const b = series.data?.symbol === symbol ? series.data : undefined;
  const light = lit ?? chosen;
  return (
    <div class="trading">
      <Card title={`${plain(symbol, 20)}`} class="trading-chart">
        {b ? (
          <Prices label={`Prices of ${symbol} with trades`} time={times} open={b.bars.open} high={b.bars.high} low={b.bars.low} close={b.bars.close} volume={b.bars.volume} marks={marks} onRange={onRange} focus={focus} lit={light === null ? null : String(light)} onMark={(id) => setLit(id === null ? null : Number(id))} />
        ) : series.error ? <Trouble act={`Show prices of ${symbol}`} error={series.error} retry={series.reload} /> : <Loading what="Reading prices" />}
        {view.shown && arrows.length < here.length && <p class="sub">{count(arrows.length)} of the {count(here.length)} trades in view have their arrows: more cannot be told apart. Zoom in for the others.</p>}
        {trade && <Journal trade={trade} fills={fillsOf(trade, series.data?.fills ?? [])} />}
      </Card>
      <Card title="Trades" class="trading-list" actions={<input type="search" aria-label="Search trades" placeholder="Symbol, side, date" value={query} onInput={(e) => setQuery(e.currentTarget.value)} />}>
        <Virtual
          label="Trades"
          total={rows.length}
          onEnd={trades.more}
          row={36}
          class={`trades ${isSession(all[0]!.trade.entry_time) ? '' : 'minutes'} ${trades.total > 999 ? 'many' : ''}`}
          show={light === null ? null : rows.findIndex((x) => x.index === light)}
          head={
            <div class="vrow vhead" role="row">
              {heads.map(([key, text, c]) => (
                <span key={key} role="columnheader" class={c} aria-sort={sort[0] === key ? (sort[1] ? 'descending' : 'ascending') : 'none'}>
                  <button type="button" onClick={() => setSort([key, sort[0] === key ? !sort[1] : key === 'return' || key === 'pnl'])}>{text}{sort[0] === key ? (sort[1] ? ' ↓' : ' ↑') : ''}</button>
                </span>
              ))}
            </div>
          }
          render={(i) => {
            const { trade: t, index } = rows[i]!;
            return (
              // biome-ignore lint/a11y/useKeyWithClickEvents: the keys j and k go through the rows
              <div key={index} class={`vrow ${index === chosen ? 'chosen' : ''} ${index === lit ? 'lit' : ''}`} role="row" aria-rowindex={i + 2} aria-selected={index === chosen} onClick={() => setChosen(index)}>
                <span role="cell" class="wide">{count(index + 1)}</span>
                <span role="cell" class="l"><b>{plain(t.symbol, 12)}</b> {t.side === 'short' ? 'short' : ''}{t.open ? ' open' : ''}</span>
                <span role="cell" class="l">{when(t.entry_time)}</span>
                <span role="cell" class="wide">{count(t.bars)}</span>
                <span role="cell" class={sign(t.return)}>{change(t.return)}</span>
                <span role="cell" class={sign(t.pnl)}>{usd(t.pnl)}</span>
              </div>
            );
          }}
        />
        <p class="sub how"><kbd>j</kbd> <kbd>k</kbd> go through the trades; the arrows of the chart light their rows up.{trades.total > all.length ? ` ${count(all.length)} of ${count(trades.total)} trades are here; more come when you scroll.` : ''}</p>
      </Card>
    </div>
  );
}

const rules: Record<string, string> = {
  open: 'at the open', close: 'at the close', limit: 'at the limit', limit_gap: 'at the open, better than the limit', stop: 'at the stop', stop_gap: 'at the open, beyond the stop',
};

// Journal says why a trade was filled as it was.
function Journal({ trade: t, fills }: { trade: Trade; fills: Fill[] }) {
  return (
    <div class="journal">
      <p>
        <b>{t.side === 'long' ? 'Bought' : 'Sold short'} {shares(t.quantity)} at {price(t.entry_price)}</b>, {t.open ? <>still open, marked at {price(t.exit_price)}</> : <>closed at {price(t.exit_price)} by <b>{words(t.exit_reason)}</b></>}.
        {' '}<span class={sign(t.pnl)}>{usd(t.pnl)} ({change(t.return)})</span> after {usd(t.commission)} of commission. Worst {change(t.mae, 1)}, best {change(t.mfe, 1)} on the way.
      </p>
      <ol>
        {fills.map((f, i) => (
          <li key={i}>
            {when(f.time)}: {f.side} {shares(f.quantity)} {rules[f.rule] ?? words(f.rule).toLowerCase()} {price(f.reference)}, paid {price(f.price)} with slippage of {usd(f.slippage)}. Decided at {when(f.decided)}: {words(f.reason).toLowerCase()}.
          </li>
        ))}
      </ol>
    </div>
  );
}

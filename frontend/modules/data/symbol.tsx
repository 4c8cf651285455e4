// One symbol: its bars as they traded, splits, dividends. A long history comes thinned, and the part
// that is looked at is asked for again.
import { useCallback, useMemo, useRef, useState } from 'preact/hooks';
import { bars as barsOf, type BarsAsk, tickers } from '../api/data';
import { Problem } from '../api/problem';
import { millis } from '../charts/draw';
import type { PricesProps } from '../charts/prices';
import { around, ends, mostCandles, mostDays, outside, tooCoarse, type Window } from '../charts/window';
import { count, fixed, plural, trim } from '../format/number';
import { plain } from '../format/text';
import { when } from '../format/time';
import { lazy } from '../shell/lazy';
import { amend, link, route } from '../shell/route';
import { useFetched } from '../ui/fetched';
import { Card, Choice, Empty, Facts, LinkButton, Loading, Trouble } from '../ui/kit';
import { Coverage } from './calendar';

const Prices = lazy<PricesProps>('the chart', () => import('../charts/prices'));

const frames = [['1d', 'Day'], ['1w', 'Week'], ['1M', 'Month'], ['1h', 'Hour'], ['5m', '5 min'], ['1m', 'Minute']] as const;
type Frame = (typeof frames)[number][0];

export default function SymbolView({ symbol }: { symbol: string }) {
  const frame = frames.find(([k]) => k === route.value.query.get('frame'))?.[0] ?? '1d';
  const [ask, setAsk] = useState<BarsAsk>({});
  const whole = useRef<Window | null>(null);
  const market = useFetched(tickers, []);
  const got = useFetched(
    async (s) => {
      const b = await barsOf(symbol, { ...ask, timeframe: frame, points: /[mh]$/.test(frame) ? mostCandles : mostDays }, s);
      if (!ask.from && !ask.to) whole.current = ends(b.data.t);
      return b;
    },
    [symbol, frame, ask],
  );
  const b = got.data;
  const info = market.data?.find((t) => t.ticker === symbol);
  const time = b?.data.dates ?? [];
  const thinned = (b?.points_total ?? 0) > time.length;
  const onRange = useCallback((from: string, to: string) => {
    if (!b || !whole.current) return;
    const shown = { from: millis(from), to: millis(to) };
    const loaded = ends(b.data.t);
    if (!tooCoarse(shown, loaded, b.data.t.length, thinned, mostCandles / 2) && !outside(shown, loaded, whole.current)) return;
    const next = around(shown, whole.current);
    const day = (t: number) => new Date(t).toISOString().slice(0, 10);
    setAsk({ from: day(next.from), to: day(next.to) });
  }, [b, thinned]);
  const actions = useMemo(() => (b ? b.splits.length + b.dividends.length : 0), [b]);
  if (got.error instanceof Problem && got.error.status === 404) {
    return (
      <>
        <div class="page-head"><h1>{plain(symbol, 20)}</h1></div>
        <Empty title={`There are no prices of ${plain(symbol, 60)} here`} action={<LinkButton kind="main" href={link(['data'])}>All symbols</LinkButton>}>
          <p>Tickers are written as the vendor does: large and small letters differ, and classes of shares have a point, as in BRK.B. What is not here yet can be fetched from the Data page.</p>
        </Empty>
      </>
    );
  }
  return (
    <>
      <div class="page-head">
        <div><h1>{plain(symbol, 20)}</h1><p class="sub">{plain(info?.name) || 'Prices as they traded, in USD'}{info?.delisted ? ` · delisted ${info.delisted}` : ''}</p></div>
        <div class="actions">
          <LinkButton href={link(['data'])}>All symbols</LinkButton>
        </div>
      </div>
      <Card
        title="Prices"
        actions={<Choice<Frame> small label="Bar length" value={frame} options={frames} onChange={(f) => { setAsk({}); amend({ frame: f === '1d' ? undefined : f }); }} />}
      >
        {got.error !== undefined && <Trouble act={`Show bars of ${symbol}`} error={got.error} retry={got.reload} />}
        {!b && got.busy && <Loading what="Reading bars" />}
        {b && time.length === 0 && <Empty title="No bars"><p>Nothing of this length is stored. Fetch it on the data page, or choose another length.</p></Empty>}
        {b && time.length > 0 && (
          <>
            <Prices label={`Candles of ${symbol}`} time={time} open={b.data.open} high={b.data.high} low={b.data.low} close={b.data.close} volume={b.data.volume} onRange={onRange} />
            <p class="sub">{thinned ? `${count(time.length)} candles for ${count(b.points_total)} bars; zoom in and the part you look at is read in full.` : plural(time.length, 'bar')} {got.busy ? 'Reading…' : ''}{ask.from && <> <button type="button" class="linklike" onClick={() => setAsk({})}>Show everything</button></>}</p>
          </>
        )}
      </Card>
      <Coverage symbol={symbol} />
      {b && (
        <div class="columns">
          <Card title="What is stored">
            <Facts rows={[['First bar', when(info?.first ?? time[0])], ['Last bar', when(info?.last ?? time[time.length - 1])], ['Daily bars', info ? count(info.bars) : '–'], ['Kind', plain(info?.type) || '–'], ['Prices', b.synthetic ? 'made up' : 'as traded, not adjusted']]} />
          </Card>
          <Card title="Splits and dividends">
            {actions === 0 ? <p class="sub">None are known.</p> : (
              // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable with the keyboard
              <div class="scroll tall" tabIndex={0} role="region" aria-label="Splits and dividends">
                <table>
                  <thead><tr><th scope="col" class="l">Ex-date</th><th scope="col" class="l">What</th><th scope="col">Paid</th></tr></thead>
                  <tbody>
                    {[...b.splits.map((x) => ({ ex: x.ex, what: `split, ${trim(x.to)} for ${trim(x.from)}`, pay: '' })), ...b.dividends.map((x) => ({ ex: x.ex, what: `dividend of ${fixed(x.cash, 4)} USD`, pay: x.pay }))]
                      .sort((x, y) => (x.ex < y.ex ? 1 : -1))
                      .map((x, i) => <tr key={i}><td class="l">{x.ex}</td><td class="l">{x.what}</td><td>{x.pay || '–'}</td></tr>)}
                  </tbody>
                </table>
              </div>
            )}
          </Card>
        </div>
      )}
    </>
  );
}

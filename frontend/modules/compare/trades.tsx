// Which trades two of the compared runs did not make alike, the first difference first. Every trade leads to
// its place in the chart of its run.
import { useState } from 'preact/hooks';
import { type Show, compareTrades } from '../api/runs';
import type { Compared, Trade, TradeDifference, TradesCompared } from '../api/types';
import { change, count, plural, price, shares, sign, usd } from '../format/number';
import { plain, words } from '../format/text';
import { when } from '../format/time';
import { amend, link, route } from '../shell/route';
import { useFetched } from '../ui/fetched';
import { Button, Card, Choice, Loading, Trouble } from '../ui/kit';

/** How many differences are shown at first, and how many more each time. */
const step = 50;
const most = 5_000;

/** The two runs that the address asks for, or the first two. */
export function pairOf(asked: string | null, ids: readonly string[]): [number, number] {
  const [a, b] = (asked ?? '').split(',').map((id) => ids.indexOf(id));
  return a !== undefined && b !== undefined && a >= 0 && b >= 0 && a !== b ? [a, b] : [0, 1];
}

/** What the first difference is, in words; a and b name the runs. */
export function firstOf(d: TradeDifference, a: string, b: string): string {
  const one = d.a ?? d.b;
  const what = `${one?.side === 'short' ? 'sold' : 'bought'} ${plain(one?.symbol, 20)}`;
  if (!d.b) return `only ${a} ${what}`;
  if (!d.a) return `only ${b} ${what}`;
  return `both ${what} on ${when(one?.entry_time)}, with a difference in ${d.in.map((k) => words(k).toLowerCase()).join(', ')}`;
}

export function TradesOfTwo({ list, names }: { list: Compared[]; names: string[] }) {
  const ids = list.map((r) => r.run_id);
  const [a, b] = pairOf(route.value.query.get('pair'), ids);
  const [show, setShow] = useState<Show>('all');
  const [limit, setLimit] = useState(step);
  const got = useFetched((s) => compareTrades(ids[a]!, ids[b]!, show, limit, s), [ids[a], ids[b], show, limit]);
  const choose = (x: number, y: number) => {
    // Who takes the run that the other place has swaps the two.
    amend({ pair: x === y ? `${ids[b]},${ids[a]}` : `${ids[x]},${ids[y]}` });
    setLimit(step);
    setShow('all');
  };
  const pick = (label: string, value: number, onChange: (i: number) => void) => (
    <select aria-label={label} value={value} onChange={(e) => onChange(Number(e.currentTarget.value))}>
      {names.map((n, i) => <option key={ids[i]} value={i}>{n}</option>)}
    </select>
  );
  const c = got.data;
  return (
    <Card title="Trades that differ" class="two-runs" actions={list.length > 2 && <>{pick('First run', a, (i) => choose(i, b))} {pick('Second run', b, (i) => choose(a, i))}</>}>
      {got.error !== undefined && <Trouble act="Compare the trades" error={got.error} retry={got.reload} />}
      {!c && got.busy && <Loading what="Comparing trades" />}
      {c && <Told c={c} a={`run ${a + 1}`} b={`run ${b + 1}`} show={show} />}
      {c && c.differ + c.only_a + c.only_b > 0 && (
        <>
          <Choice<Show> small label="Which trades" value={show} onChange={(s) => { setShow(s); setLimit(step); }} options={[['all', `All ${count(c.differ + c.only_a + c.only_b)}`], ['differ', `Made by both ${count(c.differ)}`], ['only_a', `Only ${a + 1} ${count(c.only_a)}`], ['only_b', `Only ${b + 1} ${count(c.only_b)}`]]} />
          {c.items.length === 0 ? <p class="sub">There are none of these.</p> : (
            // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable with the keyboard
            <div class="scroll tall" tabIndex={0} role="region" aria-label="Trades that differ" aria-busy={got.busy}>
              <table class="pairs">
                <thead><tr><th scope="col" class="l">Since</th><th scope="col" class="l">Symbol</th><th scope="col" class="l">{names[a]}</th><th scope="col">Profit</th><th scope="col" class="l">{names[b]}</th><th scope="col">Profit</th></tr></thead>
                <tbody>
                  {c.items.map((d) => (
                    <tr key={`${d.a_index ?? ''}-${d.b_index ?? ''}`}>
                      <td class="l">{when(d.at)}</td>
                      <td class="l"><b>{plain((d.a ?? d.b)?.symbol, 12)}</b>{(d.a ?? d.b)?.side === 'short' ? ' short' : ''}</td>
                      <Side trade={d.a} index={d.a_index} id={ids[a]!} unlike={d.in} />
                      <Side trade={d.b} index={d.b_index} id={ids[b]!} unlike={d.in} />
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          )}
          {c.items.length < c.total && (
            <p class="sub more">
              The first {count(c.items.length)} of {count(c.total)}. {limit < most && <Button small busy={got.busy} onClick={() => setLimit(Math.min(most, limit * 4))}>Show more</Button>}
            </p>
          )}
        </>
      )}
    </Card>
  );
}

function Told({ c, a, b, show }: { c: TradesCompared; a: string; b: string; show: Show }) {
  const first = show === 'all' ? c.items[0] : undefined;
  const both = c.same + c.differ;
  if (both + c.only_a + c.only_b === 0) return <p class="prose">Neither run traded.</p>;
  if (c.differ + c.only_a + c.only_b === 0) return <p class="prose">None: both runs made the same {plural(c.same, 'trade')}.</p>;
  const ways = Object.entries(c.in).sort((x, y) => y[1] - x[1]);
  return (
    <div class="prose">
      {first && <p><b>The first difference: {when(first.at)}, {firstOf(first, a, b)}.</b></p>}
      <p>
        {both === 0 ? 'They have no trade in common.' : (
          <>
            Both made {plural(both, 'trade')}, {count(c.same)} of them alike
            {c.differ > 0 && <> and {count(c.differ)} with a difference ({ways.map(([k, n]) => `${words(k).toLowerCase()} ${count(n)}`).join(', ')})</>}
            ; they brought {usd(c.both_profit_a)} in {a} and {usd(c.both_profit_b)} in {b}.
          </>
        )}
        {' '}Only {a} made {count(c.only_a)}{both > 0 && ' more'}{c.only_a > 0 && <> for {usd(c.only_profit_a)}</>}; only {b} made {count(c.only_b)}{both > 0 && ' more'}{c.only_b > 0 && <> for {usd(c.only_profit_b)}</>}.
      </p>
      <p class="sub">The same trade: same symbol, side and time of entry. What differs is underlined; a click leads to the chart of the run.</p>
    </div>
  );
}

function Side({ trade: t, index, id, unlike }: { trade: Trade | undefined; index: number | undefined; id: string; unlike: readonly string[] }) {
  if (!t || index === undefined) return <><td class="l sub">not made</td><td /></>;
  const part = (key: string, text: string) => (unlike.includes(key) ? <u>{text}</u> : text);
  return (
    <>
      <td class="l">
        <a href={link(['runs', id], { tab: 'trades', trade: String(index + 1) })}>{part('quantity', shares(t.quantity))} at {part('entry_price', price(t.entry_price))}</a> {when(t.entry_time)}
        <br />
        {t.open ? 'still open' : <>{part('exit_price', price(t.exit_price))} {part('exit_time', when(t.exit_time))} {part('exit_reason', words(t.exit_reason).toLowerCase())}</>}
        {(['commission', 'dividends', 'borrow'] as const).filter((k) => unlike.includes(k)).map((k) => <span key={k}>, {k} <u>{usd(t[k] ?? 0)}</u></span>)}
      </td>
      <td class={sign(t.pnl)}>{usd(t.pnl)}<br />{change(t.return)}</td>
    </>
  );
}

// The months of a symbol at a glance: which are whole, which have holes, and what an audit finds odd.
import { useState } from 'preact/hooks';
import { calendar } from '../api/data';
import type { SymbolCalendar } from '../api/types';
import { count, plural } from '../format/number';
import { plain, words } from '../format/text';
import { useFetched } from '../ui/fetched';
import { Card, Choice, Loading, Trouble } from '../ui/kit';

type Frame = '1d' | '1m';
type Month = SymbolCalendar['months'][number];

/** How much of a month is there, as a class of style.css. */
export function fullness(m: Pick<Month, 'sessions' | 'held'> | undefined): 'none' | 'full' | 'gap' | 'bare' {
  if (!m || m.sessions === 0) return 'none';
  return m.held >= m.sessions ? 'full' : m.held === 0 ? 'bare' : 'gap';
}

/** Years with their twelve months, the newest first. */
export function yearsOf(list: readonly Month[]): [year: string, months: (Month | undefined)[]][] {
  const out = new Map<string, (Month | undefined)[]>();
  for (const m of list) {
    const [year = '', month = ''] = m.month.split('-');
    const row = out.get(year) ?? Array.from({ length: 12 }, () => undefined);
    row[Number(month) - 1] = m;
    out.set(year, row);
  }
  return [...out].sort((a, b) => (a[0] < b[0] ? 1 : -1));
}

const names = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

export function Coverage({ symbol }: { symbol: string }) {
  const [frame, setFrame] = useState<Frame>('1d');
  const got = useFetched((s) => calendar(symbol, frame, s), [symbol, frame]);
  const c = got.data?.timeframe === frame ? got.data : undefined;
  return (
    <>
      <Card title="Coverage" actions={<Choice<Frame> small label="Bars" value={frame} onChange={setFrame} options={[['1d', 'Days'], ['1m', 'Minutes']]} />}>
        {got.error !== undefined && <Trouble act={`Show the coverage of ${symbol}`} error={got.error} retry={got.reload} />}
        {!c && got.busy && <Loading what="Reading the calendar" />}
        {c && got.error === undefined && <Months c={c} />}
      </Card>
      {c && got.error === undefined && <Findings c={c} />}
    </>
  );
}

function Months({ c }: { c: SymbolCalendar }) {
  const holes = c.sessions - c.held;
  return (
    <>
      <p class="sub">{count(c.held)} of {plural(c.sessions, 'session')} from {c.first} to {c.last}{holes === 0 ? ': none is missing.' : `: ${plural(holes, 'is missing', 'are missing')}.`}</p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable with the keyboard */}
      <div class="scroll" tabIndex={0} role="region" aria-label="Sessions by month">
        <table class="calendar">
          <thead><tr><th scope="col">Year</th>{names.map((n) => <th key={n} scope="col">{n}</th>)}</tr></thead>
          <tbody>
            {yearsOf(c.months).map(([year, months]) => (
              <tr key={year}>
                <th scope="row">{year}</th>
                {months.map((m, i) => <td key={names[i]} class={fullness(m)} title={m ? `${m.month}: ${m.held} of ${plural(m.sessions, 'session')}, ${plural(m.bars, 'bar')}` : undefined}>{m && m.sessions > 0 ? (m.held < m.sessions ? `${m.held}/${m.sessions}` : m.held) : ''}</td>)}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p class="sub">Sessions with a bar in each month; orange where some that the market has are missing.</p>
      {c.missing.length > 0 && <details class="entry"><summary>Sessions without a bar</summary><p class="sub">{c.missing.join(', ')}{holes > c.missing.length ? ` and ${count(holes - c.missing.length)} more` : ''}</p></details>}
    </>
  );
}

const marks: Record<string, string> = { fail: 'grave', warn: 'caution', info: '' };
const worst = ['fail', 'warn', 'info'];

function Findings({ c }: { c: SymbolCalendar }) {
  const list = [...c.findings].sort((a, b) => worst.indexOf(a.severity) - worst.indexOf(b.severity));
  return (
    <Card title="Audit" intro={c.verdict === 'OK' ? 'Nothing is wrong with these bars as far as an audit can tell. It cannot see an error that looks like a price.' : c.verdict === 'WARN' ? 'Look at these before you trust a result.' : 'The data is wrong, or a run on it would be.'}>
      {list.map((f) => (
        <details key={f.check} class="entry finding">
          <summary><i class={`tag ${marks[f.severity] ?? ''}`}>{f.severity}</i> <b>{words(f.check)}</b><span>{plural(f.count, 'place')}{f.first ? `, ${f.first}${f.last !== f.first ? ` to ${f.last}` : ''}` : ''}</span></summary>
          <div><p>{plain(f.message, 600)}</p><p class="sub">Looks for: {f.about}</p></div>
        </details>
      ))}
    </Card>
  );
}

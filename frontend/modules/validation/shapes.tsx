// Pictures of a validation that are drawn as SVG: windows in time, and bars of runs that differ in one thing.
import type { Window } from '../api/validation';
import { change, fixed } from '../format/number';
import { type Bars, timeline } from './picture';

/** Each window a line: what parameters were chosen on, and what they were then traded on. */
export function Timeline({ windows }: { windows: Window[] }) {
  const w = 1000;
  const row = 18;
  const places = timeline(windows);
  return (
    <figure class="timeline">
      <svg viewBox={`0 0 ${w} ${row * windows.length}`} role="img" aria-label="Training and test windows over time" preserveAspectRatio="none">
        {places.map((p, i) => {
          const x = windows[i]!;
          return (
            <g key={x.test_from}>
              <rect class="train" x={p.train.from * w} y={i * row + 4} width={Math.max(1, (p.train.to - p.train.from) * w - 1)} height={row - 8}><title>{`chosen on ${x.train_from} to ${x.train_to}`}</title></rect>
              <rect class={x.chosen === null ? 'cash' : (x.total_return ?? 0) < 0 ? 'loss' : 'gain'} x={p.test.from * w} y={i * row + 2} width={Math.max(1, (p.test.to - p.test.from) * w - 1)} height={row - 4}><title>{`traded ${x.test_from} to ${x.test_to}: ${change(x.total_return, 1)}`}</title></rect>
            </g>
          );
        })}
      </svg>
      <figcaption><span>{windows[0]?.train_from}</span><span class="key train"><i /> chosen on</span><span class="key gain"><i /> traded, gained</span><span class="key loss"><i /> traded, lost</span>{windows.some((x) => x.chosen === null) && <span class="key cash"><i /> in cash</span>}<span>{windows.at(-1)?.test_to}</span></figcaption>
    </figure>
  );
}

/** A bar for each run that differs in one thing; the run itself is the dark one. */
export function BarRow({ title, bars, digits = 2 }: { title: string; bars: Bars; digits?: number }) {
  const span = bars.high - bars.low || 1;
  const zero = (100 * -bars.low) / span;
  return (
    <figure class="bar-row">
      <figcaption>{title}</figcaption>
      <table>
        <caption class="unseen">{title}</caption>
        <tbody>
          {bars.list.map((b, i) => {
            const v = b.value ?? 0;
            const width = (100 * Math.abs(v)) / span;
            return (
              <tr key={i} class={b.base ? 'base' : ''}>
                <th scope="row" class="l">{b.label}</th>
                <td class="bar">
                  <svg aria-hidden="true" viewBox="0 0 100 10" preserveAspectRatio="none"><rect class={v < 0 ? 'loss' : 'gain'} x={v < 0 ? zero - width : zero} y="1" width={width} height="8" /></svg>
                </td>
                <td>{b.value === null ? (b.note || 'undefined') : fixed(b.value, digits)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </figure>
  );
}

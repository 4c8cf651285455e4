// A validation: the verdict and what speaks against the strategy first, then the pictures behind the answers.
import { useMemo } from 'preact/hooks';
import { json, tearsheet } from '../api/runs';
import type { Num, Run } from '../api/types';
import { type Cross, type Parameter, type Point, type Question, type Superiority, validation, type Validation, type Verdict, type WalkForward } from '../api/validation';
import { histogram, millis } from '../charts/draw';
import type { LinesProps } from '../charts/lines';
import { Histogram } from '../charts/shapes';
import { change, count, fixed, percent, plural, shortUsd, sign, trim, usd } from '../format/number';
import { plain, words } from '../format/text';
import { lazy } from '../shell/lazy';
import { amend, link, route } from '../shell/route';
import { useFetched } from '../ui/fetched';
import { Card, Choice, Facts, LinkButton, Loading, Trouble } from '../ui/kit';
import { barsOf, byWorry, logitBins, sentence, shades } from './picture';
import { BarRow, Timeline } from './shapes';

const Lines = lazy<LinesProps>('the chart', () => import('../charts/lines'));

const tabs = [['questions', 'Questions'], ['walk', 'Walk-forward'], ['overfitting', 'Overfitting'], ['sensitivity', 'Sensitivity'], ['page', 'Whole page']] as const;
type Tab = (typeof tabs)[number][0];

export default function ValidationView({ run }: { run: Run }) {
  const got = useFetched((s) => validation(run.run_id, s), [run.run_id]);
  const v = got.data;
  const asked = route.value.query.get('tab');
  const tab: Tab = tabs.find(([k]) => k === asked)?.[0] ?? 'questions';
  if (!v) return got.error ? <Trouble act="Open the validation" error={got.error} retry={got.reload} /> : <Loading what="Reading the validation" />;
  return (
    <>
      <section class={`verdict ${kinds[v.verdict]}`} aria-label="Verdict">
        <p>{sentence(v)}</p>
        {v.data.synthetic && <p class="sub">The prices are made up by the demo market: the answers mean nothing about real ones.</p>}
        <p class="sub">
          {plural(v.search.combinations, 'combination')} by {v.search.method}, {count(v.search.eligible)} eligible. {v.search.chosen?.length ? <>Judged is {v.search.default ? 'what the file says' : `the best by ${words(v.search.objective).toLowerCase()}`}: <b>{chosen(v.search.chosen)}</b>.</> : 'The file has no parameters: its run is judged.'}
        </p>
      </section>
      <div class="tab-bar">
        <Choice<Tab> label="Part of the validation" value={tab} onChange={(t) => amend({ tab: t === 'questions' ? undefined : t })} options={tabs} />
        <div class="actions"><LinkButton small href={json(run.run_id)} download>JSON</LinkButton><LinkButton small href={tearsheet(run.run_id, true)} download>HTML</LinkButton></div>
      </div>
      {tab === 'questions' && <Questions list={v.questions} />}
      {tab === 'walk' && (v.walk_forward ? <Walk f={v.walk_forward} /> : <Unanswered v={v} k="walk_forward" />)}
      {tab === 'overfitting' && <Overfitting v={v} />}
      {tab === 'sensitivity' && <Sensitivity v={v} />}
      {tab === 'page' && <iframe class="tearsheet" title="Validation" sandbox="allow-scripts" src={tearsheet(run.run_id)} />}
    </>
  );
}

const kinds: Record<Verdict, string> = { passes: '', doubtful: 'caution', fails: 'grave', undefined: 'caution' };
const marks: Record<Verdict, string> = { passes: 'good', doubtful: 'caution', fails: 'grave', undefined: '' };

const chosen = (list: Parameter[] | null): string => (list === null ? 'cash' : list.map((p) => `${plain(p.name, 30)} ${trim(p.value)}`).join(', ') || 'the file’s');

function Questions({ list }: { list: Question[] }) {
  return (
    <Card title="What was asked" intro="The answers that should worry you first. Open one for what was computed, on what, and what passes.">
      <div class="questions">
        {byWorry(list).map((q) => (
          <details key={q.key} class="entry">
            <summary><i class={`tag ${marks[q.verdict]}`}>{q.verdict === 'undefined' ? 'no answer' : q.verdict}</i><b>{q.question}</b><span>{q.verdict === 'undefined' ? plain(q.reason, 300) : plain(q.answer, 300)}</span></summary>
            <Facts rows={[[words(q.figure), q.value === null ? 'undefined' : fixed(q.value, 3)], ['Passes and fails', q.rule], ['Computed', plain(q.on, 400) || '–']]} />
          </details>
        ))}
      </div>
    </Card>
  );
}

function Unanswered({ v, k }: { v: Validation; k: string }) {
  const q = v.questions.find((x) => x.key === k);
  return <Card title={q?.question ?? words(k)}><p class="prose">There is no answer: {plain(q?.reason, 400) || 'it was not asked'}.</p></Card>;
}

function Walk({ f }: { f: WalkForward }) {
  const t = useMemo(() => f.equity.time.map(millis), [f]);
  const lines = useMemo(() => [{ name: 'Out of sample', values: f.equity.value, colour: 'run' }], [f]);
  const shade = useMemo(() => shades(f.windows), [f]);
  return (
    <>
      <div class="tiles">
        <div><span>Return out of sample</span><b class={sign(f.total_return)}>{change(f.total_return, 1)}</b><small>{change(f.cagr, 1)} a year</small></div>
        <div><span>Sharpe ratio</span><b>{fixed(f.sharpe)}</b><small>out of sample</small></div>
        <div><span>Deepest fall</span><b class={sign(f.max_drawdown)}>{percent(f.max_drawdown, 1)}</b><small>out of sample</small></div>
        <div><span>Efficiency</span><b>{fixed(f.efficiency)}</b><small>out of sample / in sample</small></div>
        <div><span>Windows</span><b>{count(f.windows.length)}</b><small>{f.train} chosen on, {f.test} traded</small></div>
        <div><span>Windows that gained</span><b>{count(f.windows.filter((w) => (w.total_return ?? 0) > 0).length)}</b><small>of {count(f.windows.length)}</small></div>
      </div>
      <Card title="Equity out of sample" intro={f.carry
        ? 'All tests in one account: positions live on under the parameters they were entered with, those of a rebalance until its next date, and only the end closes with costs. Every other window is shaded.'
        : 'The tests one after another: each begins flat on what the ones before left, and is closed with costs at its end. Every other window is shaded.'}>
        {t.length > 1 && <Lines label="Equity of the walk-forward out of sample" t={t} lines={lines} format={(x) => usd(x, 0)} axis={shortUsd} height={300} shade={shade} />}
        <h3 class="chart-title">Windows</h3>
        <Timeline windows={f.windows} />
      </Card>
      <Card title="Window by window">
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable with the keyboard */}
        <div class="scroll" tabIndex={0} role="region" aria-label="Windows of the walk-forward">
          <table>
            <thead><tr><th scope="col" class="l">Traded</th><th scope="col" class="l">Chosen</th><th scope="col">In sample</th><th scope="col">Out of sample</th><th scope="col">Efficiency</th><th scope="col">Return</th><th scope="col">Trades</th>{f.carry && <th scope="col">Carried in</th>}</tr></thead>
            <tbody>
              {f.windows.map((w) => (
                <tr key={w.test_from}>
                  <th scope="row" class="l">{w.test_from} to {w.test_to}{w.short ? ' (short)' : ''}</th>
                  <td class="l" title={plain(w.reason, 300)}>{chosen(w.chosen)}{w.chosen === null && w.eligible === 0 ? ', none was eligible' : ''}</td>
                  <td>{bps(w.in_sample)}</td><td>{bps(w.out_of_sample)}</td><td>{fixed(w.efficiency)}</td>
                  <td class={sign(w.total_return)}>{change(w.total_return, 1)}</td><td>{count(w.trades)}</td>{f.carry && <td>{count(w.carried ?? 0)}</td>}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
        <p class="sub">In and out of sample are mean log returns of a session in basis points.</p>
      </Card>
    </>
  );
}

const bps = (x: Num): string => (x === null ? '–' : fixed(1e4 * x));

function Overfitting({ v }: { v: Validation }) {
  const p = v.pbo;
  return (
    <>
      {p ? (
        <Card title="Probability of backtest overfitting" intro={`${plural(p.configurations, 'combination')} over ${p.blocks} blocks of time: ${plural(p.splits, 'split')} into two halves. The best of one half is looked up on the other.`}>
          <div class="columns">
            <figure class="plain-figure">
              <Histogram bins={logitBins(p.logits)} label="Rank out of sample of the combination that was the best in sample, as logits" format={(x) => fixed(x, 1)} unit={['split', 'splits']} />
              <p class="sub">Left of 0 the best of one half was in the worse half of the other: chosen by luck.</p>
            </figure>
            <Facts rows={[['Probability', <b key="p">{percent(p.probability, 1)}</b>], ['Splits that lost', percent(p.loss, 1)], ['Slope, out on in', fixed(p.slope)], ['R²', fixed(p.r2)], ['Judged by', p.by]]} />
          </div>
        </Card>
      ) : <Unanswered v={v} k="pbo" />}
      {v.cpcv ? <Paths c={v.cpcv} title="Paths of combinatorial purged cross-validation" /> : <Unanswered v={v} k="cpcv" />}
      <Card title="Better than doing nothing" intro="How likely the best of all combinations is by luck alone, after all of them were tried.">
        <div class="columns">
          {([['Against cash', v.against_cash], ['Against holding at the same exposure', v.against_holding]] as [string, Superiority | null][]).map(([name, x]) => (
            <div key={name}><h3>{name}</h3>{x ? <Facts rows={[['Hansen’s test, p', fixed(x.p, 3)], ['Reality check, p', fixed(x.reality_check_p, 3)], ['Combinations', count(x.models)], ['Resamples', count(x.draws)], ['Best', chosen(x.best)]]} /> : <p class="sub">Not tested.</p>}</div>
          ))}
        </div>
      </Card>
    </>
  );
}

function Paths({ c, title }: { c: Cross; title: string }) {
  const ratios = c.paths.map((p) => p.sharpe).filter((x): x is number => x !== null);
  const points: Point[] = c.paths.map((p, i) => ({ label: `Path ${i + 1}: ${change(p.total_return, 0)}, fall ${percent(p.max_drawdown, 0)}`, at: i, base: false, trades: null, ...p }));
  const t = useMemo(() => (c.dates ?? []).map(millis), [c]);
  const lines = useMemo(() => c.paths.map((p, i) => ({ name: `Path ${i + 1}`, values: p.equity ?? [], colour: `s${i % 6}`, dash: i % 12 >= 6 })), [c]);
  return (
    <Card title={title} intro={`History in ${c.groups} groups, ${c.tested} tested at a time, make ${plural(c.paths.length, 'whole history', 'whole histories')} out of sample. ${c.purge_sessions} sessions are purged around what is tested, ${c.embargo_sessions} embargoed behind it.`}>
      <div class="columns">
        {points.length <= 20 ? <BarRow title="Sharpe ratio of each path" bars={barsOf(points, 'sharpe')} /> : <Histogram bins={histogram(ratios)} label="Paths by Sharpe ratio" format={(x) => fixed(x, 1)} unit={['path', 'paths']} />}
        <Facts rows={[['Median', fixed(c.sharpe_median)], ['90% lie between', `${fixed(c.sharpe_p05)} and ${fixed(c.sharpe_p95)}`], ['Paths that lost', percent(c.loss_share, 0)], ['Chosen by', c.by]]} />
      </div>
      {t.length > 1 && (
        <>
          <h3 class="chart-title">Equity of the paths</h3>
          <Lines label="Equity of each path out of sample" t={t} lines={lines} format={(x) => usd(x, 0)} axis={shortUsd} height={280} />
          <p class="sub">The same history, each time chosen on other parts of it. Told at {count(t.length)} sessions: a fall may be deeper between them.</p>
        </>
      )}
    </Card>
  );
}

function Sensitivity({ v }: { v: Validation }) {
  const s = v.stress;
  const m = v.monte_carlo;
  const groups: [string, Point[] | null][] = s ? [['Orders that come later', s.delay], ['Costs that are higher', s.costs], ['Other starts', s.starts], ['Without one symbol', s.without_symbol], ...(s.parameters ?? []).map((p): [string, Point[]] => [`Neighbours of ${plain(p.name, 30)}`, p.points])] : [];
  const drawn = groups.filter((g): g is [string, Point[]] => (g[1]?.length ?? 0) > 1);
  return (
    <>
      <Card title="If one thing had been different" intro="The Sharpe ratio of the judged run, in bold, beside runs in which one thing is changed. What only works at one value works by luck.">
        {drawn.length === 0 ? <p class="sub">Nothing could be changed.</p> : <div class="bar-rows">{drawn.map(([title, points]) => <BarRow key={title} title={title} bars={barsOf(points, 'sharpe')} />)}</div>}
        {(s?.left ?? []).map((l) => <p key={l} class="sub">Not tried: {plain(l, 300)}</p>)}
      </Card>
      <div class="columns">
        <Card title="If trades had come in another order">
          {m ? <Facts rows={[['Sharpe ratio, 95%', `${fixed(m.sharpe_low)} to ${fixed(m.sharpe_high)}`], ['Paths that lost', percent(m.loss, 1)], ['Deepest fall, median', percent(m.max_drawdown_median, 1)], ['Deepest fall, worst 5%', percent(m.max_drawdown_p05, 1)], ['Paths', count(m.draws)]]} /> : <p class="sub">Not simulated.</p>}
        </Card>
        <Card title="If prices had been a little different">
          {v.noise?.length ? (
            // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable with the keyboard
            <div class="scroll" tabIndex={0} role="region" aria-label="Runs on noisy prices"><table>
              <thead><tr><th scope="col" class="l">Noise</th><th scope="col">Sharpe ratio</th><th scope="col">90% between</th><th scope="col">Gained</th></tr></thead>
              <tbody>{v.noise.map((n) => <tr key={n.size}><th scope="row" class="l">{percent(n.size, 0)} of a bar</th><td>{fixed(n.sharpe_median)}</td><td>{fixed(n.sharpe_p05)} and {fixed(n.sharpe_p95)}</td><td>{percent(n.profit_share, 0)}</td></tr>)}</tbody>
            </table></div>
          ) : <p class="sub">Not simulated.</p>}
        </Card>
      </div>
      <p class="sub">Seed {String(v.seed)}, engine {v.engine_version}, data <code>{v.data.sha256.slice(0, 12)}</code>. <a href={link(['reference'])}>What the words mean</a></p>
    </>
  );
}

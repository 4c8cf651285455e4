// The first sentence about a result. It states what the numbers of the server say and never praises.
import type { Metrics, Num, Warning } from '../api/types';
import { change, count, fixed, percent } from '../format/number';
import { severity } from '../ui/alerts';

export const metric = (m: Metrics | Record<string, Num> | null | undefined, key: string): Num => {
  const v = m?.[key];
  return typeof v === 'number' ? v : null;
};

export interface Verdict { kind: 'grave' | 'caution' | 'plain'; text: string }

export function verdict(m: Metrics, warnings: Warning[]): Verdict {
  const trades = metric(m, 'trades') ?? 0;
  const grave = warnings.filter((w) => severity(w) === 'grave').length;
  const caution = warnings.filter((w) => severity(w) === 'caution').length;
  if (trades === 0) return { kind: 'caution', text: 'Nothing was traded: there is no result to judge. The reasons are below.' };
  const total = metric(m, 'total_return');
  const [low, high] = [metric(m, 'sharpe_low'), metric(m, 'sharpe_high')];
  const parts = [`${change(total, 1)} in all, with a deepest fall of ${percent(metric(m, 'max_drawdown'), 1)}, from ${count(trades)} closed trades.`];
  const sharpe = metric(m, 'sharpe');
  if (sharpe !== null && (low === null || high === null)) parts.push(`Sharpe ratio ${fixed(sharpe)}.`);
  else if (sharpe !== null) parts.push(`Sharpe ratio ${fixed(sharpe)}, ${low! > 0 ? 'above zero' : high! < 0 ? 'below zero' : 'which cannot be told from zero'} at 95% (${fixed(low)} to ${fixed(high)}).`);
  const benchmark = metric(m, 'benchmark_return');
  if (benchmark !== null && total !== null) parts.push(`${total > benchmark ? 'More' : 'Less'} than the benchmark's ${change(benchmark, 1)}.`);
  if (grave > 0) return { kind: 'grave', text: `Do not act on this before it is explained. ${parts.join(' ')}` };
  return { kind: caution > 0 ? 'caution' : 'plain', text: parts.join(' ') };
}

// How an indicator is called.
import type { Indicator } from '../api/types';

/** A call with the names of its arguments: sma(x, n), bbands(x, n, k = 2, ddof = 0). Choices such as seed, which few calls need, are left out. */
export function usage(x: Pick<Indicator, 'name' | 'series' | 'params'>): string {
  return `${x.name}(${[...x.series, ...x.params.filter((p) => p.required || !p.words?.length).map((p) => (p.required ? p.name : `${p.name} = ${p.default}`))].join(', ')})`;
}

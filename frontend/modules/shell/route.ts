// Where the person is: the part of the address after #. It works the same from a server, from a plain
// folder and from a file.
import { computed, signal } from '@preact/signals';

export interface Route {
  path: string[]; // decoded
  query: URLSearchParams;
}

export function parse(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?', 2);
  return {
    path: path.split('/').filter(Boolean).map((p) => {
      try {
        return decodeURIComponent(p);
      } catch {
        return p;
      }
    }),
    query: new URLSearchParams(query),
  };
}

/** link writes the address of a place. Empty values of the query are left out. */
export function link(path: (string | number)[], query: Record<string, string | undefined> = {}): string {
  const q = new URLSearchParams();
  for (const [k, v] of Object.entries(query)) if (v) q.set(k, v);
  const text = q.toString();
  return `#/${path.map((p) => encodeURIComponent(p)).join('/')}${text ? `?${text}` : ''}`;
}

const hash = signal(typeof location === 'undefined' ? '' : location.hash);

export const route = computed(() => parse(hash.value));

if (typeof addEventListener !== 'undefined') {
  addEventListener('hashchange', () => {
    hash.value = location.hash;
  });
}

export function go(to: string): void {
  location.hash = to;
}

/** Change the query of the place where we are without a step in the history. */
export function amend(query: Record<string, string | undefined>): void {
  const all = Object.fromEntries(route.value.query);
  history.replaceState(null, '', link(route.value.path, { ...all, ...query }));
  hash.value = location.hash;
}

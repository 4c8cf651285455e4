// The file of a run: its settings without those that are only defaults, laid out as a person would.
import { detail } from '../api/runs';
import { explain, format } from '../api/strategies';

type Node = Record<string, unknown>;

const isNode = (x: unknown): x is Node => typeof x === 'object' && x !== null && !Array.isArray(x);

/** A document without the settings at some paths, and without sections that are empty then. */
export function without(x: Node, paths: ReadonlySet<string>, at = ''): Node {
  const out: Node = {};
  for (const [k, v] of Object.entries(x)) {
    const path = at ? `${at}.${k}` : k;
    if (paths.has(path)) continue;
    if (!isNode(v)) out[k] = v;
    else {
      const inner = without(v, paths, path);
      if (Object.keys(inner).length > 0 || Object.keys(v).length === 0) out[k] = inner;
    }
  }
  return out;
}

export async function cloneOf(id: string, signal: AbortSignal): Promise<string> {
  const config = (await detail(id, 'config', signal)).config ?? {};
  const { settings } = await explain(config, signal);
  const defaults = new Set(settings.filter((s) => s.default && s.path !== 'name').map((s) => s.path));
  const { stringify } = await import('yaml');
  // What was a default stays one: the clone says only what somebody decided.
  return format(stringify(without(config, defaults), { lineWidth: 0 }));
}

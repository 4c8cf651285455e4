// A strategy file as a form sees it: single values at paths, changed in the text itself, so that
// comments, order and everything that the form does not know stay as they are.
import { isMap, isScalar, parseDocument, YAMLMap } from 'yaml';

export type Path = (string | number)[];

export interface Reading {
  readable: boolean;
  get: (path: Path) => unknown;
}

export function read(text: string): Reading {
  const doc = parseDocument(text, { strict: false });
  const readable = doc.errors.length === 0 && (doc.contents === null || isMap(doc.contents));
  return {
    readable,
    get: (path) => {
      const node: unknown = readable ? doc.getIn(path, true) : undefined;
      if (isScalar(node)) return node.source !== undefined && typeof node.value !== 'boolean' && typeof node.value !== 'number' ? node.value : node.value;
      return node && typeof node === 'object' && 'toJSON' in node ? (node as { toJSON: () => unknown }).toJSON() : node;
    },
  };
}

/** The text with another value at a path; undefined takes the key away, and sections that are then empty. */
export function write(text: string, path: Path, value: unknown): string {
  const doc = parseDocument(text, { strict: false });
  if (doc.errors.length > 0) return text;
  if (value === undefined) {
    doc.deleteIn(path);
    for (let n = path.length - 1; n > 0; n--) {
      const parent: unknown = doc.getIn(path.slice(0, n), true);
      if (isMap(parent) && parent.items.length === 0) doc.deleteIn(path.slice(0, n));
      else break;
    }
  } else {
    lift(doc, path);
    const old: unknown = doc.getIn(path, true);
    if (isScalar(old) && (typeof value !== 'object' || value === null)) old.value = value;
    else {
      const node = doc.createNode(value, { flow: typeof value === 'object' });
      doc.setIn(path, node);
    }
  }
  return doc.toString({ lineWidth: 0, flowCollectionPadding: false });
}

// lift turns a short form on the way, such as `entry: a > b` for {when: a > b}, into a section.
function lift(doc: ReturnType<typeof parseDocument>, path: Path): void {
  for (let n = 1; n < path.length; n++) {
    const at = path.slice(0, n);
    const node: unknown = doc.getIn(at, true);
    if (!isScalar(node)) continue;
    const map = new YAMLMap();
    map.flow = path[0] === 'costs' || path[0] === 'size' || path[0] === 'data';
    const short = node.value;
    if (short !== null && short !== 'none') map.set(path[n] === 'when' ? 'when' : shortKey(at), short);
    doc.setIn(at, map);
  }
}

const shortKey = (at: Path): string => (at[at.length - 1] === 'volume_cap' ? 'bar' : 'when');

/** The condition of a side, whether it is written short or as a section. */
export function condition(r: Reading, side: 'entry' | 'exit'): { text: string; path: Path; known: boolean } {
  const v = r.get([side]);
  if (v === undefined || v === null) return { text: '', path: [side], known: true };
  if (typeof v === 'string' || typeof v === 'number' || typeof v === 'boolean') return { text: String(v), path: [side], known: true };
  if (Array.isArray(v)) return { text: '', path: [side], known: false };
  const when = (v as Record<string, unknown>)['when'];
  return { text: when === undefined ? '' : String(when), path: [side, 'when'], known: true };
}

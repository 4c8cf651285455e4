// Forms generated from the schema of strategy files: one field for every plain setting of a section.
import { useState } from 'preact/hooks';
import { words } from '../format/text';
import { Button } from '../ui/kit';
import { Typed } from '../ui/typed';
import type { Path, Reading } from './file';

export interface FormField { path: string[]; kind: 'number' | 'text' | 'flag' | 'word'; doc: string; words: string[]; default: unknown }

type Node = Record<string, unknown>;

const isNode = (x: unknown): x is Node => typeof x === 'object' && x !== null && !Array.isArray(x);

/** The plain settings under a key of the schema, sections inside it included. */
export function fieldsOf(schema: Node, key: string): FormField[] {
  const top = isNode(schema['properties']) ? schema['properties'][key] : undefined;
  return isNode(top) ? walk(resolve(schema, top), [], schema) : [];
}

function resolve(schema: Node, x: Node): Node {
  const ref = x['$ref'];
  if (typeof ref !== 'string') return x;
  const at = ref.replace(/^#\//, '').split('/').reduce<unknown>((n, k) => (isNode(n) ? n[k] : undefined), schema);
  return isNode(at) ? at : x;
}

function walk(x: Node, path: string[], schema: Node): FormField[] {
  const choices = [x, ...(Array.isArray(x['anyOf']) ? x['anyOf'] : []), ...(Array.isArray(x['oneOf']) ? x['oneOf'] : [])].filter(isNode).map((n) => resolve(schema, n));
  const section = choices.find((n) => isNode(n['properties']));
  if (section && path.length < 3) return Object.entries(section['properties'] as Node).flatMap(([k, v]) => (isNode(v) ? walk(resolve(schema, v), [...path, k], schema) : []));
  if (path.length === 0) return [];
  const doc = typeof x['description'] === 'string' ? x['description'] : '';
  const word = choices.find((n) => Array.isArray(n['enum']));
  if (word) return [{ path, kind: 'word', doc, words: (word['enum'] as unknown[]).map(String), default: x['default'] }];
  const plain = choices.find((n) => n['type'] !== undefined);
  const type = Array.isArray(plain?.['type']) ? (plain['type'] as unknown[])[0] : plain?.['type'];
  if (type === 'number' || type === 'integer') return [{ path, kind: 'number', doc, words: [], default: x['default'] }];
  if (type === 'boolean') return [{ path, kind: 'flag', doc, words: [], default: x['default'] }];
  if (type === 'string') return [{ path, kind: 'text', doc, words: [], default: x['default'] }];
  return [];
}

export function SchemaForm({ title, path, fields, r, set }: { title: string; path: Path; fields: FormField[]; r: Reading; set: (path: Path, value: unknown) => void }) {
  const [all, setAll] = useState(false);
  const whole = r.get(path);
  const opaque = whole !== undefined && !isNode(whole) && whole !== 'none' && whole !== null;
  const given = (f: FormField): unknown => f.path.reduce<unknown>((x, k) => (isNode(x) ? x[k] : undefined), whole);
  const shown = all ? fields : fields.filter((f, i) => given(f) !== undefined || i < 4);
  return (
    <section>
      <div class="head"><h3>{title}</h3>{fields.length > shown.length || all ? <Button kind="quiet" small onClick={() => setAll(!all)}>{all ? 'Fewer' : `All ${fields.length}`}</Button> : null}</div>
      {opaque ? <p class="sub">Written in a short form: change it in the text.</p> : (
        <div class="form-grid">
          {shown.map((f) => <One key={f.path.join('.')} f={f} value={given(f)} onChange={(v) => set([...path, ...f.path], v)} />)}
        </div>
      )}
    </section>
  );
}

function One({ f, value, onChange }: { f: FormField; value: unknown; onChange: (v: unknown) => void }) {
  const name = f.path.map(words).join(' · ');
  const standard = f.default === undefined ? '' : String(f.default);
  const text = value === undefined || value === null ? '' : String(value);
  return (
    <label class="form-field" title={f.doc}>
      <span>{name}</span>
      {f.kind === 'word' || f.kind === 'flag' ? (
        <select value={text} onChange={(e) => onChange(e.currentTarget.value === '' ? undefined : f.kind === 'flag' ? e.currentTarget.value === 'true' : e.currentTarget.value)}>
          <option value="">{standard ? `${standard} (default)` : 'default'}</option>
          {(f.kind === 'flag' ? ['true', 'false'] : f.words).map((w) => <option key={w} value={w}>{w}</option>)}
        </select>
      ) : (
        <Typed mode={f.kind === 'number' ? 'decimal' : 'text'} value={text} placeholder={standard} onCommit={(t) => onChange(t === '' ? undefined : f.kind === 'number' && Number.isFinite(Number(t)) ? Number(t) : t)} />
      )}
      <small>{f.doc}</small>
    </label>
  );
}

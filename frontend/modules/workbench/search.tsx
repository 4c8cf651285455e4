// Starting a sweep or a validation: the parameters of the file with their ranges, what makes a combination
// better, what it must meet, and how it is put to the test. What is changed here is written into the file.
import { useMemo, useState } from 'preact/hooks';
import { schema, validate } from '../api/strategies';
import { Params } from '../builder/builder';
import { read, write, type Path } from '../builder/file';
import { fieldsOf, SchemaForm } from '../builder/form';
import { count } from '../format/number';
import { combinations } from '../sweep/grid';
import { useFetched } from '../ui/fetched';
import { Button, Dialog, Field, Loading, Trouble } from '../ui/kit';

export type Search = 'sweep' | 'validate';

/** How many combinations a server plays for one search. */
const most = 10_000;

interface Props { kind: Search; text: string; onClose: () => void; onStart: (text: string) => Promise<void> }

export default function SearchDialog({ kind, text: first, onClose, onStart }: Props) {
  const [text, setText] = useState(first);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const rules = useFetched(schema, []);
  const r = useMemo(() => read(text), [text]);
  const checked = useFetched(async (s) => ({ of: text, list: await validate(text, s) }), [text], { delay: 200 });
  const wrong = (checked.data?.list ?? []).filter((f) => f.severity === 'error');
  const set = (path: Path, value: unknown) => setText(write(text, path, value));
  const params = (r.get(['params']) as Record<string, unknown> | undefined) ?? {};
  const n = combinations(params);
  const method = r.get(['search', 'method']);
  const sampled = typeof method === 'string' && method !== 'grid';
  const require = list(r.get(['require']));
  const none = Object.keys(params).length === 0;
  const many = n !== null && n > most && !sampled;
  const submit = async (e: Event) => {
    e.preventDefault();
    setBusy(true);
    setError(undefined);
    try {
      await onStart(text);
    } catch (x) {
      setError(x);
      setBusy(false);
    }
  };
  const sweep = kind === 'sweep';
  return (
    <Dialog title={sweep ? 'Sweep the parameters' : 'Put it to the test'} onClose={onClose} wide>
      <form class="search-form" onSubmit={(e) => void submit(e)}>
        <p class="prose sub">{sweep ? 'Every combination of the values below is played, on the symbols and dates of the editor. What you change is written into the file.' : 'Parameters are chosen again and again on one part of history and traded on another; chance, costs, delay and neighbours are tried. It takes some hundred runs.'}</p>
        <Params r={r} set={set} />
        <p class={`sub ${many ? 'bad' : ''}`} role="status">
          {none ? (sweep ? 'The file has no parameters: name a number in it, such as n, and give it values under params.' : 'The file has no parameters: nothing is chosen, and the run of the file is judged alone.')
            : n === null ? 'The server counts the combinations.'
            : `${count(n)} combinations${sampled ? `, of which ${method} tries some` : many ? `: more than ${count(most)}, which one search may have. Take values away, or a method that tries some` : ''}, less those that a constraint leaves out.`}
        </p>
        {!rules.data ? (rules.error ? <Trouble act="Read the settings" error={rules.error} retry={rules.reload} /> : <Loading what="Reading the settings" />) : (
          <>
            <SchemaForm title="Search" path={['search']} fields={fieldsOf(rules.data, 'search')} r={r} set={set} />
            <Field label="Require" hint="One condition on metrics a line, such as max_drawdown > -0.3; rows that do not meet them are left out">
              {(id, by) => <textarea id={id} aria-describedby={by} class="expression" rows={2} value={require.join('\n')} onChange={(e) => set(['require'], lines(e.currentTarget.value))} />}
            </Field>
            {!sweep && <SchemaForm title="Tests" path={['validate']} fields={fieldsOf(rules.data, 'validate')} r={r} set={set} />}
          </>
        )}
        {wrong.length > 0 && <ul class="faults">{wrong.slice(0, 6).map((f, i) => <li key={i}><span class="tag grave">{f.line ? `${f.line}:${f.from}` : 'file'}</span> {f.message} {f.hint && <em>{f.hint}</em>}</li>)}</ul>}
        {error !== undefined && <Trouble act={sweep ? 'Sweep' : 'Validate'} error={error} />}
        <div class="actions end">
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="main" type="submit" busy={busy} disabled={wrong.length > 0 || (sweep && none) || many || checked.data?.of !== text}>{sweep ? 'Start the sweep' : 'Start the validation'}</Button>
        </div>
      </form>
    </Dialog>
  );
}

/** A setting that is one condition or a list of them, as lines. */
export function list(x: unknown): string[] {
  return Array.isArray(x) ? x.map(String) : x === undefined || x === null ? [] : [String(x)];
}

/** What was written on lines, as the file has it; undefined for nothing. */
export function lines(text: string): string[] | undefined {
  const out = text.split('\n').map((l) => l.trim()).filter(Boolean);
  return out.length > 0 ? out : undefined;
}

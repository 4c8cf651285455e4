// What a person writes on a run: a name, tags, notes.
import { useEffect, useState } from 'preact/hooks';
import type { Label } from '../api/runs';
import type { Run } from '../api/types';
import { plain } from '../format/text';
import { link } from '../shell/route';
import { Button, Dialog, Field } from '../ui/kit';

export const tagsOf = (text: string): string[] => [...new Set(text.split(/[,\n]+/).map((t) => plain(t, 40)).filter(Boolean))];

export function Labels({ run, onChange }: { run: Run; onChange: (c: Label) => Promise<unknown> }) {
  const [open, setOpen] = useState(false);
  const tags = run.tags ?? [];
  return (
    <div class="labels">
      {tags.map((t) => <a key={t} class="tag" href={link(['runs'], { tag: t })}>{plain(t, 40)}</a>)}
      <Button kind="quiet" small onClick={() => setOpen(true)}>{tags.length > 0 || run.notes || run.name ? 'Edit name, tags and notes' : 'Add a name, tags or notes'}</Button>
      {run.notes && <p class="notes">{run.notes}</p>}
      {open && <Edit run={run} onClose={() => setOpen(false)} onChange={onChange} />}
    </div>
  );
}

function Edit({ run, onClose, onChange }: { run: Run; onClose: () => void; onChange: (c: Label) => Promise<unknown> }) {
  const [name, setName] = useState(run.name ?? '');
  const [tags, setTags] = useState((run.tags ?? []).join(', '));
  const [notes, setNotes] = useState(run.notes ?? '');
  const [busy, setBusy] = useState(false);
  useEffect(() => setName(run.name ?? ''), [run.name]);
  return (
    <Dialog title="Name, tags and notes" onClose={onClose}>
      <form
        onSubmit={(e) => {
          e.preventDefault();
          setBusy(true);
          void onChange({ name: name.trim(), tags: tagsOf(tags), notes }).then(onClose);
        }}
      >
        <Field label="Name" hint="Shown instead of the strategy's name">{(id, by) => <input id={id} aria-describedby={by} value={name} maxLength={120} onInput={(e) => setName(e.currentTarget.value)} />}</Field>
        <Field label="Tags" hint="Separated by commas">{(id, by) => <input id={id} aria-describedby={by} value={tags} onInput={(e) => setTags(e.currentTarget.value)} />}</Field>
        <Field label="Notes" hint="What you expected, what you saw, what you will not try again">{(id, by) => <textarea id={id} aria-describedby={by} rows={6} value={notes} onInput={(e) => setNotes(e.currentTarget.value)} />}</Field>
        <div class="actions end"><Button onClick={onClose}>Cancel</Button><Button kind="main" type="submit" busy={busy}>Save</Button></div>
      </form>
    </Dialog>
  );
}

// Saving under a name. Every save is a version; what has changed since the last one is shown first.
import { useState } from 'preact/hooks';
import { strategy } from '../api/strategies';
import { Problem } from '../api/problem';
import { lazy } from '../shell/lazy';
import { useFetched } from '../ui/fetched';
import { Button, Dialog, Field, Trouble } from '../ui/kit';

const Difference = lazy('the differences', () => import('../editor/difference'));

const rule = /^[\p{L}\p{N}][\p{L}\p{N} ._-]{0,79}$/u;

export function SaveDialog({ text, name: first, onClose, onSave }: { text: string; name: string; onClose: () => void; onSave: (name: string, after: number) => Promise<void> }) {
  const [name, setName] = useState(first.replace(/[^\p{L}\p{N} ._-]+/gu, ' ').trim());
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const fits = rule.test(name);
  const old = useFetched(
    fits
      ? async (s) => {
          try {
            return await strategy(name, s);
          } catch (e) {
            if (e instanceof Problem && e.status === 404) return null;
            throw e;
          }
        }
      : null,
    [name],
    { delay: 250, fresh: true },
  );
  const builtin = old.data?.origin === 'built-in';
  const submit = async (e: Event) => {
    e.preventDefault();
    setBusy(true);
    setError(undefined);
    try {
      await onSave(name, old.data?.latest ?? 0);
    } catch (x) {
      setError(x);
      setBusy(false);
    }
  };
  return (
    <Dialog title="Save the strategy" onClose={onClose} wide={Boolean(old.data?.text && old.data.text !== text)}>
      <form onSubmit={(e) => void submit(e)}>
        <Field label="Name" hint={builtin ? 'Your own version of the built-in strategy' : old.data ? `A new version after version ${old.data.latest ?? 1}` : 'Letters, digits, blanks, dots and dashes'} error={!fits && name ? 'Letters, digits, blanks, dots and dashes, at most 80' : undefined}>
          {(id, by) => <input id={id} aria-describedby={by} value={name} onInput={(e) => setName(e.currentTarget.value)} autocomplete="off" spellcheck={false} />}
        </Field>
        {old.data?.text && (old.data.text === text ? <p class="sub">Nothing has changed.</p> : <Difference before={old.data.text} after={text} />)}
        {error !== undefined && <Trouble act="Save" error={error} />}
        <div class="actions end">
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="main" type="submit" busy={busy} disabled={!fits || old.busy}>Save</Button>
        </div>
      </form>
    </Dialog>
  );
}

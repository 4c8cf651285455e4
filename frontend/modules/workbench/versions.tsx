// The saved versions of a strategy: what each changed, how it differs from what is written now, and taking
// one back.
import { useState } from 'preact/hooks';
import { strategy, versions } from '../api/strategies';
import { ago, whenFull } from '../format/time';
import { lazy } from '../shell/lazy';
import { useFetched } from '../ui/fetched';
import { Button, Choice, Dialog, Empty, Loading, Trouble } from '../ui/kit';

const Difference = lazy<{ before: string; after: string }>('the differences', () => import('../editor/difference'));

type Against = 'now' | 'before';

export default function VersionsDialog({ name, text, onClose, onRestore }: { name: string; text: string; onClose: () => void; onRestore: (text: string, version: number) => void }) {
  const got = useFetched((s) => versions(name, s), [name]);
  const [chosen, setChosen] = useState<number | null>(null);
  const [against, setAgainst] = useState<Against>('now');
  const list = [...(got.data ?? [])].sort((a, b) => (b.version ?? 0) - (a.version ?? 0));
  const version = chosen ?? list[0]?.version ?? null;
  const previous = list.find((v) => (v.version ?? 0) < (version ?? 0))?.version ?? null;
  const one = useFetched(version === null ? null : (s) => strategy(name, s, version), [name, version]);
  const before = useFetched(previous === null || against !== 'before' ? null : (s) => strategy(name, s, previous), [name, previous, against]);
  const old = one.data?.text;
  const earlier = previous === null ? '' : before.data?.text;
  return (
    <Dialog title={`Versions of ${name}`} onClose={onClose} wide>
      {got.error !== undefined && <Trouble act="List versions" error={got.error} retry={got.reload} />}
      {!got.data && got.busy && <Loading what="Listing versions" />}
      {got.data && list.length === 0 && <Empty title="No version was saved"><p>A built-in strategy has one text. Save it under a name of yours, and every save is a version.</p></Empty>}
      {list.length > 0 && (
        <div class="versions">
          <ul class="version-list" aria-label="Versions">
            {list.map((v) => (
              <li key={v.version}>
                <button type="button" aria-pressed={v.version === version} onClick={() => setChosen(v.version ?? null)}>
                  <b>Version {v.version}</b>
                  {v.changed_at && <small><time title={whenFull(v.changed_at)}>{ago(v.changed_at, Date.now())}</time></small>}
                </button>
              </li>
            ))}
          </ul>
          <div class="version">
            <div class="head">
              <Choice<Against> small label="Compared with" value={against} onChange={setAgainst} options={[['now', 'To what is written now'], ['before', 'From the one before']]} />
              <Button small kind="main" disabled={old === undefined || old === text} onClick={() => old !== undefined && version !== null && onRestore(old, version)}>Take this one back</Button>
            </div>
            {one.error !== undefined && <Trouble act={`Open version ${version}`} error={one.error} retry={one.reload} />}
            {old !== undefined && (against === 'now' ? (old === text ? <p class="sub">It is what is written now.</p> : <Difference before={old} after={text} />) : earlier !== undefined && <Difference before={earlier} after={old} />)}
          </div>
        </div>
      )}
    </Dialog>
  );
}

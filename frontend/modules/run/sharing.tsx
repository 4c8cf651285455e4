// Whether others may read a run, and what they are told of it.
import type { Label } from '../api/runs';
import type { Run } from '../api/types';
import { plain } from '../format/text';
import { link } from '../shell/route';
import { state } from '../shell/session';
import { complain, say } from '../shell/toast';
import { Button } from '../ui/kit';

type Change = (c: Label) => Promise<boolean>;

const copied = (run: Run): Promise<boolean> =>
  Promise.resolve()
    .then(() => navigator.clipboard.writeText(new URL(link(['runs', run.run_id]), location.href).href))
    .then(() => true, () => false);

const byHand = 'copy the address of this page.';

/** The button of an own run that nobody else can read yet. Where there are no accounts there is nobody to share with. */
export function Share({ run, onChange }: { run: Run; onChange: Change }) {
  if (state.value !== 'in' || run.owner || run.shared || run.kind === 'fetch') return null;
  const share = async () => {
    const taken = copied(run); // browsers allow it while the button is pressed
    if (await onChange({ shared: true })) say((await taken) ? 'Shared. The link is copied.' : `Shared. To pass it on, ${byHand}`);
  };
  return <Button onClick={() => void share()}>Share</Button>;
}

/** Who can read a run besides its owner; nothing where nobody can. */
export function Shared({ run, onChange }: { run: Run; onChange: Change }) {
  if (run.owner) {
    return (
      <p class="shared">
        <span>Shared by <b>{plain(run.owner, 64)}</b>, who alone can change it. Clone it to change a copy of your own.</span>
      </p>
    );
  }
  if (!run.shared) return null;
  const copy = async () => ((await copied(run)) ? say('The link is copied.') : complain('Copy the link', new Error(`The browser refuses it: ${byHand}`)));
  return (
    <div class="shared">
      <span>Shared: everybody who is signed in here and has the link reads this run with its strategy. Notes, tags and star stay yours.</span>
      <Button small onClick={() => void copy()}>Copy link</Button>
      <Button small onClick={() => void onChange({ shared: false }).then((done) => done && say('Not shared any more.'))}>Stop sharing</Button>
    </div>
  );
}

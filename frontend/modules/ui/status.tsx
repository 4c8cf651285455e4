// The state of a run as a word with a colour that is not needed to read it.
import type { Status } from '../api/types';

const kinds: Record<Status, string> = { queued: '', running: 'run', succeeded: 'good', failed: 'grave', cancelled: '' };
const names: Record<Status, string> = { queued: 'Queued', running: 'Running', succeeded: 'Done', failed: 'Failed', cancelled: 'Cancelled' };

export function StatusTag({ status }: { status: Status }) {
  return <span class={`tag ${kinds[status] ?? ''}`}>{names[status] ?? status}</span>;
}

// A sweep: what was tried, as a map over two parameters and as a list.
import type { Run } from '../api/types';
import { Card } from '../ui/kit';
import { leaves } from '../ui/settings';

export default function Sweep({ run }: { run: Run }) {
  const rows = leaves(run.summary ?? {});
  return (
    <Card title="What came out">
      <dl class="facts">{rows.map((r) => <div key={r.key}><dt>{r.key}</dt><dd>{r.value}</dd></div>)}</dl>
    </Card>
  );
}

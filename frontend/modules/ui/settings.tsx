// Settings of a run as names with values, every default filled in.

export interface Row { key: string; value: string }

/** The leaves of a document, with their paths. Lists of plain values are one leaf. */
export function leaves(x: unknown, path = ''): Row[] {
  if (Array.isArray(x)) {
    if (x.every((v) => typeof v !== 'object' || v === null)) return [{ key: path, value: x.join(', ') }];
    return x.flatMap((v, i) => leaves(v, `${path}.${i}`));
  }
  if (typeof x === 'object' && x !== null) return Object.entries(x).flatMap(([k, v]) => leaves(v, path ? `${path}.${k}` : k));
  return [{ key: path, value: String(x) }];
}

export function Settings({ config }: { config: Record<string, unknown> }) {
  const groups = new Map<string, Row[]>();
  for (const r of leaves(config)) {
    const head = r.key.includes('.') ? r.key.split('.')[0]! : ''; // plain values stand together
    groups.set(head, [...(groups.get(head) ?? []), r]);
  }
  return (
    <div class="settings">
      {[...groups].map(([head, rows]) => (
        <dl key={head} class="facts">
          {rows.map((r) => (
            <div key={r.key}><dt><code>{r.key}</code></dt><dd><code>{r.value}</code></dd></div>
          ))}
        </dl>
      ))}
    </div>
  );
}

// The workbench: a strategy is written on one side and seen on the other, before any money moves.
import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { newKey, start } from '../api/runs';
import { type Asked, format, preview, save, strategy, validate } from '../api/strategies';
import { tickers } from '../api/data';
import type { Diagnostic } from '../api/types';
import { plural } from '../format/number';
import { plain } from '../format/text';
import { isString, recall, remember } from '../shell/memory';
import { useKeys } from '../shell/keys';
import { lazy } from '../shell/lazy';
import { go, link, route } from '../shell/route';
import { complain, say } from '../shell/toast';
import { useFetched } from '../ui/fetched';
import { Button, Choice, Loading, Trouble } from '../ui/kit';
import { SymbolField } from '../ui/symbols';
import { cloneOf } from './clone';
import { blank, hasUniverse, nameIn, readDraft, type Source, symbolsOf, writeDraft } from './draft';
import { PreviewPane } from './preview';
import { SaveDialog } from './save';
import type { Search } from './search';

const Editor = lazy('the text editor', () => import('../editor/editor'));
const SearchDialog = lazy<{ kind: Search; text: string; onClose: () => void; onStart: (text: string) => Promise<void> }>('the form', () => import('./search'));
const VersionsDialog = lazy<{ name: string; text: string; onClose: () => void; onRestore: (text: string, version: number) => void }>('the versions', () => import('./versions'));
const Builder = lazy('the condition builder', () => import('../builder/builder'));

type Side = 'text' | 'builder';

const none: Diagnostic[] = [];

function sourceOf(): Source {
  const { path, query } = route.value;
  if (query.get('run')) return { kind: 'run', name: query.get('run')! };
  const name = path[1] ?? query.get('from') ?? '';
  return name ? { kind: 'named', name } : { kind: 'new', name: '' };
}

const searchIn = (x: string | null): Search | null => (x === 'sweep' || x === 'validate' ? x : null);

/** The text that a source stands for. */
async function load(source: Source, signal: AbortSignal): Promise<string> {
  if (source.kind === 'new') return blank;
  if (source.kind === 'named') return (await strategy(source.name, signal)).text ?? '';
  return cloneOf(source.name, signal);
}

export default function Workbench() {
  const source = useMemo(sourceOf, []);
  const loaded = useFetched((s) => load(source, s), [source]);
  if (loaded.error) return <Trouble act={`Open ${source.name}`} error={loaded.error} retry={loaded.reload} />;
  if (loaded.data === undefined) return <Loading what="Opening the strategy" />;
  return <Bench source={source} original={loaded.data} />;
}

function Bench({ source, original }: { source: Source; original: string }) {
  const [text, setText] = useState(() => readDraft(source) || original);
  const [replaced, setReplaced] = useState(0);
  const [side, setSide] = useState<Side>('text');
  const [shown, setShown] = useState<'write' | 'see'>('write'); // on a phone
  const [goTo, setGoTo] = useState<{ line: number; column: number } | null>(null);
  const [symbols, setSymbols] = useState(() => recall('symbols', '', isString));
  const [from, setFrom] = useState('');
  const [to, setTo] = useState('');
  const [busy, setBusy] = useState(false);
  const [saving, setSaving] = useState(false);
  const [search, setSearch] = useState<Search | null>(() => searchIn(route.value.query.get('start')));
  const [looking, setLooking] = useState(false);
  const key = useRef<{ key: string; of: string } | null>(null);
  const market = useFetched(tickers, []);
  const latest = useRef(text);
  latest.current = text;
  const saved = useMemo(() => source.kind === 'named' && route.value.path[1] !== undefined, []);
  const dirty = text !== original;
  const own = hasUniverse(text);

  useEffect(() => writeDraft(source, text, original), [text]);
  useEffect(() => remember('symbols', symbols), [symbols]);
  // The first symbol of a market is enough to see something before anybody chose one.
  useEffect(() => {
    if (!symbols && market.data?.[0]) setSymbols(market.data[0].ticker);
  }, [market.data]);

  const asked: Asked = useMemo(() => {
    const list = symbolsOf(symbols);
    return { strategy: text, ...(list.length > 0 && !own ? { symbols: list } : {}), ...(from ? { from } : {}), ...(to ? { to } : {}) };
  }, [text, symbols, from, to, own]);
  const replace = useCallback((t: string) => {
    setText(t);
    setReplaced((n) => n + 1);
  }, []);
  const checked = useFetched(async (s) => ({ of: text, list: await validate(text, s) }), [text], { delay: 250 });
  const faults = checked.data?.list ?? none;
  const wrong = faults.filter((f) => f.severity === 'error');
  const ready = own || asked.symbols !== undefined;
  // Only a text without faults is worth a preview.
  const sound = checked.data?.of === text && wrong.length === 0;
  const seen = useFetched(ready && sound ? (s) => preview(asked, s) : null, [asked], { delay: 200 });

  const send = useCallback(async (what: Asked) => {
    const of = JSON.stringify(what);
    // The same key for the same request: sending it twice, after a lost answer, starts one run.
    if (key.current?.of !== of) key.current = { key: newKey(), of };
    const r = await start(what, key.current.key);
    key.current = null;
    go(link(['runs', r.run_id]));
  }, []);
  const begin = useCallback(async () => {
    setBusy(true);
    try {
      await send(asked);
    } catch (e) {
      complain('Run', e);
    } finally {
      setBusy(false);
    }
  }, [asked]);

  const tidy = useCallback(async () => {
    try {
      const laid = await format(text);
      if (latest.current !== text) return; // more was written meanwhile
      replace(laid);
      say('Laid out.');
    } catch (e) {
      complain('Format', e);
    }
  }, [text]);

  useKeys([
    { keys: 'mod+Enter', does: 'Run the strategy', run: () => void begin() },
    { keys: 'mod+s', does: 'Save the strategy', run: () => setSaving(true) },
    { keys: 'alt+f', does: 'Lay the file out', run: () => void tidy() },
  ], [begin, tidy]);

  return (
    <div class={`bench show-${shown}`}>
      <div class="bench-head">
        <div class="title">
          <h1>{plain(nameIn(text)) || plain(source.name) || 'New strategy'}</h1>
          <p class="sub">
            {source.kind === 'run' ? 'A copy of a run: change it and run it again' : source.kind === 'named' ? 'Runs never change the saved file' : 'Not saved yet'}
            {dirty && <> · <span class="dirty">changed, kept in this browser</span> <button type="button" class="linklike" onClick={() => replace(original)}>undo all</button></>}
          </p>
        </div>
        <div class="actions">
          <Button onClick={() => void tidy()} title="Alt-F">Format</Button>
          {saved && <Button onClick={() => setLooking(true)}>Versions</Button>}
          <Button onClick={() => setSaving(true)} title="Ctrl-S">Save</Button>
          <Button disabled={!ready || !sound} onClick={() => setSearch('sweep')}>Sweep</Button>
          <Button disabled={!ready || !sound} onClick={() => setSearch('validate')}>Validate</Button>
          <Button kind="main" busy={busy} disabled={!ready || !sound} onClick={() => void begin()} title="Ctrl-Enter">Run backtest</Button>
        </div>
      </div>
      <div class="bench-settings">
        <SymbolField label="Symbols" value={own ? '' : symbols} onChange={setSymbols} market={market.data ?? []} disabled={own} hint={own ? 'The file has its own universe' : undefined} />
        <label class="short-field">From<input type="date" value={from} onInput={(e) => setFrom(e.currentTarget.value)} /></label>
        <label class="short-field">To<input type="date" value={to} onInput={(e) => setTo(e.currentTarget.value)} /></label>
        <div class="only-phone">
          <Choice small label="Shown" value={shown} onChange={setShown} options={[['write', 'Write'], ['see', 'Preview']]} />
        </div>
      </div>
      <div class="bench-body">
        <section class="card writing" aria-label="Strategy">
          <div class="head">
            <Choice small label="How to write" value={side} onChange={setSide} options={[['text', 'Text'], ['builder', 'Builder']]} />
            <span class={`sub ${wrong.length > 0 ? 'bad' : ''}`} role="status">
              {checked.error !== undefined ? 'Not checked' : wrong.length > 0 ? plural(wrong.length, 'fault') : faults.length > 0 ? plural(faults.length, 'warning') : 'No faults'}
            </span>
          </div>
          {side === 'text' ? <Editor text={text} replaced={replaced} label="Strategy file" onChange={setText} findings={faults} goTo={goTo} /> : <Builder text={text} onChange={setText} />}
          {faults.length > 0 && (
            <ul class="faults">
              {faults.map((f, i) => (
                <li key={i}>
                  <button type="button" onClick={() => { setSide('text'); setGoTo({ line: f.line || 1, column: f.from || 1 }); }}>
                    <span class={`tag ${f.severity === 'error' ? 'grave' : 'caution'}`}>{f.line ? `${f.line}:${f.from}` : 'file'}</span>
                    <span>{f.message}{f.hint ? <em> {f.hint}</em> : null}</span>
                  </button>
                </li>
              ))}
            </ul>
          )}
        </section>
        <section class="card seeing" aria-label="Preview">
          <PreviewPane state={seen} ready={ready} faulty={wrong.length > 0} />
        </section>
      </div>
      {search && ready && (
        <SearchDialog
          kind={search}
          text={text}
          onClose={() => setSearch(null)}
          onStart={async (t) => {
            if (t !== text) replace(t);
            await send({ ...asked, strategy: t, kind: search });
          }}
        />
      )}
      {looking && (
        <VersionsDialog
          name={source.name}
          text={text}
          onClose={() => setLooking(false)}
          onRestore={(t, version) => {
            replace(t);
            setLooking(false);
            say(`Version ${version} is in the editor; saving it makes a new version.`);
          }}
        />
      )}
      {saving && (
        <SaveDialog
          text={text}
          name={source.kind === 'named' ? source.name : nameIn(text)}
          onClose={() => setSaving(false)}
          onSave={async (name, after) => {
            await save(name, text, after);
            writeDraft(source, text, text);
            setSaving(false);
            say(`Saved ${name}.`);
            if (source.kind !== 'named' || source.name !== name) go(link(['edit', name]));
          }}
        />
      )}
    </div>
  );
}

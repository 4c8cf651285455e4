// The editor of strategy files. It lives in a shadow root, where its styles are sheets of their own and
// not elements, which the policy of the page would refuse. What is right, what could be written and
// what something means is asked of the server, which asks the tables of the language itself.
import { autocompletion, closeBrackets, closeBracketsKeymap, type Completion, type CompletionContext, type CompletionResult, completionKeymap } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands';
import { bracketMatching, HighlightStyle, indentOnInput, indentUnit, StreamLanguage, syntaxHighlighting } from '@codemirror/language';
import { type Diagnostic as Mark, lintGutter, lintKeymap, setDiagnostics } from '@codemirror/lint';
import { highlightSelectionMatches, search, searchKeymap } from '@codemirror/search';
import { Compartment, EditorState, type Extension, type Text } from '@codemirror/state';
import { drawSelection, EditorView, highlightActiveLine, highlightActiveLineGutter, hoverTooltip, keymap, lineNumbers, type Tooltip } from '@codemirror/view';
import { tags } from '@lezer/highlight';
import { useEffect, useRef } from 'preact/hooks';
import type { CompletionItem, Diagnostic } from '../api/types';
import { complete, hover } from '../api/strategies';
import { tokens } from './tokens';

export interface EditorProps {
  text: string; // at first, and whenever replaced changes
  replaced: number; // counts texts that came from elsewhere; what is typed here comes back late and is not one
  label: string;
  onChange: (text: string) => void;
  findings: Diagnostic[]; // of this text
  goTo?: { line: number; column: number } | null;
  readOnly?: boolean;
}

const colours = HighlightStyle.define([
  { tag: tags.propertyName, color: 'var(--run)', fontWeight: '600' },
  { tag: tags.comment, color: 'var(--dim)', fontStyle: 'italic' },
  { tag: [tags.string, tags.literal], color: 'var(--s2)' },
  { tag: tags.number, color: 'var(--s1)' },
  { tag: tags.keyword, color: 'var(--s3)', fontWeight: '600' },
  { tag: tags.function(tags.variableName), color: 'var(--s3)' },
  { tag: tags.special(tags.variableName), color: 'var(--ink)', fontWeight: '600' },
  { tag: tags.variableName, color: 'var(--ink)' },
  { tag: [tags.operator, tags.punctuation, tags.bracket], color: 'var(--dim)' },
]);

const look = EditorView.theme({
  '&': { height: '100%', fontSize: '13.5px', backgroundColor: 'transparent', color: 'var(--ink)' },
  '.cm-scroller': { fontFamily: 'ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, monospace', lineHeight: '1.6' },
  '.cm-content': { caretColor: 'var(--ink)', padding: '10px 0' },
  '&.cm-focused': { outline: 'none' },
  '.cm-gutters': { backgroundColor: 'transparent', color: 'var(--dim)', border: 'none', paddingLeft: '6px' },
  '.cm-activeLine, .cm-activeLineGutter': { backgroundColor: 'color-mix(in srgb, var(--run) 6%, transparent)' },
  '&.cm-focused .cm-selectionBackground, .cm-selectionBackground': { backgroundColor: 'color-mix(in srgb, var(--run) 24%, transparent) !important' },
  '.cm-cursor': { borderLeftColor: 'var(--ink)' },
  '.cm-matchingBracket': { backgroundColor: 'color-mix(in srgb, var(--run) 20%, transparent) !important', color: 'inherit' },
  '.cm-tooltip': { backgroundColor: 'var(--card)', color: 'var(--ink)', border: '1px solid var(--rule)', borderRadius: '8px', boxShadow: '0 8px 28px rgb(0 0 0 / .18)', maxWidth: '460px', fontFamily: '"Inter", "Segoe UI", system-ui, sans-serif' },
  '.cm-tooltip-autocomplete > ul': { fontFamily: 'ui-monospace, Menlo, Consolas, monospace', maxHeight: '16em' },
  '.cm-tooltip-autocomplete > ul > li': { padding: '3px 10px' },
  '.cm-tooltip-autocomplete > ul > li[aria-selected]': { backgroundColor: 'var(--run)', color: 'var(--card)' },
  '.cm-completionDetail': { fontStyle: 'normal', opacity: '.75', marginLeft: '1em', fontSize: '12px' },
  '.cm-completionInfo': { padding: '8px 12px', fontSize: '13px', maxWidth: '320px' },
  '.cm-hint': { padding: '10px 14px', fontSize: '13px', lineHeight: '1.5' },
  '.cm-hint b': { display: 'block', fontFamily: 'ui-monospace, Menlo, Consolas, monospace', marginBottom: '4px' },
  '.cm-hint p': { margin: '2px 0' },
  '.cm-diagnostic': { padding: '6px 12px', fontSize: '13px', borderLeftWidth: '3px' },
  '.cm-diagnostic-error': { borderLeftColor: 'var(--grave)' },
  '.cm-diagnostic-warning': { borderLeftColor: 'var(--caution)' },
  '.cm-lintRange-error': { backgroundImage: 'none', textDecoration: 'underline wavy var(--grave) 1.5px', textUnderlineOffset: '3px' },
  '.cm-lintRange-warning': { backgroundImage: 'none', textDecoration: 'underline wavy var(--caution) 1.5px', textUnderlineOffset: '3px' },
  '.cm-lint-marker': { width: '.6em', height: '.6em', content: 'none', borderRadius: '50%', marginTop: '.5em' },
  '.cm-lint-marker-error': { backgroundColor: 'var(--grave)', content: 'none' },
  '.cm-lint-marker-warning': { backgroundColor: 'var(--caution)', content: 'none' },
  '.cm-panels': { backgroundColor: 'var(--card)', color: 'var(--ink)', borderColor: 'var(--rule)' },
  '.cm-searchMatch': { backgroundColor: 'color-mix(in srgb, var(--caution) 30%, transparent)' },
  '@media (pointer: coarse)': { '&': { fontSize: '16px' } },
});

/** The place of a line and column, both from 1, in a text that may have changed since. */
export function offset(doc: Text, line: number, column: number): number {
  const l = doc.line(Math.min(Math.max(1, line), doc.lines));
  return Math.min(l.to, l.from + Math.max(0, column - 1));
}

function place(doc: Text, pos: number): { line: number; column: number } {
  const l = doc.lineAt(pos);
  return { line: l.number, column: pos - l.from + 1 };
}

const kinds: Record<string, string> = { key: 'property', word: 'enum', operator: 'keyword', column: 'variable', indicator: 'function', parameter: 'constant', signal: 'interface', series: 'interface', output: 'property', argument: 'type' };

function option(it: CompletionItem): Completion {
  return {
    label: it.label,
    apply: it.insert ?? it.label,
    type: kinds[it.kind] ?? it.kind,
    ...(it.detail ? { detail: it.detail } : {}),
    ...(it.doc ? { info: it.doc } : {}),
  };
}

async function completions(c: CompletionContext): Promise<CompletionResult | null> {
  const at = place(c.state.doc, c.pos);
  const before = c.state.doc.lineAt(c.pos).text.slice(0, at.column - 1);
  if (!c.explicit && !/[\w.(,{[] ?$|: $/.test(before)) return null;
  const stop = new AbortController();
  c.addEventListener('abort', () => stop.abort());
  try {
    const got = await complete(c.state.doc.toString(), at.line, at.column, stop.signal);
    if (got.items.length === 0) return null;
    const from = got.replace.line ? offset(c.state.doc, got.replace.line, got.replace.from) : c.pos;
    return { from, options: got.items.map(option), validFor: /^[\w-]*$/ };
  } catch {
    return null; // the editor goes on without; the bar above it says when the server is away
  }
}

const hints = hoverTooltip(async (view, pos): Promise<Tooltip | null> => {
  const at = place(view.state.doc, pos);
  try {
    const h = await hover(view.state.doc.toString(), at.line, at.column);
    if (!h) return null;
    return {
      pos: offset(view.state.doc, h.line, h.from),
      end: offset(view.state.doc, h.line, h.to),
      above: true,
      create: () => {
        const dom = document.createElement('div');
        dom.className = 'cm-hint';
        const title = document.createElement('b');
        title.textContent = h.title;
        dom.append(title);
        for (const line of h.lines) {
          const p = document.createElement('p');
          p.textContent = line;
          dom.append(p);
        }
        return { dom };
      },
    };
  } catch {
    return null;
  }
});

// marks are the findings of the server at the places where they are in this text.
function marks(doc: Text, list: readonly Diagnostic[]): Mark[] {
  return list.map((d): Mark => {
    const from = d.line ? offset(doc, d.line, d.from) : 0;
    const to = d.line ? offset(doc, d.line, d.to) : doc.line(1).to;
    return { from: Math.min(from, to), to: Math.max(from, to), severity: d.severity, message: d.hint ? `${d.message} (${d.hint})` : d.message, source: d.code };
  });
}

export default function Editor(p: EditorProps) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const latest = useRef(p);
  latest.current = p;
  const fixed = useRef(new Compartment());

  useEffect(() => {
    const el = host.current;
    if (!el) return;
    const root = el.shadowRoot ?? el.attachShadow({ mode: 'open' });
    const extensions: Extension[] = [
      lineNumbers(), lintGutter(), highlightActiveLine(), highlightActiveLineGutter(), history(), drawSelection(), indentOnInput(), bracketMatching(), closeBrackets(),
      highlightSelectionMatches(), search({ top: true }), indentUnit.of('  '), EditorState.tabSize.of(2), EditorView.lineWrapping,
      StreamLanguage.define(tokens), syntaxHighlighting(colours), look,
      EditorView.contentAttributes.of({ tabindex: '0', 'aria-label': p.label, spellcheck: 'false', autocapitalize: 'off', autocorrect: 'off' }),
      fixed.current.of(EditorState.readOnly.of(p.readOnly === true)),
      keymap.of([...closeBracketsKeymap, ...completionKeymap, ...searchKeymap, ...lintKeymap, ...historyKeymap, { key: 'Mod-Enter', run: () => false }, ...defaultKeymap.filter((k) => k.key !== 'Mod-Enter'), indentWithTab]),
      EditorView.updateListener.of((u) => {
        if (u.docChanged) latest.current.onChange(u.state.doc.toString());
      }),
    ];
    if (!p.readOnly) extensions.push(autocompletion({ override: [completions], activateOnTyping: true, icons: false }), hints);
    const v = new EditorView({ state: EditorState.create({ doc: p.text, extensions }), parent: root as unknown as Element, root });
    view.current = v;
    return () => {
      v.destroy();
      view.current = null;
    };
  }, []);

  useEffect(() => {
    const v = view.current;
    if (v && v.state.doc.toString() !== p.text) v.dispatch({ changes: { from: 0, to: v.state.doc.length, insert: p.text } });
  }, [p.replaced]);

  useEffect(() => {
    const v = view.current;
    if (v) v.dispatch(setDiagnostics(v.state, marks(v.state.doc, p.findings)));
  }, [p.findings]);

  useEffect(() => {
    const v = view.current;
    if (!v || !p.goTo) return;
    const at = offset(v.state.doc, p.goTo.line, p.goTo.column);
    v.dispatch({ selection: { anchor: at }, effects: EditorView.scrollIntoView(at, { y: 'center' }) });
    v.focus();
  }, [p.goTo]);

  return <div class="editor" ref={host} />;
}


// Keys that work everywhere. A single letter works when nothing is being written.
import { useLayoutEffect } from 'preact/hooks';

export interface Key {
  keys: string; // "g r", "mod+Enter", "?"
  does: string;
  run: () => void;
}

const active = new Set<Key>();

export function everyKey(): Key[] {
  return [...active];
}

/** Offer keys while a component is on the page. They act on what is shown: the change comes with it, not a frame later. */
export function useKeys(keys: Key[], on: readonly unknown[] = []): void {
  useLayoutEffect(() => {
    for (const k of keys) active.add(k);
    return () => {
      for (const k of keys) active.delete(k);
    };
  }, on);
}

let before = '';
let timer: ReturnType<typeof setTimeout> | undefined;

const writing = (e: KeyboardEvent): boolean => {
  const t = e.composedPath()[0];
  return t instanceof HTMLElement && (t.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(t.tagName));
};

/** What an event is called: "mod+Enter" for Ctrl or Cmd with Enter. */
export function nameOf(e: Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'altKey'>): string {
  return `${e.ctrlKey || e.metaKey ? 'mod+' : ''}${e.altKey ? 'alt+' : ''}${e.key}`;
}

export function listen(): void {
  addEventListener('keydown', (e) => {
    if (e.defaultPrevented || e.isComposing) return;
    const name = nameOf(e);
    const bare = !name.includes('+');
    if (bare && (writing(e) || document.querySelector('dialog[open]'))) return;
    const whole = before && bare ? `${before} ${name}` : name;
    clearTimeout(timer);
    before = '';
    const all = everyKey();
    const found = all.findLast((k) => k.keys === whole) ?? all.findLast((k) => k.keys === name);
    if (found) {
      e.preventDefault();
      found.run();
    } else if (all.some((k) => k.keys.startsWith(`${name} `))) {
      before = name;
      timer = setTimeout(() => {
        before = '';
      }, 1200);
    }
  });
}

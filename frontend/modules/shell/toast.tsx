// Short messages in a corner: what was done, and what could not be.
import { signal } from '@preact/signals';
import { problemFrom } from '../api/problem';

interface Toast {
  id: number;
  text: string;
  bad: boolean;
}

const toasts = signal<Toast[]>([]);
let next = 1;

function put(text: string, bad: boolean): void {
  const id = next++;
  toasts.value = [...toasts.value.slice(-3), { id, text, bad }];
  setTimeout(() => drop(id), bad ? 12_000 : 4_000);
}

function drop(id: number): void {
  toasts.value = toasts.value.filter((t) => t.id !== id);
}

export const say = (text: string): void => put(text, false);

export function complain(act: string, error: unknown): void {
  const p = problemFrom(error);
  put(`${act}: ${p.title}${p.detail ? `. ${p.detail}` : ''}${p.cure ? ` ${p.cure}` : ''}`, true);
}

export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map((t) => (
        <div key={t.id} class={`toast ${t.bad ? 'bad' : ''}`}>
          <span>{t.text}</span>
          <button type="button" onClick={() => drop(t.id)} aria-label="Dismiss">✕</button>
        </div>
      ))}
    </div>
  );
}

// Who is here. A server in development needs no account; then there is nobody to sign in.
import { effect, signal } from '@preact/signals';
import { health, logout, verify, version } from '../api/account';
import { Problem } from '../api/problem';
import { expiries } from '../api/request';
import type { Health, User } from '../api/types';

/** open: the server has no accounts. in, out: it has, and somebody is signed in or not. */
export type State = 'asking' | 'open' | 'in' | 'out' | 'away';

export const state = signal<State>('asking');
export const user = signal<User | null>(null);
export const server = signal<Health | null>(null);

/** What kinds of work the server takes: run, sweep, validate. */
export const kinds = signal<string[]>(['run']);

/** What has to be done before anybody can sign in; "" when nothing. */
export const notice = signal('');

/** Whether somebody was let in since the page was opened: then there may be work to keep. */
export const entered = signal(false);

const silent = (e: unknown): boolean => e instanceof Problem && e.status === 0;

/** Ask the server what it is and who we are. */
export async function ask(): Promise<void> {
  try {
    const [h, v] = await Promise.all([health(), version()]);
    server.value = h;
    kinds.value = v.kinds;
    notice.value = v.notice ?? '';
    if (!v.accounts) {
      entered.value = true;
      state.value = 'open';
      return;
    }
    user.value = (await verify()).user;
    entered.value = true;
    state.value = 'in';
  } catch (e) {
    if (silent(e)) {
      if (!entered.value) state.value = 'away';
      return;
    }
    user.value = null;
    state.value = e instanceof Problem && e.status === 401 ? 'out' : 'away';
  }
}

export async function leave(everywhere: boolean): Promise<void> {
  await logout(everywhere);
  user.value = null;
  entered.value = false;
  state.value = 'out';
}

// An answer that nobody is signed in may come to any request; the form appears over what is being done.
export function watch(): void {
  let seen = expiries.value;
  effect(() => {
    if (expiries.value > seen && state.value === 'in') state.value = 'out';
    seen = expiries.value;
  });
}

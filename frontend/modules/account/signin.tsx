// Signing in, and making an account where the server allows it: the first one needs the token that the
// server wrote into a file, later ones what the administrator decided.
import { useState } from 'preact/hooks';
import { login, register } from '../api/account';
import { Problem } from '../api/problem';
import { plain } from '../format/text';
import { ask, entered, notice } from '../shell/session';
import { Button, Choice, Field, Trouble } from '../ui/kit';

type Mode = 'in' | 'new';

/** What is wrong with a password, "" when nothing is. The server decides; this says it while typing. */
export function weakness(password: string, username: string): string {
  if (password.length > 0 && password.length < 12) return `At least 12 characters; this has ${[...password].length}`;
  if (username && password.toLowerCase().includes(username.toLowerCase()) && password.length < 20) return 'It contains the name';
  return '';
}

export function SignIn() {
  const [mode, setMode] = useState<Mode>(notice.value ? 'new' : 'in');
  const [username, setUsername] = useState('');
  const [password, setPassword] = useState('');
  const [token, setToken] = useState('');
  const [first, setFirst] = useState(notice.value !== '');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const submit = async (e: Event) => {
    e.preventDefault();
    setBusy(true);
    setError(undefined);
    try {
      if (mode === 'in') await login(username, password);
      else await register(username, password, first ? token.trim() : '', first ? '' : token.trim());
      setPassword('');
      await ask();
    } catch (x) {
      setError(x instanceof Problem && x.status === 401 ? new Problem(401, x.code, 'The name or the password is not right', '', [], '', null, { fix: 'Check both; after several tries the server makes you wait.' }) : x);
    } finally {
      setBusy(false);
    }
  };
  const weak = mode === 'new' ? weakness(password, username) : '';
  return (
    <section class="card sign-in">
      <h1>{mode === 'in' ? (entered.value ? 'Sign in again' : 'Sign in') : 'New account'}</h1>
      {notice.value && mode === 'in' && <p class="prose" role="note">{plain(notice.value, 400)}</p>}
      {entered.value && mode === 'in' && <p class="prose">Your session has ended. What you were doing is kept and comes back when you have signed in.</p>}
      {mode === 'new' && (
        <p class="prose sub">
          {first ? <>The first account is the administrator's. The server wrote a token for it into a file that its log names; only who can read that file can make it.</> : 'Accounts are made as the administrator decided: with an invitation, or by anybody.'}{' '}
          <button type="button" class="linklike" onClick={() => setFirst(!first)}>{first ? 'I have an invitation' : 'This is the first account'}</button>
        </p>
      )}
      <form onSubmit={(e) => void submit(e)}>
        <Field label="Name">{(id) => <input id={id} name="username" autocomplete="username" autocapitalize="none" spellcheck={false} required value={username} onInput={(e) => setUsername(e.currentTarget.value)} />}</Field>
        <Field label="Password" error={weak || undefined} hint={mode === 'new' ? 'At least 12 characters. A few words are easier to remember than signs.' : undefined}>
          {(id, by) => <input id={id} aria-describedby={by} name="password" type="password" autocomplete={mode === 'in' ? 'current-password' : 'new-password'} required value={password} onInput={(e) => setPassword(e.currentTarget.value)} />}
        </Field>
        {mode === 'new' && <Field label={first ? 'Setup token' : 'Invitation'} hint={first ? undefined : 'If the administrator gave you one'}>{(id, by) => <input id={id} aria-describedby={by} autocomplete="off" spellcheck={false} value={token} onInput={(e) => setToken(e.currentTarget.value)} />}</Field>}
        {error !== undefined && <Trouble act={mode === 'in' ? 'Sign in' : 'Make the account'} error={error} />}
        <Button kind="main" type="submit" busy={busy} disabled={weak !== ''}>{mode === 'in' ? 'Sign in' : 'Make the account'}</Button>
      </form>
      {!entered.value && <Choice<Mode> small label="What to do" value={mode} onChange={(m) => { setMode(m); setError(undefined); }} options={[['in', 'Sign in'], ['new', 'New account']]} />}
    </section>
  );
}

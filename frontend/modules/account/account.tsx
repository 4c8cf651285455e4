// The account: password, tokens for scripts, and signing out here or everywhere.
import { useState } from 'preact/hooks';
import { endSession, invite, newToken, password as changePassword, revoke, sessions, tokens } from '../api/account';
import type { NewToken } from '../api/types';
import { plain } from '../format/text';
import { ago, when, whenFull, zone, zones } from '../format/time';
import { leave, state, user } from '../shell/session';
import { complain, say } from '../shell/toast';
import { useFetched } from '../ui/fetched';
import { Button, Card, Empty, Facts, Field, Trouble } from '../ui/kit';
import { weakness } from './signin';

export default function Account() {
  if (state.value !== 'in') {
    return <Empty title="This server needs no account"><p>It runs in development, for this machine only. In production everybody signs in, and this page has the password, tokens for scripts, and signing out everywhere.</p></Empty>;
  }
  const out = (everywhere: boolean) => leave(everywhere).catch((e: unknown) => complain('Sign out', e));
  return (
    <>
      <div class="page-head">
        <div><h1>Account</h1><p class="sub">Signed in as {plain(user.value?.username)}</p></div>
        <div class="actions">
          <Button onClick={() => void out(false)}>Sign out</Button>
          <Button kind="danger" onClick={() => void out(true)}>Sign out everywhere</Button>
        </div>
      </div>
      <div class="columns">
        <div>
          <Sessions />
          <Tokens />
        </div>
        <div>
          <Password />
          {user.value?.admin && <Invite />}
        </div>
      </div>
    </>
  );
}

// Sessions are the logins that have not ended, here and elsewhere.
function Sessions() {
  const list = useFetched(sessions, []);
  return (
    <Card title="Signed in" intro={`Where your account is open now. Times are of ${zones[zone.value]}.`}>
      {list.error !== undefined && <Trouble act="List sessions" error={list.error} retry={list.reload} />}
      <ul class="rows sessions">
        {(list.data ?? []).map((x) => (
          <li key={x.id}>
            <span><b>{x.kind === 'cookie' ? 'A browser' : 'A program'}</b> <small>since {whenFull(x.created_at)}{x.used_at ? `, last used ${ago(x.used_at, Date.now())}` : ''}</small></span>
            {x.current ? <span class="tag run">here</span> : <Button small kind="danger" onClick={() => void endSession(x.id).then(list.reload, (e: unknown) => complain('End the session', e))}>End</Button>}
          </li>
        ))}
      </ul>
    </Card>
  );
}

const scopes = [['read', 'read results and data'], ['run', 'start runs'], ['data', 'fetch data'], ['admin', 'administer']] as const;

function Tokens() {
  const list = useFetched(tokens, []);
  const [name, setName] = useState('');
  const [chosen, setChosen] = useState<string[]>(['read', 'run']);
  const [days, setDays] = useState(90);
  const [made, setMade] = useState<NewToken | null>(null);
  const [error, setError] = useState<unknown>();
  const make = async (e: Event) => {
    e.preventDefault();
    setError(undefined);
    try {
      setMade(await newToken(name, chosen, days));
      setName('');
      list.reload();
    } catch (x) {
      setError(x);
    }
  };
  const secret = made?.token ?? '';
  return (
    <Card title="Tokens for scripts" intro={<>A script sends one as <code>Authorization: Bearer …</code>; the command line takes it with <code>--server</code>.</>}>
      {made && (
        <div class="secret" role="status">
          <p><b>Copy it now: it is not shown again.</b></p>
          <code>{secret}</code>
          <Button small onClick={() => void navigator.clipboard.writeText(secret).then(() => say('Copied.'), (e: unknown) => complain('Copy', e))}>Copy</Button>
        </div>
      )}
      {list.error !== undefined && <Trouble act="List tokens" error={list.error} retry={list.reload} />}
      {list.data?.length === 0 && <p class="sub">None yet.</p>}
      <ul class="rows">
        {(list.data ?? []).map((t) => (
          <li key={t.id}>
            <span><b>{plain(t.name)}</b> <small>{t.scopes.join(', ')} · until {when(t.expires_at).slice(0, 10)} · {t.used_at ? `last used ${when(t.used_at)}` : 'never used'}</small></span>
            <Button small kind="danger" onClick={() => void revoke(t.id).then(list.reload, (e: unknown) => complain('Revoke', e))}>Revoke</Button>
          </li>
        ))}
      </ul>
      <form onSubmit={(e) => void make(e)}>
        <Field label="Name" hint="What uses it">{(id, by) => <input id={id} aria-describedby={by} required value={name} maxLength={60} onInput={(e) => setName(e.currentTarget.value)} />}</Field>
        <fieldset class="checks">
          <legend>It may</legend>
          {scopes.map(([k, text]) => <label key={k}><input type="checkbox" checked={chosen.includes(k)} onChange={() => setChosen(chosen.includes(k) ? chosen.filter((x) => x !== k) : [...chosen, k])} /> {text}</label>)}
        </fieldset>
        <Field label="Days until it ends" hint="At most 365">{(id, by) => <input id={id} aria-describedby={by} type="number" min={1} max={365} value={days} onInput={(e) => setDays(Number(e.currentTarget.value))} />}</Field>
        {error !== undefined && <Trouble act="Make a token" error={error} />}
        <div class="actions end"><Button kind="main" type="submit" disabled={chosen.length === 0}>Make a token</Button></div>
      </form>
    </Card>
  );
}

function Password() {
  const [old, setOld] = useState('');
  const [next, setNext] = useState('');
  const [error, setError] = useState<unknown>();
  const weak = weakness(next, user.value?.username ?? '');
  const submit = async (e: Event) => {
    e.preventDefault();
    setError(undefined);
    try {
      await changePassword(old, next);
      setOld('');
      setNext('');
      say('Changed. All other sessions have ended.');
    } catch (x) {
      setError(x);
    }
  };
  return (
    <>
      <Card title="Password" intro="Changing it ends every other session.">
        <form onSubmit={(e) => void submit(e)}>
          <Field label="Now">{(id) => <input id={id} type="password" autocomplete="current-password" required value={old} onInput={(e) => setOld(e.currentTarget.value)} />}</Field>
          <Field label="New" error={weak || undefined} hint="At least 12 characters">{(id, by) => <input id={id} aria-describedby={by} type="password" autocomplete="new-password" required value={next} onInput={(e) => setNext(e.currentTarget.value)} />}</Field>
          {error !== undefined && <Trouble act="Change the password" error={error} />}
          <div class="actions end"><Button kind="main" type="submit" disabled={weak !== '' || !next}>Change</Button></div>
        </form>
      </Card>
      <Card title="You"><Facts rows={[['Name', plain(user.value?.username)], ['Role', user.value?.admin ? 'administrator' : 'user']]} /></Card>
    </>
  );
}

function Invite() {
  const [made, setMade] = useState<{ invite: string; expires_at: string } | null>(null);
  return (
    <Card title="Invite somebody" intro="An invitation lets one person make an account, within seven days.">
      {made && <div class="secret" role="status"><p><b>Good until {when(made.expires_at)}; it is not shown again.</b></p><code>{made.invite}</code></div>}
      <Button onClick={() => void invite().then(setMade, (e: unknown) => complain('Invite', e))}>Make an invitation</Button>
    </Card>
  );
}

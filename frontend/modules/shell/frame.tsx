// The frame around every view: where one can go, what the server is, and the keys.
import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { reachable } from '../api/request';
import { chooseZone, zone, zones, type Zone } from '../format/time';
import { Button, Choice, Dialog } from '../ui/kit';
import { everyKey, useKeys } from './keys';
import { go, link, route } from './route';
import { ask, server, state, user } from './session';
import { chooseTheme, theme, type Theme } from './theme';
import { Toasts } from './toast';

const places = [
  { path: 'strategies', name: 'Strategies', key: 's' },
  { path: 'runs', name: 'Runs', key: 'r' },
  { path: 'data', name: 'Data', key: 'd' },
  { path: 'reference', name: 'Reference', key: 'e' },
] as const;

export function Frame({ children, bare }: { children: ComponentChildren; bare?: boolean }) {
  const [keys, setKeys] = useState(false);
  const [menu, setMenu] = useState(false);
  const here = route.value.path[0] ?? 'strategies';
  useKeys([
    ...places.map((p) => ({ keys: `g ${p.key}`, does: `Go to ${p.name}`, run: () => go(link([p.path])) })),
    { keys: 'n', does: 'New strategy', run: () => go(link(['edit'])) },
    { keys: '?', does: 'Show these keys', run: () => setKeys(true) },
  ]);
  useEffect(() => {
    setMenu(false);
    setKeys(false);
  }, [route.value]);
  return (
    <>
      <button type="button" class="skip" onClick={() => document.getElementById('main')?.focus()}>Skip to content</button>
      <header class="top">
        <a class="brand" href={link(['strategies'])}>
          <svg viewBox="0 0 24 24" aria-hidden="true"><path d="M3 17l5-6 4 3 9-10" /><path class="dot" d="M3 21h18" /></svg>
          backtester
        </a>
        {!bare && (
          <nav aria-label="Main">
            {places.map((p) => <a key={p.path} href={link([p.path])} aria-current={here === p.path || (p.path === 'strategies' && here === 'edit') || (p.path === 'runs' && here === 'compare') ? 'page' : undefined}>{p.name}</a>)}
          </nav>
        )}
        <div class="right">
          {server.value?.synthetic && <span class="tag caution" title="The prices are made up: results mean nothing about real ones">Demo market</span>}
          <Button kind="quiet" small onClick={() => setMenu(!menu)} aria-expanded={menu} aria-label="Settings">{user.value ? user.value.username : 'Settings'} ▾</Button>
          {menu && <Settings onKeys={() => { setMenu(false); setKeys(true); }} />}
        </div>
      </header>
      {!reachable.value && (
        <div class="banner" role="alert">
          The server cannot be reached. What you write here is kept. <Button small onClick={() => void ask()}>Try again</Button>
        </div>
      )}
      <main id="main" tabIndex={-1}>{children}</main>
      <footer class="bottom">
        <span>{server.value ? `backtester ${server.value.version}` : 'backtester'} · times: {zones[zone.value]}; sessions are exchange dates</span>
        <span>
          Charts by <a href="https://www.tradingview.com/" rel="noreferrer noopener" target="_blank">TradingView Lightweight Charts™</a>, © 2025 TradingView, Inc., and uPlot
        </span>
      </footer>
      {keys && <Keys onClose={() => setKeys(false)} />}
      <Toasts />
    </>
  );
}

function Settings({ onKeys }: { onKeys: () => void }) {
  return (
    <div class="menu" role="group" aria-label="Settings">
      <p class="row">Appearance</p>
      <Choice<Theme> small label="Appearance" value={theme.value} onChange={chooseTheme} options={[['auto', 'Auto'], ['light', 'Light'], ['dark', 'Dark']]} />
      <p class="row">Time zone of instants</p>
      <Choice<Zone> small label="Time zone" value={zone.value} onChange={chooseZone} options={[['exchange', 'Exchange'], ['local', 'Local'], ['utc', 'UTC']]} />
      <hr />
      <button type="button" class="item" onClick={onKeys}>Keyboard <kbd>?</kbd></button>
      {state.value === 'in' && <a class="item" href={link(['account'])}>Account and tokens</a>}
    </div>
  );
}

function Keys({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title="Keyboard" onClose={onClose}>
      <dl class="keys">
        {everyKey().map((k) => (
          <div key={k.keys}>
            <dt>{k.keys.split(' ').map((x) => <kbd key={x}>{x.replace('mod+', navigator.platform.startsWith('Mac') ? '⌘ ' : 'Ctrl ')}</kbd>)}</dt>
            <dd>{k.does}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}

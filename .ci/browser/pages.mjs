// Opens every page of the report in a real browser, without a network, and looks at it as readers do:
// light and dark, on a desk, on a phone and on paper, with and without scripts.
//
//   node pages.mjs FOLDER [--keep FOLDER] [--against FOLDER] [--rewrite]
//
// FOLDER holds the pages: go test ./report -run 'TestWritePages|TestComparison$' -pages FOLDER
// --keep writes the screenshots there, to be looked at; --against compares them with those of an earlier
// --keep on the same machine, such as of the commit before. --rewrite does nothing but take the drawings of the
// pages for right: from then on pages are held against them, which are in pictures/, small ones for every machine.
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';
import { PNG } from 'pngjs';
import { Gallery, steady } from './pictures.mjs';

const { values: flags, positionals } = parseArgs({ allowPositionals: true, options: { keep: { type: 'string' }, against: { type: 'string' }, rewrite: { type: 'boolean' } } });
const folder = resolve(positionals[0] ?? '.');
const keep = flags.keep ? resolve(flags.keep) : null;
if (keep) mkdirSync(keep, { recursive: true });
const axe = readFileSync(new URL('node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');
const names = readdirSync(folder).filter((f) => f.endsWith('.html')).sort();
const browser = await chromium.launch(steady);

let faults = 0;
function fault(where, what) {
  faults++;
  console.log(`FAULT ${where}: ${what}`);
}

// open loads a page and reports every request, console message and violation of its policy.
async function open(name, options, look) {
  const where = `${name} ${options.label}`;
  const context = await browser.newContext({ viewport: options.viewport, colorScheme: 'light', javaScriptEnabled: options.scripts !== false,
    deviceScaleFactor: 1, reducedMotion: 'reduce' });
  const page = await context.newPage();
  const url = pathToFileURL(join(folder, name)).href;
  page.on('request', (r) => { if (r.url() !== url) fault(where, `asks for ${r.url().slice(0, 120)}`); });
  page.on('console', (m) => fault(where, `console ${m.type()}: ${m.text()}`));
  page.on('pageerror', (e) => fault(where, `error: ${e.message}`));
  page.on('dialog', async (d) => { fault(where, `opens a dialog: ${d.message()}`); await d.dismiss(); });
  await context.setOffline(true);
  await page.goto(url);
  await look(page, where);
  await context.close();
}

const desk = { width: 1280, height: 900 }, phone = { width: 390, height: 844 };
// different is the share of pixels that differ by more than the browser's own noise; 1 for another size.
function different(a, b) {
  if (a.equals(b)) return 0; // decoding is what takes long
  const x = PNG.sync.read(a), y = PNG.sync.read(b);
  if (x.width !== y.width || x.height !== y.height) return 1;
  let n = 0;
  for (let i = 0; i < x.data.length; i += 4) {
    if (Math.max(Math.abs(x.data[i] - y.data[i]), Math.abs(x.data[i + 1] - y.data[i + 1]), Math.abs(x.data[i + 2] - y.data[i + 2])) > 8) n++;
  }
  return n / (x.data.length / 4);
}

// looks are what must be so in every view.
async function looks(page, where, scheme) {
  const seen = await page.evaluate(() => {
    const visible = (e) => e.getClientRects().length > 0;
    // Words of a drawing stand apart from each other and within it, and drawings apart from each other.
    const crowded = [], meet = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 2;
    const boxes = (list) => [...list].filter(visible).map((e) => [e.getAttribute('aria-label') ?? e.textContent, e.getBoundingClientRect()]);
    const drawings = boxes(document.querySelectorAll('svg.chart'));
    drawings.forEach(([name, a], i) => drawings.slice(i + 1).forEach(([other, b]) => { if (meet(a, b)) crowded.push(`the drawings "${name}" and "${other}" lie over each other`); }));
    for (const chart of [...document.querySelectorAll('svg.chart')].filter(visible)) {
      const edge = chart.getBoundingClientRect(), words = boxes(chart.querySelectorAll('text')).filter(([w]) => w.trim() !== '');
      words.forEach(([word, a], i) => {
        if (a.left < edge.left - 1 || a.right > edge.right + 1 || a.top < edge.top - 2 || a.bottom > edge.bottom + 2) crowded.push(`"${word}" is cut at the edge of "${chart.getAttribute('aria-label')}"`);
        for (const [other, b] of words.slice(i + 1)) if (meet(a, b)) crowded.push(`"${word}" lies over "${other}" in "${chart.getAttribute('aria-label')}"`);
      });
    }
    const bad = [...document.querySelectorAll('path, line, rect, text')].filter((e) => [...e.attributes].some((a) => /NaN|Infinity|undefined/.test(a.value)));
    return {
      over: document.documentElement.scrollWidth - document.documentElement.clientWidth,
      background: getComputedStyle(document.body).backgroundColor,
      charts: [...document.querySelectorAll('svg.chart')].filter(visible).length,
      text: document.body.innerText.length,
      bad: bad.length, crowded: crowded.slice(0, 10),
    };
  });
  if (seen.over > 0) fault(where, `is ${seen.over} pixels wider than the screen`);
  if (seen.bad > 0) fault(where, `${seen.bad} drawings have coordinates that are no numbers`);
  for (const what of seen.crowded) fault(where, what);
  if (seen.text < 500) fault(where, `shows only ${seen.text} characters`);
  const dark = seen.background.match(/\d+/g).slice(0, 3).every((c) => +c < 60);
  if (dark !== (scheme === 'dark')) fault(where, `has the background ${seen.background} in the ${scheme} scheme`);
  return seen;
}

// shoot takes a picture of the whole page, twice: the page must stand still. A way of reading in which it does when
// it does in another is left out where nobody wants the picture.
async function shoot(page, name, label, needed = true) {
  if (!needed && !keep && !flags.against) return;
  const options = { fullPage: true, animations: 'disabled', caret: 'hide' };
  let first = await page.screenshot(options), second = await page.screenshot(options);
  if (!first.equals(second)) { // the first one lays the page out for the size of the picture
    await page.waitForTimeout(200);
    first = second;
    second = await page.screenshot(options);
  }
  const share = different(first, second), file = `${name.replace('.html', '')}-${label}.png`;
  if (share > 5e-4) fault(`${name} ${label}`, `two screenshots of it differ in ${(100 * share).toFixed(3)}% of their pixels`);
  const before = flags.against ? join(resolve(flags.against), file) : '';
  if (existsSync(before)) {
    const moved = different(first, readFileSync(before));
    if (moved > 1e-3) fault(`${name} ${label}`, `differs from ${before} in ${(100 * moved).toFixed(2)}% of its pixels`);
  }
  if (keep) writeFileSync(join(keep, file), first);
}

// schemes looks at a page light and dark, and compares the two at the size of the screen.
async function schemes(page, where, name, label, audited) {
  const seen = {}, top = {};
  for (const scheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme: scheme });
    seen[scheme] = await looks(page, `${where} ${scheme}`, scheme);
    top[scheme] = await page.screenshot({ animations: 'disabled' });
    await shoot(page, name, scheme === 'dark' ? `${label}-dark` : label, scheme === 'light');
    if (audited) await audit(page, `${where} ${scheme}`, scheme);
  }
  if (different(top.light, top.dark) < 0.5) fault(where, 'looks the same in light and dark');
  return seen.light;
}

// audit asks axe for what keeps people out. The elements are the same in both schemes, so the rules
// that read no colour are asked once.
async function audit(page, where, scheme) {
  if (scheme === 'light') await page.evaluate(axe);
  const result = await page.evaluate((colours) => window.axe.run(document,
    { resultTypes: ['violations'], ...(colours ? { runOnly: ['color-contrast', 'link-in-text-block'] } : {}) }), scheme === 'dark');
  if (result.violations.length + result.passes.length === 0) fault(where, 'no rule of axe ran');
  for (const v of result.violations.filter((v) => v.impact === 'serious' || v.impact === 'critical')) {
    fault(where, `${v.id}: ${v.help}, ${v.nodes.length} places, such as ${v.nodes[0].html.slice(0, 160)}`);
  }
}

// print puts the page on paper: no drawing is cut by the edge of a page, whatever the reader's scheme.
async function print(page, where, name) {
  for (const format of ['A4', 'Letter']) {
    const pdf = await page.pdf({ format, preferCSSPageSize: false });
    if (pdf.subarray(0, 5).toString() !== '%PDF-' || pdf.length < 20000) fault(where, `${format}: ${pdf.length} bytes`);
    if (keep) writeFileSync(join(keep, `${name.replace('.html', '')}-${format}.pdf`), pdf);
  }
  await page.emulateMedia({ media: 'print' });
  const paper = await page.evaluate(() => ({
    background: getComputedStyle(document.body).backgroundColor,
    split: [...document.querySelectorAll('figure')].filter((f) => getComputedStyle(f).breakInside !== 'avoid').length,
    tall: [...document.querySelectorAll('figure')].filter((f) => f.getBoundingClientRect().height > 950).length,
  }));
  if (paper.background !== 'rgb(255, 255, 255)') fault(where, `prints on ${paper.background}`);
  if (paper.split > 0 || paper.tall > 0) fault(where, `${paper.split} figures may be split, ${paper.tall} are longer than a page`);
  await shoot(page, name, 'print');
  await page.emulateMedia({ media: null, colorScheme: 'light' });
}

// views are the ways of reading in which drawings are held against kept pictures; paper is A4 between its margins.
const views = {
  light: { colorScheme: 'light' }, dark: { colorScheme: 'dark' }, phone: { colorScheme: 'light', viewport: phone },
  print: { colorScheme: 'dark', media: 'print', viewport: { width: 703, height: 1010 } },
};
const pictured = { 'compare.html': ['light', 'dark', 'phone', 'print'], 'minutes.html': ['light', 'phone'], 'prices.html': ['light', 'dark', 'phone', 'print'] };

// drawings holds every section of a page that has a drawing against the kept picture of it.
async function drawings(gallery, page, name) {
  for (const view of pictured[name]) {
    const { colorScheme, media = null, viewport = desk } = views[view];
    await page.setViewportSize(viewport);
    await page.emulateMedia({ colorScheme, media });
    for (const section of await page.locator('section:has(svg.chart)').all()) {
      const title = await section.evaluate((e) => e.getAttribute('aria-labelledby')?.slice(2) ?? e.getAttribute('aria-label'));
      const file = `${name.replace('.html', '')}-${view}-${title.toLowerCase().replace(/[^a-z0-9]+/g, '-')}`;
      const what = gallery.compare(file, await section.screenshot({ animations: 'disabled' }));
      if (what) fault(file, what);
    }
  }
}

const gallery = new Gallery(PNG, fileURLToPath(new URL('pictures', import.meta.url)), flags.rewrite ? 'all' : '');
for (const name of Object.keys(pictured)) await open(name, { label: 'pictures', viewport: desk }, (page) => drawings(gallery, page, name));
for (const file of gallery.unseen()) fault(file, 'is the picture of a drawing that there is no more');

for (const name of flags.rewrite ? [] : names) {
  let wide, plain;
  await open(name, { label: 'desk', viewport: desk }, async (page, where) => {
    wide = await schemes(page, where, name, 'desk', true);
    await print(page, `${where} print`, name);
    if (wide.charts > 0 && name !== 'preview.html') await handle(page, where);
  });
  await open(name, { label: 'phone', viewport: phone }, (page, where) => schemes(page, where, name, 'phone', false));
  await open(name, { label: 'plain', viewport: desk, scripts: false }, async (page, where) => {
    plain = await looks(page, where, 'light');
    await shoot(page, name, 'plain', false);
  });
  if (plain.charts !== wide.charts) fault(name, `${plain.charts} charts without scripts, ${wide.charts} with them`);
}

// handle uses the page: cross-hair, zoom, theme.
async function handle(page, where) {
  const chart = page.locator('svg.wide[data-chart="equity"]').first();
  await chart.scrollIntoViewIfNeeded();
  const out = page.locator('output[data-for="equity"]');
  const box = await chart.boundingBox();
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  if (!/^\d{4}-\d{2}-\d{2} {3}/.test(await out.textContent())) fault(where, `the cross-hair says ${JSON.stringify(await out.textContent())}`);
  const line = chart.locator('[data-line="0"]'), before = await line.getAttribute('d');
  await page.mouse.move(box.x + box.width * 0.4, box.y + 50);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.7, box.y + 60, { steps: 4 });
  await page.mouse.up();
  const zoomed = await line.getAttribute('d');
  if (zoomed === before || /NaN|Infinity/.test(zoomed)) fault(where, `dragging draws ${zoomed.slice(0, 40)}`);
  const other = page.locator('svg.wide[data-chart="drawdown"] [data-line="0"]').first();
  if ((await other.count()) > 0 && /NaN/.test(await other.getAttribute('d'))) fault(where, 'the drawdown is not zoomed along');
  if (keep) await page.screenshot({ path: join(keep, `${where.split('.')[0]}-zoomed.png`) });
  await page.locator('button.whole').click();
  if ((await line.getAttribute('d')) !== before) fault(where, 'the button does not bring the whole period back');
  await chart.focus();
  await page.keyboard.press('Home');
  const first = await out.textContent();
  await page.keyboard.press('ArrowRight');
  if (first === (await out.textContent()) || first === '') fault(where, 'arrow keys do not move the cross-hair');
  await page.locator('label:has(#theme-dark)').click();
  const dark = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  if (!dark.match(/\d+/g).slice(0, 3).every((c) => +c < 60)) fault(where, `the dark theme has the background ${dark}`);
}

await browser.close();
if (names.length < 5) fault(folder, `only ${names.length} pages: this test looks in the wrong place`);
console.log(faults === 0 ? `${names.length} pages, ${gallery.seen.size} drawings, no fault` : `${faults} faults in ${names.length} pages`);
process.exit(faults === 0 ? 0 : 1);

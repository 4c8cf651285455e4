// Pictures of every view. To be looked at, light and dark, on a desk and on a phone:
//
//   node shots.mjs BINARY --keep FOLDER [--only WORD,WORD]
//
// And the small ones of this folder that the tests hold every view against, after a change that is meant:
//
//   node shots.mjs BINARY --rewrite [--only WORD,WORD]
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { PNG } from 'pngjs';
import { Gallery } from '../browser/pictures.mjs';
import { audit, faults, launch } from './browser.mjs';
import { Server } from './server.mjs';
import { kept, pictured, variants, walk } from './views.mjs';

const { values: flags, positionals } = parseArgs({ allowPositionals: true, options: { keep: { type: 'string' }, only: { type: 'string' }, rewrite: { type: 'boolean' } } });
const binary = resolve(positionals[0]);
const server = await new Server(binary).start();
const browser = await launch();
const words = flags.only?.split(',');
const only = (file) => !words || words.some((w) => file.startsWith(w));
if (flags.keep) {
  const keep = resolve(flags.keep);
  mkdirSync(keep, { recursive: true });
  await walk(browser, binary, server, Object.keys(variants), async (page, file, whole) => {
    await page.screenshot({ path: join(keep, `${file}.png`), fullPage: whole });
    await audit(page, file);
  }, only);
}
if (flags.rewrite) {
  const gallery = new Gallery(PNG, kept, words ? 'some' : 'all');
  await walk(browser, binary, server, pictured, async (page, file, whole) => gallery.compare(file, await page.screenshot({ fullPage: whole })), only);
}
await browser.close();
await server.end();
console.log(`${faults.length} faults`);
process.exitCode = faults.length > 0 ? 1 : 0;

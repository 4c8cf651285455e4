// A browser whose pages report what no page may do: messages on the console, errors, violations of the
// policy, dialogs, and requests to anywhere but the server.
import { readFileSync } from 'node:fs';
import { chromium } from 'playwright-core';
import { steady } from '../browser/pictures.mjs';

export const desk = { width: 1280, height: 900 };
export const phone = { width: 390, height: 844 };
export const axe = readFileSync(new URL('node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');

export const launch = () => chromium.launch({ ...steady, timeout: 60_000 });

export const faults = [];
export function fault(where, what) {
  faults.push(`${where}: ${what}`);
  console.log(`FAULT ${where}: ${what}`);
}

// check reports a fault unless something holds.
export function check(where, holds, what) {
  if (!holds) fault(where, what);
}

// open makes a page. allow are patterns of console messages that belong to what is tested, such as the
// browser's own note on an answer of 401.
export async function open(browser, where, { viewport = desk, scheme = 'light', allow = [], origin = '', context: options = {}, ...rest } = {}) {
  const context = await browser.newContext({ viewport, colorScheme: scheme, deviceScaleFactor: 1, reducedMotion: 'reduce', timezoneId: 'Europe/Berlin', locale: 'en-US', ...options, ...rest });
  await context.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (e) => console.error(`POLICY ${e.violatedDirective} ${e.blockedURI} ${e.sample}`));
  });
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  page.on('console', (m) => {
    if (m.type() === 'error' || m.type() === 'warning') {
      const text = `${m.text()} ${m.location().url}`;
      if (!allow.some((a) => a.test(text))) fault(where, `console ${m.type()}: ${text}`);
    }
  });
  page.on('pageerror', (e) => {
    const text = `${e.stack ?? e.message}`;
    if (!allow.some((a) => a.test(text))) fault(where, `error: ${text}`);
  });
  page.on('dialog', async (d) => {
    fault(where, `opens a dialog: ${d.message()}`);
    await d.dismiss();
  });
  if (origin) page.on('request', (r) => { if (!r.url().startsWith(origin) && !/^(data|blob|about):/.test(r.url())) fault(where, `asks for ${r.url().slice(0, 120)}`); });
  return page;
}

// audit looks for barriers. The policy of the page forbids other scripts; this one is evaluated by the
// debugger, which the policy does not concern.
export async function audit(page, where) {
  await page.evaluate(axe);
  const found = await page.evaluate(() => globalThis.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'best-practice'], resultTypes: ['violations'] }));
  for (const v of found.violations) {
    if (v.impact !== 'serious' && v.impact !== 'critical') continue;
    fault(where, `axe ${v.impact} ${v.id}: ${v.help}; ${v.nodes.slice(0, 4).map((n) => `${n.target.join(' ')} ${(n.any[0]?.message ?? '').slice(0, 140)}`).join(' | ')}`);
  }
}

export const go = (page, hash) => page.evaluate((h) => { location.hash = h; }, hash);

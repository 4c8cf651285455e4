// A person with a browser: signs in at the domain of the web application, which asks the API at its own,
// runs a backtest and reads its tearsheet. Nothing may be blocked, and nothing may complain.
import { chromium } from '../browser/node_modules/playwright-core/index.mjs';

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ['--no-sandbox', '--ignore-certificate-errors', '--disable-dev-shm-usage'] });
const faults = [];
const page = await (await browser.newContext()).newPage();
page.setDefaultTimeout(60_000);
page.on('console', (m) => { if (m.type() === 'error' && !/401/.test(m.text())) faults.push(m.text()); });
page.on('pageerror', (e) => faults.push(String(e)));

const shot = async (name) => { if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/${name}.png` }); };

await page.goto('https://yourdomain.com/');
await page.locator('input[type=password]').waitFor();
await shot('sign-in');
await page.locator('input[name=username]').fill('alice');
await page.locator('input[type=password]').fill(process.env.PASSWORD);
await page.locator('button[type=submit]').click();
await page.locator('input[type=password]').waitFor({ state: 'detached' });
const cookies = await page.evaluate(() => document.cookie);
if (cookies !== '') faults.push(`scripts can read cookies: ${cookies}`);

// An idea, its run, the result and its tearsheet, by what a person clicks.
await page.getByRole('link', { name: /RSI dip in a rising market/ }).click();
await page.locator('.seeing canvas').first().waitFor({ state: 'attached' });
await page.waitForFunction(() => document.querySelector('.bench-head .button.main')?.disabled === false);
await shot('idea');
await page.getByRole('button', { name: 'Run backtest' }).click();
await page.waitForURL(/#\/runs\/[0-9A-Z]{26}/);
await page.locator('.verdict').first().waitFor();
const id = /[0-9A-Z]{26}/.exec(page.url())[0];
await shot('result');
await page.getByRole('radio', { name: 'Tearsheet' }).check();
const frame = page.frameLocator('iframe[title=Tearsheet]');
await frame.locator('svg').first().waitFor({ state: 'attached' });
await frame.locator('svg[data-chart=equity]:visible').first().hover(); // its cross-hair works
await frame.locator('output[data-for=equity]:visible', { hasText: /\d{4}-\d\d-\d\d/ }).waitFor();
await shot('tearsheet');
const title = await frame.locator('h1').first().innerText();
console.log(`signed in, ran ${id}, read its tearsheet: ${title.replace(/\s+/g, ' ')}`);

const evil = await (await browser.newContext()).newPage();
await evil.goto('about:blank');
const stolen = await evil.evaluate(() => fetch('https://api.yourdomain.com/api/backtest/history', { credentials: 'include' }).then((r) => r.status, () => 'refused'));
if (stolen !== 'refused') faults.push(`another page could read the API: ${stolen}`);
await browser.close();
if (faults.length) { console.error(faults.join('\n')); process.exit(1); }

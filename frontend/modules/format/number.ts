// Numbers for people. Undefined is a dash here, never NaN; who knows the reason shows it beside it.

export const absent = '–';

const cache = new Map<string, Intl.NumberFormat>();

function formatter(min: number, max: number, grouping = true): Intl.NumberFormat {
  const key = `${min} ${max} ${grouping}`;
  let f = cache.get(key);
  if (!f) {
    f = new Intl.NumberFormat('en-US', { minimumFractionDigits: min, maximumFractionDigits: max, useGrouping: grouping });
    cache.set(key, f);
  }
  return f;
}

const known = (x: number | null | undefined): x is number => typeof x === 'number' && Number.isFinite(x);

// minus puts the typographic minus, which is as wide as a digit, and never writes -0.
function minus(text: string): string {
  const bare = text.replace('-', '');
  return /[1-9]/.test(bare) && text.includes('-') ? `−${bare}` : bare;
}

/** A number with a fixed number of decimals. */
export function fixed(x: number | null | undefined, digits = 2): string {
  return known(x) ? minus(formatter(digits, digits).format(x)) : absent;
}

/** A fraction as percent: 0.1 is 10.00%. */
export function percent(x: number | null | undefined, digits = 2): string {
  return known(x) ? `${fixed(100 * x, digits)}%` : absent;
}

/** Percent with its sign, for changes. */
export function change(x: number | null | undefined, digits = 2): string {
  return known(x) && x > 0 && /[1-9]/.test(fixed(100 * x, digits)) ? `+${percent(x, digits)}` : percent(x, digits);
}

/** Dollars and cents. */
export function usd(x: number | null | undefined, digits = 2): string {
  return known(x) ? fixed(x, digits).replace(/^(−?)/, '$1$') : absent;
}

/** Dollars in few characters: $1.24M. */
export function shortUsd(x: number | null | undefined): string {
  return known(x) ? short(x).replace(/^(−?)/, '$1$') : absent;
}

/** A whole number. */
export function count(x: number | null | undefined): string {
  return known(x) ? minus(formatter(0, 0).format(x)) : absent;
}

/** A number in few characters: 12.4k. */
export function short(x: number | null | undefined): string {
  if (!known(x)) return absent;
  for (const [unit, size] of [['B', 1e9], ['M', 1e6], ['k', 1e3]] as const) {
    if (Math.abs(x) >= 0.9995 * size) return `${trim(Math.abs(x) < size ? Math.sign(x) : x / size)}${unit}`;
  }
  return trim(x);
}

/** Three significant digits, without zeros at the end. */
export function trim(x: number): string {
  const a = Math.abs(x);
  return minus(formatter(0, a >= 100 ? 0 : a >= 10 ? 1 : a >= 1 || a === 0 ? 2 : a >= 0.01 ? 4 : 6).format(x));
}

/** A price as it is quoted: cents, or more digits under a dollar. */
export function price(x: number | null | undefined): string {
  return known(x) ? fixed(x, Math.abs(x) < 1 && x !== 0 ? 4 : 2) : absent;
}

/** A share quantity: whole, or with what it has of fractions. */
export function shares(x: number | null | undefined): string {
  return known(x) ? minus(formatter(0, 6).format(x)) : absent;
}

/** A size of files. */
export function bytes(x: number | null | undefined): string {
  if (!known(x)) return absent;
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let i = 0;
  for (; x >= 1000 && i < units.length - 1; i++) x /= 1000;
  return `${i === 0 ? count(x) : fixed(x, x >= 100 ? 0 : 1)} ${units[i]}`;
}

/** Whether a number is above, below or at zero, as a class of style.css. */
export function sign(x: number | null | undefined): 'gain' | 'loss' | '' {
  return known(x) ? (x > 0 ? 'gain' : x < 0 ? 'loss' : '') : '';
}

/** "1 run", "2 runs". */
export function plural(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}

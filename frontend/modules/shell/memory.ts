// What this browser remembers between visits. It may be forbidden or full; then nothing is remembered,
// and everything works as on a first visit.

const prefix = 'backtester.';

export function recall<T>(key: string, otherwise: T, fits: (x: unknown) => x is T): T {
  try {
    const text = localStorage.getItem(prefix + key);
    const value: unknown = text === null ? otherwise : JSON.parse(text);
    return fits(value) ? value : otherwise;
  } catch {
    return otherwise;
  }
}

export function remember(key: string, value: unknown): void {
  try {
    localStorage.setItem(prefix + key, JSON.stringify(value));
  } catch {
    // no room, or not allowed
  }
}

export const isString = (x: unknown): x is string => typeof x === 'string';

// What of a long series a chart should ask for. The server thins what it sends; a chart that is zoomed
// in asks again for the part that is looked at, so that it always draws about as many bars as fit.

/** How many candles a chart that begins with everything holds: all that are in view are drawn in every
 * frame of panning, and more than two a pixel cannot be told apart. */
export const mostCandles = 1_500;

/** How many days it may hold: a candle of a day should stay one. */
export const mostDays = 5_000;

export interface Window { from: number; to: number } // milliseconds

/** From the first of rising times to the last. */
export const ends = (t: readonly number[]): Window => ({ from: t[0] ?? 0, to: t[t.length - 1] ?? 0 });

/** Whether the part that is shown has too few points of what was loaded, though there are more. */
export function tooCoarse(shown: Window, loaded: Window, loadedPoints: number, thinned: boolean, wanted: number): boolean {
  if (!thinned || loaded.to <= loaded.from) return false;
  const share = (Math.min(shown.to, loaded.to) - Math.max(shown.from, loaded.from)) / (loaded.to - loaded.from);
  return share > 0 && share * loadedPoints < wanted / 2;
}

/** Whether the part that is shown lies outside of what was loaded, though there is more. */
export function outside(shown: Window, loaded: Window, whole: Window): boolean {
  const slack = 0.02 * (shown.to - shown.from);
  return (shown.from < loaded.from - slack && loaded.from > whole.from) || (shown.to > loaded.to + slack && loaded.to < whole.to);
}

/** What to ask for: the part that is shown, with half of it on either side for scrolling. */
export function around(shown: Window, whole: Window): Window {
  const half = (shown.to - shown.from) / 2;
  return { from: Math.max(whole.from, shown.from - half), to: Math.min(whole.to, shown.to + half) };
}

/** The index of the last element of sorted that is at most x, -1 when there is none. */
export function lastAt<T>(sorted: readonly T[], x: T): number {
  let lo = 0;
  let hi = sorted.length;
  while (lo < hi) {
    const mid = (lo + hi) >>> 1;
    if (sorted[mid]! <= x) lo = mid + 1;
    else hi = mid;
  }
  return lo - 1;
}

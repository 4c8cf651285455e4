// Times for people. Sessions are dates of the exchange and are never shifted by a zone; instants are
// shown in the zone that is chosen, and whoever shows one says which it is.
import { signal } from '@preact/signals';
import { recall, remember } from '../shell/memory';

export type Zone = 'exchange' | 'local' | 'utc';

export const zones: Record<Zone, string> = { exchange: 'New York (exchange)', local: 'this device', utc: 'UTC' };

export const zone = signal<Zone>(recall('zone', 'exchange', (z): z is Zone => typeof z === 'string' && z in zones));

export function chooseZone(z: Zone): void {
  zone.value = z;
  remember('zone', z);
}

const names: Record<Zone, string | undefined> = { exchange: 'America/New_York', local: undefined, utc: 'UTC' };
const cache = new Map<string, Intl.DateTimeFormat>();

function formatter(z: Zone, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = z + JSON.stringify(options);
  let f = cache.get(key);
  if (!f) {
    const name = names[z];
    f = new Intl.DateTimeFormat('en-CA', { ...options, ...(name ? { timeZone: name } : {}), hourCycle: 'h23' });
    cache.set(key, f);
  }
  return f;
}

const day: Intl.DateTimeFormatOptions = { year: 'numeric', month: '2-digit', day: '2-digit' };
const minute: Intl.DateTimeFormatOptions = { hour: '2-digit', minute: '2-digit' };

/** Whether a time is a session (a date), not an instant. */
export function isSession(t: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(t);
}

/** The short name of the chosen zone at an instant: EST, GMT+2. */
export function zoneName(at: Date, z: Zone = zone.value): string {
  const part = formatter(z, { timeZoneName: 'short' }).formatToParts(at).find((p) => p.type === 'timeZoneName');
  return part?.value ?? '';
}

/** A session as it is, an instant as date and time in the chosen zone. */
export function when(t: string | null | undefined, z: Zone = zone.value): string {
  if (!t) return '–';
  if (isSession(t)) return t;
  const at = new Date(t);
  if (Number.isNaN(at.getTime())) return t;
  return `${formatter(z, day).format(at)} ${formatter(z, minute).format(at)}`;
}

/** The time of day of an instant. */
export function clock(t: string, z: Zone = zone.value): string {
  return formatter(z, minute).format(new Date(t));
}

/** A time with its zone, for tooltips. */
export function whenFull(t: string, z: Zone = zone.value): string {
  return isSession(t) ? `${t} (session)` : `${when(t, z)} ${zoneName(new Date(t), z)}`;
}

/** How long ago, roughly: "3 min ago". */
export function ago(t: string, now: number): string {
  const s = Math.max(0, (now - new Date(t).getTime()) / 1000);
  if (s < 45) return 'just now';
  for (const [unit, size, limit] of [['min', 60, 60], ['h', 3600, 24], ['d', 86400, 14]] as const) {
    const n = Math.round(s / size);
    if (n < limit) return `${n} ${unit} ago`;
  }
  return when(t).slice(0, 10);
}

/** A length of time: "1 m 20 s". */
export function duration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return '–';
  if (seconds < 1) return `${Math.max(1, Math.round(1000 * seconds))} ms`;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const s = Math.round(seconds);
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} m ${s % 60} s`;
  return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} m`;
}

/** Milliseconds as text: a session where they are midnight UTC, as the server says daily bars. */
export function instant(t: number, z: Zone = zone.value): string {
  const text = new Date(t).toISOString();
  return t % 86_400_000 === 0 ? text.slice(0, 10) : when(text, z);
}

/** The same as the server writes it: a date for daily bars, RFC 3339 for others. */
export function stamp(t: number, intraday: boolean): string {
  const text = new Date(t).toISOString();
  return intraday ? text : text.slice(0, 10);
}

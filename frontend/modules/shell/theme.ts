// Light or dark: as the device says, or as chosen here. Charts draw on canvases and ask for the colours
// of style.css by name.
import { computed, signal } from '@preact/signals';
import { recall, remember } from './memory';

export type Theme = 'auto' | 'light' | 'dark';

const isTheme = (x: unknown): x is Theme => x === 'auto' || x === 'light' || x === 'dark';
const device = typeof matchMedia === 'undefined' ? undefined : matchMedia('(prefers-color-scheme: dark)');
const deviceDark = signal(device?.matches ?? false);
device?.addEventListener('change', (e) => {
  deviceDark.value = e.matches;
});

export const theme = signal<Theme>(recall('theme', 'auto', isTheme));
export const dark = computed(() => (theme.value === 'auto' ? deviceDark.value : theme.value === 'dark'));

export function chooseTheme(t: Theme): void {
  theme.value = t;
  remember('theme', t);
  show();
}

export function show(): void {
  document.documentElement.dataset.theme = theme.value;
}

const parts = (rgb: string): number[] => (rgb.match(/[\d.]+/g) ?? []).slice(0, 3).map(Number);

/** A colour laid over another one, as much of it as alpha says. */
export function over(top: string, below: string, alpha: number): string {
  const [a, b] = [parts(top), parts(below)];
  return `rgb(${a.map((x, i) => Math.round(alpha * x + (1 - alpha) * (b[i] ?? 0))).join(', ')})`;
}

// luminance is how bright a colour is to the eye, 0 to 1, as WCAG defines it.
function luminance(rgb: string): number {
  const [r = 0, g = 0, b = 0] = parts(rgb).map((x) => (x <= 10 ? x / 255 / 12.92 : ((x / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** The contrast of two colours, 1 to 21. */
export function contrast(a: string, b: string): number {
  const [x, y] = [luminance(a), luminance(b)];
  return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
}

/** The value of a colour of style.css in the theme that is shown now. */
export function colour(name: string, alpha?: number): string {
  const probe = document.createElement('i');
  probe.style.color = `var(--${name})`;
  document.body.append(probe);
  const rgb = getComputedStyle(probe).color;
  probe.remove();
  return alpha === undefined ? rgb : rgb.replace(/^rgba?\(([^)]+?)\)$/, (_, c: string) => `rgba(${c.split(/[,/]/).slice(0, 3).join(',')}, ${alpha})`);
}

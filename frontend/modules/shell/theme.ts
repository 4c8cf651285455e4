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

/** The value of a colour of style.css in the theme that is shown now. */
export function colour(name: string, alpha?: number): string {
  const probe = document.createElement('i');
  probe.style.color = `var(--${name})`;
  document.body.append(probe);
  const rgb = getComputedStyle(probe).color;
  probe.remove();
  return alpha === undefined ? rgb : rgb.replace(/^rgba?\(([^)]+?)\)$/, (_, c: string) => `rgba(${c.split(/[,/]/).slice(0, 3).join(',')}, ${alpha})`);
}

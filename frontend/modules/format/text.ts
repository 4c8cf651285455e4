// Texts of other people. They are only ever put into the page as text; what could make them look like
// something else, control and direction characters, goes, and long ones are cut.

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const unseen = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g;

export function plain(text: string | null | undefined, most = 120): string {
  const clean = (text ?? '').replace(unseen, ' ').trim();
  const letters = [...clean];
  return letters.length > most ? `${letters.slice(0, most - 1).join('')}…` : clean;
}

/** "snake_case" as words. */
export function words(key: string): string {
  const w = key.replace(/[_.]+/g, ' ').trim();
  return w.charAt(0).toUpperCase() + w.slice(1);
}

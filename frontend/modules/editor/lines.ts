// The difference of two lists of lines: a longest common subsequence, which is exact and fast enough for
// files of a person's size. Larger ones are shown as replaced as a whole.

export interface Piece { kind: ' ' | '+' | '-'; text: string }

export function diff(a: readonly string[], b: readonly string[], most = 4_000_000): Piece[] {
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
  const x = a.slice(head, a.length - tail);
  const y = b.slice(head, b.length - tail);
  const same = (list: readonly string[]): Piece[] => list.map((text) => ({ kind: ' ', text }));
  return [...same(a.slice(0, head)), ...(x.length * y.length > most ? [...x.map((text): Piece => ({ kind: '-', text })), ...y.map((text): Piece => ({ kind: '+', text }))] : middle(x, y)), ...same(a.slice(a.length - tail))];
}

function middle(x: readonly string[], y: readonly string[]): Piece[] {
  const n = y.length + 1;
  const length = new Uint32Array((x.length + 1) * n); // of the longest common subsequence from (i, j) on
  for (let i = x.length - 1; i >= 0; i--) {
    for (let j = y.length - 1; j >= 0; j--) length[i * n + j] = x[i] === y[j] ? length[(i + 1) * n + j + 1]! + 1 : Math.max(length[(i + 1) * n + j]!, length[i * n + j + 1]!);
  }
  const out: Piece[] = [];
  let i = 0;
  let j = 0;
  while (i < x.length || j < y.length) {
    if (i < x.length && j < y.length && x[i] === y[j]) {
      out.push({ kind: ' ', text: x[i]! });
      i++;
      j++;
    } else if (j >= y.length || (i < x.length && length[(i + 1) * n + j]! >= length[i * n + j + 1]!)) out.push({ kind: '-', text: x[i++]! });
    else out.push({ kind: '+', text: y[j++]! });
  }
  return out;
}

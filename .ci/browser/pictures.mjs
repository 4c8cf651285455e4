// Pictures of pages that are kept in the repository and held against new ones: an eighth of the size, how bright
// places are above and how much is in them below. What another font rasteriser changes is lost in that; a panel
// that is gone, moved or laid over another one is not.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** steady are the options of a browser that draws on every machine with the same fonts, at places that do not hang on
 * their hinting. */
export const steady = {
  env: { ...process.env, FONTCONFIG_FILE: fileURLToPath(new URL('fonts.conf', import.meta.url)) },
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--disable-gpu', '--font-render-hinting=none', '--disable-dev-shm-usage', ...(process.getuid?.() === 0 ? ['--no-sandbox'] : [])],
};

const cell = 8; // pixels
const most = 2400; // pixels of height that are kept of a page

/** small makes of a picture of RGBA how bright each place is, 0 to 15, and how much is in it: 0 for nothing, 1 for a
 * trace such as the edge of a line, 2 for something and 3 for what is full of contrast. */
export function small({ width, height, data }) {
  const w = Math.floor(width / cell), h = Math.floor(Math.min(height, most) / cell), n = cell * cell;
  const grey = new Uint8Array(w * h), detail = new Uint8Array(w * h);
  for (let y = 0; y < h; y++) {
    for (let x = 0; x < w; x++) {
      let sum = 0, squares = 0;
      for (let j = 0; j < cell; j++) {
        for (let i = 0, at = ((y * cell + j) * width + x * cell) * 4; i < cell; i++, at += 4) {
          const v = 0.2126 * data[at] + 0.7152 * data[at + 1] + 0.0722 * data[at + 2];
          sum += v;
          squares += v * v;
        }
      }
      const deviation = Math.sqrt(Math.max(0, squares / n - (sum / n) ** 2));
      grey[y * w + x] = Math.round((sum / n) * (15 / 255));
      detail[y * w + x] = deviation < 2 ? 0 : deviation < 10 ? 1 : deviation < 35 ? 2 : 3;
    }
  }
  return { w, h, grey, detail };
}

// apart says whether a place of a is like none of the places around the same one in b.
function apart(a, b, x, y) {
  return ['grey', 'detail'].some((what) => {
    let low = 15, high = 0;
    for (let j = Math.max(0, y - 1); j <= Math.min(b.h - 1, y + 1); j++) {
      for (let i = Math.max(0, x - 1); i <= Math.min(b.w - 1, x + 1); i++) {
        low = Math.min(low, b[what][j * b.w + i]);
        high = Math.max(high, b[what][j * b.w + i]);
      }
    }
    const v = a[what][y * a.w + x];
    return v < low - 1 || v > high + 1;
  });
}

/** difference says where two small pictures are not alike, or ''. They are alike when they are as high but for a
 * line of places, and in every square of 64 pixels no more than an eighth of the places is apart. */
export function difference(a, b) {
  if (a.w !== b.w) return `is ${a.w * cell} pixels wide instead of ${b.w * cell}`;
  if (Math.abs(a.h - b.h) > 1) return `is ${a.h * cell} pixels high instead of ${b.h * cell}`;
  const h = Math.min(a.h, b.h), square = 8;
  let worst = 0, where = '';
  for (let top = 0; top < h; top += square) {
    for (let left = 0; left < a.w; left += square) {
      let n = 0;
      for (let y = top; y < Math.min(h, top + square); y++) {
        for (let x = left; x < Math.min(a.w, left + square); x++) if (apart(a, b, x, y) || apart(b, a, x, y)) n++;
      }
      if (n > worst) [worst, where] = [n, `${left * cell},${top * cell}`];
    }
  }
  return worst > (square * square) / 8 ? `differs around ${where} in ${worst} of ${square * square} places` : '';
}

/** Gallery keeps the small pictures of a folder. PNG is pngjs's; rewrite is '', 'some' or 'all' to take what is shown
 * for right, with 'all' in the place of everything that was kept. */
export class Gallery {
  constructor(PNG, folder, rewrite = '') {
    Object.assign(this, { PNG, folder, rewrite, seen: new Set() });
    if (rewrite === 'all') rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
  }

  /** compare says how a screenshot differs from the kept picture of its name, or ''. */
  compare(name, shot) {
    const now = small(this.PNG.sync.read(shot));
    const file = join(this.folder, `${name}.png`);
    this.seen.add(`${name}.png`);
    if (this.rewrite) {
      const data = Buffer.alloc(2 * now.w * now.h * 4, 255);
      [...now.grey].map((v) => 17 * v).concat([...now.detail].map((v) => 85 * v)).forEach((v, i) => data.fill(v, 4 * i, 4 * i + 3));
      writeFileSync(file, this.PNG.sync.write({ width: now.w, height: 2 * now.h, data }, { colorType: 0, deflateLevel: 9 }));
      return '';
    }
    if (!existsSync(file)) return 'has no kept picture';
    const { width: w, height, data } = this.PNG.sync.read(readFileSync(file));
    const h = height / 2;
    const part = (from, step) => Uint8Array.from({ length: w * h }, (_, i) => data[4 * (from + i)] / step);
    return difference(now, { w, h, grey: part(0, 17), detail: part(w * h, 85) });
  }

  /** unseen are kept pictures of pages that there are no more. */
  unseen() {
    return readdirSync(this.folder).filter((f) => !this.seen.has(f));
  }
}

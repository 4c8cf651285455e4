// Builds the application into dist/: index.html, config.js, renderer.js, style.css and
// modules/NAME-HASH.js. Those names are a contract with web servers: only files under modules/ have
// their hash in the name and may be kept for ever.
//
// The scripts are classic ones, because a page that is opened as a file may not import modules. Rollup
// cuts them into parts that define themselves (AMD); loader.ts, put before renderer.js, fetches them.
//
//   node build.mjs [--watch]
import { copyFileSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nodeResolve } from '@rollup/plugin-node-resolve';
import * as esbuild from 'esbuild';
import { rollup, watch } from 'rollup';

const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, 'dist');
const target = 'es2022';

// typescript strips types and turns JSX into calls.
const typescript = {
  name: 'typescript',
  transform(code, id) {
    if (!/\.tsx?$/.test(id)) return null;
    const { code: js, map } = esbuild.transformSync(code, {
      loader: id.endsWith('x') ? 'tsx' : 'ts',
      target,
      jsx: 'automatic',
      jsxImportSource: 'preact',
      sourcemap: true,
      sourcefile: id,
    });
    return { code: js, map };
  },
};

const minify = {
  name: 'minify',
  renderChunk: (code) => esbuild.transformSync(code, { minify: true, target, legalComments: 'none' }),
};

const input = {
  input: { renderer: join(here, 'renderer.tsx') },
  plugins: [nodeResolve({ extensions: ['.ts', '.tsx', '.mjs', '.js'], browser: true }), typescript],
};

const { outputFiles: [loader] } = esbuild.buildSync({ entryPoints: [join(here, 'loader.ts')], write: false, bundle: true, format: 'iife', target, minify: true });

const output = {
  dir: out,
  format: 'amd',
  amd: { forceJsExtensionForImports: true },
  entryFileNames: '[name].js',
  chunkFileNames: 'modules/[name]-[hash].js',
  banner: (chunk) => (chunk.isEntry ? loader.text : ''),
  plugins: [minify],
  // A part of the application lies in a folder of modules/ and is named after it.
  manualChunks(id) {
    if (id.includes('node_modules/lightweight-charts') || id.includes('node_modules/fancy-canvas')) return 'prices';
    if (id.includes('node_modules/uplot')) return 'lines';
    if (id.includes('node_modules/yaml')) return 'document';
    if (/node_modules\/(@codemirror|@lezer|style-mod|w3c-keyname|crelt|@marijn)/.test(id)) return 'editor';
    return null;
  },
};

function assets() {
  esbuild.buildSync({ entryPoints: [join(here, 'style.css')], outfile: join(out, 'style.css'), bundle: true, minify: true, target, logLevel: 'error' });
  copyFileSync(join(here, 'index.html'), join(out, 'index.html'));
  copyFileSync(join(here, 'config.js'), join(out, 'config.js'));
}

mkdirSync(out, { recursive: true });
for (const name of readdirSync(out)) if (name !== '.gitkeep') rmSync(join(out, name), { recursive: true });
writeFileSync(join(out, '.gitkeep'), '');

if (process.argv.includes('--watch')) {
  assets();
  watch({ ...input, output }).on('event', (e) => {
    if (e.code === 'ERROR') console.error(e.error.message);
    if (e.code === 'END') { assets(); console.log(`built ${new Date().toLocaleTimeString()}`); }
  });
} else {
  const bundle = await rollup({ ...input, onwarn: (w) => { throw new Error(w.message); } });
  const { output: chunks } = await bundle.write(output);
  await bundle.close();
  assets();
  for (const c of chunks) console.log(`${c.fileName.padEnd(36)} ${(gzipSync(c.code).length / 1024).toFixed(1).padStart(7)} kB gzip`);
}

// The loader of the application's parts: the few lines of AMD that Rollup's output needs. It stands
// before renderer.js, which like every part calls define(). A part lies in modules/ beside this script
// and nowhere else; the policy for Trusted Types refuses every other address.

type Exports = Record<string, unknown>;
type Factory = (...parts: unknown[]) => unknown;
type Require = (names: string[], done: (...parts: unknown[]) => void, failed: (e: unknown) => void) => void;

const parts = new Map<string, Promise<unknown>>(); // by address
const here = (document.currentScript as HTMLScriptElement).src;
const folder = new URL('modules/', here).href;

function address(name: string): string {
  if (name === here || (name.startsWith(folder) && /^[\w.-]+\.js$/.test(name.slice(folder.length)))) return name;
  throw new TypeError(`load ${name}: parts of the application lie in ${folder} only`);
}

interface Policy { createScriptURL(name: string): string }
const trusted = (globalThis as { trustedTypes?: { createPolicy(name: string, rules: object): Policy } }).trustedTypes;
const policy: Policy = trusted?.createPolicy('backtester', { createScriptURL: address }) ?? { createScriptURL: address };

function load(url: string): Promise<unknown> {
  const known = parts.get(url);
  if (known) return known;
  const part = new Promise<unknown>((resolve, reject) => {
    const script = document.createElement('script');
    script.src = policy.createScriptURL(url);
    script.onload = () => {
      const defined = parts.get(url);
      if (defined && defined !== part) resolve(defined);
      else reject(new Error(`load ${url}: the file is not a part of the application`));
    };
    script.onerror = () => {
      parts.delete(url);
      script.remove();
      reject(new Error(`load ${url}: the file cannot be had; the application may have been updated since this page was opened`));
    };
    document.head.append(script);
  });
  parts.set(url, part);
  return part;
}

async function run(url: string, names: string[], factory: Factory): Promise<unknown> {
  const exports: Exports = {};
  const require: Require = (wanted, done, failed) => {
    Promise.all(wanted.map((n) => load(new URL(n, url).href))).then((got) => done(...got), failed);
  };
  const given = names.map((n) => (n === 'require' ? require : n === 'exports' ? exports : load(new URL(n, url).href)));
  // Nothing to wait for: run at once, so that the entry starts while the page is being read.
  const result = given.some((g) => g instanceof Promise) ? factory(...(await Promise.all(given))) : factory(...given);
  return result ?? exports;
}

(globalThis as unknown as { define: unknown }).define = (names: string[] | Factory, factory?: Factory): void => {
  const url = (document.currentScript as HTMLScriptElement).src;
  parts.set(url, typeof names === 'function' ? run(url, [], names) : run(url, names, factory as Factory));
};

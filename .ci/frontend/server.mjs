// The real program as a process of a test: started on a free port with folders of its own, stopped and
// started again.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export class Server {
  constructor(binary, { env = {}, args = [], folder } = {}) {
    this.binary = binary;
    this.folder = folder ?? mkdtempSync(join(tmpdir(), 'backtester-frontend-'));
    this.env = env;
    this.args = args;
    this.log = '';
    this.port = 0;
  }

  get places() {
    return { PATH: process.env.PATH, HOME: this.folder, BACKTESTER_DATA_DIR: join(this.folder, 'data'), BACKTESTER_RESULTS_DIR: join(this.folder, 'results'), ...this.env };
  }

  // add makes a user as who has the machine does, and returns headers that are theirs.
  async add(username, password) {
    const out = spawnSync(this.binary, ['user', 'add', username, '--env-file', 'none'], { env: this.places, cwd: this.folder, input: `${password}\n`, encoding: 'utf8' });
    if (out.status !== 0) throw new Error(`user add ${username}: ${out.stderr}`);
    return this.enter(username, password);
  }

  // enter signs in as a script does.
  async enter(username, password) {
    return { Authorization: `Bearer ${(await this.ask('POST', '/api/auth/login', { username, password, mode: 'token' })).token}` };
  }

  // start returns when the server says its address. A server that is started again keeps its port.
  async start() {
    this.process = spawn(this.binary, ['serve', '--env-file', 'none', '--port', String(this.port), ...this.args], { env: this.places, cwd: this.folder });
    const address = new Promise((resolve, reject) => {
      const read = (b) => {
        this.log += b;
        const m = /http:\/\/(?:127\.0\.0\.1|\[::1\]|localhost):(\d+)/.exec(this.log.slice(this.from));
        if (m) resolve(Number(m[1]));
      };
      this.from = this.log.length;
      this.process.stderr.on('data', read);
      this.process.stdout.on('data', read);
      this.process.on('exit', (code) => reject(new Error(`serve ended with ${code}:\n${this.log}`)));
    });
    this.port = await address;
    for (let i = 0; i < 600; i++) {
      const ok = await fetch(`${this.url}/api/health`).then((r) => r.ok, () => false);
      if (ok) return this;
      await new Promise((r) => setTimeout(r, 100));
    }
    throw new Error(`serve does not answer:\n${this.log}`);
  }

  get url() { return `http://127.0.0.1:${this.port}`; }

  async stop(signal = 'SIGTERM') {
    if (!this.process || this.process.exitCode !== null) return;
    const gone = new Promise((r) => this.process.once('exit', r));
    this.process.kill(signal);
    await gone;
  }

  async end() {
    await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  // ask calls the API as a script does.
  async ask(method, path, body, headers = {}) {
    const r = await fetch(this.url + path, { method, headers: { ...(body === undefined ? {} : { 'Content-Type': 'application/json' }), ...headers }, body: body === undefined ? undefined : JSON.stringify(body) });
    const text = await r.text();
    let json;
    try { json = text ? JSON.parse(text) : undefined; } catch { json = text; }
    if (!r.ok) throw new Error(`${method} ${path}: ${r.status} ${text.slice(0, 400)}`);
    return json;
  }

  // run computes a run and returns its id when it has ended.
  async run(body, headers = {}) {
    const r = await this.ask('POST', '/api/backtest/run', body, headers);
    for (let i = 0; i < 1200; i++) {
      const s = await this.ask('GET', `/api/backtest/results/${r.run_id}`, undefined, headers);
      if (s.status === 'succeeded') return r.run_id;
      if (s.status === 'failed' || s.status === 'cancelled') throw new Error(`run ${s.status}: ${JSON.stringify(s.error)}`);
      await new Promise((x) => setTimeout(x, 100));
    }
    throw new Error('the run does not end');
  }
}

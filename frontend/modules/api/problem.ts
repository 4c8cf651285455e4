// Problem is an answer of the server that is not a success, as RFC 9457 has it, or the lack of one.

export interface Fault {
  pointer?: string;
  code?: string;
  message: string;
  hint?: string;
  line?: number;
  column?: number;
}

export class Problem extends Error {
  constructor(
    readonly status: number, // 0: no answer came
    readonly code: string,
    readonly title: string,
    readonly detail = '',
    readonly faults: Fault[] = [],
    readonly requestId = '',
    readonly retryAfter: number | null = null, // seconds
    readonly body: Record<string, unknown> = {},
  ) {
    super(detail ? `${title}: ${detail}` : title);
  }

  /** What the person can do about it. */
  get cure(): string {
    const fixed = this.body['fix'] ?? this.body['hint'];
    if (typeof fixed === 'string') return fixed;
    if (this.status === 0) return 'Check that the server is running and that this device is online; what you wrote is kept.';
    if (this.status === 401) return 'Sign in again; what you wrote is kept.';
    if (this.status === 403) return 'Ask an administrator of this server for the right to do this.';
    if (this.status === 404) return 'It may have been deleted, or belong to somebody else.';
    if (this.status === 409) return 'It has changed meanwhile: reload and try again.';
    if (this.status === 413) return 'Send less at once.';
    if (this.status === 424) return 'Fetch the missing data first, on the Data page.';
    if (this.status === 429 || this.status === 503) return this.retryAfter ? `Try again in ${this.retryAfter} seconds.` : 'Try again in a moment.';
    if (this.status === 501) return ''; // the detail says what this server lacks
    if (this.status >= 500) return this.requestId ? `Tell the administrator the request's number: ${this.requestId}.` : 'Look at the log of the server.';
    return '';
  }
}

const text = (x: unknown): string => (typeof x === 'string' ? x : '');
const num = (x: unknown): number | undefined => (typeof x === 'number' ? x : undefined);

/** problemOf reads the body of an answer that is not a success. */
export function problemOf(status: number, body: unknown, header: (name: string) => string | null): Problem {
  const b = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>;
  const list = Array.isArray(b['errors']) ? (b['errors'] as Record<string, unknown>[]) : [];
  const faults = list.map((e): Fault => {
    const fault: Fault = { message: text(e['message']) || text(e['detail']) };
    const line = num(e['line']);
    const column = num(e['column']);
    if (line) fault.line = line;
    if (column) fault.column = column;
    for (const k of ['pointer', 'code', 'hint'] as const) {
      const v = text(e[k]) || (k === 'pointer' ? text(e['location']) : '');
      if (v) fault[k] = v;
    }
    return fault;
  });
  const missing = Array.isArray(b['missing']) ? (b['missing'] as Record<string, unknown>[]) : [];
  for (const m of missing) faults.push({ code: 'no_data', message: `${text(m['symbol'])}: ${text(m['reason'])}${m['have'] ? ` (there is ${text(m['have'])})` : ''}` });
  const retry = Number(header('Retry-After'));
  return new Problem(
    status,
    text(b['code']) || text(b['type']).replace(/^urn:backtester:problem:/, '') || `http-${status}`,
    text(b['title']) || `The server answered ${status}`,
    text(b['detail']),
    faults,
    text(b['request_id']) || header('X-Request-ID') || '',
    Number.isFinite(retry) && retry > 0 ? retry : null,
    b,
  );
}

/** problemFrom makes a Problem of anything that was thrown. */
export function problemFrom(e: unknown): Problem {
  if (e instanceof Problem) return e;
  const message = e instanceof Error ? e.message : String(e);
  return new Problem(-1, 'page', 'Something in this page went wrong', message);
}

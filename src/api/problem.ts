import type { Duplex } from 'node:stream';
import { ERRORS, type ProblemCode } from '../model/errors/errors.ts';

// An `import` would load Node's HTTP client as well: 10 MB that nothing here needs.
const { STATUS_CODES } = process.getBuiltinModule('node:http');

export const PROBLEM_TYPE = 'application/problem+json';
/** The `WWW-Authenticate` of a 401 (RFC 6750 §3). */
export const CHALLENGE = 'Bearer realm="asterisk-mes"';

/** A failed request as the client sees it (RFC 9457). Thrown by handlers. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly code: ProblemCode;
  readonly status: number;
  /** The query parameter that is at fault; undefined: none is. */
  readonly parameter: string | undefined;

  /**
   * `detail`: one sentence that says what to do, without anything internal. `status`: needed only for a code that has several.
   */
  constructor(code: ProblemCode, detail: string, parameter?: string, status: number = ERRORS[code].status) {
    super(detail);
    this.code = code;
    this.status = status;
    this.parameter = parameter;
  }

  /** The problem document. Its type is `about:blank`, so its title is the status's own (RFC 9457 §4.2.1). */
  toJSON(): Record<string, string | number> {
    return {
      type: 'about:blank',
      title: STATUS_CODES[this.status] ?? 'Error',
      status: this.status,
      detail: this.message,
      code: this.code,
      ...(this.parameter === undefined ? {} : { parameter: this.parameter }),
    };
  }
}

/** Time for a refused client to read the answer. */
const LAST_WORDS_MS = 500;

/** Sends a last answer on a connection and destroys it soon after, whether or not the client reads. */
export function endThenDestroy(socket: Duplex, answer: string): void {
  socket.end(answer);
  setTimeout(() => socket.destroy(), LAST_WORDS_MS).unref();
}

/** The problem as a whole HTTP response, for connections that fastify does not serve. Close the connection after it. */
export function rawAnswer(problem: Problem): string {
  const body = JSON.stringify(problem);
  const lines = [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? 'Error'}`,
    `Content-Type: ${PROBLEM_TYPE}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  if (problem.status === 401) lines.push(`WWW-Authenticate: ${CHALLENGE}`);
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}

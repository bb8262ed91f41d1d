import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Problem } from '../../../src/api/problem.ts';
import { ERRORS } from '../../../src/model/errors/errors.ts';

const SRC = resolve(import.meta.dirname, '../../../src');
const REGISTRY = join(SRC, 'model/errors/errors.ts');

/** Codes that were given out, with their statuses: a line here is never changed and never taken away. */
const PERMANENT: Readonly<Record<string, number | null>> = {
  MES_ERR_PARAMETER_UNKNOWN: 400,
  MES_ERR_PARAMETER_VALUE: 400,
  MES_ERR_REQUEST_UNREADABLE: 400,
  MES_ERR_TOKEN: 401,
  MES_ERR_HOST: 403,
  MES_ERR_ORIGIN: 403,
  MES_ERR_NO_SUCH_ADDRESS: 404,
  MES_ERR_NO_SUCH_ID: 404,
  MES_ERR_METHOD: 405,
  MES_ERR_WEB_SOCKET_ONLY: 426,
  MES_ERR_TOO_MANY_REQUESTS: 429,
  MES_ERR_SERVER: 500,
  MES_ERR_NOT_READY: 503,
  MES_ERR_TOO_MANY_WATCHERS: 503,
  MES_ERR_LINK_LOST: null,
  MES_ERR_LINK_REFUSED: null,
  MES_ERR_AGI_PEER: null,
  MES_ERR_CLOCK_SET: null,
  MES_ERR_CHANNELS_GIVEN_UP: null,
  MES_ERR_CAPTURE: null,
  MES_ERR_HISTORY_WRITE: null,
  MES_ERR_HISTORY_DROPPED: null,
  MES_ERR_HISTORY_REJECTED: null,
  MES_ERR_HISTORY_LOST: null,
  MES_ERR_FILE_EXPOSED: null,
  MES_ERR_BODY: 400,
  MES_ERR_TOKEN_NOT_SET: 403,
  MES_ERR_ALERT: null,
  MES_ERR_AGI_SECRET: null,
  MES_ERR_PHONE_REPORTS: null,
  MES_ERR_MEASUREMENTS: 503,
  MES_ERR_RELOAD: null,
  MES_ERR_RESTART_NEEDED: null,
  MES_ERR_RATING_LOST: null,
  MES_ERR_QUESTIONS: null,
  MES_ERR_FLEET_GATEWAY: null,
  MES_ERR_FLEET_STORE: null,
  MES_ERR_FLEET_PBX_NEEDED: 409,
  MES_ERR_FLEET_NO_ANSWER: 503,
  MES_ERR_FLEET_READ_ONLY: 403,
  MES_ERR_FLEET_TOO_MUCH: 422,
  MES_ERR_TOO_MANY_ANSWERS: 503,
};

const sources = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts') && !path.startsWith('dashboard/client/'))
  .map((path) => join(SRC, path))
  .filter((path) => path !== REGISTRY)
  .map((path) => ({ path, text: readFileSync(path, 'utf8') }));

describe('the registry of errors', () => {
  test('keeps every code that was given out', () => {
    const statuses = Object.fromEntries(Object.entries(ERRORS).map(([code, { status }]) => [code, status]));
    expect(statuses).toMatchObject(PERMANENT);
  });

  test.each(Object.entries(ERRORS))('%s says what happened and what to do, and the product uses it', (code, error) => {
    expect(code).toMatch(/^MES_ERR_[A-Z]+(_[A-Z]+)*$/);
    expect(error.sentence).toMatch(/^[A-Z].*\.$/);
    expect(error.whatToDo).toMatch(/^[A-Z].*\.$/);
    expect(sources.filter(({ text }) => text.includes(`'${code}'`)).length).toBeGreaterThan(0);
  });

  test('has the code of every line that the log tells of a failure', () => {
    const told = sources.flatMap(({ path, text }) =>
      [...text.matchAll(/\blog\.(?:warn|error|fatal)\(\s*(.{0,60})/gs)].map(([, start = '']) => ({ path, start })),
    );
    expect(told.length).toBeGreaterThan(8);
    expect(told.filter(({ start }) => !/^(coded\('MES_ERR_|\{ code: problem\.code)/.test(start))).toEqual([]);
  });
});

describe('a problem document', () => {
  test('has the status of its code, and the code', () => {
    expect(new Problem('MES_ERR_NO_SUCH_ID', 'no such call').toJSON()).toEqual({
      type: 'about:blank',
      title: 'Not Found',
      status: 404,
      detail: 'no such call',
      code: 'MES_ERR_NO_SUCH_ID',
    });
  });

  test('has the status that was given where the code stands for more than one', () => {
    const slow = new Problem('MES_ERR_REQUEST_UNREADABLE', 'too slow', undefined, 408);
    expect(slow.toJSON()).toMatchObject({ status: 408, title: 'Request Timeout', code: 'MES_ERR_REQUEST_UNREADABLE' });
  });
});

import { createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { KeptQuestions } from '../../../src/model/people/rating.ts';
import { DirectoryStore } from '../../../src/measurements/collector/store.ts';
import { buildCollector } from '../../../src/measurements/collector/server.ts';
import { FetchedQuestions, type FetchedQuestionsOptions } from '../../../src/ratings/fetched-questions.ts';

const NOW_MS = Date.UTC(2026, 10, 30, 12);
/** 5 minutes, the first wait after a failure, in 50 ms. */
const HASTE = 6000;

interface Signer {
  readonly key: string;
  answer(content: unknown): { signed: string; signature: string; key: string };
}

function signer(): Signer {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const key = publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
  return {
    key,
    answer: (content) => {
      const signed = typeof content === 'string' ? content : JSON.stringify(content);
      return { signed, signature: sign(null, Buffer.from(signed), privateKey).toString('base64'), key };
    },
  };
}

const OURS = signer();
const content = (id: string, issued = '2026-11-30T08:00:00Z'): object => ({
  issued,
  questions: [
    { id, version: 3, text: 'Did it crackle?', prompt: 'custom/crackle', from: '2026-11-01', issue: 'noise' },
  ],
});
const CRACKLE = {
  id: 'crackle',
  version: 3,
  text: 'Did it crackle?',
  prompt: ['custom/crackle'],
  issue: 'noise',
  fromMs: Date.UTC(2026, 10, 1),
  toMs: null,
};

let server: Server;
let url: string;
let respond: RequestListener;
let requests: number;
let source: FetchedQuestions | undefined;
let kept: KeptQuestions | null;
let problems: (string | null)[];
let trusted: string[];

beforeEach(async () => {
  requests = 0;
  kept = null;
  problems = [];
  trusted = [];
  server = createServer((request, response) => {
    requests++;
    respond(request, response);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/questions`;
});
afterEach(async () => {
  await source?.stop();
  source = undefined;
  server.closeAllConnections();
  server.close();
});

function answering(answer: unknown, status = 200): RequestListener {
  return (_, response) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(typeof answer === 'string' ? answer : JSON.stringify(answer));
  };
}

async function begin(part: Partial<FetchedQuestionsOptions> = {}): Promise<FetchedQuestions> {
  source = new FetchedQuestions({
    url,
    key: OURS.key,
    kept: async () => kept,
    keep: async (questions) => (kept = questions),
    clock: { nowMs: () => NOW_MS },
    random: () => 0,
    onProblem: (sentence) => problems.push(sentence),
    onTrusted: (key) => trusted.push(key),
    haste: HASTE,
    ...part,
  });
  await source.start();
  return source;
}

const until = (look: () => void): Promise<void> => vi.waitFor(look, { timeout: 60_000, interval: 5 });

describe('fetched questions', () => {
  test('are taken when they are signed, kept, and asked after a restart while their address is away', async () => {
    respond = answering(OURS.answer(content('crackle')));
    const first = await begin();
    expect(first.questions).toBeNull();
    await until(() => expect(first.questions).toEqual([CRACKLE]));
    expect(kept).toEqual({ url, key: OURS.key, ...pick(OURS.answer(content('crackle'))) });
    expect([problems, trusted]).toEqual([[], []]);
    await first.stop();
    respond = answering('gone', 503);
    const second = await begin();
    expect(second.questions).toEqual([CRACKLE]);
    await until(() => expect(problems).toEqual([`${url} answered 503`]));
    expect(second.questions).toEqual([CRACKLE]);
    respond = answering(OURS.answer(content('crackle', '2026-11-30T09:00:00Z')));
    await until(() => expect(problems).toEqual([`${url} answered 503`, null]));
    expect(second.counters['questions_failed']).toBeGreaterThan(0);
  });

  test('come from a collection server as it publishes them', async () => {
    const { privateKey } = generateKeyPairSync('ed25519');
    const app = buildCollector({
      store: new DirectoryStore('/nowhere'),
      recipients: 1,
      perMinute: 100,
      questions: {
        text: JSON.stringify(content('crackle')),
        signingKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      },
      tls: null,
      onProblem: () => {},
    });
    try {
      const origin = await app.listen({ host: '127.0.0.1', port: 0 });
      const found = await begin({ url: `${origin}/v1/questions`, key: null });
      await until(() => expect(found.questions).toEqual([CRACKLE]));
      expect(trusted).toEqual([createPublicKey(privateKey).export({ type: 'spki', format: 'der' }).toString('base64')]);
    } finally {
      await app.close();
    }
  });

  test('of another address, or kept under a key that is not the one any more, are not asked', async () => {
    respond = answering('', 404);
    kept = { url, key: OURS.key, ...pick(OURS.answer(content('crackle'))) };
    expect((await begin({ key: signer().key })).questions).toBeNull();
    await source?.stop();
    kept = { ...kept, url: 'https://other.example.org/v1/questions' };
    expect((await begin()).questions).toBeNull();
  });

  test('trust the key of the first answer from this machine, and no other from then on', async () => {
    respond = answering(OURS.answer(content('crackle')));
    await begin({ key: null });
    await until(() => expect(trusted).toEqual([OURS.key]));
    await source?.stop();
    const other = signer();
    respond = answering(other.answer(content('evil', '2026-11-30T09:00:00Z')));
    const second = await begin({ key: null });
    await until(() => expect(problems).toEqual([`${url}: the questions are not signed with the key ${OURS.key}`]));
    expect(second.questions).toEqual([CRACKLE]);
    expect(kept?.key).toBe(OURS.key);
  });

  test('over plain HTTP from elsewhere need a key that is set', async () => {
    const far = url.replace('127.0.0.1', 'localhost.localdomain');
    respond = answering(OURS.answer(content('crackle')));
    const original = globalThis.fetch;
    vi.stubGlobal('fetch', (address: string, options: RequestInit) => original(address.replace(far, url), options));
    try {
      const found = await begin({ url: far, key: null });
      await until(() => expect(problems).toHaveLength(1));
      expect(problems[0]).toBe(
        `${far} is not HTTPS, so that anybody on the way could change the questions; set questions_key in [ratings]`,
      );
      expect([found.questions, trusted]).toEqual([null, []]);
    } finally {
      vi.unstubAllGlobals();
    }
  });

  test('that were issued earlier, or in the future, do not take the place of what is there', async () => {
    respond = answering(OURS.answer(content('crackle')));
    const found = await begin();
    await until(() => expect(found.questions).toEqual([CRACKLE]));
    kept = { ...(kept ?? fail()), ...pick(OURS.answer(content('crackle'))) };
    await source?.stop();
    respond = answering(OURS.answer(content('old', '2026-11-30T07:59:59Z')));
    const second = await begin();
    await until(() => expect(problems[0]).toContain('older than those that came before'));
    respond = answering(OURS.answer(content('new', '2026-12-01T12:00:01Z')));
    await until(() => expect(problems.at(-1)).toContain('issued in the future'));
    expect(second.questions).toEqual([CRACKLE]);
  });

  const valid = OURS.answer(content('crackle'));
  const changed = { ...valid, signed: valid.signed.replace('crackle', 'cracked') };
  const question = { id: 'a', text: 'a', issue: 'noise' };
  const published = (...questions: object[]): unknown => OURS.answer({ issued: '2026-11-30T08:00:00Z', questions });
  const HOSTILE: readonly (readonly [string, unknown, string])[] = [
    ['a changed text', changed, 'not signed with the key'],
    ['no JSON', '<html>', 'this is no JSON'],
    ['an array', [], 'no signed questions'],
    ['null', null, 'no signed questions'],
    ['a short signature', { ...valid, signature: 'AAAA' }, 'no signed questions'],
    ['text that is none', { ...valid, signed: 4 }, 'no signed questions'],
    ['deep nesting', `${'['.repeat(50_000)}${']'.repeat(50_000)}`, 'no signed questions'],
    ['200 kB', 'x'.repeat(200_000), 'longer than 131072 bytes'],
    ['signed text that is no JSON', OURS.answer('{'), 'this is no JSON'],
    ['a signed list', OURS.answer([question]), 'as a whole: give {"issued"'],
    [
      'a signed list of words',
      OURS.answer({ issued: '2026-11-30T08:00:00Z', questions: ['a'] }),
      'questions.0: give a',
    ],
    ['signed questions without a time', OURS.answer({ questions: [] }), 'issued: give a time'],
    [
      '101 questions',
      published(...Array.from({ length: 101 }, (_, at) => ({ ...question, id: `q${at}` }))),
      'more than 100',
    ],
    ['a question twice', published(question, question), 'stands twice'],
    ['a prompt elsewhere on the disk', published({ ...question, prompt: '../../etc/passwd' }), 'prompt: give names'],
    ['a prompt that is a list', published({ ...question, prompt: ['beep'] }), 'prompt: give names'],
    [
      'text that is turned round',
      published({ ...question, text: 'Did it \u202Ekcots?' }),
      'characters that nobody sees',
    ],
    ['a day that is none', published({ ...question, from: '2026-02-30' }), 'from: give a day'],
    [
      'an end before the beginning',
      published({ ...question, from: '2026-11-02', to: '2026-11-01' }),
      'to: it is the first',
    ],
    ['a version of 0', published({ ...question, version: 0 }), 'version is not'],
    ['an id with a quote', published({ ...question, id: '"><script>' }), 'an id has'],
  ];
  test.each(HOSTILE)('refuse %s in one sentence and go on', async (_, answer, sentence) => {
    respond = answering(answer);
    const found = await begin();
    await until(() => expect(problems).toHaveLength(1));
    expect(problems[0]).toContain(sentence);
    expect(problems[0]).not.toMatch(/[\n\0]/);
    expect(found.questions).toBeNull();
    respond = answering(valid);
    await until(() => expect(found.questions).toEqual([CRACKLE]));
  });

  test('leave out what this release has no word for, and heed no field that it does not know', async () => {
    respond = answering(published({ ...question, issue: 'smell' }, { ...question, colour: 'red' }));
    const found = await begin();
    await until(() => expect(found.questions?.map(({ id }) => id)).toEqual(['a']));
  });

  test('are not fetched from where they are redirected to, and unpack nothing without end', async () => {
    respond = (request, response) => {
      if (request.url === '/elsewhere') return answering(valid)(request, response);
      response.writeHead(302, { location: '/elsewhere' }).end();
    };
    const found = await begin();
    await until(() => expect(problems[0]).toContain('cannot be reached'));
    respond = (_, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(20_000_000)));
    };
    await until(() => expect(problems.at(-1)).toContain('longer than 131072 bytes'));
    expect(found.questions).toBeNull();
  });

  test('of a server that never ends its answer hold up no stop, and wait longer each time', async () => {
    respond = (_, response) => void response.write('{');
    const found = await begin();
    await until(() => expect(requests).toBe(1));
    const beganAtMs = performance.now();
    await found.stop();
    expect(performance.now() - beganAtMs).toBeLessThan(4000);
    expect(problems).toEqual([]);
    const atMs: number[] = [];
    respond = (request, response) => {
      atMs.push(performance.now());
      answering('', 500)(request, response);
    };
    await begin({ haste: 3000 });
    await until(() => expect(atMs.length).toBeGreaterThanOrEqual(4));
    // 5, 10 and 20 minutes, the half of it left to chance, 3000 times as fast. Node's timers may come a millisecond early.
    for (const [index, gapMs] of [50, 100, 200].entries())
      expect((atMs[index + 1] ?? 0) - (atMs[index] ?? 0)).toBeGreaterThan(gapMs - 2);
  });
});

function pick({ signed, signature }: { signed: string; signature: string }): { signed: string; signature: string } {
  return { signed, signature };
}

function fail(): never {
  throw new Error('nothing was kept');
}

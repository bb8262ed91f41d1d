import { get } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { callRecord, channelRecord, START_MS } from '../history/records.ts';
import { linkToken } from '../../../src/ratings/link-token.ts';
import { type RatedServer, startRatedServer } from './rated-server.ts';

const DAY_MS = 86_400_000;
let server: RatedServer;

beforeAll(async () => {
  server = await startRatedServer('enabled = yes\nlink_base = https://pbx.example.net');
  for (const uniqueid of ['5.1', '5.2', '5.3', '5.4', '5.5'])
    server.history.record({
      kind: 'channel',
      channel: channelRecord(uniqueid, { endedAtMs: START_MS + 125_000, callerNumber: '0155501002' }),
      resume: null,
    });
  for (const linkedid of ['5.1', '5.2', '5.3', '5.4', '5.5'])
    server.history.record({ kind: 'call', call: callRecord(linkedid, { endedAtMs: START_MS + 125_000 }) });
});
afterAll(() => server.close());

/** The link that the companion put on an answered channel. */
function linkOf(uniqueid: string): string {
  const channel = { uniqueid, linkedid: uniqueid, name: `PJSIP/alice-${uniqueid}`, stateNumber: 6 };
  server.sent.length = 0;
  server.companion.take?.({ type: 'channel', atMs: server.nowMs, channel });
  server.companion.take?.({ type: 'channel', atMs: server.nowMs, channel });
  server.companion.take?.({ type: 'hangup', atMs: server.nowMs, channel });
  expect(server.sent).toEqual([
    [
      'Setvar',
      { Channel: uniqueid, Variable: 'MES_RATE_URL', Value: expect.stringMatching(/^https:\/\/pbx/) as string },
    ],
  ]);
  const [[, { Value }]] = server.sent as [[string, { readonly Value: string }]];
  expect(Value).toMatch(/^https:\/\/pbx\.example\.net\/r\/[\w-]+\.[\w-]{22}$/);
  return new URL(Value).pathname;
}

const send = (path: string, fields: Record<string, string>, headers = {}) =>
  server.post(path, new URLSearchParams(fields), headers);
const refused = { status: 404, body: expect.stringContaining('<h1>This link does not work</h1>') as string };

/** `fetch` puts its own sec-fetch headers in. */
async function statusAsBrowser(path: string, headers: Record<string, string>): Promise<number | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
  get(`${server.origin}${path}`, { headers }, (response) => {
    response.resume();
    resolve(response.statusCode);
  }).on('error', reject);
  return promise;
}

describe('a link to rate a call', () => {
  test('shows a page that says nothing but time and length, and that nothing can run in', async () => {
    const response = await fetch(`${server.origin}${linkOf('5.1')}`);
    const page = await response.text();
    expect(response.status).toBe(200);
    expect(page).toContain('20 November 2026');
    expect(page).toContain(', 2 minutes long.');
    expect(page).not.toMatch(/0155501002|PJSIP|alice|5\.1|<script|https?:|style=|onload/);
    expect(page.match(/<input type="radio" name="score" value="[1-5]" required>/g)).toHaveLength(5);
    expect(page.match(/<fieldset class="yes-no">/g)).toHaveLength(3);
    expect(response.headers.get('content-security-policy')).toMatch(
      /^default-src 'none';style-src 'sha256-[\w+/]{43}=';form-action 'self';base-uri 'none';frame-ancestors 'none'$/,
    );
    expect(response.headers.get('referrer-policy')).toBe('same-origin');
    expect(response.headers.get('cache-control')).toBe('no-store');
  });

  test('speaks German to a browser that wants it, from the first page to the last', async () => {
    const path = linkOf('5.5');
    const german = { 'accept-language': 'de-CH,de;q=0.9,en;q=0.8' };
    const response = await fetch(`${server.origin}${path}`, { headers: german });
    const page = await response.text();
    expect(response.headers.get('vary')).toMatch(/accept-language/i);
    expect(page).toContain('<html lang="de">');
    expect(page).toContain('<p>Ihr Anruf vom 20. November 2026 um ');
    expect(page).toContain(', 2 Minuten lang.</p>');
    expect(page.match(/value="no"> Nein</g)).toHaveLength(3);
    // Of the questions, too, none is in English.
    const asked = [...page.matchAll(/<legend>([^<]+)<\/legend>/g)].map(([, legend]) => legend);
    expect(asked).toHaveLength(4);
    expect(asked.filter((legend) => /\b(?:the|you|did|was)\b/i.test(legend ?? ''))).toEqual([]);
    const noFace = await send(path, { score: '6' }, german);
    expect(noFace).toMatchObject({ status: 400, body: expect.stringContaining('Bitte wählen Sie eines') as string });
    const taken = await send(path, { score: '5' }, german);
    expect(taken).toMatchObject({ status: 200, body: expect.stringContaining('<h1>Danke</h1>') as string });
    const again = await send(path, { score: '5' }, german);
    expect(again).toMatchObject({ status: 404, body: expect.stringContaining('Dieser Link gilt nicht') as string });
    expect(await send(path, { score: '5' })).toEqual(refused);
  });

  test('takes one rating with its answers, and no second', async () => {
    const path = linkOf('5.2');
    const id = /name="q\.([a-z-]+)"/.exec(String((await server.get(path)).body))?.[1] ?? '';
    expect(await send(path, { score: '', comment: 'x' })).toEqual({
      status: 400,
      body: expect.stringContaining('Please choose one of the five faces.') as string,
    });
    const fields = { score: '1', [`q.${id}`]: 'yes', 'q.unknown': 'yes', comment: '<script>alert(1)</script>' };
    expect(await send(path, fields)).toEqual({ status: 200, body: expect.stringContaining('Thank you') as string });
    expect((await server.get('/v1/calls/5.2')).body).toMatchObject({
      ratings: [
        {
          score: 1,
          source: 'link',
          side: 'caller',
          uniqueid: '5.2',
          asked: false,
          weight: 0,
          answers: [{ question: id, version: 1, answer: true }],
          comment: '<script>alert(1)</script>',
        },
      ],
    });
    expect(await send(path, fields)).toEqual(refused);
    expect(await server.get(path)).toEqual(refused);
    // A second link to the same party of the same call is used as well.
    expect(await server.get(linkOf('5.2'))).toEqual(refused);
  });

  test('two that are sent at once count once', async () => {
    const path = linkOf('5.3');
    const answers = await Promise.all([1, 2, 3, 4].map((score) => send(path, { score: String(score) })));
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 404, 404, 404]);
    expect((await server.get('/v1/calls/5.3')).body).toMatchObject({ ratings: [{ source: 'link' }] });
  });

  test('is refused alike when it is over, changed, made with another key, or of no call', async () => {
    const path = linkOf('5.4');
    const [, , token = ''] = path.split('/');
    const [content = '', code = ''] = token.split('.');
    const forged = linkToken(
      { linkedid: '5.4', uniqueid: '5.4', side: 'caller', expiresAtMs: server.nowMs + DAY_MS },
      'another key',
    );
    const other = Buffer.from(Buffer.from(content, 'base64url').toString().replaceAll('5.4', '5.1')).toString(
      'base64url',
    );
    for (const wrong of [forged, `${other}.${code}`, `${content}.`, `.${code}`, 'x', `${content}.${code}A`, '%00'])
      expect(await server.get(`/r/${wrong}`)).toEqual(refused);
    expect(await server.get(linkOf('6.1'))).toEqual(refused);
    expect((await server.get(path)).status).toBe(200);
    server.nowMs += DAY_MS + 1000;
    expect(await server.get(path)).toEqual(refused);
    expect(await send(path, { score: '5' })).toEqual(refused);
    server.nowMs -= DAY_MS + 1000;
  });

  test("another site's page cannot send it, and a link of another site leads there", async () => {
    const path = linkOf('5.1');
    const foreign = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' };
    expect((await send(path, { score: '5' }, foreign)).status).toBe(403);
    const followed = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
    expect(await statusAsBrowser(path, followed)).toBe(200);
    expect(await statusAsBrowser('/v1/ratings', followed)).toBe(403);
    expect((await send(path, { score: '5' }, { origin: server.origin })).status).toBe(200);
  });

  test('is not there where ratings are off', async () => {
    const off = await startRatedServer('enabled = no');
    try {
      expect((await off.get('/r/x')).body).toMatchObject({ code: 'MES_ERR_NO_SUCH_ADDRESS' });
      expect(off.companion.agiScripts).toBeUndefined();
    } finally {
      await off.close();
    }
  });
});

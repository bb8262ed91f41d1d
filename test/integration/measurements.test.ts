import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AgeWriter } from '../../src/measurements/age-writer.ts';
import type { LegDocument } from '../../src/measurements/format/document.ts';
import { checkDocument } from '../../src/measurements/format/check.ts';
import { readJournal } from '../../src/measurements/live-journal.ts';
import { startSidecarFor, withSimulator } from '../bench/simulated-pbx.ts';

/** Each call of the recording takes so long here, with a report a second. */
const PACE = { reportEveryMs: 1000, callMs: 90_000 };

let folder = '';
let keyFile = '';
let recipient = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mes-measurements-'));
  keyFile = join(folder, 'key.txt');
  execFileSync('age-keygen', ['-o', keyFile], { stdio: 'pipe' });
  recipient = execFileSync('age-keygen', ['-y', keyFile]).toString().trim();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** By Debian's age. */
function decrypted(segment: Uint8Array): string {
  return gunzipSync(execFileSync('age', ['--decrypt', '--identity', keyFile], { input: segment })).toString();
}

async function until<Value>(look: () => Value | undefined, what: string, withinMs = 30_000): Promise<Value> {
  const endsAtMs = performance.now() + withinMs;
  while (performance.now() < endsAtMs) {
    const found = look();
    if (found !== undefined) return found;
    await sleep(200);
  }
  throw new Error(`not within ${withinMs} ms: ${what}`);
}

describe("Debian's age", () => {
  it('opens what we write, for each of several recipients, and finds a changed byte', () => {
    const otherFile = join(folder, 'other.txt');
    execFileSync('age-keygen', ['-o', otherFile], { stdio: 'pipe' });
    const other = execFileSync('age-keygen', ['-y', otherFile]).toString().trim();
    const written = new AgeWriter([other, recipient]).newFile().encrypt(Buffer.from('words'));
    for (const file of [keyFile, otherFile]) {
      expect(execFileSync('age', ['-d', '-i', file], { input: written }).toString()).toBe('words');
    }
    const changed = Buffer.from(written);
    changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
    expect(() => execFileSync('age', ['-d', '-i', keyFile], { input: changed, stdio: 'pipe' })).toThrow('age');
  });
});

describe.concurrent('a sidecar', () => {
  it('that is killed in mid-call leaves all but the last seconds, and nothing in clear; the next one takes it over', async () => {
    const spool = join(folder, 'killed');
    const extraConfig = `[measurements]\nenabled = yes\nrecipient = ${recipient}\nspool = ${spool}\n`;
    await withSimulator(async (simulator) => {
      await simulator.load({ recording: '22-lossy-call', pace: PACE, legs: 6 });
      const sidecar = await startSidecarFor(simulator, { extraConfig });
      let killedAtMs = 0;
      try {
        await until(
          () => (liveLegs(spool).some((segments) => segments.length >= 3) ? true : undefined),
          'three segments of a call',
          45_000,
        );
        killedAtMs = Date.now();
      } finally {
        await sidecar.kill();
      }
      const legs = liveLegs(spool);
      expect(legs.length).toBeGreaterThanOrEqual(4);
      const furthest = legs.map((segments) => {
        const documents = segments.map((segment) => checkDocument(JSON.parse(decrypted(segment))) as LegDocument);
        const { course } = documents.at(-1) ?? { course: [] };
        expect(documents.every((document) => !document.is_whole)).toBe(true);
        return Math.max(...course.map(({ at_s }) => at_s)) - Math.min(...course.map(({ at_s }) => at_s));
      });
      // Three segments of 5 s, and the last of each call is no older than that and the second of a report.
      expect(Math.max(...furthest)).toBeGreaterThan(8);
      for (const name of readdirSync(spool).filter((one) => one.endsWith('.live'))) {
        expect(killedAtMs - statSync(join(spool, name)).mtimeMs).toBeLessThan(20_000);
      }
      for (const name of readdirSync(spool)) {
        const text = readFileSync(join(spool, name), 'latin1');
        // With a sign that base64 does not have, or long: an age file's head has "bob" by chance now and then.
        expect(text.match(/PJSIP|alice|bob-|"ulaw"|"mes"/g)).toBeNull();
      }
      const next = await startSidecarFor(simulator, { extraConfig });
      try {
        const { counters } = (await (await fetch(`${next.url}/healthz`)).json()) as {
          counters: Record<string, number>;
        };
        expect(JSON.stringify(counters)).toContain('recovered');
        const ready = readdirSync(spool).filter((name) => name.endsWith('.age'));
        expect(ready.length).toBeGreaterThanOrEqual(legs.length);
        const readable = ready.map((name) => checkDocument(JSON.parse(decrypted(readFileSync(join(spool, name))))));
        expect(readable).toHaveLength(ready.length);
      } finally {
        await next.stop();
      }
    });
  });

  it('sends nothing and keeps nothing with enabled = no, whatever else is set', async () => {
    const [silent, heard] = await Promise.all([listener(), listener()]);
    const spool = join(folder, 'off');
    const config = (enabled: string, port: number): string =>
      `[measurements]\nenabled = ${enabled}\nrecipient = ${recipient}\ncollector = http://127.0.0.1:${port}\nspool = ${enabled === 'no' ? spool : join(folder, 'on')}\n`;
    const recording = { recording: '22-lossy-call', pace: { reportEveryMs: 500, callMs: 4000 }, legs: 4 } as const;
    try {
      await withSimulator(async (ofSilent) =>
        withSimulator(async (ofHeard) => {
          await Promise.all([ofSilent.load(recording), ofHeard.load(recording)]);
          const off = await startSidecarFor(ofSilent, { extraConfig: config('no', silent.port) });
          // The same with yes shows how long that takes, and that a listener hears it.
          const on = await startSidecarFor(ofHeard, { extraConfig: config('yes', heard.port) });
          try {
            await until(() => (heard.connections() > 0 ? true : undefined), 'something is sent');
            await sleep(2000);
          } finally {
            await Promise.all([off.stop(), on.stop()]);
          }
        }),
      );
      expect(silent.connections()).toBe(0);
      expect(() => readdirSync(spool)).toThrow('ENOENT');
    } finally {
      silent.close();
      heard.close();
    }
  });
});

/** A server that closes each connection at once, and counts them. */
async function listener() {
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { readonly port: number };
  return { port, connections: () => connections, close: () => server.close() };
}

/** The segments of each leg that was up. */
function liveLegs(spool: string): Buffer[][] {
  let names: string[] = [];
  try {
    names = readdirSync(spool).filter((name) => name.endsWith('.live'));
  } catch {
    return [];
  }
  const legs = new Map<string, Buffer[]>();
  for (const name of names.toSorted((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10))) {
    for (const [leg, segment] of readJournal(readFileSync(join(spool, name)))) {
      if (segment.length === 0) legs.delete(leg);
      else legs.set(leg, [...(legs.get(leg) ?? []), segment]);
    }
  }
  return [...legs.values()];
}

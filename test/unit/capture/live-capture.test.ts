import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, onTestFinished, test, vi } from 'vitest';
import { LiveCapture, type LiveCaptureOptions, type LiveCaptureState } from '../../../src/capture/live-capture.ts';
import { START_MS, pcap } from '../wire/packets.ts';
import { call, range } from './captured.ts';

const PCAP_HEADER_BYTES = 24;
// More in one argument than the system takes: such as ENOMEM, this is thrown and comes by no event.
const TOO_LONG = 'x'.repeat(200_000);

const running: LiveCapture[] = [];
afterEach(async () => {
  vi.useRealTimers();
  await Promise.all(running.splice(0).map((live) => live.stop()));
});

function started(changes: Partial<LiveCaptureOptions>): LiveCapture {
  const live = new LiveCapture({
    interface: 'lo',
    ports: { from: 39_300, to: 39_301 },
    take: () => undefined,
    onState: () => undefined,
    random: () => 0,
    nowMs: Date.now,
    backOffMinMs: 2,
    ...changes,
  });
  running.push(live);
  live.start();
  return live;
}

/** A shell script in place of tcpdump. Its `$0` is a file with these bytes. */
function shell(script: string, bytes: Buffer): [string, ...string[]] {
  const directory = mkdtempSync(join(tmpdir(), 'mes-capture-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'packets');
  writeFileSync(file, bytes);
  return ['sh', '-c', `trap '' USR1; echo 'listening on lo' >&2; ${script}`, file];
}

test.each([
  ['that is not there', ['tcpdump-that-is-not-here'], 'there is no program tcpdump; install the package of that name'],
  [
    'that may not be run',
    ['/dev/null'],
    'tcpdump cannot be started (EACCES); see that the user of asterisk-mes may run it',
  ],
  ['that the system refuses at once', ['echo', TOO_LONG], 'tcpdump cannot be started (E2BIG); see that'],
] as const)('a tcpdump %s: one sentence, said once, and it is tried again', async (_, command, sentence) => {
  const states: LiveCaptureState[] = [];
  const live = started({ onState: (state) => states.push(state), command });
  await vi.waitFor(() => expect(live.restarts).toBeGreaterThanOrEqual(2), { timeout: 10_000 });
  await live.stop();
  expect(states).toEqual([{ status: 'waiting', problem: expect.stringContaining(sentence) }]);
  expect(states).toEqual([{ status: 'waiting', problem: expect.stringMatching(/^Packets are not captured: .*\.$/) }]);
});

test('a lone packet and one just after it are shown without another that pushes them', async () => {
  const file = pcap(call([7, 8]));
  const oneBytes = (file.length - PCAP_HEADER_BYTES) / 2;
  const shownAtMs: number[] = [];
  started({
    take: ({ atMs }) => shownAtMs.push(atMs - START_MS),
    // Both are of just now.
    nowMs: () => START_MS + (shownAtMs.at(-1) ?? 0),
    command: shell(`head -c -${oneBytes} "$0"; sleep 0.003; tail -c ${oneBytes} "$0"; exec sleep 60`, file),
  });
  await vi.waitFor(() => expect(shownAtMs).toEqual([0, 20]), { timeout: 10_000 });
});

test.each([
  ['of just now', 0],
  ['that have waited for long', 60_000],
])('many small writes of packets %s: all are shown, in their order, while it goes on', async (_, ageMs) => {
  const packets = call(range(0, 3000), {}, { payloadBytes: 2 });
  const file = pcap(packets);
  const recordBytes = (file.length - PCAP_HEADER_BYTES) / packets.length;
  const shownAtMs: number[] = [];
  started({
    take: ({ atMs }) => shownAtMs.push(atMs - START_MS),
    nowMs: () => START_MS + (shownAtMs.at(-1) ?? 0) + ageMs,
    command: shell(`dd if="$0" bs=${recordBytes} status=none; exec sleep 60`, file),
  });
  await vi.waitFor(() => expect(shownAtMs.length).toBe(3000), { timeout: 15_000 });
  expect(shownAtMs).toEqual(range(0, 3000).map((index) => index * 20));
});

test('it is asked what the kernel dropped, now and then, also while packets rest unread', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  const shownAtMs: number[] = [];
  const answers = `trap 'echo "7 packets dropped by kernel" >&2' USR1`;
  const live = started({
    take: ({ atMs }) => shownAtMs.push(atMs - START_MS),
    // All are of just now: after each read it rests.
    nowMs: () => START_MS + (shownAtMs.at(-1) ?? 0),
    command: shell(`${answers}; cat "$0"; while :; do sleep 0.02; done`, pcap(call(range(0, 500)))),
  });
  await vi.waitFor(() => expect(shownAtMs.length).toBeGreaterThan(0), { timeout: 10_000 });
  expect(live.droppedByKernel).toBe(0);
  vi.advanceTimersByTime(5000);
  vi.useRealTimers();
  await vi.waitFor(() => expect(live.droppedByKernel).toBe(7), { timeout: 10_000 });
  await vi.waitFor(() => expect(shownAtMs.length).toBe(500), { timeout: 10_000 });
});

test('one that counts packets and writes none any more is ended, in one sentence, and started again', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  const states: LiveCaptureState[] = [];
  const answers = `n=0; trap 'n=$((n+5)); echo "$n packets captured" >&2' USR1`;
  const live = started({
    onState: (state) => states.push(state),
    command: shell(`${answers}; while :; do sleep 0.02; done`, Buffer.alloc(0)),
  });
  await vi.waitFor(() => expect(states).toEqual([{ status: 'capturing' }]), { timeout: 10_000 });
  const waiting = {
    status: 'waiting',
    problem: 'Packets are not captured: tcpdump captured and wrote nothing any more.',
  };
  await vi.waitFor(
    () => {
      vi.advanceTimersByTime(5000);
      expect(states).toContainEqual(waiting);
    },
    { timeout: 60_000, interval: 100 },
  );
  vi.useRealTimers();
  await vi.waitFor(() => expect(live.restarts).toBeGreaterThanOrEqual(1), { timeout: 10_000 });
});

import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { CallCapture, type CallCaptureOptions } from '../../../src/app/call-capture.ts';
import type { CapturedMedia } from '../../../src/model/capture.ts';
import { snapshot } from '../calls/script.ts';
import { call, range } from '../capture/captured.ts';
import { type Captured, pcap, START_MS } from '../wire/packets.ts';

const HOUR_MS = 3_600_000;

const OPTIONS: CallCaptureOptions = {
  settings: { enabled: true, interface: 'any', ports: { lowest: 10_000, highest: 20_000 }, audio: false },
  onCaptured: () => {},
  askAddresses: () => {},
  askCodecs: () => {},
  onState: () => {},
  nowMs: () => 0,
  followClock: () => {},
  random: () => 0,
};

test('a new channel is asked for its addresses and codecs once; after a reconnect the codecs are known', () => {
  const asked: string[] = [];
  const capture = new CallCapture({
    ...OPTIONS,
    askAddresses: (uniqueid) => asked.push(`${uniqueid} addresses`),
    askCodecs: (uniqueid) => asked.push(`${uniqueid} codecs`),
  });
  const newChannel = { type: 'channel', atMs: 0, channel: snapshot('1') } as const;
  capture.take(newChannel);
  capture.take(newChannel);
  expect(asked.splice(0)).toEqual(['1 addresses', '1 codecs']);
  const channels = [
    { ...snapshot('1'), codecs: { rx: 'opus', tx: 'opus' } },
    { ...snapshot('2', { stateNumber: 5 }), codecs: { rx: null, tx: null } },
  ];
  capture.take({ type: 'resync', atMs: 0, channels });
  capture.take(newChannel);
  expect(asked.splice(0)).toEqual(['1 addresses']);
  capture.take({ type: 'channel', atMs: 0, channel: snapshot('2') });
  expect(asked).toEqual(['2 addresses', '2 codecs']);
});

describe.each([HOUR_MS, -HOUR_MS])('a clock set by %s ms in the middle of a stream', (stepMs) => {
  const folder = mkdtempSync(join(tmpdir(), 'mes-call-capture-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  /** A packet every 20 ms, two of them lost; from `second` on they have the new time. */
  function packets(second: number): Captured[] {
    const numbers = range(0, 200).filter((sequence) => sequence !== 40 && sequence !== 42);
    return call(numbers).map((packet, index) => ({
      ...packet,
      atMs: packet.atMs + ((numbers[index] ?? 0) < second ? 0 : stepMs),
    }));
  }

  /** What is told of the packets: a shell stands for tcpdump and shows the first 98, and the others when the clock was set. */
  async function capture(all: readonly Captured[], isToldFirst: boolean): Promise<CapturedMedia | null> {
    const [before, after] = [join(folder, 'before'), join(folder, 'after')];
    rmSync(after, { force: true });
    writeFileSync(before, pcap(all.slice(0, 98)));
    const shows = `echo 'tcpdump: listening on any' >&2; cat '${before}'; until [ -e '${after}' ]; do sleep 0.01; done; cat '${after}'; exec sleep 60`;
    let [isSet, isFollowed] = [false, false];
    let told: CapturedMedia | null = null;
    const captured = new CallCapture({
      ...OPTIONS,
      command: ['sh', '-c', shows],
      onCaptured: ({ open }) => (told = open),
      nowMs: () => START_MS + 4000 + (isFollowed ? stepMs : 0),
      followClock,
    });
    function followClock(): void {
      if (!isSet || isFollowed) return;
      isFollowed = true;
      captured.clockStepped(stepMs);
    }
    const taken = (count: number): Promise<void> =>
      vi.waitFor(() => expect(captured.counters.packets).toBe(count), { timeout: 15_000, interval: 5 });
    const addresses = { protocol: 'rtp', local: '10.0.0.2:6004', remote: '10.0.0.1:5004' } as const;
    captured.take({ type: 'channel', atMs: START_MS, channel: snapshot('1') });
    captured.take({ type: 'addresses', atMs: START_MS, uniqueid: '1', addresses });
    captured.start();
    try {
      await taken(98);
      isSet = true;
      if (isToldFirst) followClock();
      // Whole when it is there. A file's head is in the first part.
      writeFileSync(`${after}.new`, pcap(all.slice(98)).subarray(24));
      renameSync(`${after}.new`, after);
      await taken(198);
    } finally {
      await captured.stop();
    }
    return told;
  }

  /** By hand: 40 ms around a lost packet; evenly sent; the burst where it is in the time that is true now. */
  const AS_IT_WAS = {
    packetsReceived: 198,
    packetsExpected: 200,
    maxGapMs: 40,
    jitterMaxMs: 0,
    jitterSumMs: 0,
    discarded: 0,
    firstAtMs: START_MS + stepMs,
    lastAtMs: START_MS + 199 * 20 + stepMs,
    burstSpans: [{ fromMs: START_MS + 40 * 20 + stepMs, toMs: START_MS + 42 * 20 + stepMs, packets: 3, losses: 2 }],
  };

  test.each([
    ['a packet is the first to tell', 100, false],
    ['we are told before the packets', 100, true],
    ['packets from before come behind', 110, true],
  ])('is not jitter, not a gap and no new stream: %s', async (_, second, isToldFirst) => {
    const media = await capture(packets(second), isToldFirst);
    expect(media).toMatchObject({ streams: 1, tally: AS_IT_WAS });
  });
});

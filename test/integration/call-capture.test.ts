import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { labObstacle } from '../lab/obstacle.ts';
import type { RelayedPacket } from '../lab/relay-protocol.ts';
import { burstsOf } from '../unit/capture/against-truth.ts';
import { CALL_S, capturedStream, CapturedCalls, type Health, PACKET_MS, SOON } from './fixtures/captured-calls.ts';
import { childrenOf } from './fixtures/processes.ts';
import type { RestCall, RestStream, RestVoipMetrics } from './fixtures/rest.ts';

interface VoipMetricsAnswer {
  readonly uniqueid: string;
  readonly streams: readonly {
    readonly direction: string;
    readonly captured: boolean;
    readonly voip_metrics: RestVoipMetrics | null;
    readonly block: string | null;
    readonly why: string | null;
  }[];
}

describe.runIf(labObstacle() === undefined)('packets captured while calls are up', () => {
  let calls: CapturedCalls;

  beforeAll(async () => {
    calls = await CapturedCalls.play();
  });
  afterAll(() => calls?.stop());

  test.each([
    ['alice', 'in bursts, bridged natively'],
    ['bob', 'without loss, bridged natively'],
    ['carol', 'lost, doubled, overtaken, and transcoded'],
    ['dave', 'without loss, transcoded'],
    ['erin', 'lost, doubled, overtaken, and encrypted'],
  ])("what came from %s (%s) is what the network's log says", async (phone) => {
    const truth = await calls.truthOf(phone);
    const { capture, captured, ssrc } = capturedStream(calls.of(phone), phone, 'rx');
    expect(captured).toBe(true);
    expect(capture).toMatchObject({
      streams: 1,
      packets_expected: truth.expected,
      packets_received: truth.received,
      packets_lost: truth.lost.length,
      duplicates: truth.duplicates,
      out_of_order: truth.outOfOrder,
      dropped_by_kernel: 0,
      interruptions: 0,
    });
    expect(Number(ssrc)).toBe(truth.ssrc);
    expect(truth.expected).toBeGreaterThan((CALL_S * 1000 * 0.9) / PACKET_MS);
    const arrivals = capture.arrival_histogram.reduce((sum, { count }) => sum + count, 0);
    expect(arrivals).toBe(truth.received + truth.duplicates - 1);
  });

  test("bursts and gaps of the lossy one are those of the network's log", async () => {
    const truth = await calls.truthOf('alice');
    const { capture, voip_metrics: metrics } = capturedStream(calls.native, 'alice', 'rx');
    const bursts = burstsOf(truth.pattern);
    expect(bursts.burstLosses).toBeGreaterThan(5);
    expect(metrics?.loss_rate).toBeCloseTo(truth.lost.length / truth.expected, 6);
    // A busy machine may let packets come too late for the jitter buffer: then they count as lost here, too.
    if (capture.jitter_buffer.discarded > 0) return;
    expect(metrics?.burst_density).toBeCloseTo(bursts.burstLosses / bursts.burstPackets, 6);
    expect(metrics?.burst_duration_ms).toBeCloseTo((bursts.burstPackets * PACKET_MS) / bursts.bursts, 3);
    expect(capture.bursts.length).toBe(bursts.bursts);
    expect(capture.bursts.reduce((sum, { lost }) => sum + lost, 0)).toBe(bursts.burstLosses);
  });

  test('says in its sentence how the audio was lost, and how long the longest gap was', async () => {
    const { pattern } = await calls.truthOf('alice');
    const longestMs = Math.max(...(pattern.match(/0+/g) ?? ['']).map(({ length }) => length)) * PACKET_MS;
    const { why, capture } = capturedStream(calls.native, 'alice', 'rx');
    const sentence = /^\d+\.\d % of the audio from PJSIP\/alice was lost, in bursts \(longest gap (\d+) ms\)/;
    expect(why).toMatch(sentence);
    const saidMs = Number(sentence.exec(why ?? '')?.[1]);
    expect(saidMs).toBe(capture.longest_loss_ms);
    expect(saidMs).toBeGreaterThanOrEqual(longestMs);
    // What came too late for the jitter buffer, on a busy machine, lengthens it.
    expect(capture.jitter_buffer.discarded === 0 ? saidMs : longestMs).toBe(longestMs);
  });

  test.each([
    ['alice', 'native'],
    ['bob', 'native'],
    ['carol', 'transcoded'],
    ['dave', 'transcoded'],
    ['erin', 'encrypted'],
  ])('what left for %s (%s) is what the network got, gaps that were passed on included', async (phone) => {
    const { packets } = await calls.lab.relay.truth(phone, 'tx');
    const left = seenBy(packets);
    const { capture } = capturedStream(calls.of(phone), phone, 'tx');
    expect(capture).toMatchObject({
      packets_received: left.received,
      packets_expected: left.expected,
      packets_lost: left.expected - left.received,
    });
    expect(capture.source).toContain(`${calls.lab.pbx.host}:`);
    expect(left.received).toBeGreaterThan((CALL_S * 1000 * 0.8) / PACKET_MS);
  });

  test('in a native bridge both legs have one SSRC, and each its own packets', async () => {
    const fromAlice = capturedStream(calls.native, 'alice', 'rx');
    const toBob = capturedStream(calls.native, 'bob', 'tx');
    expect(toBob.ssrc).toBe(fromAlice.ssrc);
    expect(toBob.capture.source).not.toBe(fromAlice.capture.destination);
    expect(toBob.capture.packets_lost).toBeGreaterThan(0);
    // A transcoded leg has packets of its own: what was lost on the way in does not show.
    expect(capturedStream(calls.transcoded, 'dave', 'tx').capture.packets_lost).toBe(0);
    expect(capturedStream(calls.transcoded, 'carol', 'rx').capture.packets_lost).toBeGreaterThan(0);
  });

  test('the audio itself: as loud in G.722 as in G.711, since all phones play the same; of SRTP nothing is said', async () => {
    const levels = ['alice', 'bob', 'carol', 'dave'].map((phone) => {
      const { findings, voip_metrics: metrics } = capturedStream(calls.of(phone), phone, 'rx');
      // Both ends play the same file, which is as good as an echo.
      expect(findings?.filter((finding) => finding !== 'echo')).toEqual([]);
      return metrics?.signal_level_dbm ?? 0;
    });
    expect(Math.max(...levels) - Math.min(...levels)).toBeLessThan(2);
    expect(Math.min(...levels)).toBeGreaterThan(-36);
    expect(Math.max(...levels)).toBeLessThan(-9);
    const { findings, capture, voip_metrics: metrics } = capturedStream(calls.encrypted, 'erin', 'rx');
    expect([findings, capture.audio, metrics?.signal_level_dbm]).toEqual([null, null, null]);
  });

  test('the encrypted leg is encrypted', () => {
    expect(calls.isSecure).toBe('1');
  });

  test('VoIP metrics come with the block, whose bytes say the same', async () => {
    const truth = await calls.truthOf('alice');
    const [caller] = calls.native.channels;
    const answer = await calls.sidecar.get<VoipMetricsAnswer>(`/v1/channels/${caller?.uniqueid}/voip-metrics`);
    expect(answer.streams.map(({ direction, captured, why }) => [direction, captured, why])).toEqual([
      ['rx', true, null],
      ['tx', true, null],
    ]);
    const [rx] = answer.streams;
    expect(rx?.voip_metrics?.round_trip_delay_ms).toBeGreaterThan(25);
    // RFC 3611 §4.7: type 7, reserved, length 8; then the SSRC and the loss rate in 1/256.
    expect(rx?.block?.slice(0, 8)).toBe('07000008');
    expect(Number.parseInt(rx?.block?.slice(8, 16) ?? '', 16)).toBe(truth.ssrc);
    const lossQ8 = Math.floor((truth.lost.length / truth.expected) * 256);
    expect(Number.parseInt(rx?.block?.slice(16, 18) ?? '', 16)).toBe(lossQ8);
    expect(rx?.block?.length).toBe(72);
  });

  test('audio statistics tell how the audio was played', async () => {
    const truth = await calls.truthOf('alice');
    const [caller] = calls.native.channels;
    const statistics = await calls.sidecar.get<Record<string, number>>(
      `/v1/channels/${caller?.uniqueid}/audio-statistics`,
    );
    expect(statistics).toMatchObject({ got_neteq_stat: 1 });
    const {
      decoded_10ms_normal: normal = 0,
      decoded_10ms_plc: concealed = 0,
      local_pkt_received: packets = 0,
    } = statistics;
    // Of the session in the bridge: those before it are another one's.
    expect(packets).toBeLessThanOrEqual(truth.received);
    expect(packets).toBeGreaterThan(truth.received - 100);
    const discarded = capturedStream(calls.native, 'alice', 'rx').capture.jitter_buffer.discarded;
    // Where it began, packets were still in the window within which they may be overtaken.
    expect(normal).toBeLessThanOrEqual((packets + 128) * 2);
    expect(normal).toBeGreaterThanOrEqual((packets - discarded) * 2 - 4);
    expect(concealed).toBeGreaterThan(0);
    expect(concealed).toBeLessThanOrEqual((truth.lost.length + discarded) * 2);
    const endedMs = Date.parse(caller?.ended_at ?? '');
    expect(Math.abs((statistics['last_pkt_received'] ?? 0) * 1000 - endedMs)).toBeLessThan(2000);
  });

  test('shows while the call is up, and in the health of the sidecar', async () => {
    expect(calls.inMidCall).toMatchObject({ captured: true, capture: { streams: 1 } });
    expect(calls.inMidCall?.capture?.packets_received).toBeGreaterThan(50);
    const inTheEnd = capturedStream(calls.native, 'alice', 'rx').capture.packets_received;
    expect(calls.inMidCall?.capture?.packets_received).toBeLessThan(inTheEnd);
    expect(calls.health.capture).toEqual({ status: 'capturing', problem: null });
    expect(calls.health.counters).toMatchObject({
      capture_capturing: 1,
      capture_dropped_by_kernel: 0,
      capture_restarts: 0,
    });
    // Six legs, both ways, perhaps with another SSRC before they were bridged; each stream is seen once more on the
    // other side of the lab's network, as nobody's.
    const { capture_streams_joined: joined = 0, capture_streams: all = 0 } = calls.health.counters;
    expect(joined).toBeGreaterThanOrEqual(12);
    expect(joined).toBeLessThanOrEqual(18);
    expect(all - joined).toBeGreaterThanOrEqual(12);
    const metrics = await (await fetch(`${calls.sidecar.url}/metrics`)).text();
    expect(metrics).toMatch(/^asterisk_mes_capture_capturing 1$/m);
    expect(metrics).toMatch(/^asterisk_mes_capture_dropped_by_kernel_total 0$/m);
  });

  test('a call of half a second, over before most have a report, is captured all the same', async () => {
    const call = await calls.lab.call('gina', 'hugo');
    await sleep(500);
    await call.hangup('caller');
    // It may be over before its streams are known to be its own, which is looked for every second.
    const { capture } = await vi.waitFor(async () => capturedStream(await calls.ended(call), 'gina', 'rx'), SOON);
    expect(capture.packets_received).toBeGreaterThan(10);
    expect(capture).toMatchObject({ streams: 1, packets_lost: 0 });
  });

  test('when tcpdump is killed in mid-call, the call goes on being captured and says so', async () => {
    const call = await calls.lab.call('gina', 'hugo');
    const rxOf = async (): Promise<RestStream | undefined> =>
      (await calls.sidecar.get<{ streams: RestStream[] }>(`/v1/channels/${call.caller.uniqueid}`)).streams[0];
    await vi.waitFor(async () => expect(await rxOf()).toMatchObject({ direction: 'rx', captured: true }), SOON);
    const [tcpdump = 0, ...others] = childrenOf(calls.sidecar.pid, 'tcpdump');
    expect(others).toEqual([]);
    process.kill(tcpdump, 'SIGKILL');
    await vi.waitFor(async () => {
      const now = await calls.sidecar.get<Health>('/healthz');
      expect(now).toMatchObject({ capture: { status: 'capturing' }, counters: { capture_restarts: 1 } });
    }, SOON);
    const before = (await rxOf())?.capture?.packets_received ?? 0;
    await vi.waitFor(async () => expect((await rxOf())?.capture?.packets_received).toBeGreaterThan(before), SOON);
    await call.hangup('caller');
    const { capture } = capturedStream(await calls.ended(call), 'gina', 'rx');
    expect(capture).toMatchObject({ streams: 1, interruptions: 1 });
    expect(capture.packets_lost).toBeGreaterThan(0);
  });

  test('a list of calls says that packets were captured, and no more', async () => {
    const { calls: listed } = await calls.sidecar.get<{ calls: RestCall[] }>('/v1/calls');
    const own = listed.filter(({ linkedid }) =>
      [calls.native, calls.transcoded, calls.encrypted].some((one) => one.linkedid === linkedid),
    );
    const streams = own.flatMap(({ channels }) => channels.flatMap((channel) => channel.streams));
    expect(streams.map(({ captured }) => captured)).toEqual(Array.from({ length: 12 }, () => true));
    expect(streams.some((one) => 'capture' in one || 'voip_metrics' in one)).toBe(false);
  });
});

/**
 * What the network was given: different sequence numbers, and from the lowest to the highest of each stream. Fewer than
 * three packets are no stream (as before a bridge is made).
 */
function seenBy(packets: readonly RelayedPacket[]): { received: number; expected: number } {
  let received = 0;
  let expected = 0;
  for (const own of Map.groupBy(packets, ({ ssrc }) => ssrc).values()) {
    const [first] = own;
    if (own.length < 3) continue;
    // From the first one on, across the wrap at 65536.
    const steps = own.map(({ sequence }) => (((sequence ?? 0) - (first?.sequence ?? 0) + 0x8000) & 0xffff) - 0x8000);
    received += new Set(steps).size;
    expected += Math.max(...steps) - Math.min(...steps) + 1;
  }
  return { received, expected };
}

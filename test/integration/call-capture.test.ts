import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { LabCall } from '../lab/call.ts';
import { type StreamTruth, streamTruths } from '../lab/capture-truth.ts';
import { type Lab, startLab } from '../lab/lab.ts';
import { labObstacle } from '../lab/obstacle.ts';
import type { RelayedPacket } from '../lab/relay-protocol.ts';
import { captureConfig, SidecarProcess } from '../lab/sidecar-process.ts';
import { burstsOf } from '../unit/capture/against-truth.ts';
import { childrenOf } from './fixtures/processes.ts';
import { type RestCall, type RestCapture, type RestStream, type RestVoipMetrics, streamOf } from './fixtures/rest.ts';

const CALL_S = 9;
const PACKET_MS = 20;
/** The RTP clock of every codec of the lab. */
const CLOCK_RATE_HZ = 8000;
const SOON = { timeout: 30_000, interval: 250 };

const BURSTY = {
  delayMs: 30,
  burst: { goodToBad: 0.03, badToGood: 0.2, goodLossRatio: 0.005, badLossRatio: 0.7 },
  rtcp: 'delay',
} as const;
const SHUFFLED = {
  delayMs: 20,
  jitterMs: 10,
  lossRatio: 0.03,
  reorderRatio: 0.04,
  reorderByMs: 45,
  duplicateRatio: 0.03,
  rtcp: 'delay',
} as const;

interface Health {
  readonly capture: { readonly status: string; readonly problem: string | null };
  readonly counters: Readonly<Record<string, number>>;
}

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
  let lab: Lab;
  let sidecar: SidecarProcess;
  /** Of the bridged call whose packets pass as they are, and of the one that is transcoded. */
  let native: RestCall;
  let transcoded: RestCall;
  /** The caller's audio is SRTP. */
  let encrypted: RestCall;
  let inMidCall: RestStream | undefined;
  let health: Health;
  /** What Asterisk says of the encrypted leg. */
  let isSecure = '';

  beforeAll(async () => {
    lab = await startLab({
      release: '22',
      rtcpIntervalMs: 1000,
      phones: [
        { name: 'alice', rx: BURSTY },
        { name: 'bob' },
        { name: 'carol', codecs: ['g722'], rx: SHUFFLED },
        { name: 'dave' },
        { name: 'erin', srtp: true, rx: SHUFFLED },
        { name: 'frank' },
        { name: 'gina' },
        { name: 'hugo' },
      ],
    });
    sidecar = await SidecarProcess.start(lab, {
      httpHost: lab.pbx.host,
      httpPort: await lab.freePort(),
      ari: false,
      extraConfig: captureConfig(lab, 'audio = yes'),
    });
    await capturing();
    const calls = [
      await lab.call('alice', 'bob'),
      await lab.call('carol', 'dave'),
      await lab.call('erin', 'frank'),
    ] as const;
    await sleep((CALL_S * 1000) / 2);
    const up = await sidecar.get<{ streams: RestStream[] }>(`/v1/channels/${calls[0].caller.uniqueid}`);
    inMidCall = up.streams.find(({ direction }) => direction === 'rx');
    health = await sidecar.get<Health>('/healthz');
    const secure = { Action: 'Getvar', Channel: calls[2].caller.channel, Variable: 'CHANNEL(rtp,secure)' };
    isSecure = (await lab.pbxAction(secure))['Value'] ?? '';
    await sleep((CALL_S * 1000) / 2);
    await Promise.all(calls.map((call) => call.hangup('caller')));
    [native, transcoded, encrypted] = await Promise.all([settled(calls[0]), settled(calls[1]), settled(calls[2])]);
  });
  afterAll(async () => {
    await sidecar?.stop();
    await lab?.stop();
  });

  function capturing(): Promise<void> {
    return vi.waitFor(async () => {
      expect((await sidecar.get<Health>('/healthz')).capture.status).toBe('capturing');
    }, SOON);
  }

  /** The call after its end, once no stream of it is open: the burst metrics speak of all its packets then. */
  async function settled({ linkedid }: LabCall): Promise<RestCall> {
    return vi.waitFor(async () => {
      const { counters } = await sidecar.get<Health>('/healthz');
      expect(counters['capture_streams_joined']).toBe(0);
      const call = await sidecar.get<RestCall>(`/v1/calls/${linkedid}`);
      expect(call.state).toBe('ended');
      return call;
    }, SOON);
  }

  function stream(call: RestCall, phone: string, direction: 'rx' | 'tx'): RestStream & { capture: RestCapture } {
    const channel = call.channels.find(({ endpoint }) => endpoint === `PJSIP/${phone}`);
    if (channel === undefined) throw new Error(`no channel of ${phone}`);
    const found = streamOf(channel, direction);
    if (found.capture === undefined || found.capture === null) throw new Error(`${phone} ${direction} is not captured`);
    return { ...found, capture: found.capture };
  }

  function callOf(phone: string): RestCall {
    if (phone < 'c') return native;
    return phone < 'e' ? transcoded : encrypted;
  }

  async function truthOf(phone: string): Promise<StreamTruth> {
    const [truth, ...others] = streamTruths(await lab.relay.truth(phone, 'rx'), CLOCK_RATE_HZ);
    if (truth === undefined || others.length > 0) throw new Error(`${phone} sent ${others.length + 1} streams`);
    return truth;
  }

  test.each([
    ['alice', 'in bursts, bridged natively'],
    ['bob', 'without loss, bridged natively'],
    ['carol', 'lost, doubled, overtaken, and transcoded'],
    ['dave', 'without loss, transcoded'],
    ['erin', 'lost, doubled, overtaken, and encrypted'],
  ])("what came from %s (%s) is what the network's log says", async (phone) => {
    const truth = await truthOf(phone);
    const { capture, captured, ssrc } = stream(callOf(phone), phone, 'rx');
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
    const truth = await truthOf('alice');
    const { capture, voip_metrics: metrics } = stream(native, 'alice', 'rx');
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
    const { pattern } = await truthOf('alice');
    const longestMs = Math.max(...(pattern.match(/0+/g) ?? ['']).map(({ length }) => length)) * PACKET_MS;
    const { why, capture } = stream(native, 'alice', 'rx');
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
    const { packets } = await lab.relay.truth(phone, 'tx');
    const left = seenBy(packets);
    const { capture } = stream(callOf(phone), phone, 'tx');
    expect(capture).toMatchObject({
      packets_received: left.received,
      packets_expected: left.expected,
      packets_lost: left.expected - left.received,
    });
    expect(capture.source).toContain(`${lab.pbx.host}:`);
    expect(left.received).toBeGreaterThan((CALL_S * 1000 * 0.8) / PACKET_MS);
  });

  test('in a native bridge both legs have one SSRC, and each its own packets', async () => {
    const fromAlice = stream(native, 'alice', 'rx');
    const toBob = stream(native, 'bob', 'tx');
    expect(toBob.ssrc).toBe(fromAlice.ssrc);
    expect(toBob.capture.source).not.toBe(fromAlice.capture.destination);
    expect(toBob.capture.packets_lost).toBeGreaterThan(0);
    // A transcoded leg has packets of its own: what was lost on the way in does not show.
    expect(stream(transcoded, 'dave', 'tx').capture.packets_lost).toBe(0);
    expect(stream(transcoded, 'carol', 'rx').capture.packets_lost).toBeGreaterThan(0);
  });

  test('the audio itself: as loud in G.722 as in G.711, since all phones play the same; of SRTP nothing is said', async () => {
    const levels = ['alice', 'bob', 'carol', 'dave'].map((phone) => {
      const { findings, voip_metrics: metrics } = stream(callOf(phone), phone, 'rx');
      // Both ends play the same file, which is as good as an echo.
      expect(findings?.filter((finding) => finding !== 'echo')).toEqual([]);
      return metrics?.signal_level_dbm ?? 0;
    });
    expect(Math.max(...levels) - Math.min(...levels)).toBeLessThan(2);
    expect(Math.min(...levels)).toBeGreaterThan(-36);
    expect(Math.max(...levels)).toBeLessThan(-9);
    const { findings, capture, voip_metrics: metrics } = stream(encrypted, 'erin', 'rx');
    expect([findings, capture.audio, metrics?.signal_level_dbm]).toEqual([null, null, null]);
  });

  test('the encrypted leg is encrypted', () => {
    expect(isSecure).toBe('1');
  });

  test('VoIP metrics come with the block, whose bytes say the same', async () => {
    const truth = await truthOf('alice');
    const [caller] = native.channels;
    const answer = await sidecar.get<VoipMetricsAnswer>(`/v1/channels/${caller?.uniqueid}/voip-metrics`);
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
    const truth = await truthOf('alice');
    const [caller] = native.channels;
    const statistics = await sidecar.get<Record<string, number>>(`/v1/channels/${caller?.uniqueid}/audio-statistics`);
    expect(statistics).toMatchObject({ got_neteq_stat: 1 });
    const {
      decoded_10ms_normal: normal = 0,
      decoded_10ms_plc: concealed = 0,
      local_pkt_received: packets = 0,
    } = statistics;
    // Of the session in the bridge: those before it are another one's.
    expect(packets).toBeLessThanOrEqual(truth.received);
    expect(packets).toBeGreaterThan(truth.received - 100);
    const discarded = stream(native, 'alice', 'rx').capture.jitter_buffer.discarded;
    // Where it began, packets were still in the window within which they may be overtaken.
    expect(normal).toBeLessThanOrEqual((packets + 128) * 2);
    expect(normal).toBeGreaterThanOrEqual((packets - discarded) * 2 - 4);
    expect(concealed).toBeGreaterThan(0);
    expect(concealed).toBeLessThanOrEqual((truth.lost.length + discarded) * 2);
    const endedMs = Date.parse(caller?.ended_at ?? '');
    expect(Math.abs((statistics['last_pkt_received'] ?? 0) * 1000 - endedMs)).toBeLessThan(2000);
  });

  test('shows while the call is up, and in the health of the sidecar', async () => {
    expect(inMidCall).toMatchObject({ captured: true, capture: { streams: 1 } });
    expect(inMidCall?.capture?.packets_received).toBeGreaterThan(50);
    const inTheEnd = stream(native, 'alice', 'rx').capture.packets_received;
    expect(inMidCall?.capture?.packets_received).toBeLessThan(inTheEnd);
    expect(health.capture).toEqual({ status: 'capturing', problem: null });
    expect(health.counters).toMatchObject({
      capture_capturing: 1,
      capture_dropped_by_kernel: 0,
      capture_restarts: 0,
    });
    // Six legs, both ways, perhaps with another SSRC before they were bridged; each stream is seen once more on the
    // other side of the lab's network, as nobody's.
    const { capture_streams_joined: joined = 0, capture_streams: all = 0 } = health.counters;
    expect(joined).toBeGreaterThanOrEqual(12);
    expect(joined).toBeLessThanOrEqual(18);
    expect(all - joined).toBeGreaterThanOrEqual(12);
    const metrics = await (await fetch(`${sidecar.url}/metrics`)).text();
    expect(metrics).toMatch(/^asterisk_mes_capture_capturing 1$/m);
    expect(metrics).toMatch(/^asterisk_mes_capture_dropped_by_kernel_total 0$/m);
  });

  test('a call of half a second, over before most have a report, is captured all the same', async () => {
    const call = await lab.call('gina', 'hugo');
    await sleep(500);
    await call.hangup('caller');
    // It may be over before its streams are known to be its own, which is looked for every second.
    const { capture } = await vi.waitFor(async () => stream(await settled(call), 'gina', 'rx'), SOON);
    expect(capture.packets_received).toBeGreaterThan(10);
    expect(capture).toMatchObject({ streams: 1, packets_lost: 0 });
  });

  test('when tcpdump is killed in mid-call, the call goes on being captured and says so', async () => {
    const call = await lab.call('gina', 'hugo');
    const rxOf = async (): Promise<RestStream | undefined> =>
      (await sidecar.get<{ streams: RestStream[] }>(`/v1/channels/${call.caller.uniqueid}`)).streams[0];
    await vi.waitFor(async () => expect(await rxOf()).toMatchObject({ direction: 'rx', captured: true }), SOON);
    const [tcpdump = 0, ...others] = childrenOf(sidecar.pid, 'tcpdump');
    expect(others).toEqual([]);
    process.kill(tcpdump, 'SIGKILL');
    await vi.waitFor(async () => {
      const now = await sidecar.get<Health>('/healthz');
      expect(now).toMatchObject({ capture: { status: 'capturing' }, counters: { capture_restarts: 1 } });
    }, SOON);
    const before = (await rxOf())?.capture?.packets_received ?? 0;
    await vi.waitFor(async () => expect((await rxOf())?.capture?.packets_received).toBeGreaterThan(before), SOON);
    await call.hangup('caller');
    const { capture } = stream(await settled(call), 'gina', 'rx');
    expect(capture).toMatchObject({ streams: 1, interruptions: 1 });
    expect(capture.packets_lost).toBeGreaterThan(0);
  });

  test('a list of calls says that packets were captured, and no more', async () => {
    const { calls } = await sidecar.get<{ calls: RestCall[] }>('/v1/calls');
    const own = calls.filter(({ linkedid }) =>
      [native, transcoded, encrypted].some((one) => one.linkedid === linkedid),
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

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CALLS_ANSWER, CHANNEL, INTERVALS_ANSWER, LIVE_ANSWER } from '../../../src/api/answers/answers.ts';
import { CALL_WITH_RATINGS } from '../../../src/api/ratings/ratings.ts';
import { callRecord, channelRecord, intervalRecord, START_MS, streamRecord } from '../history/records.ts';
import { startServer, type TestServer } from './server.ts';

let server: TestServer;

beforeAll(async () => {
  server = await startServer();
  const { history } = server;
  const alice = channelRecord('1795168800.1', {
    linkedid: 'call 1/a',
    endedAtMs: START_MS + 61_250,
    endReason: 'hangup',
    hangupBy: 'server',
    hangupAtMs: START_MS + 61_200,
    hangupEndedTalk: false,
    streams: [
      streamRecord(),
      streamRecord({ direction: 'tx', reporter: 'remote', ssrc: 0x2a, codec: 'g722', mes: 4.305_94, mes100: 86.1188 }),
    ],
  });
  const bob = channelRecord('1795168800.2', {
    linkedid: 'call 1/a',
    endpoint: 'PJSIP/bob',
    callerNumber: '+4930200',
    connectedNumber: '*97',
    hangupBy: 'party',
    hangupAtMs: START_MS + 61_000,
    hangupEndedTalk: true,
    streams: [],
  });
  history.record({ kind: 'channel', channel: alice, resume: null });
  history.record({ kind: 'channel', channel: bob, resume: null });
  const end = { endedBy: 'callee', endedByUniqueid: '1795168800.2' } as const;
  const ended = { mes: 4.286_61, endedAtMs: START_MS + 61_250, ...end };
  history.record({ kind: 'call', call: callRecord('call 1/a', ended) });
  history.record({ kind: 'interval', interval: intervalRecord('1795168800.1', 1) });
  history.record({ kind: 'interval', interval: intervalRecord('1795168800.1', 2, { ssrc: null, dlsrS: 1.234_56 }) });
  history.record({ kind: 'call', call: callRecord('old') });
  history.record({ kind: 'call-merged', fromLinkedid: 'old', intoLinkedid: 'call 1/a' });
  for (let n = 0; n < 5; n++) {
    const part = { startedAtMs: START_MS + 1_800_000 + n, mes: 2 + n / 10, verdict: 'bad' as const };
    history.record({ kind: 'call', call: callRecord(`later ${n}`, part) });
  }
});
afterAll(() => server.close());

function linkedids(body: unknown): string[] {
  return CALLS_ANSWER.parse(body).calls.map(({ linkedid }) => linkedid);
}

describe('a call', () => {
  it('comes with its channels and their streams, in the published names, units and decimals', async () => {
    const { status, headers, body } = await server.get('/v1/calls/call%201%2Fa');
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(headers.get('cache-control')).toBe('no-store');
    const call = CALL_WITH_RATINGS.parse(body);
    expect({ ...call, channels: [] }).toEqual({
      linkedid: 'call 1/a',
      state: 'ended',
      started_at: '2026-11-20T10:00:00.000Z',
      ended_at: '2026-11-20T10:01:01.250Z',
      duration_s: 61.25,
      mes: 4.29,
      mes_100: 85.7,
      mes_min: 3.5,
      verdict: 'good',
      profile: 'documented',
      version: '0.1.0',
      fault_place: 'caller-network',
      fault_certainty: 'sure',
      fault_reports: 48,
      ended_by: 'callee',
      ended_by_uniqueid: '1795168800.2',
      fault_why: 'The fault lies between PJSIP/alice (the caller) and this server.',
      endpoints: ['PJSIP/alice', 'PJSIP/bob'],
      codecs: ['ulaw', 'g722'],
      tags: [],
      ratings: [],
      findings: [],
      machine: null,
      moments: [],
      notes: [],
      tagged: [],
      channels: [],
    });
    expect(call.channels.map(({ uniqueid }) => uniqueid)).toEqual(['1795168800.1', '1795168800.2']);
    expect(call.channels[0]).toMatchObject({ hangup_by: 'server', hangup_at: '2026-11-20T10:01:01.200Z' });
    expect(call.channels.map(({ hangup_ended_talk: ended }) => ended)).toEqual([false, true]);
    expect(call.channels[0]?.streams[0]).toEqual({
      direction: 'rx',
      reporter: 'local',
      ssrc: '0x3c2c6734',
      codec: 'ulaw',
      clock_rate_hz: 8000,
      clock_rate_source: 'sr',
      reports: 12,
      unused_reports: 4,
      packets_expected: 600,
      packets_received: 588,
      packets_lost: 12,
      sequence_restarts: 1,
      jitter_resets: 3,
      loss_percent: 2,
      lost_packets_per_report_mean: 1,
      rtt_ms: { last: 101.5, mean: 100.25, min: 99, max: 104.125, stdev: 1.5, count: 12 },
      jitter_ms: { last: null, mean: null, min: null, max: null, stdev: null, count: 0 },
      rtt_known: true,
      effective_latency_ms: 110.3,
      r_value: 87.9,
      mes: 4.29,
      mes_100: 85.7,
      profile: 'documented',
      native_mes_100: 88.1,
      native_why: null,
      packet_jitter_mean_ms: 2.5,
      packet_jitter_stdev_ms: 0.75,
      r_lq: 84.61,
      r_cq: 84.46,
      mos_lq: 4.186,
      mos_cq: 4.181,
      lossy_reports: 3,
      last_report_at: '2026-11-18T11:08:20.000Z',
      mos_lq_interval: 4.4,
      mos_cq_interval: null,
      verdict: 'good',
      why: '2 % of the packets were lost.',
      captured: false,
      findings: null,
      voip_metrics: null,
      capture: null,
    });
    expect(call.channels[0]?.streams[1]).toMatchObject({ ssrc: '0x0000002a', mes: 4.31, mes_100: 86.1 });
  });

  it('is found by the linkedid of a call that was joined into it', async () => {
    const { body } = await server.get('/v1/calls/old');
    expect(CALL_WITH_RATINGS.parse(body).linkedid).toBe('call 1/a');
  });

  it('that is up has no end, and lasts until now', async () => {
    const { body } = await server.get('/v1/calls/later%200');
    expect(CALL_WITH_RATINGS.parse(body)).toMatchObject({
      state: 'up',
      ended_at: null,
      duration_s: 1800,
      mes: 2,
      mes_100: 40,
    });
  });
});

describe('a channel', () => {
  it('is told by its uniqueid', async () => {
    const { body } = await server.get('/v1/channels/1795168800.1');
    expect(CHANNEL.parse(body)).toMatchObject({
      uniqueid: '1795168800.1',
      caller_name: 'Alice "A" O\'Hara; DROP TABLE calls',
      answered_at: '2026-11-20T10:00:01.500Z',
      duration_s: 61.25,
      end_reason: 'hangup',
      mes_rx: 4.29,
      mes_peer_tx: 4.1,
      mes_tx: null,
      on_hold: true,
    });
  });

  it('has one interval a report', async () => {
    const { body } = await server.get('/v1/channels/1795168800.1/intervals');
    const { intervals } = INTERVALS_ANSWER.parse(body);
    expect(intervals).toHaveLength(2);
    expect(intervals[0]).toEqual({
      uniqueid: '1795168800.1',
      direction: 'rx',
      reporter: 'local',
      report_number: 1,
      channel_report_number: 1,
      began_at: null,
      at: '2026-11-20T10:00:05.000Z',
      kind: 'media',
      ssrc: '0xffffffff',
      fraction_lost_q8: 5,
      cumulative_lost_packets: -1,
      extended_highest_sequence: 4_294_967_295,
      jitter_ticks: 160,
      codec: 'ulaw',
      clock_rate_hz: 8000,
      clock_rate_source: 'sr',
      lsr_ntp32: 3_735_928_559,
      dlsr_s: 1.25,
      sender_packets: 250,
      rtt_ms: 100.5,
      jitter_ms: 20,
      packets_expected: 250,
      packets_lost: 0,
      duplicates: 1,
      late_packets: 2,
      loss_percent: 0,
      covers_reports: 1,
      effective_latency_ms: 110.5,
      r_value: 90.4,
      mes: 4.35,
      mes_running: 4.34,
      native_mes_100: null,
      sent_ntp_s: 1_795_168_801.25,
      sent_rtp_ticks: 4_294_967_295,
      sent_packets: 251,
      sent_octets: 40_160,
      sent_ssrc: '0x20000014',
      profile: 'documented',
    });
    expect(intervals[1]).toMatchObject({ report_number: 2, ssrc: null, dlsr_s: 1.2346 });
  });

  it('that has none yet has an empty list', async () => {
    expect((await server.get('/v1/channels/1795168800.2/intervals')).body).toEqual({ intervals: [] });
  });

  it('that is up is told straight from memory', async () => {
    expect((await server.get('/v1/live')).body).toEqual({ channels: [] });
    server.live = [channelRecord('live')];
    // A list is shared with whoever asks soon after.
    await expect
      .poll(async () => LIVE_ANSWER.parse((await server.get('/v1/live')).body).channels, { timeout: 5000 })
      .toMatchObject([{ uniqueid: 'live', ended_at: null, duration_s: 3600 }]);
    server.live = [];
  });
});

describe('the list of calls', () => {
  const ALL = ['later 4', 'later 3', 'later 2', 'later 1', 'later 0', 'call 1/a'];

  it.each([
    ['', ALL],
    ['?from=2026-11-20', ALL],
    ['?from=2026-11-20T10:30:00Z', ALL.slice(0, 5)],
    ['?from=2026-11-20T11:30:00%2B01:00', ALL.slice(0, 5)],
    ['?from=2026-11-20T11:30:00+01:00', ALL.slice(0, 5)],
    ['?from=2026-11-20T10:30:00.003', ALL.slice(0, 2)],
    ['?from=-31m', ALL.slice(0, 5)],
    ['?from=-1h', ALL],
    ['?to=-3599s', ['call 1/a']],
    ['?from=-7d&to=-60m', []],
    ['?endpoint=PJSIP/bob', ['call 1/a']],
    ['?endpoint=PJSIP/*', ['call 1/a']],
    ['?codec=g722', ['call 1/a']],
    ['?number=100', ['call 1/a']],
    ['?number=200', ['call 1/a']],
    ['?number=20*', ['call 1/a']],
    ['?number=20', []],
    ['?number=%2B49*', ['call 1/a']],
    ['?number=+49*', ['call 1/a']],
    ['?number=*97', ['call 1/a']],
    ['?number=*', ['call 1/a']],
    ['?number=*9', []],
    ['?verdict=bad&limit=2', ['later 4', 'later 3']],
    ['?max_mes=2.1', ['later 1', 'later 0']],
    ['?min_mes=4', ['call 1/a']],
  ])('with %j gives the right ones', async (query, wanted) => {
    const { status, body } = await server.get(`/v1/calls${query}`);
    expect(status).toBe(200);
    expect(linkedids(body)).toEqual(wanted);
  });

  it('is given page by page', async () => {
    const seen: string[] = [];
    let cursor: string | null = '';
    for (let page = 0; page < 3 && cursor !== null; page++) {
      const { body } = await server.get(`/v1/calls?limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`);
      seen.push(...linkedids(body));
      cursor = CALLS_ANSWER.parse(body).next_cursor;
      expect(cursor === null).toBe(page === 2);
    }
    expect(seen).toEqual(ALL);
  });

  it('has what was recorded before the question', async () => {
    const call = callRecord('just now', { startedAtMs: START_MS - 1 });
    server.history.record({ kind: 'call', call });
    expect(linkedids((await server.get('/v1/calls?to=2026-11-20T10:00:00Z')).body)).toEqual(['just now']);
  });
});

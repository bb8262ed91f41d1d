import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CALLS_ANSWER, CHANNEL } from '../../../src/api/answers/answers.ts';
import { AUDIO_STATISTICS } from '../../../src/api/answers/audio-statistics.ts';
import { VOIP_METRICS_ANSWER } from '../../../src/api/answers/captured.ts';
import type { CaptureHealth } from '../../../src/model/ports.ts';
import { callRecord, capturedMedia, captureRecord, channelRecord, START_MS, streamRecord } from '../history/records.ts';
import { startServer, type TestServer, WELL } from './server.ts';

let server: TestServer;

beforeAll(async () => {
  server = await startServer();
  const rx = streamRecord({ capture: captureRecord() });
  const tx = streamRecord({ direction: 'tx', reporter: 'remote' });
  server.history.record({ kind: 'channel', channel: channelRecord('seen', { streams: [rx, tx] }), resume: null });
  server.history.record({ kind: 'call', call: callRecord('seen') });
  const unknown = captureRecord({ roundTripMs: null, rLq: null, rCq: null, mosLq: null, mosCq: null });
  const streams = [streamRecord({ capture: { ...unknown, media: capturedMedia({ streams: 2, codec: null }) } })];
  server.history.record({ kind: 'channel', channel: channelRecord('odd', { streams }), resume: null });
  const local = channelRecord('local', { endpoint: 'Local/200@office', streams: [streamRecord()] });
  server.history.record({ kind: 'channel', channel: local, resume: null });
});
afterAll(() => server.close());

async function metricsOf(uniqueid: string, capture: CaptureHealth = { status: 'capturing', problem: null }) {
  server.health = { ...WELL, capture };
  const { status, body } = await server.get(`/v1/channels/${uniqueid}/voip-metrics`);
  expect(status).toBe(200);
  return VOIP_METRICS_ANSWER.parse(body);
}

describe('VoIP metrics of a channel', () => {
  it('are exact, with the block of RFC 3611 beside them', async () => {
    const [rx] = (await metricsOf('seen')).streams;
    expect(rx).toMatchObject({ direction: 'rx', captured: true, measured: 'as it arrived at this server', why: null });
    expect(rx?.voip_metrics).toEqual({
      ssrc: '0x3c2c6734',
      loss_rate: 0.0375,
      loss_rate_q8: 9,
      discard_rate: 0,
      discard_rate_q8: 0,
      burst_density: 0.46,
      burst_density_q8: 117,
      gap_density: 0.001695,
      gap_density_q8: 0,
      burst_duration_ms: 500,
      gap_duration_ms: 3933.333,
      round_trip_delay_ms: 80.5,
      end_system_delay_ms: null,
      signal_level_dbm: null,
      noise_level_dbm: null,
      rerl_db: null,
      gmin: 16,
      r_factor: 60,
      ext_r_factor: null,
      mos_lq: 3.1,
      mos_cq: 3.1,
      rx_config: { plc: null, jba: 2, jb_rate: null },
      jb_nominal_ms: 60,
      jb_maximum_ms: 120,
      jb_abs_max_ms: 120,
      // Runs of 24 / 6 packets, where random loss of 24 of 640 has 1 / (1 - 24 / 640).
      burst_r: 3.85,
    });
    const block = [
      '07000008', // type 7, length 8
      '3c2c6734',
      '09007500', // 24 of 640, none, 23 of 50, 1 of 590: in 1/256, cut off
      '01f40f5d', // 500 ms, 3933 ms
      '00510000', // 81 ms (80.5 rounded), not known
      '7f7f7f10', // three levels not known, Gmin 16
      '3c7f1f1f', // R 60, not known, MOS 3.1 twice
      '2000003c', // no PLC known, jitter buffer 2 (fixed), rate not known; reserved; 60 ms
      '00780078', // 120 ms twice
    ].join('');
    expect(rx?.block).toBe(block);
  });

  it('say why there are none', async () => {
    const tx = async (capture: CaptureHealth) => (await metricsOf('seen', capture)).streams[1];
    expect(await tx({ status: 'off', problem: null })).toEqual({
      direction: 'tx',
      measured: 'as it left this server',
      captured: false,
      voip_metrics: null,
      block: null,
      why: 'Packets are not captured, and RTCP does not tell how they were lost; set enabled = yes in [capture] of mes.conf.',
    });
    const problem = 'Packets are not captured: there is no program tcpdump; install it.';
    expect((await tx({ status: 'waiting', problem }))?.why).toBe(problem);
    expect((await tx({ status: 'capturing', problem: null }))?.why).toMatch(
      /^No packet of the audio to PJSIP\/alice was captured: there was none, it was before .* another interface\.$/,
    );
    expect((await metricsOf('local')).streams[0]?.why).toBe('A Local channel carries no audio of its own.');
  });

  it('leave open what is not known', async () => {
    const [rx] = (await metricsOf('odd')).streams;
    expect(rx?.voip_metrics).toMatchObject({ r_factor: null, mos_lq: null, mos_cq: null, round_trip_delay_ms: null });
    // R factor, its external one and both MOS have 127 for that.
    expect(rx?.block?.slice(48, 56)).toBe('7f7f7f7f');
  });

  it('are refused for a channel that is not known', async () => {
    expect((await server.get('/v1/channels/none/voip-metrics')).status).toBe(404);
  });
});

describe('what was captured', () => {
  it('is a part of the stream of one channel', async () => {
    const { body } = await server.get('/v1/channels/seen');
    const [rx, tx] = CHANNEL.parse(body).streams;
    expect(tx).toMatchObject({ captured: false, voip_metrics: null, capture: null });
    expect(rx).toMatchObject({ captured: true, voip_metrics: { loss_rate: 0.0375 } });
    expect(rx?.capture).toEqual({
      streams: 1,
      audio: null,
      ssrc: '0x3c2c6734',
      source: '192.0.2.7:5004',
      destination: '198.51.100.1:12000',
      payload_type: 0,
      started_at: '2026-11-20T10:00:00.000Z',
      ended_at: '2026-11-20T10:00:12.780Z',
      packets_expected: 640,
      packets_received: 616,
      packets_lost: 24,
      duplicates: 3,
      out_of_order: 2,
      jitter_ms: { mean: 2, max: 9.5 },
      max_gap_ms: 200.25,
      longest_loss_ms: 180,
      jitter_buffer: { discarded: 0, frames_10ms: { normal: 1232, plc: 30, cng: 0, silence: 18 }, fills: 6 },
      arrival_histogram: [
        { from_ms: 16, to_ms: 22.627, count: 600 },
        { from_ms: 181.019, to_ms: 256, count: 18 },
      ],
      bursts: [
        { from: '2026-11-20T10:00:02.000Z', to: '2026-11-20T10:00:02.380Z', packets: 20, lost: 9 },
        { from: '2026-11-20T10:00:08.000Z', to: '2026-11-20T10:00:08.580Z', packets: 30, lost: 14 },
      ],
      bursts_left_out: 0,
      r_lq: 60.25,
      r_cq: 60.1,
      mos_lq: 3.11,
      mos_cq: 3.104,
      dropped_by_kernel: 0,
      interruptions: 0,
    });
  });

  it('is only mentioned in a list', async () => {
    const { body } = await server.get('/v1/calls');
    const call = CALLS_ANSWER.parse(body).calls.find(({ linkedid }) => linkedid === 'seen');
    const streams = call?.channels[0]?.streams ?? [];
    expect(streams.map(({ captured }) => captured)).toEqual([true, false]);
    expect(streams.some((stream) => 'capture' in stream || 'voip_metrics' in stream)).toBe(false);
  });

  it('tells the audio statistics how the audio was played', async () => {
    const { body } = await server.get('/v1/channels/seen/audio-statistics');
    expect(AUDIO_STATISTICS.parse(body)).toMatchObject({
      got_neteq_stat: 1,
      local_pkt_received: 616,
      // RTCP came later than the last packet that the record has.
      last_pkt_received: (START_MS + 60_000) / 1000,
      decoded_10ms_normal: 1232,
      decoded_10ms_plc: 30,
      decoded_10ms_cng: 0,
      decoded_10ms_silence: 18,
    });
  });
});

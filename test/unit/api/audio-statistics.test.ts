import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CHANNEL } from '../../../src/api/answers/answers.ts';
import { CALL_WITH_RATINGS } from '../../../src/api/ratings/ratings.ts';
import { AUDIO_STATISTICS } from '../../../src/api/answers/audio-statistics.ts';
import { local, remote, reportBlock, Script, sender, snapshot } from '../calls/script.ts';
import {
  capturedMedia,
  captureRecord,
  channelRecord,
  packetTally,
  segmentRecord,
  streamRecord,
} from '../history/records.ts';
import { startServer, type TestServer } from './server.ts';

let server: TestServer;

beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

/** Stores everything that the script's channels have come to, and asks. */
async function ask(script: Script, uniqueid: string) {
  for (const change of script.stored()) server.history.record(change);
  return statisticsOf(uniqueid);
}

async function statisticsOf(uniqueid: string) {
  const { status, body } = await server.get(`/v1/channels/${uniqueid}/audio-statistics`);
  expect(status).toBe(200);
  return AUDIO_STATISTICS.parse(body);
}

/** ITU-T G.107 Annex B, of G.711 without delay. */
function mosOfG711(lossPercent: number): number {
  const r = 93.25 - (95 * lossPercent) / (lossPercent + 10);
  return Number((1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6).toFixed(2));
}

/** Packets were not captured, and RTCP does not tell how they were played. */
const NO_NETEQ = {
  got_neteq_stat: 0,
  local_pkt_received: 0,
  decoded_10ms_normal: 0,
  decoded_10ms_plc: 0,
  decoded_10ms_cng: 0,
  decoded_10ms_silence: 0,
};

describe('the audio statistics record of softphone SDKs', () => {
  it('say of a channel that is up, held, taken back and ended what each of their fields means', async () => {
    const script = new Script().up('1');
    script.codecs('1', 'ulaw');
    expect(await ask(script, '1')).toEqual({
      got_local_stat: 0,
      local_fraction_lost: 0,
      local_total_lost: 0,
      local_jitter: 0,
      local_PktCount: 0,
      local_OctCount: 0,
      got_remote_SR: 0,
      remote_PktCount: 0,
      remote_OctCount: 0,
      got_remote_RR: 0,
      remote_fraction_lost: 0,
      remote_total_lost: 0,
      remote_jitter: 0,
      rttMs: 0,
      local_MOS: 0,
      local_interMOS: 0,
      local_MOS_base_inferred: 0,
      last_pkt_received: 0,
      ...NO_NETEQ,
      got_codec_info: 1,
      codec_rtp_pt: 0,
      codec_sdp_name: 'pcmu',
    });

    script.wait(5);
    script.rtcp('1', remote(reportBlock(250, 5, { fractionLostQ8: 5, jitterTicks: 80 }), { sender: sender(5, 249) }));
    script.rtcp('1', local(reportBlock(250, 10, { fractionLostQ8: 10, jitterTicks: 160 }), { sender: sender(5, 250) }));
    script.wait(5);
    const back = { rttMs: 99.4, sender: sender(10, 499) };
    script.rtcp('1', remote(reportBlock(500, 5, { jitterTicks: 88 }), back));
    script.rtcp(
      '1',
      local(reportBlock(500, 35, { fractionLostQ8: 26, jitterTicks: 168 }), { sender: sender(10, 501) }),
    );
    expect(await ask(script, '1')).toEqual({
      got_local_stat: 1,
      local_fraction_lost: 0.1016,
      local_total_lost: 35,
      local_jitter: 168,
      local_PktCount: 501,
      local_OctCount: 80_160,
      got_remote_SR: 1,
      remote_PktCount: 499,
      remote_OctCount: 79_840,
      got_remote_RR: 1,
      remote_fraction_lost: 0,
      remote_total_lost: 5,
      remote_jitter: 88,
      rttMs: 99,
      // 35 of the 256 that 10 lost at 10/256 make, and 250; then 25 of 250.
      local_MOS: mosOfG711((100 * 35) / 506),
      local_interMOS: mosOfG711(10),
      local_MOS_base_inferred: 0,
      // Of the endpoint's second report.
      last_pkt_received: script.atMs / 1000,
      ...NO_NETEQ,
      got_codec_info: 1,
      codec_rtp_pt: 0,
      codec_sdp_name: 'pcmu',
    });

    script.board.handle({ type: 'hold', atMs: script.atMs, channel: snapshot('1') });
    script.wait(20);
    script.board.handle({ type: 'unhold', atMs: script.atMs, channel: snapshot('1') });
    for (const n of [1, 2]) {
      script.wait(5);
      const seconds = 30 + 5 * n;
      const sent = { rttMs: 0.3, sender: sender(seconds, 499 + 250 * n) };
      script.rtcp('1', remote(reportBlock(500 + 250 * n, 5 + n, { fractionLostQ8: 1 }), sent));
      const own = { sender: sender(seconds, 501 + 240 * n) };
      script.rtcp('1', local(reportBlock(500 + 250 * n, 35, { jitterTicks: 8 }), own));
    }
    script.wait(1).hangup('1');
    const ended = await ask(script, '1');
    expect(ended).toMatchObject({
      local_fraction_lost: 0,
      local_total_lost: 0,
      local_jitter: 8,
      local_PktCount: 480,
      local_OctCount: 76_800,
      remote_PktCount: 999,
      remote_fraction_lost: 0.0039,
      // What the far end first reports after hold, it cannot tell from what was never sent to it.
      remote_total_lost: 1,
      rttMs: 1,
      local_MOS: mosOfG711(0),
      local_interMOS: mosOfG711(0),
    });

    // What the session says is one of the channel's segments; the streams are the sum over all.
    const channel = CHANNEL.parse((await server.get('/v1/channels/1')).body);
    const rx = channel.segments?.filter(({ direction }) => direction === 'rx') ?? [];
    expect(rx.map(({ segment_number, opened_by, packets_lost }) => [segment_number, opened_by, packets_lost])).toEqual([
      [1, 'start', 35],
      [2, 'hold', 0],
    ]);
    expect(rx[0]).toMatchObject({ reports: 2, started_at: channel.started_at, sender_packets: 499 });
    expect(rx[1]).toMatchObject({ reports: 2, sender_packets: 500, mos_lq: 4.41 });
    expect(channel.streams[0]).toMatchObject({ direction: 'rx', reports: 4, packets_lost: 35 });
    const call = CALL_WITH_RATINGS.parse((await server.get('/v1/calls/1')).body);
    expect(call.channels[0]?.segments).toEqual(channel.segments);
    expect(call.channels[0]?.streams).toEqual(channel.streams);
  });

  it('know what was sent while nothing comes in, and show no MOS for it', async () => {
    const script = new Script().up('2').wait(5);
    script.codecs('2', 'alaw');
    script.rtcp('2', local(null, { sender: sender(5, 250) }));
    expect(await ask(script, '2')).toMatchObject({
      got_local_stat: 1,
      local_fraction_lost: 0,
      local_total_lost: 0,
      local_PktCount: 250,
      local_OctCount: 40_000,
      got_remote_SR: 0,
      got_remote_RR: 0,
      rttMs: 0,
      local_MOS: 0,
      local_interMOS: 0,
      codec_rtp_pt: 8,
      codec_sdp_name: 'pcma',
    });
  });

  it('show no MOS for fewer than 5 packets received', async () => {
    const script = new Script().up('3');
    script.codecs('3', 'ulaw');
    script.wait(5).rtcp('3', remote(null, { sender: sender(5, 4) }));
    script.rtcp('3', local(reportBlock(5, 0)));
    expect(await ask(script, '3')).toMatchObject({ got_local_stat: 1, local_MOS: 0, local_interMOS: 0 });
    script.wait(5).rtcp('3', local(reportBlock(10, 0)));
    expect(await ask(script, '3')).toMatchObject({ local_MOS: mosOfG711(0), local_interMOS: mosOfG711(0) });
  });

  it.each([
    ['ulaw', 1, 0, 'pcmu'],
    ['alaw', 1, 8, 'pcma'],
    ['g722', 1, 9, 'g722'],
    ['g729', 1, 18, 'g729'],
    ['opus', 1, -1, 'opus'],
    ['ilbc', 1, -1, 'iLBC'],
    ['isac', 1, -1, 'iSAC'],
    ['constructor', 1, -1, 'constructor'],
    [null, 0, 0, ''],
  ])('name codec %s as SDP does', async (codec, known, payloadType, name) => {
    const streams = [streamRecord({ direction: 'tx', reporter: 'remote', codec })];
    server.history.record({ kind: 'channel', channel: channelRecord('codec', { codec, streams }), resume: null });
    expect(await statisticsOf('codec')).toMatchObject({
      got_codec_info: known,
      codec_rtp_pt: payloadType,
      codec_sdp_name: name,
    });
  });

  it('say when a base is inferred, and name the payload type that was captured', async () => {
    const tx = streamRecord({
      direction: 'tx',
      reporter: 'remote',
      codec: 'opus',
      capture: captureRecord({ media: capturedMedia({ payloadType: 107, codec: null }) }),
    });
    const streams = [streamRecord({ codec: 'opus' }), tx];
    server.history.record({
      kind: 'channel',
      channel: channelRecord('opus', { codec: 'opus', streams }),
      resume: null,
    });
    expect(await statisticsOf('opus')).toMatchObject({
      local_MOS_base_inferred: 1,
      codec_rtp_pt: 107,
      codec_sdp_name: 'opus',
    });
  });

  it('count what was played since the session began', async () => {
    const script = new Script().up('5').wait(5);
    const captured = (packetsReceived: number, normal: number, plc: number, atMs: number): void => {
      const frames10ms = { normal, plc, cng: 4, silence: plc / 2 };
      const open = capturedMedia({ tally: packetTally({ packetsReceived, frames10ms, lastAtMs: atMs }) });
      script.board.handle({ type: 'captured', atMs: script.atMs, uniqueid: '5', direction: 'rx', open, closed: null });
    };
    script.rtcp('5', local(reportBlock(250, 0)));
    captured(240, 470, 10, script.atMs);
    expect(await ask(script, '5')).toMatchObject({
      got_neteq_stat: 1,
      local_pkt_received: 240,
      decoded_10ms_normal: 470,
      decoded_10ms_plc: 10,
      decoded_10ms_cng: 4,
      decoded_10ms_silence: 5,
    });
    script.board.handle({ type: 'hold', atMs: script.atMs, channel: snapshot('5') });
    script.wait(20);
    script.board.handle({ type: 'unhold', atMs: script.atMs, channel: snapshot('5') });
    script.wait(5).rtcp('5', local(reportBlock(500, 0)));
    captured(480, 930, 16, script.atMs + 40);
    const after = await ask(script, '5');
    expect(after).toMatchObject({
      got_neteq_stat: 1,
      local_pkt_received: 240,
      decoded_10ms_normal: 460,
      decoded_10ms_plc: 6,
      decoded_10ms_cng: 0,
      decoded_10ms_silence: 3,
    });
    expect(after.last_pkt_received).toBeCloseTo((script.atMs + 40) / 1000, 3);
  });

  it('of a channel that an older release stored are those of the whole channel', async () => {
    server.history.record({ kind: 'channel', channel: channelRecord('old'), resume: null });
    // 12 lost, 2 that came twice.
    expect(await statisticsOf('old')).toMatchObject({ local_total_lost: 10, rttMs: 102, local_MOS: 4.19 });
    const part = { packetsLost: 3, duplicates: 5, mosLq: 4.4 };
    server.history.record({ kind: 'segment', segment: segmentRecord('old', 1, part) });
    expect(await statisticsOf('old')).toMatchObject({ local_total_lost: -2, local_MOS: 4.4 });
  });

  it.each([
    ['/v1/channels/nobody/audio-statistics', 404, undefined],
    ['/v1/channels/old/audio-statistics?segment=1', 400, 'segment'],
    ['/v1/channels/old?segments=no', 400, 'segments'],
    ['/v1/calls/old?segments=no', 400, 'segments'],
  ])('%s is %i', async (path, status, parameter) => {
    const answer = await server.get(path);
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(answer.body).toMatchObject({ status, ...(parameter === undefined ? {} : { parameter }) });
  });
});

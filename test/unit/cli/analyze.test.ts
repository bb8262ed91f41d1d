import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { constants, gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { seededRandom } from '../../lab/network-profile.ts';
import { BACK, call, packet, range } from '../capture/captured.ts';
import { START_MS, ethernet, ipv4, pcap, rtp } from '../wire/packets.ts';
import { asteriskMes } from './command.ts';

const LOST = [120, 121, 150];
const CAPTURE = pcap(call(range(100, 300).filter((sequence) => !LOST.includes(sequence))));

describe('analyze', () => {
  let directory = '';
  const path = (name: string): string => join(directory, name);

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'mes-analyze-'));
    writeFileSync(path('call.pcap'), CAPTURE);
    writeFileSync(path('call.pcap.gz'), gzipSync(CAPTURE));
    writeFileSync(path('cut.pcap'), CAPTURE.subarray(0, -7));
    const damaged = Buffer.from(CAPTURE);
    damaged.writeUInt32LE(0x7fff_ffff, 24 + 230 * 50 + 8);
    writeFileSync(path('damaged.pcap'), damaged);
    writeFileSync(path('empty.pcap'), '');
    writeFileSync(path('text.pcap'), 'this is a text\n');
    writeFileSync(path('no-rtp.pcap'), pcap([packet(0, Buffer.from('hello'))]));
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  test('prints one JSON document, with the names that scripts rely on', async () => {
    const { status, stdout, stderr } = await asteriskMes(['analyze', path('call.pcap'), '--json']);
    expect([status, stderr]).toEqual([0, '']);
    const document = JSON.parse(stdout) as { streams: Record<string, unknown>[]; packets: number; skipped: number };
    expect(document).toMatchObject({
      packets: 197,
      skipped: 0,
      endpoints: [{ address: '10.0.0.1', streams: 1, fills: 2 }],
    });
    expect(document.streams.length).toBe(1);
    expect(document.streams[0]).toMatchObject({
      ssrc: '0x11223344',
      source: '10.0.0.1:5004',
      destination: '10.0.0.2:6004',
      payload_type: 0,
      codec: 'ulaw',
      clock_rate_hz: 8000,
      packets_received: 197,
      packets_expected: 200,
      packets_lost: 3,
      duplicates: 0,
      out_of_order: 0,
      jitter_ms: { mean: 0, max: 0 },
      max_gap_ms: 60,
      jitter_buffer: { discarded: 0, frames_10ms: { normal: 394, plc: 6, cng: 0, silence: 0 }, fills: 2 },
      arrival_histogram: [
        { from_ms: 16, to_ms: 22.627, count: 194 },
        { from_ms: 32, to_ms: 45.255, count: 1 },
        { from_ms: 45.255, to_ms: 64, count: 1 },
      ],
    });
    const metrics = document.streams[0]?.['voip_metrics'] as Record<string, unknown>;
    expect(metrics).toMatchObject({
      ssrc: '0x11223344',
      loss_rate: 0.015,
      loss_rate_q8: 3,
      discard_rate: 0,
      burst_density: 1,
      burst_density_q8: 255,
      burst_duration_ms: 40,
      gap_duration_ms: 1980,
      round_trip_delay_ms: null,
      // A packet of 20 ms in a buffer of 60 ms.
      end_system_delay_ms: 80,
      rerl_db: null,
      gmin: 16,
      ext_r_factor: null,
      rx_config: { plc: null, jba: 2, jb_rate: null },
      jb_nominal_ms: 60,
    });
    expect(metrics['gap_density']).toBeCloseTo(1 / 198, 5);
    for (const name of ['r_lq', 'r_cq', 'mos_lq', 'mos_cq'])
      expect(document.streams[0]?.[name]).toEqual(expect.any(Number));
  });

  test('reads gzip and standard input alike', async () => {
    const { stdout } = await asteriskMes(['analyze', path('call.pcap'), '--json']);
    const packed = await asteriskMes(['analyze', path('call.pcap.gz'), '--json']);
    const piped = await asteriskMes(['analyze', '-', '--json'], CAPTURE);
    const pipedPacked = await asteriskMes(['analyze', '-', '--json'], gzipSync(CAPTURE));
    expect([packed.stdout, piped.stdout, pipedPacked.stdout]).toEqual([stdout, stdout, stdout]);
    expect(packed.status).toBe(0);
  });

  test('says of each stream in a sentence what it went through, within 80 columns', async () => {
    const { status, stdout } = await asteriskMes(['analyze', path('call.pcap')]);
    expect(status).toBe(0);
    const lines = stdout.split('\n');
    expect(lines.slice(0, 2)).toEqual([
      '10.0.0.1:5004 > 10.0.0.2:6004  ulaw, 197 packets',
      '  1.5 % lost (3 packets) in bursts of 40 ms on average, jitter below 1 ms;',
    ]);
    expect(lines[2]).toMatch(/^ {2}MOS-LQ 4\.\d\d, MOS-CQ 4\.\d\d\.$/);
    expect(lines.slice(3)).toEqual(['', '197 packets, 0 of them RTCP', '']);
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(80);
  });

  test('prints a table for people who want it wide', async () => {
    const { status, stdout } = await asteriskMes(['analyze', path('call.pcap'), '--wide']);
    expect(status).toBe(0);
    expect(stdout).toContain('10.0.0.1:5004 > 10.0.0.2:6004  0x11223344  ulaw');
    expect(stdout).toMatch(/ 3 \(1\.5 %\) /);
    expect(stdout).toContain('197 packets, 0 of them RTCP\n');
  });

  test('says when the capturing program dropped packets itself', async () => {
    const fuzzSeed = join(import.meta.dirname, '../../golden/fuzz/pcap/seed-sections.pcapng');
    const { status, stderr } = await asteriskMes(['analyze', fuzzSeed]);
    expect(status).toBe(0);
    // Eight bytes of 2, in the file's statistics block.
    expect(stderr).toBe(
      `asterisk-mes: The program that captured dropped ${0x0202_0202 * 2 ** 32 + 0x0202_0202} packets itself; they count as lost here.\n`,
    );
  });

  test('takes another Gmin and another jitter buffer', async () => {
    const options = ['--gmin', '40', '--jitter-buffer', 'adaptive', '--json'];
    const { stdout } = await asteriskMes(['analyze', path('call.pcap'), ...options]);
    const metrics = (JSON.parse(stdout) as { streams: { voip_metrics: object }[] }).streams[0]?.voip_metrics;
    // From 120 to 150 is one burst now.
    expect(metrics).toMatchObject({ gmin: 40, burst_duration_ms: 620, rx_config: { jba: 3 }, jb_abs_max_ms: 200 });
  });

  test('a capture without RTP is no failure', async () => {
    const json = await asteriskMes(['analyze', path('no-rtp.pcap'), '--json']);
    expect(JSON.parse(json.stdout)).toMatchObject({ streams: [], packets: 1, skipped: 1, endpoints: [] });
    const { status, stdout } = await asteriskMes(['analyze', path('no-rtp.pcap')]);
    expect(status).toBe(0);
    expect(stdout).toBe(
      'There is no RTP stream in this capture. 1 packet is neither RTP nor RTCP nor SIP.\n\n1 packet, 0 of them RTCP; skipped: 1 neither RTP nor RTCP nor SIP\n',
    );
  });

  test('a capture that was killed gives what it has; a damaged one, too, and fails', async () => {
    const cut = await asteriskMes(['analyze', path('cut.pcap'), '--json']);
    expect(cut.status).toBe(0);
    expect(cut.stderr).toMatch(/^asterisk-mes: .*cut\.pcap ends in the middle of a packet\. What .* result\.\n$/);
    expect(JSON.parse(cut.stdout)).toMatchObject({ packets: 196 });
    const damaged = await asteriskMes(['analyze', path('damaged.pcap'), '--json']);
    expect(damaged.status).toBe(1);
    expect(damaged.stderr).toContain(
      'damaged.pcap is damaged near byte 11524: a record claims to hold 2147483647 bytes.',
    );
    expect(JSON.parse(damaged.stdout)).toMatchObject({ packets: 50 });
  });

  test('a gzip file that is cut short gives what it has, wherever that is', async () => {
    const packed = gzipSync(CAPTURE, { level: 1 });
    for (const bytes of [packed.length - 9, Math.floor(packed.length / 2), 400]) {
      const name = path(`cut-${bytes}.pcap.gz`);
      writeFileSync(name, packed.subarray(0, bytes));
      const { status, stdout, stderr } = await asteriskMes(['analyze', name, '--json']);
      // What zlib itself gets out of it, in whole records of 16 and 214 bytes behind a header of 24.
      const { length } = gunzipSync(packed.subarray(0, bytes), { finishFlush: constants.Z_SYNC_FLUSH });
      const packets = Math.floor((length - 24) / 230);
      expect(packets).toBeGreaterThan(0);
      expect([status, (JSON.parse(stdout) as { packets: number }).packets]).toEqual([0, packets]);
      expect(stderr).toBe(
        `asterisk-mes: ${name} is cut short: its gzip data ends too early. What comes before that is in the result.\n`,
      );
    }
  });

  test('a gzip file that is damaged gives what comes before that, and fails', async () => {
    const random = seededRandom(1);
    const noise = range(0, 8000).map((index) =>
      packet(index, Buffer.from(Array.from({ length: 120 }, () => 1 + Math.floor(random() * 100)))),
    );
    const packed = gzipSync(pcap(noise));
    packed.fill(0xff, packed.length - 3000, packed.length - 2000);
    writeFileSync(path('damaged.pcap.gz'), packed);
    const { status, stdout, stderr } = await asteriskMes(['analyze', path('damaged.pcap.gz'), '--json']);
    expect(status).toBe(1);
    expect(stderr).toContain('damaged.pcap.gz is damaged: its gzip data makes no sense from some place on.');
    const { packets } = JSON.parse(stdout) as { packets: number };
    expect(packets).toBeGreaterThan(4000);
    expect(packets).toBeLessThan(8000);
    writeFileSync(path('header.pcap.gz'), packed.subarray(0, 12));
    const header = await asteriskMes(['analyze', path('header.pcap.gz')]);
    expect([header.status, header.stdout]).toEqual([1, '']);
    expect(header.stderr).toMatch(
      /header\.pcap\.gz is gzip data that ends or breaks before a capture begins; copy it anew from where it is whole\.\n$/,
    );
  });

  test('is told what payload types mean, also against what the capture says', async () => {
    const opus = range(0, 100).map((index) =>
      packet(index * 20, rtp({ sequence: index, timestamp: index * 960, payloadType: 107 })),
    );
    writeFileSync(path('opus.pcap'), pcap([...opus, ...call(range(0, 100), BACK, { ssrc: 7, payloadType: 96 })]));
    const codecs = ['--codec', '107=opus/48000', '--codec', '96=PCMA/8000'];
    const { status, stdout } = await asteriskMes(['analyze', path('opus.pcap'), '--json', ...codecs]);
    expect(status).toBe(0);
    const told = { clock_rate_source: 'option', jitter_ms: { mean: 0, max: 0 } };
    expect((JSON.parse(stdout) as { streams: object[] }).streams).toMatchObject([
      // The seed's table: the best MOS of Opus and of G.711.
      { payload_type: 107, codec: 'opus', clock_rate_hz: 48_000, mos_lq: expect.closeTo(4.41, 2) as number, ...told },
      { payload_type: 96, codec: 'alaw', clock_rate_hz: 8000, mos_lq: expect.closeTo(4.41, 2) as number, ...told },
    ]);
  });

  test('names what it cannot read, and how much of it there is', async () => {
    const esp = range(0, 197).map((index) => ({
      atMs: START_MS + index,
      bytes: ethernet(ipv4(Buffer.alloc(60), {}, 50)),
    }));
    writeFileSync(path('ipsec.pcap'), pcap(esp));
    const text = await asteriskMes(['analyze', path('ipsec.pcap')]);
    expect(text.stdout).toBe(
      'There is no RTP stream in this capture. 197 packets are inside IPsec (ESP), which is not read.\n\n' +
        '197 packets, 0 of them RTCP; skipped: 197 inside IPsec (ESP)\n',
    );
    const json = await asteriskMes(['analyze', path('ipsec.pcap'), '--json']);
    expect(JSON.parse(json.stdout)).toMatchObject({
      packets: 197,
      skipped: 197,
      skipped_by_reason: { unread: 197, not_media: 0, not_udp: 0 },
      unread: [{ inside: 'IPsec (ESP)', packets: 197 }],
    });
    writeFileSync(path('wlan.pcap'), pcap(esp, { linkType: 127 }));
    const wlan = await asteriskMes(['analyze', path('wlan.pcap')]);
    expect(wlan.stdout).toContain('197 packets are of the unknown link layer 127.');
  });

  test.each([
    ['empty.pcap', 'is empty; give a capture that has packets.'],
    ['text.pcap', 'is not a capture; give a pcap or pcapng file, such as tcpdump and Wireshark write.'],
    ['nowhere.pcap', 'cannot be opened (ENOENT); check the name and its permissions.'],
    ['.', 'is a directory; name a capture file in it.'],
  ])('%s fails with one sentence', async (name, sentence) => {
    const { status, stdout, stderr } = await asteriskMes(['analyze', path(name)]);
    expect([status, stdout, stderr.split('\n').length]).toEqual([1, '', 2]);
    expect(stderr).toContain(sentence);
  });

  test.each([
    [['analyze']],
    [['analyze', 'x', '--gmin', '0']],
    [['analyze', 'x', '--jitter-buffer', 'fixed']],
    [['analyze', 'x', '--jitter-buffer', 'fixed:0']],
    [['analyze', 'x', '--codec', '107']],
    [['analyze', 'x', '--codec', '128=opus/48000']],
    [['analyze', 'x', '--codec', '107=opus/7']],
    [['analyze', 'x', '--codec', '107=opus/48000', '--codec', '107=g722/8000']],
    [['analyze', 'x', '--jsno']],
  ])('wrong usage: %j', async (args) => {
    const { status, stdout, stderr } = await asteriskMes(args);
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^asterisk-mes: [^\n]+\n$/);
  });
});

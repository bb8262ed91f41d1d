import { describe, expect, test } from 'vitest';
import { CaptureAnalysis } from '../../../src/capture/capture-analysis.ts';
import { readerFor } from '../../../src/wire/packets/capture-format.ts';
import { voipMetricsBlock } from '../../../src/wire/rtcp/voip-metrics.ts';
import { START_MS, ethernet, ipv4, pcap, rtp, u32, udp } from '../wire/packets.ts';
import { BACK, FIXED, analyse, call, onlyStream, packet, range, senderReport } from './captured.ts';

function sip(address: string, port: number, rtpmap: string, payloadTypes: string, kind = 'audio'): Buffer {
  const body = `v=0\r\nc=IN IP4 ${address}\r\nm=${kind} ${port} RTP/AVP ${payloadTypes}\r\n${rtpmap}`;
  return Buffer.from(`INVITE sip:b@x SIP/2.0\r\nContent-Type: application/sdp\r\n\r\n${body}`);
}

describe('streams are found by themselves', () => {
  test('two directions, by any ports', () => {
    const result = analyse([
      ...call(range(100, 200), { sourcePort: 1, destinationPort: 2 }, { ssrc: 1 }),
      ...call(range(7, 107), { ...BACK, sourcePort: 2, destinationPort: 1 }, { ssrc: 2, payloadType: 8 }),
    ]);
    expect(result.streams).toMatchObject([
      { ssrc: 1, source: '10.0.0.1:1', destination: '10.0.0.2:2', codec: 'ulaw', packetsReceived: 100, packetsLost: 0 },
      { ssrc: 2, source: '10.0.0.2:2', destination: '10.0.0.1:1', codec: 'alaw', packetsReceived: 100, packetsLost: 0 },
    ]);
    expect(result).toMatchObject({ packets: 200, skippedPackets: 0 });
  });

  test('the same SSRC on two ways is two streams (a native bridge sends on what it gets)', () => {
    const onward = { source: '10.0.0.2', destination: '10.0.0.3', sourcePort: 7000, destinationPort: 8000 };
    const result = analyse([
      ...call(range(0, 100)),
      ...call(
        range(0, 100).filter((sequence) => sequence % 10 !== 3),
        onward,
      ),
    ]);
    expect(result.streams.map(({ packetsLost, destination }) => [destination, packetsLost])).toEqual([
      ['10.0.0.2:6004', 0],
      ['10.0.0.3:8000', 10],
    ]);
  });

  test('UDP that only looks like the first packet of one is none', () => {
    const noise = range(0, 2000).map((index) =>
      packet(index, Buffer.from([0x80 + (index % 16), index % 128, index % 251, index % 241, ...range(0, 40)])),
    );
    const dns = range(0, 50).map((index) =>
      packet(index, rtp({ sequence: (index * 7919) & 0xffff, timestamp: index })),
    );
    const result = analyse([...noise, ...dns]);
    expect(result.streams).toEqual([]);
    expect(result.skipped.notMedia).toBe(2050);
  });

  test('two packets are not enough, unless an SDP announced them', () => {
    expect(analyse(call([1, 2])).streams).toEqual([]);
    const announced = analyse([packet(-5, sip('10.0.0.2', 6004, '', '0')), ...call([1])]);
    expect(onlyStream(announced)).toMatchObject({ packetsReceived: 1, score: null });
    expect(announced.sipMessages).toBe(1);
  });

  test('three packets in a row are none when minutes lie between them, or their RTP time stands still or flies', () => {
    const three = (everyMs: number, timestampOf: (index: number) => number): number =>
      analyse(
        range(0, 3).map((index) => packet(index * everyMs, rtp({ sequence: index, timestamp: timestampOf(index) }))),
      ).streams.length;
    expect(three(20, (index) => index * 160)).toBe(1);
    expect(three(120_000, (index) => index * 960_000)).toBe(0);
    expect(three(6000, (index) => index * 48_000)).toBe(0);
    expect(three(20, () => 77)).toBe(0);
    expect(three(20, (index) => index * 0x2345_6789)).toBe(0);
  });

  test('packets of many payload types are none, however well their numbers go on', () => {
    const result = analyse(
      range(0, 60).map((index) =>
        packet(index * 20, rtp({ sequence: index, timestamp: index * 160, payloadType: (index * 37) % 64 })),
      ),
    );
    expect(result.streams).toEqual([]);
    expect(result.skipped.notMedia).toBe(60);
  });

  test('losses and copies before a stream is believed take nothing away from it', () => {
    const sequences = [0, 400, 401, 401, 402, 403];
    const packets = sequences.map((sequence, index) =>
      packet(sequence * 3 + index / 100, rtp({ sequence, timestamp: sequence * 160 })),
    );
    expect(onlyStream(analyse(packets))).toMatchObject({ packetsReceived: 5, packetsLost: 399, duplicates: 1 });
  });

  test('a very long list of possible streams is bounded', () => {
    const many = range(0, 6000).map((index) => packet(index / 10, rtp({ sequence: 1, timestamp: 0, ssrc: index })));
    const result = analyse([...many, ...call(range(0, 50), { sourcePort: 9000 })]);
    expect(onlyStream(result).packetsReceived).toBe(50);
    expect(result.skipped.notMedia).toBe(6000);
  });
});

describe('codecs', () => {
  const opus = (index: number, payloadType = 107): ReturnType<typeof packet> =>
    packet(index * 20, rtp({ sequence: index, timestamp: index * 960, payloadType }));

  test('of dynamic payload types come from the SDP of the receiver', () => {
    const result = analyse([
      packet(-9, sip('10.0.0.1', 5004, 'a=rtpmap:107 iLBC/8000\r\n', '107')),
      packet(-8, sip('10.0.0.2', 6004, 'a=rtpmap:107 opus/48000/2\r\n', '107')),
      ...range(0, 60).map((index) => opus(index)),
    ]);
    expect(onlyStream(result)).toMatchObject({ codec: 'opus', clockRateHz: 48_000, clockRateSource: 'sdp' });
    expect(onlyStream(result).jitterMaxMs).toBeLessThan(0.01);
    expect(onlyStream(result).score?.mosLq).toBeGreaterThan(4);
  });

  test('of video come from the SDP, and never in the place of those of audio', () => {
    const video = [
      packet(-9, sip('10.0.0.2', 6004, 'a=rtpmap:107 H264/90000\r\n', '107', 'video')),
      ...range(0, 60).map((index) =>
        packet(index * 20, rtp({ sequence: index, timestamp: index * 1800, payloadType: 107 })),
      ),
    ];
    expect(onlyStream(analyse(video))).toMatchObject({
      codec: 'h264',
      clockRateHz: 90_000,
      clockRateSource: 'sdp',
      score: null,
    });
    // Behind a NAT only what all SDPs agree on is known.
    const audio = analyse([
      packet(-9, sip('192.0.2.7', 6000, 'a=rtpmap:107 opus/48000/2\r\n', '107')),
      packet(-8, sip('192.0.2.7', 6002, 'a=rtpmap:107 H264/90000\r\n', '107', 'video')),
      ...range(0, 60).map((index) => opus(index)),
    ]);
    expect(onlyStream(audio)).toMatchObject({ codec: 'opus', clockRateHz: 48_000, clockRateSource: 'sdp' });
  });

  test('without an SDP the clock is measured, and the codec is unknown', () => {
    const stream = onlyStream(analyse(range(0, 60).map((index) => opus(index))));
    expect(stream).toMatchObject({ codec: null, clockRateHz: 48_000, clockRateSource: 'measured', score: null });
    expect(stream).toMatchObject({ packetsReceived: 60, packetsLost: 0, payloadType: 107 });
    expect(stream.jitterMaxMs).toBeLessThan(0.01);
    expect(stream.frames10ms).toEqual({ normal: 120, plc: 0, cng: 0, silence: 0 });
  });

  test('too short to be measured, the clock is taken for 8000 Hz and marked so', () => {
    const packets = range(0, 5).map((index) =>
      packet(index, rtp({ sequence: index, timestamp: index * 7, payloadType: 107 })),
    );
    expect(onlyStream(analyse(packets))).toMatchObject({ clockRateHz: 8000, clockRateSource: 'assumed' });
  });

  test('behind a NAT, where no address fits, what all SDPs agree on will do', () => {
    const result = analyse([
      packet(-9, sip('192.168.1.5', 4000, 'a=rtpmap:107 opus/48000/2\r\n', '107')),
      ...range(0, 60).map((index) => opus(index)),
    ]);
    expect(onlyStream(result).codec).toBe('opus');
  });

  test('comfort noise and key presses are part of their stream', () => {
    const packets = range(0, 200).map((index) => {
      const fields = { sequence: index, timestamp: index * 160 };
      if (index >= 50 && index < 60) {
        return packet(index * 20, rtp({ ...fields, timestamp: 50 * 160, payloadType: 101, payloadBytes: 4 }));
      }
      if (index === 100) return packet(index * 20, rtp({ ...fields, payloadType: 13, payloadBytes: 1 }));
      return packet(
        index * 20 + (index > 100 ? 1000 : 0),
        rtp({ ...fields, timestamp: index * 160 + (index > 100 ? 8000 : 0) }),
      );
    });
    const stream = onlyStream(analyse(packets));
    expect(stream).toMatchObject({ packetsReceived: 200, packetsLost: 0, payloadType: 0, codec: 'ulaw', discarded: 0 });
    expect(stream.jitterMaxMs).toBeLessThan(0.01);
    // The noise packet stands for the 20 ms of its own and for the second of quiet after it.
    expect(stream.frames10ms).toEqual({ normal: 398, plc: 0, cng: 102, silence: 0 });
  });
});

describe('a capture that goes on', () => {
  test('has its ended streams dropped one by one, and an SSRC that comes back begins anew', () => {
    const analysis = new CaptureAnalysis(FIXED);
    const feed = (file: Buffer): void => {
      const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
      const reader = readerFor(view);
      reader?.feed(view, 0, file.length);
      while (reader?.next() === true) analysis.take(reader);
    };
    feed(pcap(call(range(0, 50), {}, { ssrc: 1 })));
    feed(pcap(call(range(0, 100), BACK, { ssrc: 2 })));
    const [first] = analysis.streams;
    if (first === undefined) throw new Error('no stream');
    expect(first).toMatchObject({ ssrc: 1, firstAtMs: START_MS, lastAtMs: START_MS + 49 * 20 });
    analysis.drop(first);
    expect(first.packets).toMatchObject({ received: 50, lost: 0 });
    // Sealed: all of it is one gap.
    expect(first.packets?.burstGap.totals()).toMatchObject({ gaps: 1, gapPackets: 50 });
    expect([...analysis.streams].map(({ ssrc }) => ssrc)).toEqual([2]);
    feed(pcap(call(range(300, 320), {}, { ssrc: 1 })));
    expect(analysis.finish().streams).toMatchObject([
      { ssrc: 2, packetsReceived: 100 },
      { ssrc: 1, packetsReceived: 20, packetsLost: 0 },
    ]);
  });
});

describe('what cannot be used is counted by its reason', () => {
  test('and the rest of the capture is not disturbed', () => {
    const rtpFrame = ethernet(ipv4(udp(rtp({ sequence: 9, timestamp: 0 }))));
    const at = (bytes: Buffer, wireBytes?: number): { atMs: number; bytes: Buffer; wireBytes?: number } => ({
      atMs: START_MS + 3,
      bytes,
      ...(wireBytes === undefined ? {} : { wireBytes }),
    });
    const result = analyse([
      ...call(range(100, 150)),
      at(ethernet(Buffer.alloc(28), 0x0806)),
      at(ethernet(ipv4(Buffer.alloc(30), {}, 17, 100))),
      at(rtpFrame.subarray(0, 30), rtpFrame.length),
      at(rtpFrame.subarray(0, 47), rtpFrame.length),
      packet(3, Buffer.from('GET / HTTP/1.1\r\n')),
      packet(3, Buffer.from([0x80, 200, 0, 6, 1, 2, 3, 4])),
      packet(
        3,
        Buffer.concat([
          senderReport(1, 5).map((byte, index) => (index < 8 ? byte : byte ^ 0x5a)),
          u32(0x8000_0001),
          Buffer.alloc(10),
        ]),
      ),
    ]);
    expect(onlyStream(result)).toMatchObject({ packetsReceived: 50, packetsLost: 0 });
    expect(result.skipped).toEqual({
      notUdp: 1,
      fragments: 1,
      cutShort: 2,
      notMedia: 1,
      rtcpMalformed: 1,
      rtcpEncrypted: 1,
      unknownLink: 0,
      unread: 0,
    });
    expect(result).toMatchObject({ packets: 57, skippedPackets: 7 });
  });

  test('header-only captures are as good as whole ones', () => {
    const packets = call(range(0, 100).filter((sequence) => sequence !== 40)).map(({ atMs, bytes }) => ({
      atMs,
      bytes: bytes.subarray(0, 54),
      wireBytes: bytes.length,
    }));
    expect(onlyStream(analyse(packets))).toMatchObject({ packetsReceived: 99, packetsLost: 1 });
  });
});

describe('VoIP metrics', () => {
  test('of a stream with a burst', () => {
    // Ten times 1 of 3 lost in the middle of 300 packets, and one alone before.
    const lost = new Set([60, ...range(0, 10).map((index) => 150 + index * 3)]);
    const stream = onlyStream(analyse(call(range(0, 300).filter((sequence) => !lost.has(sequence)))));
    const { voipMetrics } = stream;
    expect(voipMetrics.lossRatio).toBeCloseTo(11 / 300, 12);
    expect(voipMetrics.discardRatio).toBe(0);
    // From 150 to 177: 28 packets.
    expect(voipMetrics.burstDurationMs).toBeCloseTo(560, 9);
    expect(voipMetrics.burstDensityRatio).toBeCloseTo(10 / 28, 12);
    expect(voipMetrics.gapDensityRatio).toBeCloseTo(1 / 272, 12);
    expect(voipMetrics.gapDurationMs).toBeCloseTo((272 * 20) / 2, 9);
    // G.107 §7.5: G.711 with ppl = 11/300 and runs of 1.
    const ppl = 1100 / 300;
    const burstR = 1 - 11 / 300;
    expect(voipMetrics.burstR).toBeCloseTo(burstR, 12);
    // Shorter runs than random ones: G.107's BurstR begins at 1.
    expect(stream.score?.rLq).toBeCloseTo(93.25 - (95 * ppl) / (ppl + 10), 9);
    expect(voipMetricsBlock(stream)).toMatchObject({
      lossRateQ8: 9,
      burstDensityQ8: 91,
      gapDensityQ8: 0,
      burstDurationMs: 560,
      gapDurationMs: 2720,
      roundTripDelayMs: null,
      rFactor: Math.round(stream.score?.rCq ?? 0),
      mosLq: Math.round((stream.score?.mosLq ?? 0) * 10) / 10,
      jba: 2,
      jbNominalMs: 60,
      jbMaximumMs: 120,
      jbAbsMaxMs: 120,
    });
  });

  test('packets that came too late are discarded, and as bad as lost', () => {
    const stream = onlyStream(
      analyse(call(range(0, 300), {}, {}, (sequence) => (sequence >= 100 && sequence < 104 ? 90 : 0))),
    );
    expect(stream).toMatchObject({ packetsLost: 0, discarded: 4, packetsReceived: 300 });
    expect(stream.voipMetrics).toMatchObject({ lossRatio: 0, discardRatio: 4 / 300, burstDensityRatio: 1 });
    expect(stream.voipMetrics.burstDurationMs).toBe(80);
    expect(stream.score?.rLq).toBeLessThan(90);
    expect(stream.frames10ms).toEqual({ normal: 592, plc: 6, cng: 0, silence: 2 });
  });
});

import { describe, expect, test } from 'vitest';
import { CaptureJoin } from '../../../src/calls/media/capture-join.ts';
import type { SeenStream } from '../../../src/model/capture.ts';
import type { PbxEvent } from '../../../src/model/event.ts';
import { local, remote, reportBlock, snapshot } from './script.ts';

const START_MS = 1_790_000_000_000;
const ALICE_SSRC = 0xa11ce;
const SERVER_SSRC = 0x5e12e2;

interface Stream extends SeenStream {
  readonly name: string;
  lastAtMs: number;
}

function stream(name: string, source: string, destination: string, of: Partial<Stream> = {}): Stream {
  return { name, source, destination, ssrc: ALICE_SSRC, firstAtMs: START_MS + 500, lastAtMs: START_MS + 900, ...of };
}

/** A channel that is up, and what its first RTCP said. */
class Sheet {
  readonly join = new CaptureJoin<Stream>();

  up(uniqueid: string, atMs = START_MS): this {
    return this.take({ type: 'channel', atMs, channel: snapshot(uniqueid) });
  }

  sent(uniqueid: string, from: string, to: string, sourceSsrc = ALICE_SSRC): this {
    return this.take({
      type: 'rtcp',
      atMs: START_MS + 1000,
      channel: snapshot(uniqueid),
      report: local(reportBlock(50, 0, { sourceSsrc }), { senderSsrc: SERVER_SSRC }),
      addresses: { protocol: 'rtcp', local: from, remote: to },
    });
  }

  take(event: PbxEvent): this {
    this.join.take(event);
    return this;
  }

  /** The owners of each stream as `name: uniqueid direction`. */
  owners(streams: readonly Stream[], nowMs = START_MS + 1000): string[] {
    this.join.sweep(streams, nowMs);
    return streams.flatMap((one) =>
      this.join.ownersOf(one).map(({ uniqueid, direction }) => `${one.name}: ${uniqueid} ${direction}`),
    );
  }
}

describe('whose a captured stream is', () => {
  test('by the port of Asterisk that RTCP names, which is the one after: received there, sent from there', () => {
    const sheet = new Sheet().up('1').sent('1', '198.51.100.1:12001', '192.0.2.7:5005');
    expect(
      sheet.owners([
        stream('in', '192.0.2.7:5004', '198.51.100.1:12000'),
        stream('out', '198.51.100.1:12000', '192.0.2.7:5004', { ssrc: SERVER_SSRC }),
        stream('other', '192.0.2.7:5004', '198.51.100.1:12002'),
        stream('foreign', '192.0.2.7:5004', '198.51.100.99:12000', { ssrc: 1, source: '192.0.2.9:5004' }),
      ]),
    ).toEqual(['in: 1 rx', 'out: 1 tx']);
  });

  test('by the same port where RTP and RTCP share it (RFC 5761)', () => {
    const sheet = new Sheet().up('1').sent('1', '198.51.100.1:12000', '192.0.2.7:5004');
    expect(sheet.owners([stream('in', '192.0.2.7:5004', '198.51.100.1:12000')])).toEqual(['in: 1 rx']);
  });

  test('in a native bridge, where both legs have one SSRC', () => {
    const sheet = new Sheet()
      .up('1')
      .up('2')
      .sent('1', '198.51.100.1:12001', '192.0.2.7:5005')
      .sent('2', '198.51.100.1:12345', '203.0.113.5:40001');
    expect(
      sheet.owners([
        stream('from alice', '192.0.2.7:5004', '198.51.100.1:12000'),
        stream('on to bob', '198.51.100.1:12344', '203.0.113.5:40000'),
      ]),
    ).toEqual(['from alice: 1 rx', 'on to bob: 2 tx']);
  });

  test('behind a NAT, whose ports are any: our own end tells', () => {
    const sheet = new Sheet().up('1').sent('1', '198.51.100.1:12001', '203.0.113.9:61234');
    expect(sheet.owners([stream('in', '203.0.113.9:33333', '198.51.100.1:12000')])).toEqual(['in: 1 rx']);
  });

  test('after a re-INVITE: another far end, another SSRC, the same channel', () => {
    const sheet = new Sheet().up('1').sent('1', '198.51.100.1:12001', '192.0.2.7:5005');
    const streams = [
      stream('before', '192.0.2.7:5004', '198.51.100.1:12000'),
      stream('after', '192.0.2.55:6000', '198.51.100.1:12000', { ssrc: 99, firstAtMs: START_MS + 5000 }),
    ];
    expect(sheet.owners(streams)).toEqual(['before: 1 rx', 'after: 1 rx']);
    expect(sheet.join.streamsOf('1', 'rx')).toEqual(streams);
  });

  test.each([
    ['another of our addresses, when the far end fits', '10.0.0.1:12001', '192.0.2.7:5004', 1, ['in: 1 rx']],
    ['another of our addresses, when only the SSRC fits', '10.0.0.1:12001', '192.0.2.8:7000', ALICE_SSRC, []],
    ['a wildcard, when the SSRC fits', '0.0.0.0:12001', '192.0.2.8:7000', ALICE_SSRC, ['in: 1 rx']],
    ['a wildcard, when nothing else fits', '[::]:12001', '192.0.2.8:7000', 1, []],
  ])('Asterisk names %s', (_, own, source, ssrc, owners) => {
    const sheet = new Sheet().up('1').sent('1', own, '192.0.2.7:5005');
    expect(sheet.owners([stream('in', source, '198.51.100.1:12000', { ssrc })])).toEqual(owners);
  });

  test('by the answers to questions, before any RTCP', () => {
    const sheet = new Sheet().up('1').take({
      type: 'addresses',
      atMs: START_MS + 20,
      uniqueid: '1',
      addresses: { protocol: 'rtp', local: '[::ffff:198.51.100.1]:12000', remote: '192.0.2.7:5004' },
    });
    expect(sheet.owners([stream('in', '192.0.2.7:5004', '198.51.100.1:12000')])).toEqual(['in: 1 rx']);
  });

  test('by the SSRC that ARI’s counters name, where Asterisk names no address', () => {
    const counters = { localSsrc: SERVER_SSRC, remoteSsrc: 7 };
    const sheet = new Sheet()
      .up('1')
      .sent('1', '0.0.0.0:12001', '192.0.2.7:5005')
      .take({ type: 'counters', atMs: START_MS, uniqueid: '1', counters });
    const streams = [
      stream('in', '192.0.2.8:7000', '198.51.100.1:12000', { ssrc: 7 }),
      stream('out', '198.51.100.1:12000', '192.0.2.8:7000', { ssrc: SERVER_SSRC }),
    ];
    expect(sheet.owners(streams)).toEqual(['in: 1 rx', 'out: 1 tx']);
  });

  test('not by a port that was somebody else’s when the stream began', () => {
    const sheet = new Sheet().up('1', START_MS + 10_000).sent('1', '198.51.100.1:12001', '192.0.2.7:5005');
    expect(sheet.owners([stream('old', '192.0.2.7:5004', '198.51.100.1:12000')])).toEqual([]);
  });

  test('both ends are ours: what one channel sends the other receives', () => {
    const sheet = new Sheet()
      .up('1')
      .up('2')
      .sent('1', '198.51.100.1:12001', '198.51.100.1:12345')
      .sent('2', '198.51.100.1:12345', '198.51.100.1:12001');
    expect(sheet.owners([stream('loop', '198.51.100.1:12000', '198.51.100.1:12344')])).toEqual([
      'loop: 2 rx',
      'loop: 1 tx',
    ]);
  });

  test('a channel that takes another one’s media over has what begins from then on', () => {
    const sheet = new Sheet().up('1').up('2').sent('1', '198.51.100.1:12001', '192.0.2.7:5005');
    const first = stream('first', '192.0.2.7:5004', '198.51.100.1:12000');
    expect(sheet.owners([first])).toEqual(['first: 1 rx']);
    sheet.take({
      type: 'rtcp',
      atMs: START_MS + 9000,
      channel: snapshot('2'),
      report: remote(null),
      addresses: { protocol: 'rtcp', local: '198.51.100.1:12001', remote: '192.0.2.7:5005' },
    });
    const next = stream('next', '192.0.2.7:5004', '198.51.100.1:12000', { ssrc: 5, firstAtMs: START_MS + 9500 });
    expect(sheet.owners([first, next])).toEqual(['first: 1 rx', 'next: 2 rx']);
  });
});

describe('when a stream is over', () => {
  const names = (streams: readonly Stream[]): string[] => streams.map(({ name }) => name);

  test('soon after the hang-up of its channel, for packets that are on their way', () => {
    const sheet = new Sheet().up('1').sent('1', '198.51.100.1:12001', '192.0.2.7:5005');
    const one = stream('in', '192.0.2.7:5004', '198.51.100.1:12000');
    expect(names(sheet.join.sweep([one], START_MS + 1000).joined)).toEqual(['in']);
    sheet.take({ type: 'hangup', atMs: START_MS + 2000, channel: snapshot('1') });
    expect(names(sheet.join.sweep([one], START_MS + 2400).over)).toEqual([]);
    expect(names(sheet.join.sweep([one], START_MS + 2600).over)).toEqual(['in']);
    sheet.join.remove(one);
    expect(sheet.join.joinedStreams).toBe(0);
    expect([...sheet.join.joinedChannels()]).toEqual([]);
    // Whoever goes on sending is nobody now.
    const late = stream('late', '192.0.2.7:5004', '198.51.100.1:12000', { firstAtMs: START_MS + 2700 });
    expect(names(sheet.join.sweep([late], START_MS + 3000).joined)).toEqual([]);
  });

  test('when its channel is gone after a reconnect', () => {
    const sheet = new Sheet().up('1').up('2').sent('1', '198.51.100.1:12001', '192.0.2.7:5005');
    const one = stream('in', '192.0.2.7:5004', '198.51.100.1:12000');
    sheet.join.sweep([one], START_MS + 1000);
    sheet.take({
      type: 'resync',
      atMs: START_MS + 5000,
      channels: [{ ...snapshot('2'), codecs: { rx: null, tx: null } }],
    });
    expect(names(sheet.join.sweep([one], START_MS + 6000).over)).toEqual(['in']);
  });

  test('when another one has followed it, and not before: one that stands still may be one that is lost', () => {
    const sheet = new Sheet().up('1').sent('1', '198.51.100.1:12001', '192.0.2.7:5005');
    const before = stream('before', '192.0.2.7:5004', '198.51.100.1:12000');
    expect(names(sheet.join.sweep([before], START_MS + 90_000).over)).toEqual([]);
    const after = stream('after', '192.0.2.7:5004', '198.51.100.1:12000', {
      ssrc: 2,
      firstAtMs: START_MS + 90_000,
      lastAtMs: START_MS + 91_000,
    });
    expect(names(sheet.join.sweep([before, after], START_MS + 91_000).over)).toEqual(['before']);
  });

  test('that is nobody’s: when it is silent, or when nobody has come for it in a minute', () => {
    const { join } = new Sheet();
    const silent = stream('silent', '192.0.2.7:5004', '198.51.100.1:12000');
    const endless = stream('endless', '192.0.2.8:5004', '198.51.100.1:12002', { lastAtMs: START_MS + 61_000 });
    const fresh = stream('fresh', '192.0.2.9:5004', '198.51.100.1:12004', {
      firstAtMs: START_MS + 50_000,
      lastAtMs: START_MS + 61_000,
    });
    const { nobodys, over, joined } = join.sweep([silent, endless, fresh], START_MS + 61_000);
    expect([names(nobodys), names(over), names(joined)]).toEqual([['silent', 'endless'], [], []]);
  });
});

describe.each([3_600_000, -3_600_000])('a clock set by %s ms', (stepMs) => {
  test('leaves what begins after it with its channel, and the end of a channel due when it was', () => {
    const sheet = new Sheet().up('1').sent('1', '198.51.100.1:12001', '192.0.2.7:5005');
    sheet.join.clockStepped(stepMs);
    const times = { firstAtMs: START_MS + stepMs + 1500, lastAtMs: START_MS + stepMs + 1900 };
    const one = stream('in', '192.0.2.7:5004', '198.51.100.1:12000', times);
    expect(sheet.owners([one], START_MS + stepMs + 2000)).toEqual(['in: 1 rx']);
    sheet.take({ type: 'hangup', atMs: START_MS + stepMs + 2000, channel: snapshot('1') });
    sheet.join.clockStepped(-stepMs);
    expect(sheet.join.sweep([one], START_MS + 2400).over).toEqual([]);
    expect(sheet.join.sweep([one], START_MS + 2600).over).toEqual([one]);
  });

  test('leaves with its channel what began shortly before it, and was moved like it', () => {
    const sheet = new Sheet().up('1').sent('1', '198.51.100.1:12001', '192.0.2.7:5005');
    sheet.join.clockStepped(stepMs);
    const moved = { firstAtMs: START_MS + stepMs - 900, lastAtMs: START_MS + stepMs + 900 };
    expect(sheet.owners([stream('in', '192.0.2.7:5004', '198.51.100.1:12000', moved)])).toEqual(['in: 1 rx']);
    const older = { firstAtMs: START_MS + stepMs - 1100, lastAtMs: START_MS + stepMs + 900 };
    expect(sheet.owners([stream('in', '192.0.2.7:5004', '198.51.100.1:12000', older)])).toEqual([]);
  });
});

describe('the codec of a stream', () => {
  test('comes with the list of channels, too', () => {
    const sheet = new Sheet().take({
      type: 'resync',
      atMs: START_MS,
      channels: [{ ...snapshot('1'), codecs: { rx: 'opus', tx: 'ulaw' } }],
    });
    sheet.sent('1', '198.51.100.1:12001', '192.0.2.7:5005');
    expect(sheet.join.codecOf(stream('in', '192.0.2.7:5004', '198.51.100.1:12000'))).toBe('opus');
  });

  test('is that of its direction of the channel, once both are known, and no more after its end', () => {
    const told = { type: 'codecs', atMs: START_MS, uniqueid: '1', codecs: { rx: 'opus', tx: 'ulaw' } } as const;
    const sheet = new Sheet().up('1').take(told);
    const one = stream('in', '192.0.2.7:5004', '198.51.100.1:12000');
    expect(sheet.join.codecOf(one)).toBeUndefined();
    sheet.sent('1', '198.51.100.1:12001', '192.0.2.7:5005');
    expect(sheet.join.codecOf(one)).toBe('opus');
    expect(sheet.join.codecOf(stream('out', '198.51.100.1:12000', '192.0.2.7:5004', { ssrc: 2 }))).toBe('ulaw');
    sheet.take({ type: 'hangup', atMs: START_MS + 2000, channel: snapshot('1') });
    sheet.join.sweep([], START_MS + 5000);
    sheet.take(told);
    expect(sheet.join.codecOf(one)).toBeUndefined();
  });
});

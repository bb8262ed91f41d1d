import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AmiMessage } from '../../../src/wire/ami/ami.ts';
import { readExistingChannel, readPbxEvent } from '../../../src/wire/ami/ami-event.ts';
import { messagesIn } from '../../lab/ami-messages.ts';

// As Asterisk 22.10.1 printed it (test/golden/ami/22-lossy-call.txt), cumulative loss aside.
const RTCP_RECEIVED = {
  Event: 'RTCPReceived',
  Privilege: 'reporting,all',
  Channel: 'PJSIP/alice-00000000',
  ChannelState: '6',
  ChannelStateDesc: 'Up',
  CallerIDNum: '101',
  CallerIDName: 'Alice',
  ConnectedLineNum: '102',
  ConnectedLineName: '<unknown>',
  Exten: '102',
  Uniqueid: '1795172529.0',
  Linkedid: '1795172529.0',
  To: '127.0.0.1:20041',
  From: '127.186.247.100:25073',
  RTT: '0.1001',
  MES: '86.2',
  SSRC: '0xeeaaa732',
  PT: '200(SR)',
  ReportCount: '1',
  SentNTP: '1795172530.774181',
  SentRTP: '8160',
  SentPackets: '51',
  SentOctets: '8160',
  Report0SourceSSRC: '0x2aac88e6',
  Report0FractionLost: '11',
  Report0CumulativeLost: '16777215',
  Report0HighestSequence: '63135',
  Report0SequenceNumberCycles: '2',
  Report0IAJitter: '38',
  Report0LSR: '2805125457',
  Report0DLSR: '0.0150',
};

type Headers = Readonly<Record<string, string>>;

function message(headers: Headers, without?: string): AmiMessage {
  const lines = Object.entries(headers).filter(([name]) => name !== without);
  return new AmiMessage(lines.map(([name, value]) => `\r\n${name}: ${value}`).join(''));
}

describe('RTCP events', () => {
  test('are read with their units fixed, the loss signed, and the sequence extended by its cycles', () => {
    expect(readPbxEvent(message(RTCP_RECEIVED), 77)).toEqual({
      type: 'rtcp',
      atMs: 77,
      channel: {
        uniqueid: '1795172529.0',
        linkedid: '1795172529.0',
        name: 'PJSIP/alice-00000000',
        stateNumber: 6,
        callerNumber: '101',
        callerName: 'Alice',
        connectedNumber: '102',
        exten: '102',
      },
      report: {
        reporter: 'remote',
        sender: { ntpS: 1795172530.774181, rtpTicks: 8160, sentPackets: 51, sentOctets: 8160 },
        block: {
          sourceSsrc: 0x2aac88e6,
          fractionLostQ8: 11,
          cumulativeLostPackets: -1,
          extendedHighestSequence: 194_207,
          jitterTicks: 38,
          lsrNtp32: 2_805_125_457,
          dlsrS: 0.015,
        },
        hasMoreBlocks: false,
        rttMs: expect.closeTo(100.1, 9),
        nativeMes100: 86.2,
      },
      addresses: { protocol: 'rtcp', local: '127.0.0.1:20041', remote: '127.186.247.100:25073' },
    });
  });

  test('say whether there are blocks that Asterisk does not show', () => {
    const ofCount = (count: string): unknown => readPbxEvent(message({ ...RTCP_RECEIVED, ReportCount: count }), 77);
    expect(ofCount('2')).toMatchObject({ report: { hasMoreBlocks: true, block: { sourceSsrc: 0x2aac88e6 } } });
    expect(ofCount('1')).toMatchObject({ report: { hasMoreBlocks: false } });
  });

  test('of digits that do not say who sent them cannot be read, and no digit is kept', () => {
    const digit = {
      Event: 'DTMFEnd',
      Channel: 'PJSIP/a-1',
      ChannelState: '6',
      Uniqueid: '1.1',
      Linkedid: '1.0',
      Digit: '7',
    };
    expect(readPbxEvent(message(digit), 77)).toBe('malformed');
    const read = readPbxEvent(message({ ...digit, Direction: 'Received' }), 77);
    expect(JSON.stringify(read)).not.toContain('"7"');
    expect(read).toMatchObject({ type: 'digit', direction: 'rx' });
  });

  test("the event's own SSRC is not believed: it holds NTP seconds", () => {
    const other = readPbxEvent(message({ ...RTCP_RECEIVED, SSRC: 'nonsense' }), 77);
    expect(other).toEqual(readPbxEvent(message(RTCP_RECEIVED), 77));
  });

  test('what we sent ourselves has our SSRC, and our address is where it came from', () => {
    const event = readPbxEvent(message({ ...RTCP_RECEIVED, Event: 'RTCPSent' }), 77);
    expect(event).toMatchObject({
      report: { reporter: 'local', senderSsrc: 0xeeaaa732, block: { sourceSsrc: 0x2aac88e6 } },
      addresses: { protocol: 'rtcp', local: '127.186.247.100:25073', remote: '127.0.0.1:20041' },
    });
  });

  test('a report without a block, of a release without a score of its own', () => {
    const { MES: _none, RTT: _neither, ...of16 } = RTCP_RECEIVED;
    const event = readPbxEvent(message({ ...of16, Event: 'RTCPSent', PT: '201(RR)', ReportCount: '0' }), 1);
    expect(event).toMatchObject({ type: 'rtcp', report: { reporter: 'local' } });
  });

  test('without a snapshot of the channel nobody is meant', () => {
    expect(readPbxEvent(message(RTCP_RECEIVED, 'Channel'), 1)).toBeUndefined();
  });

  test.each(Object.keys(RTCP_RECEIVED).filter((name) => /^(Report|Sent|PT|ChannelState$|Uniqueid)/.test(name)))(
    'is malformed without %s',
    (name) => {
      expect(readPbxEvent(message(RTCP_RECEIVED, name), 1)).toBe('malformed');
    },
  );

  test.each([
    ['Report0FractionLost', '256'],
    ['Report0FractionLost', '-1'],
    ['Report0CumulativeLost', '4294967296'],
    ['Report0HighestSequence', '65536'],
    ['Report0SequenceNumberCycles', '65356000'],
    ['Report0IAJitter', '1e3'],
    ['Report0IAJitter', '0x10'],
    ['Report0SourceSSRC', '0x123456789'],
    ['Report0LSR', ' 1'],
    ['Report0DLSR', 'NaN'],
    ['SentNTP', '1.2.3'],
    ['SentPackets', ''],
    ['ReportCount', '32'],
  ])('%s of %j is malformed', (name, value) => {
    expect(readPbxEvent(message({ ...RTCP_RECEIVED, [name]: value }), 1)).toBe('malformed');
  });

  test('never throws, whatever a header holds', () => {
    const names = fc.constantFrom(...Object.keys(RTCP_RECEIVED));
    fc.assert(
      fc.property(names, fc.string(), (name, value) => {
        const text = Object.entries({ ...RTCP_RECEIVED, [name]: value }).map(([key, of]) => `${key}: ${of}\r\n`);
        for (const found of messagesIn(`${text.join('')}\r\n`)) {
          const event = readPbxEvent(found, 1);
          expect(['malformed', undefined, 'object']).toContain(typeof event === 'object' ? 'object' : event);
        }
      }),
    );
  });
});

describe('other events', () => {
  const channel = { Channel: 'PJSIP/a-1', ChannelState: '6', Uniqueid: '1.1', Linkedid: '1.0' };
  test.each<[string, Headers, object]>([
    ['Newchannel', channel, { type: 'channel' }],
    ['Hold', channel, { type: 'hold' }],
    ['Unhold', channel, { type: 'unhold' }],
    ['DTMFBegin', { ...channel, Digit: '5', Direction: 'Received' }, { type: 'digit', direction: 'rx' }],
    ['DTMFEnd', { ...channel, Digit: '5', DurationMs: '120', Direction: 'Sent' }, { type: 'digit', direction: 'tx' }],
    [
      'Hangup',
      { ...channel, Cause: '16', 'Cause-txt': 'Normal Clearing' },
      { type: 'hangup', cause: 16, causeText: 'Normal Clearing' },
    ],
    [
      'BridgeEnter',
      { ...channel, BridgeUniqueid: 'b', BridgeTechnology: 'softmix' },
      { type: 'bridge-enter', bridgeId: 'b', bridgeTechnology: 'softmix' },
    ],
    [
      'Rename',
      { Channel: 'x', Newname: 'PJSIP/b-2', Uniqueid: '1.1' },
      { type: 'rename', uniqueid: '1.1', newName: 'PJSIP/b-2' },
    ],
    [
      'LocalBridge',
      { LocalOneUniqueid: '1', LocalTwoUniqueid: '2' },
      { type: 'local-bridge', oneUniqueid: '1', twoUniqueid: '2' },
    ],
  ])('%s', (name, headers, event) => {
    expect(readPbxEvent(message({ Event: name, ...headers }), 5)).toMatchObject({ ...event, atMs: 5 });
    expect(readPbxEvent(message({ Event: name }), 5)).toBe('malformed');
  });

  test('DialBegin says who was dialled, unless nobody dialled it', () => {
    const dial = { Event: 'DialBegin', DestChannel: 'PJSIP/b-2', DestUniqueid: '1.2', DestLinkedid: '1.0' };
    expect(readPbxEvent(message({ ...dial, ...channel }), 5)).toMatchObject({
      type: 'dial',
      atMs: 5,
      channel: { uniqueid: '1.1' },
      dialledUniqueid: '1.2',
    });
    // Originate.
    expect(readPbxEvent(message(dial), 5)).toBeUndefined();
    expect(readPbxEvent(message({ ...dial, ...channel, DestUniqueid: '' }), 5)).toBe('malformed');
  });

  test('what we have no use for, and a response', () => {
    expect(readPbxEvent(message({ Event: 'DialState', ...channel }), 5)).toBeUndefined();
    expect(readPbxEvent(message({ Response: 'Success' }), 5)).toBeUndefined();
  });

  test('a channel that exists, with age, bridge and codecs', () => {
    const row = { Event: 'Status', ...channel, BridgeID: 'b-1', Nativeformats: '(g722)', Seconds: '61' };
    expect(readExistingChannel(message(row))).toEqual({
      uniqueid: '1.1',
      linkedid: '1.0',
      name: 'PJSIP/a-1',
      stateNumber: 6,
      bridgeId: 'b-1',
      ageS: 61,
      codecs: { rx: 'g722', tx: 'g722' },
    });
    for (const [application, linkedid, isDialled] of [
      ['AppDial', '1.0', true],
      ['AppQueue', '1.0', true],
      ['AppDial2', '1.1', undefined],
      ['Dial', '1.0', undefined],
    ] as const) {
      const listed = readExistingChannel(message({ ...row, Application: application, Linkedid: linkedid }));
      expect(listed?.isDialled).toBe(isDialled);
    }
    expect(readExistingChannel(message({ Event: 'StatusComplete' }))).toBeUndefined();
  });
});

describe('states of endpoints', () => {
  test.each([
    ['PJSIP/alice', { type: 'endpoint-state', atMs: 77, endpoint: 'PJSIP/alice', state: 'UNAVAILABLE' }],
    ['DAHDI/i1/4930', { type: 'endpoint-state', atMs: 77, endpoint: 'DAHDI/i1/4930', state: 'UNAVAILABLE' }],
    ['Local/600@queue', undefined],
    ['Queue:sales_avail', undefined],
    ['Custom:night', undefined],
    ['', 'malformed'],
  ])('of %s', (device, event) => {
    const headers = { Event: 'DeviceStateChange', Privilege: 'call,all', Device: device, State: 'UNAVAILABLE' };
    expect(readPbxEvent(message(headers), 77)).toEqual(event);
  });
});

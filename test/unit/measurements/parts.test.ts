import { describe, expect, it } from 'vitest';
import { checkDocument } from '../../../src/measurements/format/check.ts';
import { courseMark, coursePoint, thinned } from '../../../src/measurements/format/course.ts';
import type { CoursePoint } from '../../../src/measurements/format/document.ts';
import { readUserAgent } from '../../../src/wire/user-agent.ts';
import { knownDevice } from '../../../src/measurements/format/device.ts';
import { joinSegments } from '../../../src/measurements/format/join.ts';
import { framed, MOST_FILE_BYTES, recipientsOf, splitSegments } from '../../../src/measurements/format/segments.ts';
import { channelRecord, streamRecord } from '../history/records.ts';
import { legOf } from './documents.ts';

function points(direction: 'rx' | 'tx', many: number): CoursePoint[] {
  return Array.from({ length: many }, (_, index) => ({
    direction,
    at_s: index * 5,
    mes: 4,
    loss_percent: 0,
    jitter_ms: 1,
    rtt_ms: 2,
  }));
}

describe('the course of a call', () => {
  it('has the loss since the last point, and no point while no report came', () => {
    const first = streamRecord({ reports: 1, packetsExpected: 250, packetsLost: 0, lossPercent: 0 });
    const second = streamRecord({ reports: 2, packetsExpected: 500, packetsLost: 25, lossPercent: 5 });
    expect(coursePoint(first, undefined, 5.2)).toMatchObject({
      direction: 'rx',
      at_s: 5,
      loss_percent: 0,
      rtt_ms: 101.5,
    });
    // 25 of the 250 since then, not of all 500.
    expect(coursePoint(second, courseMark(first), 10)).toMatchObject({ at_s: 10, loss_percent: 10 });
    expect(coursePoint(second, courseMark(second), 15)).toBeNull();
    expect(coursePoint(streamRecord({ packetsExpected: null }), undefined, 5)).toMatchObject({ loss_percent: null });
  });

  it('has at most 30 points a direction, the first and the last of them, in order of time', () => {
    const course = thinned([...points('rx', 721), ...points('tx', 7)]);
    const rx = course.filter(({ direction }) => direction === 'rx');
    expect(rx).toHaveLength(30);
    expect([rx[0]?.at_s, rx.at(-1)?.at_s]).toEqual([0, 3600]);
    expect(course.filter(({ direction }) => direction === 'tx')).toHaveLength(7);
    expect(course.map(({ at_s }) => at_s)).toEqual(course.map(({ at_s }) => at_s).sort((a, b) => a - b));
  });

  it('is joined of all segments and says what there was no room for; the largest document is far below 64 KB', () => {
    const leg = legOf(channelRecord('1.1', { streams: [streamRecord(), streamRecord({ direction: 'tx' })] }));
    const joined = joinSegments([
      { ...leg, is_whole: false, course: points('rx', 30) },
      { ...leg, mes: 2, course: points('rx', 30).map((point) => ({ ...point, at_s: point.at_s + 150 })) },
    ]);
    expect(joined).toMatchObject({ mes: 2, is_whole: true, points_left_out: 30 });
    expect(() => joinSegments([leg, { ...leg, call: 'a'.repeat(32) }])).toThrow('its segments are of different calls');
    const largest = { ...leg, course: [...points('rx', 30), ...points('tx', 30)] };
    expect(checkDocument(JSON.parse(JSON.stringify(largest)))).toEqual(largest);
    expect(JSON.stringify(largest).length * 3).toBeLessThan(MOST_FILE_BYTES);
  });
});

/** As Debian's age 1.1.1 writes it for two recipients, with 16 bytes of nonce and a payload after it. */
const STANZA = `-> X25519 ${'A'.repeat(43)}\n${'B'.repeat(43)}\n`;
const MAC = `--- ${'C'.repeat(43)}\n`;
const AGE = `age-encryption.org/v1\n${STANZA}${STANZA}${MAC}0123456789abcdefpayload`;

describe('the file of a call', () => {
  const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

  it('is read up to the first segment that is cut or is none', () => {
    const segment = framed(bytes(AGE));
    expect([...segment.subarray(0, 4)]).toEqual([0, 0, AGE.length >> 8, AGE.length & 0xff]);
    const file = new Uint8Array([...segment, ...segment, ...segment.subarray(0, 100)]);
    expect(splitSegments(file)).toMatchObject({ segments: [bytes(AGE), bytes(AGE)], tornBytes: 100 });
    expect(splitSegments(bytes(AGE))).toEqual({ segments: [bytes(AGE)], tornBytes: 0 });
    expect(splitSegments(bytes('no age file at all'))).toEqual({ segments: [], tornBytes: 18 });
    expect(splitSegments(new Uint8Array([0, 0, 0, 3, 1, 2, 3]))).toEqual({ segments: [], tornBytes: 7 });
    expect(splitSegments(new Uint8Array())).toEqual({ segments: [], tornBytes: 0 });
  });

  it('says by its header for how many it is, and is refused when it is for others as well', () => {
    expect(recipientsOf(bytes(AGE))).toBe(2);
    expect(recipientsOf(bytes(AGE.replace(STANZA, '')))).toBe(1);
    expect(recipientsOf(bytes(AGE.replace(STANZA, '-> scrypt AAAA 18\nBBBB\n')))).toBeNull();
    expect(recipientsOf(bytes(AGE.replaceAll(STANZA, '')))).toBeNull();
    expect(recipientsOf(bytes(AGE.replace(MAC, '---\n')))).toBeNull();
    expect(recipientsOf(bytes(`age-encryption.org/v1\n${'-> X25519 '.repeat(900)}`))).toBeNull();
    expect(recipientsOf(bytes('PK\u0003\u0004 a zip file, which is no age file'))).toBeNull();
  });
});

describe('the device', () => {
  it.each([
    ['Yealink SIP-T46S 66.85.0.5', { make: 'yealink', model: 't46s', firmware: '66.85.0.5' }],
    ['snomD785/10.1.64.14', { make: 'snom', model: 'd785', firmware: '10.1.64.14' }],
    ['Grandstream GXP2170 1.0.11.64', { make: 'grandstream', model: 'gxp2170', firmware: '1.0.11.64' }],
    ['PolycomVVX-VVX_411-UA/5.9.0.9373', { make: 'polycom', model: 'vvx-411', firmware: '5.9.0.9373' }],
    ['Cisco/SPA504G-7.6.2', { make: 'cisco', model: 'spa504g', firmware: '7.6.2' }],
    ['Linphone/5.2.3 (Annas-Laptop) LinphoneSDK/5.3', { make: 'linphone', model: null, firmware: '5.2.3' }],
    ['baresip v1.0.0 (x86_64/linux)', { make: 'baresip', model: null, firmware: '1.0.0' }],
    ['Linphone on 192.168.17.20', { make: 'linphone', model: null, firmware: null }],
    ['Asterisk PBX 22.9.0', { make: 'asterisk', model: null, firmware: '22.9.0' }],
    ['Yealink T46S 805ec0123456 of +4915550100', { make: 'yealink', model: 't46s', firmware: null }],
    ['Annas eigenes Telefon 1.2.3', null],
    ['', null],
  ])('of %j is cut to what many have', (userAgent, known) => {
    expect(knownDevice(readUserAgent(userAgent))).toEqual(known);
  });
});

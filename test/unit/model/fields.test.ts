import { describe, expect, test } from 'vitest';
import { shapeOf } from '../../../src/api/answers/json.ts';
import { eventHider } from '../../../src/app/numbers/event-hider.ts';
import type { PbxEvent } from '../../../src/model/event.ts';
import { CALL_FIELDS } from '../../../src/model/fields/call-fields.ts';
import { CHANNEL_FIELDS } from '../../../src/model/fields/channel-fields.ts';
import type { Fields, JsonOf } from '../../../src/model/fields/field.ts';
import { INTERVAL_FIELDS } from '../../../src/model/fields/interval-fields.ts';
import {
  BUCKET_QUALITY_FIELDS,
  ENDPOINT_QUALITY_FIELDS,
  HALF_QUALITY_FIELDS,
} from '../../../src/model/fields/quality-fields.ts';
import { SEGMENT_FIELDS, STREAM_FIELDS } from '../../../src/model/fields/stream-fields.ts';
import { Script } from '../calls/script.ts';

const TABLES: Readonly<Record<string, Fields>> = {
  calls: CALL_FIELDS,
  channels: CHANNEL_FIELDS,
  streams: STREAM_FIELDS,
  segments: SEGMENT_FIELDS,
  intervals: INTERVAL_FIELDS,
  endpoints: ENDPOINT_QUALITY_FIELDS,
  buckets: BUCKET_QUALITY_FIELDS,
  halves: HALF_QUALITY_FIELDS,
};
const ALL = Object.entries(TABLES).flatMap(([table, fields]) =>
  Object.entries(fields).map(([property, field]) => ({ place: `${table}.${property}`, property, ...field })),
);

describe('the tables of fields', () => {
  test('give each property the name in JSON that the compiler gives it', () => {
    // The compiler refuses a key that `JsonOf` has not, and the lack of one that it has.
    const ofCall: Readonly<Record<keyof JsonOf<typeof CALL_FIELDS>, true>> = {
      linkedid: true,
      started_at: true,
      ended_at: true,
      mes: true,
      mes_min: true,
      verdict: true,
      profile: true,
      version: true,
      fault_place: true,
      fault_certainty: true,
      fault_reports: true,
      fault_why: true,
      ended_by: true,
      ended_by_uniqueid: true,
    };
    expect(Object.keys(shapeOf(CALL_FIELDS)).sort()).toEqual(Object.keys(ofCall).sort());
    const difficult: readonly (keyof JsonOf<typeof INTERVAL_FIELDS>)[] = [
      'at',
      'began_at',
      'lsr_ntp32',
      'fraction_lost_q8',
      'native_mes_100',
      'r_value',
    ];
    expect(Object.keys(shapeOf(INTERVAL_FIELDS))).toEqual(expect.arrayContaining([...difficult]));
    const ofStream = Object.keys(shapeOf(STREAM_FIELDS));
    expect(ofStream).toEqual(expect.arrayContaining(['mes_100', 'r_lq', 'lost_packets_per_report_mean']));
    expect(ofStream.filter((name) => ['idle_reports', 'unknown_since', 'capture', 'mes_min'].includes(name))).toEqual(
      [],
    );
  });

  test('say the unit that the name ends in, and what each field means', () => {
    expect(ALL.length).toBeGreaterThan(150);
    const units = [
      [/Percent$/, '%'],
      [/Hz$/, 'Hz'],
      [/^dlsrS$|NtpS$/, 's'],
      [/100$/, 'of 100'],
      [/Ticks$/, 'ticks'],
    ] as const;
    const wrong = ALL.filter(({ property, kind, unit }) => {
      const wanted = units.find(([ending]) => ending.test(property))?.[1];
      if (/(?:^at|At|Since)Ms$/.test(property)) return kind !== 'moment';
      if (property.endsWith('Ms')) return unit !== 'ms';
      return kind === 'moment' || unit === 'ms' || (wanted !== undefined && unit !== wanted);
    });
    expect(wrong.map(({ place }) => place)).toEqual([]);
    expect(ALL.filter(({ means }) => means.length < 8 || means.endsWith('.')).map(({ place }) => place)).toEqual([]);
  });

  test('mark as personal what shows a number that somebody dials or sends, and that is hidden as set', () => {
    const NUMBER = '4915550123456';
    const channel = {
      uniqueid: '1.1',
      linkedid: '1.1',
      name: `PJSIP/${NUMBER}-00000001`,
      stateNumber: 6,
      callerNumber: NUMBER,
      callerName: `Erika ${NUMBER}`,
      connectedNumber: NUMBER,
      connectedName: `Max ${NUMBER}`,
      exten: NUMBER,
    };
    const up: PbxEvent = { type: 'channel', atMs: 1_700_000_000_000, channel };
    const hangup: PbxEvent = {
      type: 'hangup',
      atMs: 1_700_000_009_000,
      channel,
      cause: 16,
      causeText: 'Normal Clearing',
    };
    const showing = (numbers: 'clear' | 'masked'): string[] => {
      const hide = eventHider({ numbers, numbersKey: null });
      const script = new Script();
      for (const event of [up, hangup]) script.board.handle(hide(event));
      const record = Object.entries(script.channel('1.1'));
      return record.filter(([, value]) => JSON.stringify(value).includes(NUMBER)).map(([property]) => property);
    };
    const personal = Object.entries(CHANNEL_FIELDS).filter(([, { isPersonal }]) => isPersonal);
    expect(showing('clear').sort()).toEqual(personal.map(([property]) => property).sort());
    expect(showing('masked')).toEqual([]);
    expect(personal).toHaveLength(7);
  });
});

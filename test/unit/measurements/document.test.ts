import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ChannelRecord, StreamRecord } from '../../../src/model/record.ts';
import type { Rating } from '../../../src/model/people/rating.ts';
import { checkDocument } from '../../../src/measurements/format/check.ts';
import { ratingDocument } from '../../../src/measurements/format/document.ts';
import { capturedMedia, captureRecord, channelRecord, START_MS, streamRecord } from '../history/records.ts';
import { CALL, legOf, SENDER } from './documents.ts';

/** Texts that a call could bring along and that no measurement may hold; long enough not to be there by chance. */
const NUMBER = fc.stringMatching(/^\+?[0-9]{9,15}$/);
const NAME = fc.stringMatching(/^[A-Z][a-z]{5,10} [A-Z][a-z]{5,12}$/);
const HOST = fc.stringMatching(/^[a-z]{4,8}[0-9]{2}\.[a-z]{5,8}\.example$/);
const ADDRESS = fc.tuple(fc.ipV4(), fc.integer({ min: 10_000, max: 65_535 })).map(([ip, port]) => `${ip}:${port}`);
const ID = fc.stringMatching(/^1[0-9]{9}\.[0-9]{3,6}$/);
const CALL_ID = fc.stringMatching(/^[0-9a-f]{16}@[a-z]{6,9}\.example$/);
const SECRETS = fc.record({
  caller: NUMBER,
  connected: NUMBER,
  exten: NUMBER,
  callerName: NAME,
  connectedName: NAME,
  host: HOST,
  source: ADDRESS,
  destination: ADDRESS,
  linkedid: ID,
  uniqueid: ID,
  peer: ID,
  callId: CALL_ID,
  user: fc.stringMatching(/^[a-z]{7,12}[0-9]{2}$/),
  isMakeKnown: fc.boolean(),
});
type Secrets = typeof SECRETS extends fc.Arbitrary<infer Value> ? Value : never;

/** A channel that carries them wherever a text can be, also where Asterisk would not put one. */
function channelWith(secrets: Secrets): ChannelRecord {
  const { source, destination, host, user, callId } = secrets;
  const stream = (part: Partial<StreamRecord>): StreamRecord =>
    streamRecord({
      why: `${secrets.caller} at ${host} lost packets`,
      nativeWhy: callId,
      codec: user,
      capture: captureRecord({ media: capturedMedia({ source, destination, codec: callId }) }),
      ...part,
    });
  return channelRecord(secrets.uniqueid, {
    linkedid: secrets.linkedid,
    name: `PJSIP/${user}-${callId}`,
    endpoint: `PJSIP/${user}`,
    callerNumber: secrets.caller,
    callerName: secrets.callerName,
    connectedNumber: secrets.connected,
    connectedName: secrets.connectedName,
    exten: secrets.exten,
    bridgeId: callId,
    peerUniqueid: secrets.peer,
    hangupCauseText: host,
    codec: host,
    endedAtMs: START_MS + 61_500,
    sipCallId: callId,
    device: `Yealink ${user} ${source}`,
    site: host,
    deviceDetails: {
      make: secrets.isMakeKnown ? 'Yealink' : secrets.callerName,
      model: user,
      firmware: source,
      transport: 'tls',
      address: source.replace(/:.*/, ''),
      isBehindNat: true,
      networkKind: 'wifi',
      localMedia: destination,
      remoteMedia: source,
    },
    streams: [stream({}), stream({ direction: 'tx', reporter: 'remote' })],
  });
}

function expectNone(text: string, secrets: Secrets): void {
  for (const [name, secret] of Object.entries(secrets)) {
    if (typeof secret !== 'string') continue;
    for (const part of [secret, ...secret.split(/[ @:]/).filter((piece) => piece.length > 5)]) {
      expect(text.toLowerCase().includes(part.toLowerCase()) ? name : '').toBe('');
    }
  }
}

describe('a measurement', () => {
  it('holds no number, name, address, host, channel name or Call-ID of its call, whatever they are', () => {
    fc.assert(
      fc.property(SECRETS, (secrets) => {
        const leg = legOf(channelWith(secrets), {
          release: secrets.host,
          asteriskVersion: `${secrets.callId} by ${secrets.host}`,
          load: 2,
          memory: null,
        });
        expectNone(JSON.stringify(leg), secrets);
        expect(leg).toMatchObject({ network: 'wifi', transport: 'tls', device_model: null, device_firmware: null });
        expect(checkDocument(JSON.parse(JSON.stringify(leg)))).toEqual(leg);
        const rating: Rating = {
          id: secrets.callId,
          linkedid: secrets.linkedid,
          uniqueid: secrets.uniqueid,
          endpoint: `PJSIP/${secrets.user}`,
          side: 'caller',
          score: 2,
          issues: ['echo_of_me'],
          answers: [
            { question: `${secrets.caller} ${secrets.host}`, version: 1, answer: true },
            { question: 'was_it_late', version: 3, answer: false },
          ],
          comment: `call me at ${secrets.connected}, ${secrets.callerName}`,
          source: 'ivr',
          asked: true,
          weight: 20,
          atMs: START_MS,
        };
        const said = ratingDocument(rating, { sender: SENDER, call: CALL });
        expectNone(JSON.stringify(said), secrets);
        expect(said.answers).toEqual([{ question: 'was_it_late', version: 3, answer: false }]);
        expect(checkDocument(JSON.parse(JSON.stringify(said)))).toEqual(said);
      }),
      { numRuns: 200 },
    );
  });

  it('tells the time to the hour, the duration in steps of 10 s, and load in coarse steps', () => {
    const at = Date.UTC(2026, 10, 30, 15, 59, 59, 999);
    const times = { startedAtMs: at, answeredAtMs: at, endedAtMs: at + 64_900 };
    const place = { networkKind: 'mobile', country: 'DE', asn: 64_496 } as const;
    const name = { make: 'Yealink', model: 'SIP-T46S', firmware: '66.85.0.5' };
    const deviceDetails = { ...name, transport: 'udp', address: '192.0.2.9', isBehindNat: null, ...place } as const;
    const leg = legOf(channelRecord('1.1', { ...times, deviceDetails }));
    expect(leg).toMatchObject({
      hour: '2026-11-30T15:00Z',
      duration_s: 60,
      asterisk: '22.9',
      technology: 'pjsip',
      load_percent: '25-50',
      memory_percent: '75-100',
      device_make: 'yealink',
      device_model: 't46s',
      device_firmware: '66.85.0.5',
      transport: 'udp',
      network: 'mobile',
      country: 'DE',
      asn: 64_496,
    });
    // Nothing finer than the hour stands anywhere else.
    expect(JSON.stringify(leg)).not.toMatch(/15:59|1764518399|\d{13}/);
  });

  it('has the values of the record, and null where nothing is known', () => {
    const [stream] = legOf(channelRecord('1.1', { streams: [streamRecord({ capture: captureRecord() })] })).streams;
    // By hand: 23 of 50 packets lost in bursts, 1 of 590 between them.
    expect(stream).toMatchObject({
      direction: 'rx',
      codec: 'ulaw',
      packets_expected: 600,
      packets_lost: 12,
      loss_percent: 2,
      rtt_ms: 100.3,
      rtt_max_ms: 104.1,
      jitter_ms: null,
      burst_density_percent: 46,
      gap_density_percent: 0.17,
      burst_duration_ms: 500,
      out_of_order: 2,
      fills: 6,
      longest_loss_ms: 180,
    });
    const bare = legOf(channelRecord('1.1', { answeredAtMs: null, mes: null, codec: null, streams: [streamRecord()] }));
    expect(bare).toMatchObject({ duration_s: null, mes: null, codec: null });
    expect(bare.streams[0]).toMatchObject({ discard_percent: null, fills: null, arrival_histogram: null });
  });
});

function outcomeOf(value: unknown): string {
  try {
    checkDocument(value);
    return 'taken';
  } catch (error) {
    return (error as Error).constructor.name;
  }
}

describe('the check of a document', () => {
  const leg = legOf(channelRecord('1.1'));
  const altered = (change: object): unknown => JSON.parse(JSON.stringify({ ...leg, ...change }));

  it('takes what was built, and older ones that lack optional fields', () => {
    const { asn: _, ...older } = leg;
    expect(checkDocument(JSON.parse(JSON.stringify(older)))).toEqual(leg);
  });

  it.each([
    ['a field that is not in the table', { caller: '100' }, 'the document has a field that is not known'],
    ['a score out of range', { mes: 5 }, 'mes is not allowed; it is 0-4.5'],
    ['a number as a text', { mes: '4.2' }, 'mes is not allowed; it is 0-4.5'],
    ['no installation', { installation: null }, 'installation is missing'],
    ['minutes', { hour: '2026-11-30T15:30Z' }, 'hour is not allowed; it is a date and an hour, UTC'],
    ['another schema', { schema: 2 }, 'schema is not allowed; it is 1'],
    [
      'three directions',
      { streams: [...leg.streams, ...leg.streams, ...leg.streams] },
      'streams has more than 2 entries',
    ],
    [
      'a strange field of a stream',
      { streams: [{ ...leg.streams[0], ssrc: 1 }] },
      'streams[0]. has a field that is not known',
    ],
    [
      'a histogram with a fraction',
      { streams: [{ ...leg.streams[0], arrival_histogram: [0.5] }] },
      'streams[0].arrival_histogram is not allowed; it is at most 30 of: a count',
    ],
    [
      'a course without end',
      { course: Array.from({ length: 61 }, () => ({ direction: 'rx', at_s: 1 })) },
      'course has more than 60 entries',
    ],
    ['a list in place of the document', [leg], null],
  ])('refuses %s', (_, change, sentence) => {
    const value = Array.isArray(change) ? change : altered(change);
    expect(() => checkDocument(value)).toThrow(sentence ?? 'the document is no JSON object');
  });

  it('says only what it expects of any value, and never throws anything else', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.jsonValue(), fc.dictionary(fc.constantFrom(...Object.keys(leg)), fc.jsonValue())),
        (value) => {
          expect(['taken', 'MeasurementError']).toContain(outcomeOf(value));
        },
      ),
    );
  });
});

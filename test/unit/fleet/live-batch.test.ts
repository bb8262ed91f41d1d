import { describe, expect, test } from 'vitest';
import { BatchError } from '../../../src/fleet/batch.ts';
import { MOST_CHANNELS, readLiveBatch, writeLiveBatch } from '../../../src/fleet/live/live-batch.ts';
import { liveChannelOf } from '../../../src/fleet/read/records.ts';
import { channelRecord, START_MS, streamRecord } from '../history/records.ts';

const NOW_MS = START_MS + 60_000;
const SAID_MS = NOW_MS - 700;

const up = channelRecord('1.2', {
  linkedid: '1.1',
  endedAtMs: null,
  mes: 4.123_456,
  streams: [streamRecord(), streamRecord({ direction: 'tx', mes: null, verdict: 'no-rtcp' })],
});

describe('a batch of what is up', () => {
  test('comes back as it was sent, with the time of whom it goes through', () => {
    const rows = readLiveBatch(
      writeLiveBatch({ atMs: SAID_MS, channelsUp: 7, channels: [up], ended: ['1.9'] }),
      NOW_MS,
    );
    expect(rows.map(({ kind, version, callStartedAtMs }) => [kind, version, callStartedAtMs])).toEqual([
      ['live', SAID_MS, NOW_MS],
      ['live', SAID_MS, NOW_MS],
      ['live_pbxs', SAID_MS, NOW_MS],
    ]);
    expect(rows[0]?.cells).toMatchObject({ uniqueid: '1.2', linkedid: '1.1', mes: 4.123_456, at_ms: SAID_MS });
    expect(rows[0]?.cells).not.toHaveProperty('ended_at_ms');
    expect(rows[1]?.cells).toEqual({ uniqueid: '1.9', ended_at_ms: SAID_MS, at_ms: SAID_MS });
    expect(rows[2]?.cells).toEqual({ channels_up: 7, at_ms: SAID_MS });
    expect(liveChannelOf(String(rows[0]?.cells['cells']), 'ulm')).toEqual({ ...up, pbx: 'ulm' });
  });

  test('of a newer PBX loses only what this gateway does not know', () => {
    const unknown = new Set<string>();
    const text = writeLiveBatch({ atMs: SAID_MS, channelsUp: 1, channels: [up], ended: [] });
    const newer = text.replace('"uniqueid"', '"warmth":3,"uniqueid"').replace('"at_ms"', '"mood":"calm","at_ms"');
    const [row] = readLiveBatch(newer, NOW_MS, unknown);
    expect([...unknown]).toEqual(['warmth']);
    expect(String(row?.cells['cells'])).not.toContain('warmth');
  });

  const batch = (part: object): string =>
    JSON.stringify({ at_ms: SAID_MS, channels_up: 1, channels: [], ended: [], ...part });
  const channel = { uniqueid: '1.2', linkedid: '1.1', endpoint: 'a', started_at_ms: START_MS, streams: [] };

  test.each<[string, RegExp]>([
    ['{', /^it is no JSON; was the request cut short\?$/],
    ['[]', /^it is no object$/],
    [batch({ pbx: 'other' }), /^a batch may not say its pbx; the token does$/],
    [batch({ channels: [{ ...channel, pbx: 'other' }] }), /^channel 1: a row may not say its pbx; the token does$/],
    [batch({ at_ms: NOW_MS + 366 * 86_400_000 }), /set the PBX's clock$/],
    [batch({ at_ms: NOW_MS - 366 * 86_400_000 }), /set the PBX's clock$/],
    [batch({ channels_up: -1 }), /^channels_up is no whole number$/],
    [batch({ channels: {} }), /^channels or ended is no list$/],
    [batch({ ended: [4] }), /^ended has something that is no uniqueid$/],
    [batch({ ended: ['x'.repeat(201)] }), /^ended has something that is no uniqueid$/],
    [batch({ channels: [channel, { ...channel, mes: 'good' }] }), /^channel 2: mes is no number$/],
    [
      batch({ channels: [{ ...channel, streams: [{ direction: 'up' }] }] }),
      /^channel 1: direction is neither rx nor tx$/,
    ],
    [batch({ channels: [{ ...channel, uniqueid: undefined }] }), /^channel 1: uniqueid is missing$/],
    [
      batch({ channels: [{ ...channel, streams: Array.from({ length: 9 }, () => ({})) }] }),
      /^channel 1: streams is no short list$/,
    ],
    [
      batch({ channels: Array.from({ length: MOST_CHANNELS + 1 }, () => channel) }),
      /^more than 500 channels; send them in parts$/,
    ],
  ])('%.60s is refused as a whole, in one sentence', (text, sentence) => {
    expect(() => readLiveBatch(text, NOW_MS)).toThrow(BatchError);
    expect(() => readLiveBatch(text, NOW_MS)).toThrow(sentence);
  });
});

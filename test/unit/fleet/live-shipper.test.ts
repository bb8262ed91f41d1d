import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from 'vitest';
import { LiveShipper } from '../../../src/fleet/live/live-shipper.ts';
import { channelRecord, START_MS } from '../history/records.ts';

interface Sent {
  readonly at_ms: number;
  readonly channels_up: number;
  readonly channels: readonly { readonly uniqueid: string }[];
  readonly ended: readonly string[];
}

describe('what is up, on its way to the gateway', () => {
  const stops: (() => void)[] = [];
  afterEach(() => {
    for (const stop of stops.splice(0)) stop();
  });

  /** A gateway that answers with these, one after the other, the last one again and again. */
  async function shipperTo(answers: readonly number[], channels: number) {
    const sent: Sent[] = [];
    const server = createServer((request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        sent.push(JSON.parse(gunzipSync(Buffer.concat(parts)).toString()) as Sent);
        response.statusCode = answers[Math.min(sent.length, answers.length) - 1] ?? 200;
        response.end('{}');
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    stops.push(() => server.close());
    const address = server.address();
    const uniqueids = Array.from({ length: channels }, (_, n) => `u${n}`);
    const shipper = new LiveShipper({
      url: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
      token: 'secret',
      site: null,
      everyMs: 0,
      live: {
        liveCount: channels,
        liveUniqueids: () => uniqueids,
        liveChannel: (uniqueid) => channelRecord(uniqueid, { endedAtMs: null, streams: [] }),
      },
    });
    stops.push(() => void shipper.stop());
    /** Ticks until so many batches were answered. */
    const ticks = async (answered: number): Promise<void> => {
      await expect
        .poll(
          () => {
            shipper.tick(START_MS);
            const { live_batches: taken = 0, live_failed: failed = 0 } = shipper.counters;
            return taken + failed;
          },
          { timeout: 20_000, interval: 2 },
        )
        .toBeGreaterThanOrEqual(answered);
    };
    return { shipper, sent, ticks };
  }

  test('is all of it where it is little, with what ended, and each batch is of a later moment', async () => {
    const { shipper, sent, ticks } = await shipperTo([200], 3);
    shipper.channelEnded({ uniqueid: 'u9' });
    await ticks(2);
    expect(sent[0]).toMatchObject({ channels_up: 3, ended: ['u9'] });
    expect(sent[0]?.channels.map(({ uniqueid }) => uniqueid)).toEqual(['u0', 'u1', 'u2']);
    expect(sent[1]).toMatchObject({ channels_up: 3, ended: [] });
    // The clock stood still.
    expect(Number(sent[1]?.at_ms)).toBeGreaterThan(Number(sent[0]?.at_ms));
  });

  test('is a part at a time where it is much, and each comes in its turn', async () => {
    const { sent, ticks } = await shipperTo([200], 1500);
    await ticks(10);
    const first = sent.slice(0, 10);
    expect(first.map(({ channels }) => channels.length)).toEqual(Array.from({ length: 10 }, () => 150));
    expect(new Set(first.flatMap(({ channels }) => channels.map(({ uniqueid }) => uniqueid))).size).toBe(1500);
  });

  test.each([404, 503, 400])('which answers %i is left alone for a while, and nothing waits for it', async (status) => {
    const { shipper, sent, ticks } = await shipperTo([status], 3);
    shipper.channelEnded({ uniqueid: 'u9' });
    await ticks(1);
    for (let tick = 0; tick < 20; tick++) {
      shipper.tick(START_MS + tick * 1000);
      await sleep(2);
    }
    expect(sent).toHaveLength(1);
    expect(shipper.counters).toEqual({ live_batches: 0, live_failed: 1 });
  });
});

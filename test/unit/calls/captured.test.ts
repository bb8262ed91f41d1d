import { describe, expect, test } from 'vitest';
import type { CapturedMedia } from '../../../src/model/capture.ts';
import type { CaptureRecord } from '../../../src/model/capture.ts';
import { capturedMedia, packetTally, START_MS } from '../history/records.ts';
import { local, remote, reportBlock, Script } from './script.ts';

const ALICE = { name: 'PJSIP/alice-00000001' };

function captured(
  script: Script,
  direction: 'rx' | 'tx',
  open: CapturedMedia | null,
  closed: CapturedMedia | null = null,
): Script {
  script.board.handle({ type: 'captured', atMs: script.atMs, uniqueid: '1', direction, open, closed });
  return script;
}

function captureOf(script: Script, direction: 'rx' | 'tx'): CaptureRecord | null | undefined {
  return script.channel('1').streams.find((stream) => stream.direction === direction)?.capture;
}

/** Eight of a hundred lost in each of three reports. */
function lossyCall(direction: 'rx' | 'tx' = 'rx'): Script {
  const script = new Script().up('1', ALICE);
  for (const report of [1, 2, 3]) {
    const block = reportBlock(250 * report, 20 * report);
    script.wait(5).rtcp('1', direction === 'rx' ? local(block) : remote(block), ALICE);
  }
  return script;
}

describe('what was captured of a channel', () => {
  test('while a stream is open its latest word counts, and once it is closed it stays', () => {
    const script = new Script().up('1', ALICE);
    expect(captureOf(script, 'rx')).toBeNull();
    captured(script, 'rx', capturedMedia({ tally: packetTally({ packetsReceived: 10 }) }));
    captured(script, 'rx', capturedMedia({ tally: packetTally({ packetsReceived: 20 }) }));
    expect(captureOf(script, 'rx')?.media).toMatchObject({ streams: 1, tally: { packetsReceived: 20 } });
    captured(script, 'rx', null, capturedMedia({ tally: packetTally({ packetsReceived: 30 }) }));
    const later = packetTally({ packetsReceived: 5, firstAtMs: START_MS + 20_000, lastAtMs: START_MS + 30_000 });
    captured(script, 'rx', capturedMedia({ ssrc: 7, tally: later }));
    expect(captureOf(script, 'rx')?.media).toMatchObject({
      streams: 2,
      ssrc: 7,
      tally: { packetsReceived: 35, firstAtMs: START_MS, lastAtMs: START_MS + 30_000, longestLossMs: 180 },
    });
    expect(captureOf(script, 'tx')).toBeNull();
  });

  test('also after its hang-up, and through a restart of the sidecar', () => {
    const script = new Script().up('1', ALICE);
    captured(script, 'rx', capturedMedia({ tally: packetTally({ packetsReceived: 100 }) }));
    const stored = script.stored().findLast((change) => change.kind === 'channel');
    if (stored?.kind !== 'channel' || stored.resume === null) throw new Error('nothing to go on from');
    const again = new Script();
    again.board.restore([{ channel: stored.channel, resume: stored.resume.state, laterIntervals: [] }]);
    captured(again, 'rx', capturedMedia({ tally: packetTally({ packetsReceived: 50 }) }));
    captured(again, 'rx', capturedMedia({ tally: packetTally({ packetsReceived: 60 }) }));
    again.hangup('1', ALICE);
    captured(again, 'rx', null, capturedMedia({ tally: packetTally({ packetsReceived: 70 }) }));
    expect(captureOf(again, 'rx')?.media).toMatchObject({ streams: 2, tally: { packetsReceived: 170 } });
  });

  test('has a quality by its codec, its losses and how they lie', () => {
    const script = new Script().up('1', ALICE);
    captured(script, 'rx', capturedMedia());
    // G.107 with Ie = 0, Bpl = 10: 24 of 640 lost in 6 runs, so BurstR = 4 × (1 − 24/640).
    const ppl = 3.75;
    const rLq = 93.25 - (95 * ppl) / (ppl / (4 * (1 - ppl / 100)) + 10);
    expect(captureOf(script, 'rx')?.rLq).toBeCloseTo(rLq, 9);
    expect(captureOf(script, 'rx')?.roundTripMs).toBeNull();
    captured(script, 'rx', capturedMedia({ codec: null, payloadType: 96 }));
    expect(captureOf(script, 'rx')).toMatchObject({ rLq: null, mosLq: null });
    script.codecs('1', 'ulaw');
    expect(captureOf(script, 'rx')?.rLq).toBeCloseTo(rLq, 9);
  });

  test('moves with the clock, bursts and all', () => {
    const script = new Script().up('1', ALICE);

    captured(script, 'rx', null, capturedMedia());
    script.board.clockStepped(3_600_000);
    const hourLater = START_MS + 3_600_000;
    expect(captureOf(script, 'rx')?.media.tally).toMatchObject({
      firstAtMs: hourLater,
      burstMs: 1000,
      burstSpans: [
        { fromMs: hourLater + 2000, toMs: hourLater + 2380, packets: 20 },
        { fromMs: hourLater + 8000, toMs: hourLater + 8580, packets: 30 },
      ],
    });
  });

  test('of a channel that is not known is no news', () => {
    const script = new Script();
    captured(script, 'rx', capturedMedia());
    expect(script.stored()).toEqual([]);
  });
});

describe('why, with captured packets', () => {
  const whyOf = (script: Script, direction: 'rx' | 'tx'): string =>
    script.channel('1').streams.find((stream) => stream.direction === direction)?.why ?? '';
  const gaps = (lossRuns: number, longestLossRun: number): CapturedMedia => {
    const burstGap = { ...packetTally().burstGap, lossRuns, longestLossRun };
    return capturedMedia({ tally: packetTally({ burstGap, longestLossMs: longestLossRun * 20 }) });
  };

  test.each([
    ['in bursts', gaps(6, 9), 'was lost, in bursts (longest gap 180 ms); jitter was fine'],
    ['at random', gaps(23, 2), 'was lost, at random (longest gap 40 ms); jitter was fine'],
    ['all at once', gaps(1, 24), 'was lost, in one gap of 480 ms; jitter was fine'],
    [
      'packets that we missed ourselves tell nothing',
      { ...gaps(6, 9), droppedByKernel: 1 },
      'was lost; jitter was fine',
    ],
    ['nor do those from while we were not there', { ...gaps(6, 9), interruptions: 1 }, 'was lost; jitter was fine'],
  ])('%s', (_, media, words) => {
    expect(whyOf(captured(lossyCall(), 'rx', media), 'rx')).toBe(
      `8.0 % of the audio from PJSIP/alice ${words}; the round trip is not known.`,
    );
  });

  test('what left this server does not tell how it was lost on the way', () => {
    expect(whyOf(captured(lossyCall('tx'), 'tx', gaps(6, 9)), 'tx')).toMatch(
      /^8\.0 % of the audio to PJSIP\/alice was lost; /,
    );
  });
});

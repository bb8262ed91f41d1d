import { expect, test } from 'vitest';
import type { SenderInfo } from '../../../src/model/report.ts';
import { local, remote, reportBlock, Script } from './script.ts';

/** One every 20 ms. */
const PACKETS_PER_S = 50;
/** Reports of each end before the interruption, and after it. */
const BEFORE = 3;
const AFTER = 3;

interface Interruption {
  /** The pace of both ends' reports, and by how much of it each comes later than the call began. */
  readonly everyS: number;
  readonly ourPhase: number;
  readonly theirPhase: number;
  readonly fromS: number;
  readonly toS: number;
}

/** Packets that were sent by then, and those of them that the network took. */
function sentBy(atS: number): number {
  return Math.floor(atS * PACKETS_PER_S);
}

/** Plays a call whose audio to the phone is interrupted; gives what was counted as lost, late packets taken off, and what was. */
function play({ everyS, ourPhase, theirPhase, fromS, toS }: Interruption): { counted: number; lost: number } {
  const script = new Script().up('1').codecs('1', 'ulaw');
  const reports = Math.ceil(toS / everyS) + AFTER;
  const ours = Array.from({ length: reports }, (_, n) => ({ atS: (n + 1 + ourPhase) * everyS, isOurs: true }));
  const theirs = ours.map((_, n) => ({ atS: (n + 1 + theirPhase) * everyS, isOurs: false }));
  const beganAtMs = script.atMs;
  for (const { atS, isOurs } of [...ours, ...theirs].sort((one, other) => one.atS - other.atS)) {
    script.wait((beganAtMs + atS * 1000 - script.atMs) / 1000);
    const sent = sentBy(atS);
    const sender: SenderInfo = { ntpS: atS, rtpTicks: atS * 8000, sentPackets: sent, sentOctets: sent * 160 };
    if (isOurs) {
      script.rtcp('1', local(reportBlock(sent, 0, { sourceSsrc: 0xa }), { sender }));
      continue;
    }
    // What the phone misses it knows when the next packet comes.
    const isIn = atS >= fromS && atS < toS;
    const highest = isIn ? sentBy(fromS) : sent;
    const missing = atS < toS ? 0 : sentBy(toS) - sentBy(fromS);
    script.rtcp('1', remote(reportBlock(highest, missing, { sourceSsrc: 0xb }), { rttMs: 20, sender }));
  }
  const tx = script.intervals('1', 'tx');
  const counted = tx.reduce((sum, { packetsLost, latePackets }) => sum + (packetsLost ?? 0) - (latePackets ?? 0), 0);
  return { counted, lost: sentBy(toS) - sentBy(fromS) };
}

const PHASES = [0, 0.1, 0.35, 0.6, 0.85];

test.each([
  { everyS: 1, seconds: 1.5 },
  { everyS: 1, seconds: 5.5 },
  { everyS: 5, seconds: 8 },
  { everyS: 5, seconds: 27 },
])('audio that is interrupted for $seconds s is lost once, whenever the reports come (every $everyS s)', (of) => {
  const wrong: string[] = [];
  for (const ourPhase of PHASES) {
    for (const theirPhase of PHASES) {
      for (const phase of PHASES) {
        const fromS = (BEFORE + phase) * of.everyS;
        const { counted, lost } = play({
          ...of,
          ourPhase,
          theirPhase: theirPhase + 0.02,
          fromS,
          toS: fromS + of.seconds,
        });
        // The shares of dead intervals are rounded.
        if (Math.abs(counted - lost) > 2) wrong.push(`${ourPhase} ${theirPhase} ${phase}: ${counted} of ${lost}`);
      }
    }
  }
  expect(wrong).toEqual([]);
});

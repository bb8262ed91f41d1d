import { expect, test, vi } from 'vitest';
import { AmiEventSession } from '../../src/asterisk/ami/ami-event-session.ts';
import { atPace, readRecording, withoutSenders } from '../lab/recording.ts';
import { SimulatedAsterisk } from '../lab/simulated-asterisk.ts';
import { Script } from '../unit/calls/script.ts';

const CUTS = 100;
const CALLS = 10;
/** The calls go on so many times as fast as they were recorded, and so does the clock: no call has more packets a second than 50. */
const SPEED = 10;
/** The clock of calls and session goes on by so much at a time, and stands still while a busy machine lets neither work. */
const STEP_MS = 2;

/** A busy machine may need a while. */
function soon(check: () => void): Promise<void> {
  return vi.waitFor(check, { timeout: 60_000, interval: 2 });
}

test('AMI cut 100 times in the middle of calls: each report counts once, what was missed is covered, and all calls end', async () => {
  let clockMs = 0;
  const clock = setInterval(() => (clockMs += STEP_MS), STEP_MS);
  const asterisk = await SimulatedAsterisk.start(() => clockMs);
  const script = new Script();
  const startedAtMs = Date.now();
  const session = new AmiEventSession({
    connection: asterisk.connection,
    onEvent: (event) => script.board.handle(event),
    onState: () => {},
    nowMs: () => startedAtMs + SPEED * clockMs,
    random: () => 0,
    backOff: { minMs: 2, maxMs: 10 },
  });
  try {
    session.start();
    await soon(() => expect(session.counters.events).toBe(1));
    // Twenty reports a second of each leg: nearly every cut is between two reports of some, and many miss one.
    const pace = { reportEveryMs: 1000 / SPEED, callMs: 60_000 };
    const recording = atPace(withoutSenders(readRecording('22-lossy-call')), pace);
    const handles = process.getActiveResourcesInfo().length;
    for (let cut = 1; cut <= CUTS; cut++) {
      // The recording has reports for four seconds at this pace.
      if (cut % 25 === 1) for (let call = 0; call < CALLS; call++) asterisk.startCall(recording);
      const { reports } = script.board.counters;
      await soon(() => expect(script.board.counters.reports).toBeGreaterThan(reports));
      asterisk.drop();
      await soon(() => expect(session.counters.reconnects).toBe(cut));
    }
    let reports = 0;
    const channels = script.board.liveChannels();
    expect(channels).toHaveLength(CALLS * 4 * 2);
    for (const { uniqueid } of channels) {
      const rx = script.intervals(uniqueid, 'rx');
      reports += rx.length;
      expect(rx.map(({ reportNumber }) => reportNumber)).toEqual(rx.map((_, index) => index + 1));
      // RFC 3550 §A.3: expected is what the highest sequence number went up by, however many reports were missed. A
      // report from before anything had come names none.
      const told = rx.filter(({ extendedHighestSequence }) => extendedHighestSequence !== null);
      const [first, last] = [told[0]?.extendedHighestSequence ?? 0, told.at(-1)?.extendedHighestSequence ?? 0];
      const expected = told.slice(1).reduce((sum, { packetsExpected }) => sum + (packetsExpected ?? 0), 0);
      expect(expected).toBe(last - first);
    }
    const { malformed } = session.counters;
    process.stdout.write(`AMI cut: ${JSON.stringify({ cuts: CUTS, reports, malformed, handles })}\n`);
    // At least one was waited for between two cuts, of either direction.
    expect(reports).toBeGreaterThan(CUTS / 5);
    expect(malformed).toBe(0);
    // Some were missed, or there would have been nothing to make up for.
    expect(asterisk.counters.reports).toBeGreaterThan(script.board.counters.reports);
    expect(process.getActiveResourcesInfo().length).toBeLessThan(handles + 20);
  } finally {
    await session.stop();
    await asterisk.stop();
    clearInterval(clock);
  }
});

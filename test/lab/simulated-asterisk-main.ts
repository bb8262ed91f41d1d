/** The other end of `SimulatedProcess`: one simulated Asterisk, told over IPC what to do. */
import { atPace, readRecording } from './recording.ts';
import { SimulatedAsterisk } from './simulated-asterisk.ts';
import type { LoadPlan, SimulatorAnswer, SimulatorRequest } from './simulated-process.ts';

/** The calls that are already under way when a load begins come in over this time. */
const RAMP_MS = 3000;
const BEAT_MS = 5;

const asterisk = await SimulatedAsterisk.start();
let beat: NodeJS.Timeout | undefined;

/** Keeps a number of calls up: as many begin as end, all the time. */
function load({ recording: name, legs, reportEveryMs, callMs }: LoadPlan): void {
  clearInterval(beat);
  const recording = atPace(readRecording(name), { reportEveryMs, callMs });
  const calls = legs / 2;
  const startedAtMs = performance.now();
  let underWay = 0;
  let begun = 0;
  beat = setInterval(() => {
    const elapsedMs = performance.now() - startedAtMs;
    // Each as if it had begun at another moment of the last `callMs`.
    for (; underWay < calls && underWay < (elapsedMs / RAMP_MS) * calls; underWay++) {
      asterisk.startCall(recording, (1 - underWay / calls) * callMs);
    }
    for (; begun < (elapsedMs / callMs) * calls; begun++) asterisk.startCall(recording);
  }, BEAT_MS);
}

process.on('message', ({ id, load: plan, stopLoad }: SimulatorRequest) => {
  if (plan !== undefined) load(plan);
  if (stopLoad === true) clearInterval(beat);
  const answer: SimulatorAnswer = {
    id,
    connection: asterisk.connection,
    counters: asterisk.counters,
    delaysMs: asterisk.takeDelaysMs(),
  };
  process.send?.(answer);
});
process.once('disconnect', () => process.exit());

/** The other end of `SimulatedProcess`: one simulated Asterisk, told over IPC what to do. */
import { type Flood, makeFlood } from './flood.ts';
import { atPace, readRecording } from './recording.ts';
import { SimulatedAsterisk } from './simulated-asterisk.ts';
import type { LoadPlan, SimulatorAnswer, SimulatorRequest } from './simulated-process.ts';

/** The calls that are already under way when a load begins come in over this time. */
const RAMP_MS = 3000;
const ROUND_MS = 5;

const asterisk = await SimulatedAsterisk.start();
let timer: NodeJS.Timeout | undefined;
let flood: Flood | undefined;

/** Keeps a number of calls up: as many begin as end, all the time. */
function load({ recording: name, legs, pace }: LoadPlan): void {
  clearInterval(timer);
  const recording = atPace(readRecording(name), pace);
  const { callMs } = pace;
  const calls = legs / 2;
  const startedAtMs = performance.now();
  let underWay = 0;
  let begun = 0;
  timer = setInterval(() => {
    const elapsedMs = performance.now() - startedAtMs;
    // Each as if it had begun at another moment of the last `callMs`.
    for (; underWay < calls && underWay < (elapsedMs / RAMP_MS) * calls; underWay++) {
      asterisk.startCall(recording, (1 - underWay / calls) * callMs);
    }
    for (; begun < (elapsedMs / callMs) * calls; begun++) asterisk.startCall(recording);
  }, ROUND_MS);
}

async function carryOut(request: SimulatorRequest): Promise<void> {
  switch (request.order) {
    case 'load':
      return load(request.plan);
    case 'stop-load':
      return clearInterval(timer);
    case 'make-flood':
      flood = makeFlood(request.plan);
      return;
    case 'pour':
      return asterisk.pour(flood?.chunks ?? []);
    case 'status':
  }
}

async function answer(request: SimulatorRequest): Promise<void> {
  await carryOut(request);
  const status: SimulatorAnswer = {
    id: request.id,
    connection: asterisk.connection,
    counters: asterisk.counters,
    delaysMs: asterisk.takeDelaysMs(),
    flood: flood === undefined ? null : { bytes: flood.bytes, events: flood.events, reports: flood.reports },
  };
  process.send?.(status);
}

process.on('message', (request: SimulatorRequest) => void answer(request));
process.once('disconnect', () => process.exit());

import { setTimeout as sleep } from 'node:timers/promises';
import { type StreamTruth, streamTruths } from './capture-truth.ts';
import { startLab } from './lab.ts';
import type { LabCodec } from './lab-plan.ts';
import type { NetworkProfile } from './network-profile.ts';
import type { Release } from './root-filesystem.ts';

/** A call whose packets are captured between relay and PBX: alice's audio as her network left it. */
export interface CaptureScenario {
  readonly name: string;
  readonly description: string;
  readonly codec: LabCodec;
  readonly seconds: number;
  readonly rx: Partial<NetworkProfile>;
  readonly tx: Partial<NetworkProfile>;
}

export const CAPTURE_SCENARIOS: readonly CaptureScenario[] = [
  {
    name: 'bursty',
    description: 'alice (ulaw) calls bob; her audio is lost in bursts; 30 ms each way',
    codec: 'ulaw',
    seconds: 9,
    rx: {
      delayMs: 30,
      burst: { goodToBad: 0.03, badToGood: 0.2, goodLossRatio: 0.005, badLossRatio: 0.6 },
      rtcp: 'delay',
    },
    tx: { delayMs: 30, rtcp: 'delay' },
  },
  {
    name: 'shuffled',
    description:
      'alice (g722) calls bob; her audio is overtaken, doubled, delayed by 0-25 ms and lost by 2 %; 50 ms back',
    codec: 'g722',
    seconds: 9,
    rx: {
      delayMs: 20,
      jitterMs: 25,
      lossRatio: 0.02,
      reorderRatio: 0.04,
      reorderByMs: 45,
      duplicateRatio: 0.03,
      rtcp: 'delay',
    },
    tx: { delayMs: 50, rtcp: 'delay' },
  },
];

export interface CapturedCall {
  readonly asteriskVersion: string;
  /** Where the lab wrote the capture; gone when the lab's folder is. */
  readonly path: string;
  /** `address` of the PBX, as the captured packets have it. */
  readonly pbxAddress: string;
  /** Of the audio from alice to the PBX. */
  readonly truth: readonly StreamTruth[];
}

/** Makes the call on a lab of its own and hands over the capture, before the lab is gone. */
export async function captureCall<T>(
  release: Release,
  scenario: CaptureScenario,
  use: (call: CapturedCall) => Promise<T> | T,
): Promise<T> {
  const phones = [
    { name: 'alice', codecs: [scenario.codec], rx: scenario.rx, tx: scenario.tx },
    { name: 'bob', codecs: [scenario.codec] },
  ];
  const lab = await startLab({ release, phones, rtcpIntervalMs: 1000 });
  try {
    const front = lab.plan.phones[0]?.phoneFront ?? '';
    const recorder = await lab.capture(`${scenario.name}.pcap`, `udp and host ${front}`);
    const call = await lab.call('alice', 'bob');
    await sleep(scenario.seconds * 1000);
    await call.hangup('caller');
    // Wait until packets under way arrive and tcpdump writes them.
    await sleep(500);
    await recorder.stop();
    return await use({
      asteriskVersion: lab.pbx.version,
      path: recorder.path,
      pbxAddress: lab.pbx.host,
      // The RTP clock of every codec of the lab is 8000 Hz.
      truth: streamTruths(await lab.relay.truth('alice', 'rx'), 8000),
    });
  } finally {
    await lab.stop();
  }
}

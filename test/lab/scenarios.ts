import { setTimeout as sleep } from 'node:timers/promises';
import type { Lab } from './lab.ts';
import type { LabOptions } from './lab-plan.ts';
import type { NetworkProfile } from './network-profile.ts';

/** A piece of telephony worth recording. */
export interface Scenario {
  readonly name: string;
  readonly description: string;
  /** Networks of the phones that take part, both ways; the others' are clean. */
  readonly networks: Readonly<Record<string, { rx: Partial<NetworkProfile>; tx: Partial<NetworkProfile> }>>;
  /** What is not as in the others: they have `SCENARIO_PHONES` and a report each second. */
  readonly options?: Pick<LabOptions, 'phones' | 'rtcpIntervalMs' | 'extra'>;
  run(lab: Lab): Promise<void>;
}

/** The phones that the scenarios use: two of each codec, and one more to transfer to. */
export const SCENARIO_PHONES: NonNullable<LabOptions['phones']> = [
  { name: 'alice' },
  { name: 'bob' },
  { name: 'carol' },
  { name: 'dave', codecs: ['g722'] },
  { name: 'erin', codecs: ['g722'] },
  { name: 'frank', codecs: ['alaw'] },
];

/** Programs that nobody here wrote, with reports at Asterisk's default pace and at their own. */
const BARESIP_PHONES: Scenario['options'] = {
  phones: ['betty', 'boris', 'bruno'].map((name) => ({ name, client: 'baresip' })),
  rtcpIntervalMs: 5000,
  extra: {
    extensions: 'exten => 610,1,Answer()\n same => n,Queue(agents)\n',
    files: { 'queues.conf': '[general]\n[agents]\nmember => PJSIP/boris\n' },
  },
};

const FAR: Partial<NetworkProfile> = { delayMs: 40, jitterMs: 18, lossRatio: 0.04 };
const NEAR: Partial<NetworkProfile> = { delayMs: 15, jitterMs: 8, lossRatio: 0.03 };

const LOSSY_PAIR = { alice: { rx: FAR, tx: FAR }, bob: { rx: NEAR, tx: NEAR } };
const SOME_LOSS = { alice: { rx: NEAR, tx: NEAR } };

export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'lossy-call',
    description:
      'alice calls bob (ulaw) for a minute; round trip about 100 ms and 4 % loss at alice, 40 ms and 3 % at bob',
    networks: LOSSY_PAIR,
    run: (lab) => plainCall(lab, 'alice', 'bob', 60),
  },
  {
    name: 'lossy-call-g722',
    description: 'dave calls erin (g722) for 20 s; round trip about 100 ms and 4 % loss at dave, 40 ms and 3 % at erin',
    networks: { dave: { rx: FAR, tx: FAR }, erin: { rx: NEAR, tx: NEAR } },
    run: (lab) => plainCall(lab, 'dave', 'erin', 20),
  },
  {
    name: 'transcoded-call',
    description: 'alice (ulaw) calls dave (g722) for 10 s, so no native bridging; 30 ms and 3 % loss at alice',
    networks: SOME_LOSS,
    run: (lab) => plainCall(lab, 'alice', 'dave', 10),
  },
  {
    name: 'one-way',
    description: 'alice calls bob for 15 s; nothing that bob sends arrives, RTCP does',
    networks: { bob: { rx: { blocked: true, rtcp: 'untouched' }, tx: {} } },
    run: (lab) => plainCall(lab, 'alice', 'bob', 15),
  },
  {
    name: 'hold',
    description: 'alice calls bob; after 6 s bob holds for 6 s, takes the call back, and it ends after 6 s more',
    networks: SOME_LOSS,
    async run(lab) {
      const call = await lab.call('alice', 'bob');
      await sleep(6000);
      await call.hold('callee');
      await sleep(6000);
      await call.unhold('callee');
      await sleep(6000);
      await call.hangup('caller');
    },
  },
  {
    name: 'blind-transfer',
    description: 'alice calls bob; after 5 s bob transfers alice blindly to carol; they talk for 6 s',
    networks: SOME_LOSS,
    async run(lab) {
      const call = await lab.call('alice', 'bob');
      await sleep(5000);
      const answered = lab.pbxEvent((event) => event['Event'] === 'DialEnd' && event['DialStatus'] === 'ANSWER');
      await lab.pbxAction({
        Action: 'BlindTransfer',
        Channel: call.callee?.channel ?? '',
        Context: 'from-phones',
        Exten: '103',
      });
      await answered;
      await sleep(6000);
      await call.hangup('caller');
    },
  },
  {
    name: 'attended-transfer',
    description:
      'alice calls bob; after 4 s bob calls carol, talks for 4 s and hangs up, which leaves alice with carol for 6 s',
    networks: SOME_LOSS,
    async run(lab) {
      const call = await lab.call('alice', 'bob', { transferable: true });
      await sleep(4000);
      const answered = lab.pbxEvent((event) => event['Event'] === 'DialEnd' && event['DialStatus'] === 'ANSWER');
      await lab.pbxAction({
        Action: 'Atxfer',
        Channel: call.callee?.channel ?? '',
        Context: 'from-phones',
        Exten: '103',
      });
      await answered;
      await sleep(4000);
      await call.hangup('callee');
      await sleep(6000);
      await call.hangup('caller');
    },
  },
  {
    name: 'park',
    description: 'alice calls bob; after 4 s alice is parked for 4 s, then carol takes her back and they talk for 6 s',
    networks: SOME_LOSS,
    async run(lab) {
      const call = await lab.call('alice', 'bob');
      await sleep(4000);
      const parked = lab.pbxEvent((event) => event['Event'] === 'ParkedCall');
      await lab.pbxAction({
        Action: 'Park',
        Channel: call.caller.channel,
        TimeoutChannel: call.callee?.channel ?? '',
      });
      const slot = (await parked)['ParkingSpace'] ?? '';
      await sleep(4000);
      const taken = await lab.call('carol', slot);
      await sleep(6000);
      await taken.hangup('caller');
    },
  },
  {
    name: 'conference',
    description: 'alice, dave (g722) and frank (alaw) meet in a ConfBridge, 2 s after each other; each stays 10 s',
    networks: SOME_LOSS,
    async run(lab) {
      const alice = await lab.call('alice', '800');
      await sleep(2000);
      const dave = await lab.call('dave', '800');
      await sleep(2000);
      const frank = await lab.call('frank', '800');
      await sleep(6000);
      await alice.hangup('caller');
      await sleep(2000);
      await dave.hangup('caller');
      await sleep(2000);
      await frank.hangup('caller');
    },
  },
  {
    name: 'baresip-blind-transfer',
    description:
      'betty calls boris (both baresip); after 4 s she is transferred blindly to bruno, and they talk for 13 s; nothing is lost',
    networks: {},
    options: BARESIP_PHONES,
    async run(lab) {
      const call = await lab.soft.call('betty', '102');
      await sleep(4000);
      const answered = lab.pbxEvent((event) => event['Event'] === 'DialEnd' && event['DialStatus'] === 'ANSWER');
      await lab.pbxAction({
        Action: 'BlindTransfer',
        Channel: call.callee?.channel ?? '',
        Context: 'from-phones',
        Exten: '103',
      });
      await answered;
      await sleep(13_000);
      await lab.soft.hangUp(call.caller);
    },
  },
  {
    name: 'baresip-queue',
    description:
      'betty (baresip) calls a queue that boris (baresip) answers, and they talk for 16 s; 8 % is lost on the way to boris',
    networks: { boris: { rx: {}, tx: { lossRatio: 0.08, rtcp: 'untouched' } } },
    options: BARESIP_PHONES,
    async run(lab) {
      const answered = lab.pbxEvent((event) => event['Event'] === 'DialEnd' && event['DialStatus'] === 'ANSWER');
      const call = await lab.soft.call('betty', '610');
      await answered;
      await sleep(16_000);
      await lab.soft.hangUp(call.caller);
    },
  },
];

async function plainCall(lab: Lab, from: string, to: string, seconds: number): Promise<void> {
  const call = await lab.call(from, to);
  await sleep(seconds * 1000);
  await call.hangup('caller');
}

import { setTimeout as sleep } from 'node:timers/promises';
import type { AmiClient, AmiMessage } from './ami-client.ts';
import type { LabCodec } from './lab-plan.ts';

/** One leg of a call: the PBX's channel and the phone's own. */
export interface Leg {
  readonly phone: string;
  /** The PBX's. */
  readonly uniqueid: string;
  /** `PJSIP/alice-00000003`, the PBX's. */
  readonly channel: string;
  /** The phone's own channel, and its id there. */
  readonly farmChannel: string;
  readonly farmUniqueid: string;
}

export type Side = 'caller' | 'callee';

/** A call that is up. */
export interface LabCall {
  readonly caller: Leg;
  /** Undefined when an application of the PBX answered. */
  readonly callee: Leg | undefined;
  readonly linkedid: string;
  /** This phone hangs up; resolves when the PBX's own channel of that phone has ended. */
  hangup(by: Side): Promise<void>;
  /** This phone puts the other on hold with a re-INVITE. */
  hold(by: Side): Promise<void>;
  unhold(by: Side): Promise<void>;
  /** This phone goes on in another of its codecs, with a re-INVITE. */
  changeCodec(by: Side, codec: LabCodec): Promise<void>;
}

const ANSWER_TIMEOUT_MS = 60_000;

/** Finds the PBX's channel of a call that a phone just began, by the SIP Call-ID that both ends share. */
export async function findByCallId(
  ami: AmiClient,
  phone: string,
  callId: string,
  since: number,
  timeoutMs = ANSWER_TIMEOUT_MS,
): Promise<AmiMessage> {
  const refused = new Set<string>();
  const deadlineMs = Date.now() + timeoutMs;
  for (;;) {
    const isCandidate = (event: AmiMessage): boolean =>
      event['Event'] === 'Newchannel' &&
      (event['Channel'] ?? '').startsWith(`PJSIP/${phone}-`) &&
      !refused.has(event['Uniqueid'] ?? '');
    const left = Math.max(1, deadlineMs - Date.now());
    const event = await ami.waitFor(isCandidate, { since, timeoutMs: left, what: `channel of ${phone}` });
    // A channel that ended meanwhile belonged to an earlier call.
    const found = await callIdOf(ami, event['Channel'] ?? '').catch(() => undefined);
    if (found === callId) return event;
    refused.add(event['Uniqueid'] ?? '');
  }
}

/** The SIP Call-ID of a channel; throws when the channel is gone or has none within a second. */
export async function callIdOf(ami: AmiClient, channel: string): Promise<string> {
  for (let attempt = 0; attempt < 20; attempt += 1) {
    const variable = 'CHANNEL(pjsip,call-id)';
    const answer = await ami.action({ Action: 'Getvar', Channel: channel, Variable: variable });
    if (answer['Value'] !== undefined && answer['Value'] !== '') return answer['Value'];
    await sleep(50);
  }
  throw new Error(`Channel ${channel} has no SIP Call-ID.`);
}

/** Whether it is that event of that channel. */
export function isEvent(event: AmiMessage, name: string, uniqueid: string): boolean {
  return event['Event'] === name && event['Uniqueid'] === uniqueid;
}

/** Waits until a channel of the PBX is up. Throws, with the cause, when it ends first. */
export async function waitUntilUp(ami: AmiClient, uniqueid: string, since: number): Promise<void> {
  const event = await ami.waitFor(
    (candidate) =>
      isEvent(candidate, 'Hangup', uniqueid) ||
      (isEvent(candidate, 'Newstate', uniqueid) && candidate['ChannelState'] === '6'),
    { since, timeoutMs: ANSWER_TIMEOUT_MS, what: 'answer to the call' },
  );
  if (event['Event'] === 'Hangup') throw refusal(event);
}

/** The end of the PBX's dialling that says who answered a channel that is up; undefined when it dialled nobody. */
export async function findAnswer(ami: AmiClient, uniqueid: string, since: number): Promise<AmiMessage | undefined> {
  if (!ami.events(since).some((event) => isEvent(event, 'DialBegin', uniqueid))) return undefined;
  return ami.waitFor((event) => isEvent(event, 'DialEnd', uniqueid) && event['DialStatus'] === 'ANSWER', {
    since,
    timeoutMs: 2000,
    what: 'word of who answered',
  });
}

/** Does `work`, or throws with the cause as soon as the caller's channel ends: a refusal can come before the first look. */
export async function orRefusal<T>(farm: AmiClient, farmUniqueid: string, work: () => Promise<T>): Promise<T> {
  let stop = (): void => undefined;
  const refused = new Promise<never>((_resolve, reject) => {
    stop = farm.watch((event) => {
      if (isEvent(event, 'Hangup', farmUniqueid)) reject(refusal(event));
    });
  });
  try {
    return await Promise.race([work(), refused]);
  } finally {
    stop();
  }
}

function refusal(hangup: AmiMessage): Error {
  return new Error(`The call was not answered: ${hangup['Cause-txt'] ?? 'no cause'}.`);
}

import type { Device } from '../phones/device.ts';
import type { PhoneHearing } from '../phones/phone-report.ts';
import { PROFILE_NAMES, VERDICTS } from '../score.ts';
import { type Fields, moment, number, opinion, orNull, parts, personal, text, truth, word } from './field.ts';

const END_REASONS = ['hangup', 'vanished'] as const;
const HANGUP_PARTIES = ['party', 'server'] as const;

/** One Asterisk channel: one party's leg. Its directions are in `stream-fields.ts`. */
export const CHANNEL_FIELDS = {
  uniqueid: text("Asterisk's id of the channel"),
  linkedid: text("Asterisk's id of the call: that of the channel that it began with"),
  name: personal(text("Asterisk's name of the channel")),
  endpoint: personal(text('the phone or trunk: the name of the channel without its last part')),
  callerNumber: orNull(personal(text("the channel's own caller ID number"))),
  callerName: orNull(personal(text("the channel's own caller ID name"))),
  connectedNumber: orNull(personal(text('number of whom it is connected with, as signalled'))),
  connectedName: orNull(personal(text('name of whom it is connected with, as signalled'))),
  exten: orNull(personal(text('the extension that was dialled'))),
  codec: orNull(text('the codec of both directions; null: they differ, or neither is known')),
  startedAtMs: moment('when it began'),
  answeredAtMs: orNull(moment('when it was answered; null: never')),
  endedAtMs: orNull(moment('when it ended; null: it is up')),
  endReason: orNull(
    word(END_REASONS, 'hangup: Asterisk said so; vanished: it was gone when Asterisk could be reached again'),
  ),
  hangupCause: orNull(number('', null, 'Q.850 cause')),
  hangupCauseText: orNull(text('the same in words, as Asterisk has them')),
  hangupBy: orNull(
    word(
      HANGUP_PARTIES,
      'who hung up this leg first: its own party, or this server (dialplan, time limit, operator); null: nobody was seen to',
    ),
  ),
  hangupAtMs: orNull(moment('when that was')),
  hangupEndedTalk: orNull(
    truth('whether it spoke with another then, and nobody of the call has begun to speak with another since'),
  ),
  bridgeId: orNull(text('the bridge that it is in, or was in last')),
  bridgeTechnology: orNull(text('how that bridge passes media')),
  peerUniqueid: orNull(text('the channel at the other side of a bridge of two')),
  onHold: truth('whether the far end has put the call on hold'),
  mes: orNull(opinion('the score of the channel: the mean of its directions')),
  mesRx: orNull(opinion('the score of rx')),
  mesTx: orNull(opinion('the score of tx')),
  mesPeerRx: orNull(opinion("the bridged peer's score of rx")),
  mesPeerTx: orNull(opinion("the bridged peer's score of tx")),
  mesCall: orNull(opinion("the call's score")),
  mesMin: orNull(opinion('the score of its worst interval')),
  verdict: orNull(
    word(VERDICTS, 'a word for the quality of its worst direction, or why there is no score; null: too early to say'),
  ),
  profile: word(PROFILE_NAMES, 'by which profile of formulas it was scored'),
  version: text('the release of asterisk-mes that scored it'),
  finalAtMs: orNull(moment('when the hangup handler asked for the final scores; null: it did not')),
  lastReceivedAtMs: orNull(moment('when RTCP of the far end last came')),
  sipCallId: orNull(text('SIP Call-ID of the leg')),
  device: orNull(text('make, model and firmware of the device, in one line, as its SIP tells')),
  site: orNull(text('where the device is, by [network:PREFIX] of mes.conf')),
  deviceDetails: parts<Device | null>('the device in parts, and how it is connected; null: not asked'),
  phone: parts<PhoneHearing | null>("what the phone's own reports say of tx; null: there are none"),
} as const satisfies Fields;

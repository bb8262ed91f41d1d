import { z } from 'zod';
import { count, type FieldsOf, moment, number, orNull, text } from '../../model/fields/field.ts';
import type { PhoneHearing } from '../../model/phones/phone-report.ts';
import { presenter, shapeOf } from '../answers/json.ts';

const HEARING_FIELDS = {
  networkLossPercent: orNull(number('%', 2, 'lost on the way, as the phone counted')),
  discardPercent: orNull(number('%', 2, 'arrived, but too late or too early for its jitter buffer')),
  burstLossPercent: orNull(number('%', 2, 'share lost or thrown away within bursts (RFC 3611 §4.7.2)')),
  burstDurationMs: orNull(number('ms', 3, 'mean length of bursts')),
  gapLossPercent: orNull(number('%', 2, 'share lost or thrown away between bursts')),
  gapDurationMs: orNull(number('ms', 3, 'mean length of gaps between bursts')),
  roundTripDelayMs: orNull(number('ms', 3, 'round trip between the two RTP interfaces')),
  endSystemDelayMs: orNull(number('ms', 3, 'delay within the phone')),
  interarrivalJitterMs: orNull(number('ms', 3, 'interarrival jitter as the phone measured it')),
  rLq: orNull(number('R', 3, 'R factor of listening quality (ITU-T G.107)')),
  rCq: orNull(number('R', 3, 'R factor of conversational quality (ITU-T G.107)')),
  mosLq: orNull(number('MOS 1-5', 3, 'MOS of listening quality')),
  mosCq: orNull(number('MOS 1-5', 3, 'MOS of conversational quality')),
  reports: count('reports of the phone'),
  startAtMs: orNull(moment("by the phone's clock, as stop_at")),
  stopAtMs: orNull(moment('when the last of them ends')),
  userAgent: orNull(text('as the phone names itself')),
} as const satisfies FieldsOf<PhoneHearing>;

/** Of a channel, beside what RTCP says of tx. */
export const PHONE_HEARING = z.strictObject(shapeOf(HEARING_FIELDS));

export const presentHearing = presenter(HEARING_FIELDS);

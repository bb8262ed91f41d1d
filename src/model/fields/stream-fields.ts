import type { CaptureRecord } from '../capture.ts';
import { PROFILE_NAMES, VERDICTS } from '../score.ts';
import {
  count,
  type Fields,
  moment,
  number,
  opinion,
  orNull,
  parts,
  ssrc,
  storedOnly,
  summary,
  text,
  truth,
  word,
} from './field.ts';
import { E_MODEL } from './e-model-fields.ts';

export const DIRECTIONS = ['rx', 'tx'] as const;
const REPORTERS = ['local', 'remote'] as const;
export const CLOCK_RATE_SOURCES = ['sr', 'codec', 'assumed'] as const;

/** Whose numbers these are; every record of a direction begins with them. */
export const WHOSE = {
  direction: word(DIRECTIONS, "Asterisk's view: rx they sent and we received, tx we sent and they received"),
  reporter: word(REPORTERS, 'who measured: local is this server, remote the far end'),
} as const satisfies Fields;

/** What was measured of one direction over some time. */
export const MEASURES = {
  ...WHOSE,
  ssrc: orNull(ssrc('RTP synchronisation source (RFC 3550 §3)')),
  codec: orNull(text('the codec as Asterisk names it')),
  clockRateHz: count('RTP clock of the codec', 1, 'Hz'),
  clockRateSource: word(
    CLOCK_RATE_SOURCES,
    'how the clock is known: measured by sender reports, by the codec, or assumed',
  ),
  reports: count('RTCP reports that it was scored by'),
  idleReports: storedOnly(count('reports of intervals in which nothing was sent')),
  deadReports: storedOnly(count('reports of intervals in which packets were sent and none arrived')),
  unusedReports: orNull(number('', null, 'reports about another stream than ours, or about none: only counted')),
  packetsExpected: orNull(number('packets', null, 'packets that should have come, by their sequence numbers')),
  packetsReceived: orNull(number('packets', null, 'packets that came')),
  packetsLost: orNull(number('packets', null, 'packets that did not come')),
  duplicates: storedOnly(count('packets that came more than once', 0, 'packets')),
  sequenceRestarts: orNull(
    number('', null, 'jumps of sequence or cumulative loss beyond what can have been sent: no loss'),
  ),
  jitterResets: orNull(
    number('', null, "reports whose jitter was a jump of the sender's clock, or a digit that was pressed: no sample"),
  ),
  lossPercent: orNull(number('%', 2, 'share of the expected packets that were lost')),
  lostPacketsPerReportMean: orNull(number('packets', 3, 'mean of the packets lost between two reports')),
  rttMs: summary('ms', 'round trip between this server and the far end'),
  jitterMs: summary('ms', 'interarrival jitter (RFC 3550 §6.4.1)'),
  rttKnown: truth('whether any round trip was measured; a score without one assumes none'),
  effectiveLatencyMs: orNull(
    number('ms', 1, 'latency that the score counts: round trip, jitter and delay of the codec'),
  ),
  rValue: orNull(number('R', 1, 'the R value from which the score is made')),
  mes: orNull(opinion('the score on the opinion scale')),
  mes100: orNull(number('of 100', 1, 'the same score on a scale of 100')),
  mesMin: storedOnly(orNull(opinion('the score of its worst interval'))),
  profile: word(PROFILE_NAMES, 'by which profile of formulas it was scored'),
  nativeMes100: orNull(number('of 100', 1, "Asterisk's own score of the same")),
  ...E_MODEL,
} as const satisfies Fields;

/** One direction of a channel over all its RTP sessions, so far or in the end. */
export const STREAM_FIELDS = {
  ...MEASURES,
  lossyReports: orNull(number('', null, 'reports of intervals that lost 1 % of their packets or more')),
  lastReportAtMs: orNull(moment('when the last report about it came; null: none came yet')),
  mosLqInterval: orNull(number('MOS 1-4.5', 3, 'MOS of listening quality in the last report interval alone')),
  mosCqInterval: orNull(number('MOS 1-4.5', 3, 'MOS of conversational quality in the last report interval alone')),
  senderPackets: storedOnly(orNull(number('packets', null, 'what the sender last said that it has sent'))),
  senderOctets: storedOnly(orNull(number('bytes', null, 'what the sender last said that it has sent'))),
  packetJitterMeanMs: orNull(
    number('ms', 3, "jitter packet by packet, by Asterisk's own counters: of rx only, and only with ARI"),
  ),
  packetJitterStdevMs: orNull(number('ms', 3, 'its standard deviation')),
  fractionLostQ8: storedOnly(orNull(number('1/256', null, 'fraction lost as the last report has it'))),
  jitterTicks: storedOnly(orNull(number('ticks', null, 'interarrival jitter as the last report has it'))),
  unknownSinceMs: storedOnly(
    orNull(moment("since when the far end's reports are about a stream that this server does not send any more")),
  ),
  verdict: orNull(word(VERDICTS, 'a word for its quality, or why there is no score; null: too early to say')),
  why: orNull(text('what cost most, in one sentence')),
  nativeWhy: orNull(text("which known defect explains that Asterisk's own score is more than 2 points away")),
  // Asked for as a whole, and of a call at a time.
  capture: parts<CaptureRecord | null>('what captured packets show; null: no packet of it was captured'),
} as const satisfies Fields;

/** Why a new RTP session began: the channel's own start, hold or its end, another bridge, stream or codec. */
const SEGMENT_CAUSES = ['start', 'hold', 'retrieve', 'bridge', 'ssrc', 'codec'] as const;

/** One RTP session of a direction: its values start afresh. */
export const SEGMENT_FIELDS = {
  uniqueid: storedOnly(text("Asterisk's id of the channel")),
  segmentNumber: count('counted from 1 for each channel and direction', 1),
  openedBy: word(SEGMENT_CAUSES, 'what began this RTP session'),
  startedAtMs: moment('when it began'),
  endedAtMs: moment('its last report, so far or of all'),
  senderPackets: orNull(number('packets', null, 'what the sender says that it has sent in it')),
  senderOctets: orNull(number('bytes', null, 'what the sender says that it has sent in it')),
  ...MEASURES,
} as const satisfies Fields;

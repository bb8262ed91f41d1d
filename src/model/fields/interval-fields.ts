import { PROFILE_NAMES } from '../score.ts';
import { count, type Fields, moment, number, opinion, orNull, ssrc, text, word } from './field.ts';
import { CLOCK_RATE_SOURCES, WHOSE } from './stream-fields.ts';

const INTERVAL_KINDS = ['media', 'idle', 'dead', 'unused'] as const;

/** One report about one direction: its raw inputs (so that a score can be computed again) and what came of them. */
export const INTERVAL_FIELDS = {
  uniqueid: text("Asterisk's id of the channel"),
  ...WHOSE,
  reportNumber: count('counted from 1 for each channel and direction; never given twice', 1),
  channelReportNumber: orNull(number('', null, 'the same over both directions of the channel, as the reports came')),
  beganAtMs: orNull(
    moment('from when on it counts: the last report before it that told anything; null: it is the first'),
  ),
  atMs: moment('when it came'),
  kind: word(
    INTERVAL_KINDS,
    'media: packets moved; idle: nothing was sent; dead: sent, but none arrived; unused: not about our stream',
  ),
  ssrc: orNull(ssrc('RTP synchronisation source (RFC 3550 §3)')),
  fractionLostQ8: orNull(number('1/256', null, 'fraction lost as the report has it (RFC 3550 §6.4.1)')),
  cumulativeLostPackets: orNull(
    number('packets', null, 'cumulative number of packets lost as the report has it; below 0 with duplicates'),
  ),
  extendedHighestSequence: orNull(number('', null, 'extended highest sequence number received as the report has it')),
  jitterTicks: orNull(number('ticks', null, 'interarrival jitter as the report has it, in ticks of the RTP clock')),
  codec: orNull(text("the direction's codec, as known when the report came")),
  clockRateHz: count('RTP clock of the codec', 1, 'Hz'),
  clockRateSource: orNull(
    word(CLOCK_RATE_SOURCES, 'how the clock is known: measured by sender reports, by the codec, or assumed'),
  ),
  lsrNtp32: orNull(number('', null, 'last SR timestamp as the report has it: the middle 32 bits of NTP time')),
  dlsrS: orNull(number('s', 4, 'delay since that SR')),
  senderPackets: orNull(number('packets', null, 'latest count of what the sender of this direction says it has sent')),
  rttMs: orNull(number('ms', 3, 'round trip that this report brought; null: it brought none')),
  jitterMs: orNull(number('ms', 3, 'interarrival jitter (RFC 3550 §6.4.1)')),
  packetsExpected: orNull(number('packets', null, 'packets that should have come in it')),
  packetsLost: orNull(number('packets', null, 'packets of it that did not come')),
  duplicates: count('packets that came more than once', 0, 'packets'),
  latePackets: orNull(number('packets', null, 'counted as lost by earlier intervals, but came after all')),
  lossPercent: orNull(number('%', 2, 'share of its expected packets that were lost')),
  coversReports: count(
    'reports that it spans; more than 1 when some were missed while Asterisk could not be reached',
    1,
  ),
  effectiveLatencyMs: orNull(number('ms', 1, 'latency that the score of this interval counts')),
  rValue: orNull(number('R', 1, 'the R value of this interval alone')),
  mes: orNull(opinion('the score of this interval alone')),
  mesRunning: orNull(opinion('the score of the direction up to this interval')),
  nativeMes100: orNull(number('of 100', 1, "Asterisk's own score at this report")),
  sentNtpS: orNull(number('s', 4, 'NTP time of the sender report in the same packet: about the other direction')),
  sentRtpTicks: orNull(number('ticks', null, 'RTP timestamp of that sender report')),
  sentPackets: orNull(number('packets', null, 'packets that the reporter says it has sent')),
  sentOctets: orNull(number('bytes', null, 'bytes that the reporter says it has sent')),
  sentSsrc: orNull(ssrc("the reporter's own SSRC; of our own reports only")),
  profile: word(PROFILE_NAMES, 'by which profile of formulas it was scored'),
} as const satisfies Fields;

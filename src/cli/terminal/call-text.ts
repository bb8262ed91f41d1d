import type { CallAnswer, ChannelAnswer, IntervalAnswer } from './answers.ts';
import { course } from './course.ts';
import { type Paint, toneOf } from './paint.ts';
import {
  cell,
  duration,
  localTime,
  partiesOf,
  printable,
  quantity,
  shortEndpoint,
  streamOf,
  wrapped,
} from './words.ts';

export interface CallParts {
  readonly call: CallAnswer;
  /** By uniqueid; a channel whose reports have expired has none. */
  readonly intervals: ReadonlyMap<string, readonly IntervalAnswer[]>;
}

const NAME_WIDTH = 16;
const FIGURES_WIDTH = 46;
const NARROWEST_COURSE = 10;

/** One call: the sentence, the place of the fault, each direction with its figures and its course. */
export function callLines({ call, intervals }: CallParts, width: number, paint: Paint): string[] {
  const parties = partiesOf(call.channels);
  const names = parties.map(({ endpoint }) => printable(endpoint)).join(paint.isUnicode ? ' ⇄ ' : ' <> ');
  const until = call.ended_at === null ? 'up' : `ended ${localTime(call.ended_at).slice(11)}`;
  const word = call.verdict ?? 'not yet known';
  const score = call.mes === null ? '' : `  MES ${quantity(call.mes, 2)}, worst interval ${quantity(call.mes_min, 2)}`;
  return [
    `${paint('strong', call.linkedid)}  ${paint(toneOf(call.verdict), word)}${score}`,
    ...wrapped(names, width),
    `${localTime(call.started_at)}, ${duration(call.duration_s)}, ${until}, profile ${call.profile}`,
    ...faultLines(call, width),
    '',
    paint(
      'dim',
      cell('', NAME_WIDTH) +
        cell('MES', 6) +
        cell('word', 11) +
        cell('loss', 9) +
        cell('jitter', 10) +
        cell('rtt', 10) +
        'course',
    ),
    ...parties.flatMap((party) => channelLines(party, intervals.get(party.uniqueid) ?? [], width, paint)),
  ];
}

function faultLines(
  { fault_why: why, fault_place: place, fault_certainty: certainty }: CallAnswer,
  width: number,
): string[] {
  if (why === null) return [];
  const where = place === null || place === 'none' ? '' : ` [${place}${certainty === null ? '' : `, ${certainty}`}]`;
  return wrapped(`${why}${where}`, width);
}

function channelLines(
  party: ChannelAnswer,
  intervals: readonly IntervalAnswer[],
  width: number,
  paint: Paint,
): string[] {
  return (['rx', 'tx'] as const).flatMap((direction) => {
    const stream = streamOf(party, direction);
    if (stream === undefined) return [];
    const name = `${direction === 'rx' ? 'from' : 'to'} ${shortEndpoint(party.endpoint)}`;
    const own = intervals.filter((interval) => interval.direction === direction);
    const drawn = course(own, Math.max(NARROWEST_COURSE, width - NAME_WIDTH - FIGURES_WIDTH), paint.isUnicode);
    const figures =
      cell(quantity(stream.mes, 2), 6) +
      cell(stream.verdict ?? 'not yet', 11) +
      cell(quantity(stream.loss_percent, 1, '%'), 9) +
      cell(quantity(stream.jitter_ms.mean, 1, 'ms'), 10) +
      cell(quantity(stream.rtt_ms.mean, 0, 'ms'), 10);
    const line = `${cell(name, NAME_WIDTH)}${paint(toneOf(stream.verdict), figures)}${drawn}`;
    const isWorthSaying = stream.verdict !== 'good' && stream.why !== null;
    return isWorthSaying ? [line, ...wrapped(stream.why ?? '', width, '    ')] : [line];
  });
}

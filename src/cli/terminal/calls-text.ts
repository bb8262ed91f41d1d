import type { CallAnswer } from './answers.ts';
import { type Paint, toneOf } from './paint.ts';
import { cell, duration, localTime, partiesOf, quantity, shortEndpoint } from './words.ts';

const STARTED_WIDTH = 20;
const TIME_WIDTH = 8;
const VERDICT_WIDTH = 11;
const MES_WIDTH = 5;
const ID_WIDTH = 18;
const NARROWEST_PARTIES = 12;

/** The list of calls: a heading and a line each. */
export function callsLines(calls: readonly CallAnswer[], width: number, paint: Paint): string[] {
  const fixed = STARTED_WIDTH + TIME_WIDTH + VERDICT_WIDTH + MES_WIDTH + ID_WIDTH;
  const partiesWidth = Math.max(NARROWEST_PARTIES, width - fixed);
  const heading =
    cell('began', STARTED_WIDTH) +
    cell('time', TIME_WIDTH) +
    cell('word', VERDICT_WIDTH) +
    cell('MES', MES_WIDTH) +
    cell('call', partiesWidth) +
    'id';
  return [paint('dim', heading), ...calls.map((call) => callLine(call, partiesWidth, paint))];
}

function callLine(call: CallAnswer, partiesWidth: number, paint: Paint): string {
  const arrow = paint.isUnicode ? ' → ' : ' > ';
  const parties = partiesOf(call.channels).map(({ endpoint }) => shortEndpoint(endpoint));
  return (
    cell(localTime(call.started_at), STARTED_WIDTH) +
    cell(duration(call.duration_s), TIME_WIDTH) +
    paint(toneOf(call.verdict), cell(call.verdict ?? '-', VERDICT_WIDTH)) +
    cell(quantity(call.mes, 2), MES_WIDTH) +
    cell(cell(parties.join(arrow), partiesWidth - 1), partiesWidth) +
    call.linkedid
  );
}

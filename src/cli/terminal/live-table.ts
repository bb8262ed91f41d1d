import type { ChannelAnswer, VerdictWord } from './answers.ts';
import { type Paint, rankOf, toneOf } from './paint.ts';
import { cell, duration, partiesOf, quantity, shortEndpoint, streamOf } from './words.ts';

export const SORTS = ['worst', 'newest', 'name'] as const;
export type Sort = (typeof SORTS)[number];

export interface LiveView {
  readonly sort: Sort;
  /** Only calls whose word is below good. */
  readonly isBadOnly: boolean;
  /** Part of an endpoint's or channel's name or of a number; empty: all. */
  readonly search: string;
}

/** The channels of one call that are up. */
export interface LiveCall {
  readonly linkedid: string;
  readonly parties: readonly ChannelAnswer[];
  /** That of its worst channel. */
  readonly verdict: VerdictWord | null;
  readonly durationS: number;
}

/** Channels by their calls, as the view wants them. */
export function liveCalls(channels: readonly ChannelAnswer[], { sort, isBadOnly, search }: LiveView): LiveCall[] {
  const byCall = Map.groupBy(channels, ({ linkedid }) => linkedid);
  const calls = [...byCall].map(([linkedid, legs]): LiveCall => {
    const parties = partiesOf(legs);
    const worst = parties.toSorted((a, b) => rankOf(a.verdict) - rankOf(b.verdict))[0];
    const durationS = Math.max(0, ...parties.map((party) => party.duration_s));
    return { linkedid, parties, verdict: worst?.verdict ?? null, durationS };
  });
  const wanted = search.toLowerCase();
  return calls
    .filter(({ verdict }) => !isBadOnly || (verdict !== null && verdict !== 'good'))
    .filter((call) => wanted === '' || searchable(call).includes(wanted))
    .sort(ORDERS[sort]);
}

const ORDERS: Readonly<Record<Sort, (a: LiveCall, b: LiveCall) => number>> = {
  worst: (a, b) => rankOf(a.verdict) - rankOf(b.verdict) || lowest(a) - lowest(b) || b.durationS - a.durationS,
  newest: (a, b) => a.durationS - b.durationS,
  name: (a, b) => nameOf(a).localeCompare(nameOf(b)),
};

function lowest({ parties }: LiveCall): number {
  return Math.min(5, ...parties.flatMap(({ mes_rx: rx, mes_tx: tx }) => [rx ?? 5, tx ?? 5]));
}

function nameOf({ parties }: LiveCall): string {
  return parties.map(({ endpoint }) => shortEndpoint(endpoint)).join(' ');
}

function searchable({ parties }: LiveCall): string {
  return parties
    .flatMap(({ name, endpoint, caller_number: caller, exten }) => [name, endpoint, caller ?? '', exten ?? ''])
    .join(' ')
    .toLowerCase();
}

const VERDICT_WIDTH = 11;
const TIME_WIDTH = 8;
const CODEC_WIDTH = 6;
const SCORE_WIDTH = 5;
const SCORES_WIDTH = 4 * SCORE_WIDTH;
const NARROWEST_PARTIES = 12;

/** The heading, and a line for each call, none longer than `width`. */
export function liveLines(calls: readonly LiveCall[], width: number, paint: Paint): string[] {
  const fixed = VERDICT_WIDTH + TIME_WIDTH + CODEC_WIDTH + SCORES_WIDTH + 1;
  const partiesWidth = Math.max(NARROWEST_PARTIES, width - fixed);
  const heading =
    `${cell('', VERDICT_WIDTH)}${cell('call', partiesWidth)}${cell('time', TIME_WIDTH)}${cell('codec', CODEC_WIDTH)}` +
    ` ${['rx 1', 'tx 1', 'rx 2', 'tx 2'].map((name) => name.padStart(SCORE_WIDTH)).join('')}`;
  return [paint('dim', heading.slice(0, width)), ...calls.map((call) => liveLine(call, partiesWidth, paint))];
}

function liveLine({ parties, verdict, durationS }: LiveCall, partiesWidth: number, paint: Paint): string {
  const arrow = paint.isUnicode ? ' → ' : ' > ';
  const names = parties.map(({ endpoint }) => shortEndpoint(endpoint)).join(arrow);
  const more = parties.length > 2 ? ` +${parties.length - 2}` : '';
  const codec = parties.flatMap((party) => party.codec ?? [])[0] ?? '-';
  const scores = [0, 1].flatMap((index) => {
    const party = parties[index];
    if (party === undefined) return [' '.repeat(SCORE_WIDTH), ' '.repeat(SCORE_WIDTH)];
    return (['rx', 'tx'] as const).map((direction) => {
      const stream = streamOf(party, direction);
      const score = direction === 'rx' ? party.mes_rx : party.mes_tx;
      return paint(toneOf(stream?.verdict ?? null), quantity(score, 2).padStart(SCORE_WIDTH));
    });
  });
  return (
    paint(toneOf(verdict), cell(verdict ?? 'not yet', VERDICT_WIDTH)) +
    cell(cell(names, partiesWidth - more.length - 1).trimEnd() + more, partiesWidth) +
    cell(duration(durationS), TIME_WIDTH) +
    cell(codec, CODEC_WIDTH) +
    ` ${scores.join('')}`
  );
}

/** `23 calls: 2 bad, 1 poor, 20 good`. */
export function liveSummary(calls: readonly LiveCall[]): string {
  const counts = Map.groupBy(
    calls.toSorted((a, b) => rankOf(a.verdict) - rankOf(b.verdict)),
    ({ verdict }) => verdict ?? 'not yet known',
  );
  const parts = [...counts].map(([word, list]) => `${list.length} ${word}`);
  const total = calls.length === 1 ? '1 call is up' : `${calls.length} calls are up`;
  return calls.length === 0 ? 'No call is up' : `${total}: ${parts.join(', ')}`;
}

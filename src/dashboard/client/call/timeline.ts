import { el, foreign } from '../parts/dom.ts';
import type { Alert } from '../rest/alert-answers.ts';
import type { Channel, WholeCall } from '../rest/answers.ts';
import { t } from '../words/language.ts';
import { clock, shortEndpoint } from '../words/words.ts';
import { callChanges } from './call-marks.ts';

/** Something that happened in a call. */
export interface TimelineEvent {
  readonly atMs: number;
  readonly words: string;
  readonly tone?: 'bad' | undefined;
}

/** An event with its sign (A, B, C …), which marks it in the charts and in the list. */
export interface TimelineMark extends TimelineEvent {
  readonly sign: string;
}

/** The same change in another leg within this time is the same event. */
const SAME_EVENT_MS = 2000;

/** Ring, answer, hold, transfer, codec, marks, alerts and the end of each leg, in order. */
export function timelineOf(call: WholeCall, legs: readonly Channel[], alerts: readonly Alert[]): TimelineMark[] {
  const events = [
    ...beginnings(legs),
    ...callChanges(call.channels, call.ended_at),
    ...call.moments.map(({ at, uniqueid }) => ({
      atMs: Date.parse(at),
      words: t('{who} pressed the key: something is wrong', { who: nameOf(legs, uniqueid) }),
      tone: 'bad' as const,
    })),
    // The sentence of an alert tells of now, which may be long after.
    ...alerts.map(({ raised_at: at, rule, endpoint, site }) => ({
      atMs: Date.parse(at),
      words: t('alert {rule}', { rule: [rule, endpoint ?? site ?? []].flat().join(' · ') }),
      tone: 'bad' as const,
    })),
    ...endings(call, legs),
  ];
  return events.toSorted((a, b) => a.atMs - b.atMs).map((event, index) => ({ ...event, sign: signOf(index) }));
}

function beginnings(legs: readonly Channel[]): TimelineEvent[] {
  const [caller, ...others] = legs;
  if (caller === undefined) return [];
  const from = shortEndpoint(caller.endpoint);
  const events: TimelineEvent[] = [
    {
      atMs: Date.parse(caller.started_at),
      words:
        caller.exten === null || caller.exten === ''
          ? t('{who} calls', { who: from })
          : t('{who} calls {exten}', { who: from, exten: caller.exten }),
    },
  ];
  for (const leg of others) {
    const who = shortEndpoint(leg.endpoint);
    events.push({ atMs: Date.parse(leg.started_at), words: t('{who} is called', { who }) });
    if (leg.answered_at !== null)
      events.push({ atMs: Date.parse(leg.answered_at), words: t('{who} answers', { who }) });
  }
  const answeredMs = caller.answered_at === null ? null : Date.parse(caller.answered_at);
  const isTold = others.some(
    ({ answered_at: at }) => at !== null && Math.abs(Date.parse(at) - (answeredMs ?? 0)) < SAME_EVENT_MS,
  );
  if (answeredMs !== null && !isTold) {
    events.push({ atMs: answeredMs, words: t('{who} is connected with the server', { who: from }) });
  }
  return events;
}

/** The end of each leg, and who hung up if that was seen. */
function endings(call: WholeCall, legs: readonly Channel[]): TimelineEvent[] {
  return legs.flatMap((leg, index) => {
    if (leg.ended_at === null) return [];
    const cause = leg.hangup_cause_text ?? (leg.end_reason === 'vanished' ? t('it was gone') : t('cause not known'));
    const end = { who: shortEndpoint(leg.endpoint), cause };
    const hungUpMs = leg.hangup_at === null ? null : Date.parse(leg.hangup_at);
    if (hungUpMs !== null && leg.hangup_by === 'party')
      return [{ atMs: hungUpMs, words: hangupWords(leg, index === 0, end) }];
    // When the talk is over, that this server ends the other leg says nothing.
    if (hungUpMs !== null && leg.uniqueid === call.ended_by_uniqueid)
      return [{ atMs: hungUpMs, words: t('this server hangs up the leg of {who}: {cause}', end) }];
    return [{ atMs: Date.parse(leg.ended_at), words: t('the leg of {who} ends: {cause}', end) }];
  });
}

function hangupWords(leg: Channel, isCaller: boolean, end: { readonly who: string; readonly cause: string }): string {
  if (leg.answered_at !== null) return t('{who} hangs up: {cause}', end);
  return isCaller ? t('{who} gives up: {cause}', end) : t('{who} does not take the call: {cause}', end);
}

function nameOf(legs: readonly Channel[], uniqueid: string): string {
  const leg = legs.find((one) => one.uniqueid === uniqueid);
  return leg === undefined ? t('somebody') : shortEndpoint(leg.endpoint);
}

/** A … Z, A1 … Z1, A2 … */
function signOf(index: number): string {
  const letter = String.fromCodePoint(65 + (index % 26));
  return index < 26 ? letter : `${letter}${Math.floor(index / 26)}`;
}

/** The events in words. */
export function timelineItems(marks: readonly TimelineMark[]): HTMLElement[] {
  return marks.map(({ atMs, sign, words, tone }) =>
    el(
      'li',
      { class: tone === undefined ? undefined : `tone-${tone}` },
      el('b', {}, sign),
      ` ${clock(atMs)} `,
      foreign(words),
    ),
  );
}

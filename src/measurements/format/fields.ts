import { ISSUES } from '../../model/people/rating.ts';
import { PROFILE_NAMES, VERDICTS } from '../../model/score.ts';
import { constant, count, type Kind, list, oneOf, range, text, truth } from './kinds.ts';

/**
 * One field of a measurement: what it may hold, its unit, and why it is there. Null is unknown; required fields are never null.
 */
export interface Field {
  readonly kind: Kind;
  readonly unit: string;
  readonly why: string;
  readonly required?: true;
}

export type Fields = Readonly<Record<string, Field>>;

export const SCHEMA_VERSION = 1;
/** Bound on the points of one direction's course. */
export const MOST_POINTS = 30;

const MS = range(0, 600_000);
const OPINION = range(0, 4.5);
const PERCENT = range(0, 100);
const WORD = text('letters, digits, dots and dashes, at most 24', /^[a-z0-9][a-z0-9.-]{0,23}$/);
/** The form of a question's id. */
export const QUESTION = /^[A-Za-z0-9_-]{1,40}$/;
const HASH = text('32 hexadecimal digits', /^[0-9a-f]{32}$/);

function field(kind: Kind, unit: string, why: string): Field {
  return { kind, unit, why };
}

function required(kind: Kind, unit: string, why: string): Field {
  return { kind, unit, why, required: true };
}

/** The fields that every document has. */
const ENVELOPE = {
  schema: required(constant(SCHEMA_VERSION), '', 'A reader knows by it how to read the rest.'),
  kind: required(oneOf('leg', 'rating'), '', 'Tells the media of a call from what a person said of it.'),
  installation: required(
    text('a random UUID', /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
    '',
    'One PBX with a fault must not count as many; it is random and another one each month.',
  ),
  forget: required(
    HASH,
    '',
    'Hash of a random token that stays at the PBX; whoever shows the token can have the document deleted.',
  ),
  call: required(
    HASH,
    '',
    'The legs of a call and what people said of it meet by it; it is a keyed hash, and the key stays at the PBX.',
  ),
  hour: required(
    text('a date and an hour, UTC', /^\d{4}-[01]\d-[0-3]\dT[0-2]\d:00Z$/),
    '',
    'Faults come at certain hours; minutes would tell which call it was.',
  ),
} as const satisfies Fields;

export const LEG_FIELDS = {
  ...ENVELOPE,
  release: field(WORD, '', 'Version of asterisk-mes: formulas change with it.'),
  asterisk: field(text('two numbers, such as 22.9', /^\d{1,4}\.\d{1,4}$/), '', 'Faults come and go with releases.'),
  technology: field(WORD, '', "Kind of the channel, such as pjsip: its driver has a share in a call's quality."),
  device_make: field(WORD, '', 'Some phones have faults that others have not; only makes that are known are named.'),
  device_model: field(WORD, '', 'The same by model.'),
  device_firmware: field(WORD, '', 'The same by firmware.'),
  transport: field(oneOf('udp', 'tcp', 'tls', 'ws', 'wss'), '', 'How the phone signals tells how it is connected.'),
  network: field(WORD, '', 'Kind of network, if the administrator gives a table of networks.'),
  country: field(text('two letters', /^[A-Z]{2}$/), '', 'Country, if the administrator gives a table of networks.'),
  asn: field(range(1, 4_294_967_295), '', 'The network that carries the call, if the administrator gives a table.'),
  codec: field(WORD, '', 'Codecs bear loss differently.'),
  duration_s: field(count(864_000), 's, in steps of 10', 'Longer calls have more time to go wrong.'),
  profile: field(oneOf(...PROFILE_NAMES), '', 'The formula of the score.'),
  mes: field(OPINION, 'opinion 1-4.5', 'The score of this leg.'),
  mes_min: field(OPINION, 'opinion 1-4.5', 'Its worst interval.'),
  verdict: field(oneOf(...VERDICTS), '', 'The score in a word, or why there is none.'),
  load_percent: field(oneOf('0-25', '25-50', '50-75', '75-100', 'over 100'), '', 'A busy PBX spoils calls by itself.'),
  memory_percent: field(oneOf('0-25', '25-50', '50-75', '75-100'), '', 'The same of memory in use.'),
  points_left_out: field(count(), '', 'Points of the course that there was no room for, the oldest first.'),
  is_whole: required(truth(), '', 'False: the sidecar ended in mid-call, and the rest is missing.'),
} as const satisfies Fields;

/** Fields of each direction; `rx`: from the phone to the PBX. */
export const STREAM_FIELDS = {
  direction: required(oneOf('rx', 'tx'), '', 'Which way the audio went.'),
  reporter: field(oneOf('local', 'remote'), '', 'Who measured it: the PBX or the phone.'),
  codec: field(WORD, '', 'It may differ by direction.'),
  clock_rate_hz: field(count(1_000_000), 'Hz', 'Jitter is counted in its ticks.'),
  reports: field(count(), '', 'How much the rest rests on.'),
  packets_expected: field(count(), '', 'Loss is a share of these.'),
  packets_lost: field(range(-1_000_000_000, 1_000_000_000), '', 'Lost packets; below 0 when more came twice.'),
  loss_percent: field(PERCENT, '%', 'The most frequent cause of a bad call.'),
  duplicates: field(count(), '', 'Packets that came twice tell of a broken path.'),
  sequence_restarts: field(count(), '', 'Senders that begin again spoil the statistics.'),
  rtt_ms: field(MS, 'ms, mean', 'People talk over each other when it is long.'),
  rtt_min_ms: field(MS, 'ms', 'The path itself, without queues.'),
  rtt_max_ms: field(MS, 'ms', 'How full its queues become.'),
  jitter_ms: field(MS, 'ms, mean', 'Uneven arrival costs delay or gaps.'),
  jitter_stdev_ms: field(MS, 'ms', 'How much that changes.'),
  jitter_max_ms: field(MS, 'ms', 'Its worst.'),
  effective_latency_ms: field(MS, 'ms', 'What the score made of delay and jitter.'),
  mes: field(OPINION, 'opinion 1-4.5', 'The score of this direction.'),
  mos_lq: field(OPINION, 'opinion 1-4.5', "The E-model's listening quality."),
  mos_cq: field(OPINION, 'opinion 1-4.5', "The E-model's conversational quality."),
  verdict: field(oneOf(...VERDICTS), '', 'The same in a word.'),
  out_of_order: field(count(), '', 'Packets that overtook others: of captured packets, as all that follows.'),
  discard_percent: field(PERCENT, '%', 'Packets that came too late to be played.'),
  burst_density_percent: field(PERCENT, '%', 'How thick losses lie in a burst.'),
  gap_density_percent: field(PERCENT, '%', 'How thick they lie between bursts.'),
  burst_duration_ms: field(range(0, 86_400_000), 'ms, mean', 'Long bursts are heard, single losses are not.'),
  gap_duration_ms: field(range(0, 86_400_000), 'ms, mean', 'The rest between them.'),
  fills: field(count(), '', 'Interruptions that something else had to fill.'),
  longest_loss_ms: field(range(0, 86_400_000), 'ms', 'The longest silence that the network made.'),
  arrival_histogram: field(
    list(count(), MOST_POINTS),
    'packets, by half octaves of ms',
    'How packets spread in time shows what kind of network it was.',
  ),
} as const satisfies Fields;

/** Fields of each point of a direction's course. */
export const POINT_FIELDS = {
  direction: required(oneOf('rx', 'tx'), '', 'Which way the audio went.'),
  at_s: required(count(864_000), 's since the leg began', 'Whether a call begins badly or becomes bad.'),
  mes: field(OPINION, 'opinion 1-4.5', 'The score so far.'),
  loss_percent: field(PERCENT, '%', 'Loss since the point before.'),
  jitter_ms: field(MS, 'ms', 'Jitter then.'),
  rtt_ms: field(MS, 'ms', 'Round trip then.'),
} as const satisfies Fields;

export const RATING_FIELDS = {
  ...ENVELOPE,
  side: field(oneOf('caller', 'callee'), '', 'Whose ears it were.'),
  score: required(range(1, 5), 'opinion 1-5', 'What the person said: every formula is held against it.'),
  issues: field(list(oneOf(...ISSUES), ISSUES.length), '', 'What was wrong, in words to choose from.'),
  asked: field(truth(), '', 'Those who come by themselves are more often angry.'),
  weight: field(range(0, 1000), 'calls', 'For how many calls this one stands.'),
  source: field(oneOf('ivr', 'code', 'link', 'rest', 'mark'), '', 'How it was said.'),
} as const satisfies Fields;

/** Fields of each answer in a rating: yes or no to a question that the collection server publishes. */
export const ANSWER_FIELDS = {
  question: required(text('letters, digits, dashes and underscores, at most 40', QUESTION), '', 'Which question.'),
  version: required(count(10_000), '', 'In which wording.'),
  answer: required(truth(), '', 'Yes or no.'),
} as const satisfies Fields;

/** The lists of objects in a document, and the bounds on their lengths. */
export const PARTS = {
  leg: {
    streams: { fields: STREAM_FIELDS, most: 2 },
    course: { fields: POINT_FIELDS, most: 2 * MOST_POINTS },
  },
  rating: { answers: { fields: ANSWER_FIELDS, most: 20 } },
} as const;

export type PartFields = Readonly<Record<string, { readonly fields: Fields; readonly most: number }>>;

const TABLE: readonly (readonly [part: string, fields: Fields])[] = [
  ['a leg', LEG_FIELDS],
  ['each direction of it', STREAM_FIELDS],
  ['each point of its course', POINT_FIELDS],
  ['what a person said', RATING_FIELDS],
  ['each answer to a question', ANSWER_FIELDS],
];

/** The table of all fields for people. */
export function fieldRows(): { of: string; field: string; holds: string; why: string }[] {
  return TABLE.flatMap(([part, fields]) =>
    Object.entries(fields).map(([name, { kind, unit, why }]) => ({
      of: part,
      field: name,
      holds: unit === '' ? kind.words : `${kind.words}; ${unit}`,
      why,
    })),
  );
}

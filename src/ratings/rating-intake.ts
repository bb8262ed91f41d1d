import { randomUUID } from 'node:crypto';
import type { CallWithChannels, Clock, HistoryReader, LabelledCounter, LiveView } from '../model/ports.ts';
import {
  type GivenRating,
  LONGEST_COMMENT,
  type Moment,
  type RatedParty,
  type Rating,
  type RatingService,
  type RatingCursor,
  type RatingFilter,
  type RatingRefusal,
  type RatingRequest,
  RATING_SOURCES,
  type RatingSource,
  type RatingSummary,
  type Side,
} from '../model/people/rating.ts';
import type { ChannelRecord } from '../model/record.ts';
import { askProbability, type AskingRules } from './asking.ts';
import { type EndedChannel, LAST_CALL_MS, type RecentCalls } from './recent-calls.ts';

/** The rating tables of the history. */
export interface RatingTables {
  rate(rating: Rating): Promise<unknown>;
  ask(request: RatingRequest): Promise<unknown>;
  mark(moment: Moment): Promise<unknown>;
  list(input: {
    filter: RatingFilter;
    limit: number;
    cursor: RatingCursor | null;
  }): Promise<{ readonly ratings: readonly Rating[]; readonly next: RatingCursor | null }>;
  answered(input: { fromMs: number; toMs: number }): Promise<{ readonly asked: number; readonly answered: number }>;
  summary(input: { fromMs: number; toMs: number }): Promise<RatingSummary>;
  lastAsked(sinceMs: number): Promise<readonly { readonly endpoint: string; readonly atMs: number }[]>;
  lastEnded(input: { endpoint: string; sinceMs: number }): Promise<EndedChannel | null>;
}

export interface RatingIntakeOptions {
  readonly tables: RatingTables;
  readonly calls: Pick<HistoryReader, 'call'>;
  readonly live: LiveView;
  readonly recent: RecentCalls;
  readonly clock: Clock;
  readonly rules: AskingRules;
  /** 0 up to 1. */
  readonly random: () => number;
  /** Hides numbers in a text, as `[history] numbers` says. */
  readonly hideText: (text: string) => string;
  /** Called with each stored rating, and again when answers are added to it. */
  readonly onRated: (rating: Rating) => void;
  readonly onLost: (error: unknown) => void;
}

/** The way by which a rating came. */
export interface RatingWay {
  readonly source: RatingSource;
  /** A later rating with the same id replaces the earlier one. */
  readonly id?: string | undefined;
  /** The probability of asking about the call; absent: the rating came by itself. */
  readonly probability?: number | undefined;
}

const SCORES = [1, 2, 3, 4, 5];
const DAY_MS = 86_400_000;
/** Many times what people on a large server say in a minute. More come from a broken or hostile program. */
const MOST_A_MINUTE = 600;
const MINUTE_MS = 60_000;
/** Bound on endpoints whose last request is remembered. */
const MOST_ENDPOINTS = 100_000;

/** Takes ratings, decides whom to ask, and stores both. */
export class RatingIntake implements RatingService {
  readonly #options: RatingIntakeOptions;
  readonly #lastAsked = new Map<string, number>();
  #minuteBeganAtMs = 0;
  #thisMinute = 0;
  #marksBeganAtMs = 0;
  #marksThisMinute = 0;
  readonly #counters = { asked: 0, answered: 0, marks: 0, refused: 0, lost: 0 };
  /** Ratings by source and score. All pairs exist from the start, so that Prometheus sees the first increase. */
  readonly #byKind = new Map(
    RATING_SOURCES.flatMap((source) => SCORES.map((score) => [`${source} ${score}`, { source, score, count: 0 }])),
  );

  constructor(options: RatingIntakeOptions) {
    this.#options = options;
  }

  get counters(): Readonly<Record<string, number>> {
    return this.#counters;
  }

  get byScore(): LabelledCounter {
    return {
      name: 'ratings',
      help: 'Ratings of calls by people, by score (1 bad to 5 excellent) and by the way in which they came',
      labelNames: ['score', 'source'],
      values: [...this.#byKind.values()].map(({ source, score, count }) => ({
        labels: { score: String(score), source },
        value: count,
      })),
    };
  }

  /** Reads who was asked before the sidecar started. */
  async start(): Promise<void> {
    const { tables, clock } = this.#options;
    const asked = await tables.lastAsked(clock.nowMs() - DAY_MS).catch(() => []);
    for (const { endpoint, atMs } of asked) this.#lastAsked.set(endpoint, atMs);
  }

  /**
   * Decides whether to ask about the call of a live channel, without waiting for the disk. Returns the request, which it
   * stores; undefined: do not ask. `numbers`: further numbers of the parties from Asterisk.
   */
  ask(uniqueid: string, numbers: readonly string[]): RatingRequest | undefined {
    const { live, recent, clock, rules, random, tables } = this.#options;
    const channel = live.liveChannel(uniqueid);
    if (channel === null) return undefined;
    const { linkedid, endpoint, callerNumber, connectedNumber, exten } = channel;
    const nowMs = clock.nowMs();
    const probability = askProbability(
      {
        endpoint,
        numbers: [callerNumber, connectedNumber, exten, ...recent.numbersOf(linkedid), ...numbers].filter(
          (number) => number !== null,
        ),
        verdict: recent.worstOf(linkedid, uniqueid),
        lastAskedAtMs: this.#lastAsked.get(endpoint) ?? null,
        nowMs,
      },
      rules,
    );
    if (probability === 0 || random() >= probability) return undefined;
    this.#noteAsked(endpoint, nowMs);
    this.#counters.asked++;
    const request = { linkedid, uniqueid, endpoint, side: sideOf(channel), probability, askedAtMs: nowMs };
    tables.ask(request).catch((error: unknown) => this.#lose(error));
    return request;
  }

  /**
   * Stores a moment that a person marked in a call. Returns it; undefined: it is refused. Whoever may send user events can say what
   * he likes, so the channel must be up, and its call is the one that we know.
   */
  mark(uniqueid: string, atMs: number): Moment | undefined {
    const { live, clock, tables } = this.#options;
    const nowMs = clock.nowMs();
    if (Math.abs(nowMs - this.#marksBeganAtMs) >= MINUTE_MS) {
      this.#marksBeganAtMs = nowMs;
      this.#marksThisMinute = 0;
    }
    const channel = this.#marksThisMinute < MOST_A_MINUTE ? live.liveChannel(uniqueid) : null;
    if (channel === null) {
      this.#counters.refused++;
      return undefined;
    }
    this.#marksThisMinute++;
    this.#counters.marks++;
    const moment = { linkedid: channel.linkedid, uniqueid, atMs };
    tables.mark(moment).catch((error: unknown) => this.#lose(error));
    return moment;
  }

  /** The last call that an endpoint ended, at most ten minutes ago; undefined: none. */
  async lastOf(endpoint: string): Promise<EndedChannel | undefined> {
    const { recent, tables, clock } = this.#options;
    const nowMs = clock.nowMs();
    const known = recent.lastOf(endpoint, nowMs);
    if (known !== undefined) return known;
    return (await tables.lastEnded({ endpoint, sinceMs: nowMs - LAST_CALL_MS })) ?? undefined;
  }

  async rate(
    party: RatedParty,
    given: GivenRating,
    way: RatingWay = { source: 'rest' },
  ): Promise<Rating | RatingRefusal> {
    if (this.#isTooMuch()) return this.#refuse('too-many');
    const { calls, clock, hideText, tables, onRated } = this.#options;
    const asked = 'lastOf' in party ? await this.lastOf(party.lastOf) : party;
    const call = asked === undefined ? null : await calls.call(asked.linkedid);
    if (asked === undefined || call === null) return this.#refuse('no-such-call');
    const channel = partyOf(call, asked);
    if (channel === 'no-such-channel') return this.#refuse(channel);
    const side = channel === null ? ('side' in asked && asked.side) || 'caller' : sideIn(call, channel);
    const rating: Rating = {
      id: way.id ?? randomUUID(),
      linkedid: call.linkedid,
      uniqueid: channel?.uniqueid ?? null,
      endpoint: channel?.endpoint ?? null,
      side,
      score: given.score,
      issues: [...new Set(given.issues)],
      answers: given.answers ?? [],
      comment: commentOf(given.comment, hideText),
      source: way.source,
      asked: way.probability !== undefined,
      weight: way.probability === undefined ? 0 : 1 / way.probability,
      atMs: clock.nowMs(),
    };
    await tables.rate(rating);
    if (way.id === undefined) this.count(rating);
    onRated(rating);
    return rating;
  }

  /** Counts a rating. For ratings that may be replaced, call it for the first one only. */
  count({ score, source, asked }: Pick<Rating, 'score' | 'source' | 'asked'>): void {
    const kind = this.#byKind.get(`${source} ${score}`);
    if (kind !== undefined) kind.count++;
    if (asked) this.#counters.answered++;
  }

  list(filter: RatingFilter, limit: number, cursor: RatingCursor | null): ReturnType<RatingService['list']> {
    return this.#options.tables.list({ filter, limit, cursor });
  }

  answered(fromMs: number, toMs: number): ReturnType<RatingService['answered']> {
    return this.#options.tables.answered({ fromMs, toMs });
  }

  summary(fromMs: number, toMs: number): Promise<RatingSummary> {
    return this.#options.tables.summary({ fromMs, toMs });
  }

  #isTooMuch(): boolean {
    const nowMs = this.#options.clock.nowMs();
    if (Math.abs(nowMs - this.#minuteBeganAtMs) >= MINUTE_MS) {
      this.#minuteBeganAtMs = nowMs;
      this.#thisMinute = 0;
    }
    return ++this.#thisMinute > MOST_A_MINUTE;
  }

  #refuse(why: RatingRefusal): RatingRefusal {
    this.#counters.refused++;
    return why;
  }

  #noteAsked(endpoint: string, nowMs: number): void {
    if (this.#lastAsked.size >= MOST_ENDPOINTS) this.#lastAsked.clear();
    this.#lastAsked.set(endpoint, nowMs);
  }

  #lose(error: unknown): void {
    this.#counters.lost++;
    this.#options.onLost(error);
  }
}

/** The caller's channel has the call's own id. */
export function sideOf({ uniqueid, linkedid }: Pick<ChannelRecord, 'uniqueid' | 'linkedid'>): Side {
  return uniqueid === linkedid ? 'caller' : 'callee';
}

/** The side of a channel in a known call. In a joined call the oldest channel is the caller's. */
function sideIn({ linkedid, channels }: CallWithChannels, { uniqueid }: ChannelRecord): Side {
  const oldest = channels.toSorted((one, other) => one.startedAtMs - other.startedAtMs)[0];
  const caller = channels.find((channel) => channel.uniqueid === linkedid) ?? oldest;
  return caller?.uniqueid === uniqueid ? 'caller' : 'callee';
}

/** The party that a rating is from; null: it could be several. */
function partyOf(
  call: CallWithChannels,
  asked: { readonly uniqueid?: string | undefined; readonly side?: Side | undefined },
): ChannelRecord | null | 'no-such-channel' {
  const { uniqueid, side = 'caller' } = asked;
  if (uniqueid !== undefined) return call.channels.find((one) => one.uniqueid === uniqueid) ?? 'no-such-channel';
  const people = call.channels.filter(({ name }) => !name.startsWith('Local/'));
  const ofSide = people.filter((channel) => sideIn(call, channel) === side);
  const answered = ofSide.filter(({ answeredAtMs }) => answeredAtMs !== null);
  const [only, ...others] = answered.length > 0 ? answered : ofSide;
  return only !== undefined && others.length === 0 ? only : null;
}

/** The comment as one line of bounded length, with numbers hidden; null when nothing is left. */
function commentOf(comment: string | null | undefined, hideText: (text: string) => string): string | null {
  const line = (comment ?? '').replaceAll(/[\p{Cc}\u2028\u2029]+/gu, ' ').trim();
  return line === '' ? null : hideText(line.slice(0, LONGEST_COMMENT));
}

import type { z } from 'zod';
import type { Clock, LiveView } from '../../model/ports.ts';
import type { ChannelRecord } from '../../model/record.ts';
import type { LIVE_QUERY } from '../parameters.ts';
import { presentChannel, presentChannelSummary } from './present.ts';
import { inParts, nextTurn } from '../gate/turns.ts';

/**
 * Requests within this time share a list, which takes a tenth of a second to make for 2,000 channels. A list that was made
 * faster is shared for a shorter time, so that making lists never takes more than a fixed share of the time.
 */
const SHARED_MS = 500;
const REST_PER_WORK = 10;
/** Bound on the remembered answers of one list. */
const MOST_ANSWERS = 16;

type LiveQuery = z.output<typeof LIVE_QUERY>;

/** The JSON of all channels in one buffer: one string for each would be garbage each time. */
interface Texts {
  readonly bytes: Buffer;
  /** Where each channel's text begins, and the end of the last. Each text ends with a comma. */
  readonly starts: readonly number[];
}

async function textsOf(channels: readonly ChannelRecord[], show: (channel: ChannelRecord) => object): Promise<Texts> {
  const starts = [0];
  let end = 0;
  const pieces = await inParts(channels, (channel) => {
    const piece = Buffer.from(`${JSON.stringify(show(channel))},`);
    starts.push((end += piece.length));
    return piece;
  });
  return { bytes: Buffer.concat(pieces), starts };
}

/** The live channels at one moment, and the answers made of them. */
class Snapshot {
  readonly #channels: readonly ChannelRecord[];
  readonly #nowMs: number;
  readonly #answers = new Map<string, Promise<Buffer>>();
  #whole: Promise<Texts> | undefined;
  #summary: Promise<Texts> | undefined;

  constructor(channels: readonly ChannelRecord[], nowMs: number) {
    this.#channels = channels;
    this.#nowMs = nowMs;
  }

  answer(query: LiveQuery): Promise<Buffer> {
    const key = JSON.stringify(query);
    let answer = this.#answers.get(key);
    if (answer === undefined) {
      answer = this.#make(query);
      if (this.#answers.size < MOST_ANSWERS) this.#answers.set(key, answer);
    }
    return answer;
  }

  async #make(query: LiveQuery): Promise<Buffer> {
    const { bytes, starts } = await (query.fields === 'summary' ? this.#summaries() : this.#wholes());
    // Many requests may have waited for the same texts.
    await nextTurn();
    const fitting = this.#channels.flatMap((channel, index) => (fits(channel, query) ? [index] : []));
    if (query.sort === 'mes') {
      // The worst first; without a score last.
      const scoreOf = (index: number): number => this.#channels[index]?.mes ?? Number.POSITIVE_INFINITY;
      fitting.sort((one, other) => (scoreOf(one) === scoreOf(other) ? one - other : scoreOf(one) - scoreOf(other)));
    }
    const shown = fitting.slice(0, query.limit).map((index) => bytes.subarray(starts[index], starts[index + 1]));
    const last = shown.pop()?.subarray(0, -1) ?? Buffer.alloc(0);
    const matching = query.limit === undefined ? '' : `,"matching":${fitting.length}`;
    return Buffer.concat([Buffer.from('{"channels":['), ...shown, last, Buffer.from(`]${matching}}`)]);
  }

  #wholes(): Promise<Texts> {
    return (this.#whole ??= textsOf(this.#channels, (channel) => presentChannel(channel, this.#nowMs)));
  }

  #summaries(): Promise<Texts> {
    return (this.#summary ??= textsOf(this.#channels, (channel) => presentChannelSummary(channel, this.#nowMs)));
  }
}

function fits(channel: ChannelRecord, query: LiveQuery): boolean {
  const { endpoint, codec, verdict, max_mes: maxMes, min_mes: minMes } = query;
  if (endpoint?.some((pattern) => isNamed(channel.endpoint, pattern)) === false) return false;
  if (codec?.some((name) => channel.codec === name) === false) return false;
  if (verdict?.some((word) => channel.verdict === word) === false) return false;
  if (maxMes !== undefined && (channel.mes === null || channel.mes > maxMes)) return false;
  return minMes === undefined || (channel.mes !== null && channel.mes >= minMes);
}

function isNamed(name: string, pattern: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}

/** The list of live channels, made in parts and shared by requests of about the same time. */
export class LiveList {
  readonly #live: LiveView;
  readonly #clock: Clock;
  #snapshot: Promise<Snapshot> | undefined;

  constructor({ live, clock }: { readonly live: LiveView; readonly clock: Clock }) {
    this.#live = live;
    this.#clock = clock;
  }

  /** The answer as JSON. */
  async answer(query: LiveQuery): Promise<Buffer> {
    const snapshot = await (this.#snapshot ??= this.#take());
    return snapshot.answer(query);
  }

  async #take(): Promise<Snapshot> {
    const startedAtMs = performance.now();
    try {
      const nowMs = this.#clock.nowMs();
      const channels = await inParts(this.#live.liveUniqueids(), (uniqueid) => this.#live.liveChannel(uniqueid));
      return new Snapshot(
        channels.filter((channel) => channel !== null),
        nowMs,
      );
    } finally {
      const sharedMs = Math.min(SHARED_MS, REST_PER_WORK * (performance.now() - startedAtMs));
      setTimeout(() => (this.#snapshot = undefined), sharedMs).unref();
    }
  }
}

import type { z } from 'zod';
import type { Clock, LiveView } from '../../model/ports.ts';
import type { ChannelRecord } from '../../model/record.ts';
import type { LIVE_QUERY } from '../parameters.ts';
import { presentChannel, presentChannelSummary } from './present.ts';
import { Chunks } from '../gate/chunks.ts';
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

/** What a question chooses channels by. */
type Facts = Pick<ChannelRecord, 'endpoint' | 'codec' | 'verdict' | 'mes'>;

/** Sent at a time, where the texts of one answer lie side by side. */
const RUN_BYTES = 65_536;
const COMMA_BYTES = 1;

/** Texts are kept in blocks of this length: a short answer holds no more of a long list in memory. */
const BLOCK_BYTES = 1_048_576;
/** Answers up to this length are copied out of their blocks. */
const COPIED_BYTES = 262_144;

/** The JSON of all channels in some blocks of memory: a string for each would be garbage each time. */
class Texts {
  readonly #blocks: Buffer[] = [];
  /** Bytes of the last block that are in use. */
  #used = 0;
  /** Of each text: its block, and where in that it begins and ends. Each ends with a comma. */
  readonly #blockOf: number[] = [];
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];

  add(text: string): void {
    const most = 3 * text.length + COMMA_BYTES;
    let block = this.#blocks.at(-1);
    if (block === undefined || this.#used + most > block.length) {
      block = Buffer.allocUnsafeSlow(Math.max(BLOCK_BYTES, most));
      this.#blocks.push(block);
      this.#used = 0;
    }
    this.#blockOf.push(this.#blocks.length - 1);
    this.#starts.push(this.#used);
    this.#used += block.write(`${text},`, this.#used);
    this.#ends.push(this.#used);
  }

  /** The texts with these numbers, in this order, without the last comma; copied only when they are short. */
  pieces(numbers: readonly number[]): Buffer[] {
    const pieces: Buffer[] = [];
    let [block, from, to] = [0, 0, 0];
    const flush = (end: number): void => {
      if (end > from) pieces.push((this.#blocks[block] ?? Buffer.alloc(0)).subarray(from, end));
    };
    for (const number of numbers) {
      const [own = 0, start = 0, end = 0] = [this.#blockOf[number], this.#starts[number], this.#ends[number]];
      if (own !== block || start !== to || end - from > RUN_BYTES) {
        flush(to);
        [block, from] = [own, start];
      }
      to = end;
    }
    flush(Math.max(from, to - COMMA_BYTES));
    const bytes = pieces.reduce((sum, { length }) => sum + length, 0);
    return bytes > COPIED_BYTES ? pieces : [Buffer.concat(pieces, bytes)];
  }
}

/** The live channels at one moment, and the answers made of them. */
class Snapshot {
  readonly #facts: readonly Facts[];
  readonly #texts: Texts;
  readonly #answers = new Map<string, Chunks>();
  #worstFirst: readonly number[] | undefined;

  constructor(facts: readonly Facts[], texts: Texts) {
    this.#facts = facts;
    this.#texts = texts;
  }

  answer(query: LiveQuery): Chunks {
    const key = JSON.stringify(query);
    const known = this.#answers.get(key);
    if (known !== undefined) return known;
    const answer = this.#make(query);
    if (this.#answers.size < MOST_ANSWERS) this.#answers.set(key, answer);
    return answer;
  }

  #make(query: LiveQuery): Chunks {
    const order = query.sort === 'mes' ? (this.#worstFirst ??= this.#sorted()) : this.#facts.keys();
    const fitting: number[] = [];
    for (const index of order) {
      const facts = this.#facts[index];
      if (facts !== undefined && fits(facts, query)) fitting.push(index);
    }
    const matching = query.limit === undefined ? '' : `,"matching":${fitting.length}`;
    const shown = this.#texts.pieces(fitting.slice(0, query.limit));
    return new Chunks([Buffer.from('{"channels":['), ...shown, Buffer.from(`]${matching}}`)]);
  }

  /** The worst first; without a score last. */
  #sorted(): number[] {
    const scoreOf = (index: number): number => this.#facts[index]?.mes ?? Number.POSITIVE_INFINITY;
    return [...this.#facts.keys()].toSorted((one, other) =>
      scoreOf(one) === scoreOf(other) ? one - other : scoreOf(one) - scoreOf(other),
    );
  }
}

function fits(channel: Facts, query: LiveQuery): boolean {
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

/** The list of live channels in one form, made in parts and shared by requests of about the same time. */
class SharedList {
  readonly #live: LiveView;
  readonly #clock: Clock;
  readonly #show: (channel: ChannelRecord, nowMs: number) => object;
  #snapshot: Promise<Snapshot> | undefined;

  constructor({ live, clock }: LiveSources, show: (channel: ChannelRecord, nowMs: number) => object) {
    this.#live = live;
    this.#clock = clock;
    this.#show = show;
  }

  snapshot(): Promise<Snapshot> {
    return (this.#snapshot ??= this.#take());
  }

  /** Keeps of each channel what is asked for and its text: the rest would be tens of megabytes for the garbage collector. */
  async #take(): Promise<Snapshot> {
    const startedAtMs = performance.now();
    try {
      const nowMs = this.#clock.nowMs();
      const texts = new Texts();
      const facts: Facts[] = [];
      await inParts(this.#live.liveUniqueids(), (uniqueid) => {
        const channel = this.#live.liveChannel(uniqueid);
        if (channel === null) return;
        const { endpoint, codec, verdict, mes } = channel;
        facts.push({ endpoint, codec, verdict, mes });
        texts.add(JSON.stringify(this.#show(channel, nowMs)));
      });
      return new Snapshot(facts, texts);
    } finally {
      const sharedMs = Math.min(SHARED_MS, REST_PER_WORK * (performance.now() - startedAtMs));
      setTimeout(() => (this.#snapshot = undefined), sharedMs).unref();
    }
  }
}

interface LiveSources {
  readonly live: LiveView;
  readonly clock: Clock;
}

/** The lists of live channels: each whole, and in short. */
export class LiveList {
  readonly #whole: SharedList;
  readonly #short: SharedList;

  constructor(sources: LiveSources) {
    this.#whole = new SharedList(sources, presentChannel);
    this.#short = new SharedList(sources, presentChannelSummary);
  }

  /** The answer as JSON. */
  async answer(query: LiveQuery): Promise<Chunks> {
    const snapshot = await (query.fields === 'summary' ? this.#short : this.#whole).snapshot();
    // Many requests may have waited for the same list.
    await nextTurn();
    return snapshot.answer(query);
  }
}

import { gzipSync } from 'node:zlib';
import { LOCAL_CHANNEL_PREFIX } from '../model/channel.ts';
import type { LiveView } from '../model/ports.ts';
import type { ChannelRecord } from '../model/record.ts';
import type { Direction } from '../model/report.ts';
import type { AgeFile, AgeWriter } from './age-writer.ts';
import { type CourseMark, courseMark, coursePoint, thinned } from './format/course.ts';
import { type CoursePoint, type LegDocument, legDocument, type Surroundings } from './format/document.ts';
import { MOST_POINTS } from './format/fields.ts';
import type { Identity } from './installation.ts';
import { Spool } from './spool.ts';

/** Time between two segments of a live call: a SIGKILL loses at most this much. */
const WRITE_EVERY_MS = 5000;
/**
 * With many legs up they take turns: 2,000 legs are written every 20 s each. That, and 40 legs that end each second, adds a
 * quarter to the processor time of the sidecar.
 */
const MOST_SEGMENTS_PER_S = 100;
/** Within this time after its end a channel may get its final scores once more. */
const FINAL_SCORES_WITHIN_MS = 10_000;
/** Points of both directions that a leg keeps before it is thinned out. */
const MOST_KEPT_POINTS = 8 * MOST_POINTS;
/** Time between two looks at which legs are up. */
const LIST_EVERY_MS = 1000;
const ENDED_KEPT = 10_000;

export interface LegWriterOptions {
  readonly live: LiveView;
  readonly spool: Spool;
  readonly writer: AgeWriter;
  readonly identity: (nowMs: number) => Identity;
  readonly takesPart: (endpoint: string) => boolean;
  readonly around: () => Surroundings;
  /** Called with the document of an ended leg. */
  readonly onDocument: (document: LegDocument, linkedid: string) => void;
  readonly onProblem: (error: unknown) => void;
}

interface Leg {
  readonly name: string;
  readonly identity: Identity;
  /** The call that it belongs to, and `identity.callHash` of it. */
  linkedid: string;
  call: string;
  readonly file: AgeFile;
  readonly marks: Map<Direction, CourseMark>;
  /** All points, and how many of them are not in the file yet. */
  course: CoursePoint[];
  newPoints: number;
  pointsLeftOut: number;
  writtenAtMs: number;
  /** The write under way; null: none. The next one waits for it. */
  writing: Promise<void> | null;
}

/** Writes live legs into the spool segment by segment, and finishes them when they end. */
export class LegWriter {
  readonly #options: LegWriterOptions;
  readonly #legs = new Map<string, Leg>();
  readonly #ending = new Map<string, { channel: ChannelRecord; readonly endedAtMs: number }>();
  /** Channels that were finished; their final scores may come again. */
  readonly #ended = new Set<string>();
  readonly #pending = new Set<Promise<void>>();
  #lookedAtMs = 0;
  #listedAtMs = 0;
  #written = 0;
  #waiting: string[] = [];

  constructor(options: LegWriterOptions) {
    this.#options = options;
  }

  get counters(): { readonly live_legs: number; readonly segments: number } {
    return { live_legs: this.#legs.size, segments: this.#written };
  }

  /** Starts the writes that are due; does not wait for the disk. Call it some ten times a second. */
  tick(nowMs: number): void {
    void this.#flush(nowMs);
    for (const [uniqueid, { channel, endedAtMs }] of this.#ending) {
      if (nowMs - endedAtMs < FINAL_SCORES_WITHIN_MS) break;
      this.#ending.delete(uniqueid);
      this.#finish(channel, nowMs);
    }
    const sinceMs = nowMs - this.#lookedAtMs;
    if (sinceMs < 0 || sinceMs > WRITE_EVERY_MS) this.#lookedAtMs = nowMs - 100;
    const most = Math.floor(((nowMs - this.#lookedAtMs) * MOST_SEGMENTS_PER_S) / 1000);
    if (most < 1) return;
    this.#lookedAtMs = nowMs;
    if (this.#waiting.length === 0 && Math.abs(nowMs - this.#listedAtMs) >= LIST_EVERY_MS) {
      this.#listedAtMs = nowMs;
      this.#waiting = this.#options.live.liveUniqueids().toReversed();
    }
    for (let written = 0, looked = 0; written < most && looked < 10 * most; looked += 1) {
      const uniqueid = this.#waiting.pop();
      if (uniqueid === undefined) return;
      if (this.#writeLive(uniqueid, nowMs)) written += 1;
    }
  }

  /** Notes the end of a channel. It is finished when its scores can change no more. */
  channelEnded(channel: ChannelRecord, nowMs: number): void {
    const { uniqueid, endpoint, answeredAtMs } = channel;
    if (this.#ended.has(uniqueid)) return;
    if (answeredAtMs === null || !this.#isWanted(endpoint)) return;
    const before = this.#ending.get(uniqueid);
    if (before === undefined) this.#ending.set(uniqueid, { channel, endedAtMs: nowMs });
    else before.channel = channel;
  }

  /** Finishes ended legs and waits for all writes. What is there of live legs stays in the spool. */
  async stop(nowMs: number): Promise<void> {
    for (const { channel } of this.#ending.values()) this.#finish(channel, nowMs);
    this.#ending.clear();
    await this.written();
  }

  /** Resolves when every write so far is done. */
  async written(): Promise<void> {
    await Promise.all(this.#pending);
    await this.#flush();
  }

  /** Writes what was appended since the last tick. */
  async #flush(nowMs?: number): Promise<void> {
    await this.#options.spool.flush(nowMs).catch((error: unknown) => this.#options.onProblem(error));
  }

  #isWanted(endpoint: string): boolean {
    return !endpoint.startsWith(LOCAL_CHANNEL_PREFIX) && this.#options.takesPart(endpoint);
  }

  /** Writes the next segment of a live leg. Returns false when there was nothing to write. */
  #writeLive(uniqueid: string, nowMs: number): boolean {
    const known = this.#legs.get(uniqueid);
    if (known !== undefined && (known.writing !== null || nowMs - known.writtenAtMs < WRITE_EVERY_MS)) return false;
    if (this.#ending.has(uniqueid)) return false;
    const channel = this.#options.live.liveChannel(uniqueid);
    if (channel === null || channel.answeredAtMs === null || !this.#isWanted(channel.endpoint)) return false;
    if (known === undefined && channel.streams.every(({ reports }) => reports === 0)) return false;
    const leg = known ?? this.#begin(uniqueid, nowMs);
    leg.writtenAtMs = nowMs;
    this.#takePoints(leg, channel, nowMs);
    if (leg.newPoints === 0 && known !== undefined && !this.#options.spool.isBehind(leg.name)) return false;
    leg.newPoints = 0;
    const segment = leg.file.encrypt(gzipped(this.#document(channel, leg, thinned(leg.course), false, nowMs)));
    this.#write(leg, this.#options.spool.append(leg.name, segment));
    return true;
  }

  #begin(uniqueid: string, nowMs: number): Leg {
    const leg: Leg = {
      name: Spool.newName(),
      identity: this.#options.identity(nowMs),
      linkedid: '',
      call: '',
      file: this.#options.writer.newFile(),
      marks: new Map(),
      course: [],
      newPoints: 0,
      pointsLeftOut: 0,
      writtenAtMs: nowMs,
      writing: null,
    };
    this.#legs.set(uniqueid, leg);
    return leg;
  }

  #takePoints(leg: Leg, channel: ChannelRecord, nowMs: number): void {
    const atS = ((channel.endedAtMs ?? nowMs) - channel.startedAtMs) / 1000;
    for (const stream of channel.streams) {
      const point = coursePoint(stream, leg.marks.get(stream.direction), atS);
      if (point === null) continue;
      leg.course.push(point);
      leg.newPoints += 1;
      leg.marks.set(stream.direction, courseMark(stream));
    }
    if (leg.course.length > MOST_KEPT_POINTS) leg.course = this.#shortened(leg);
  }

  /** The course, or every second point of it when it is too long. */
  #shortened(leg: Leg): CoursePoint[] {
    const kept = thinned(leg.course, MOST_KEPT_POINTS / 4);
    leg.pointsLeftOut += leg.course.length - kept.length;
    return kept;
  }

  #finish(channel: ChannelRecord, nowMs: number): void {
    const { uniqueid, linkedid } = channel;
    const leg = this.#legs.get(uniqueid) ?? this.#begin(uniqueid, nowMs);
    this.#takePoints(leg, channel, nowMs);
    this.#legs.delete(uniqueid);
    this.#ended.add(uniqueid);
    for (const oldest of this.#ended) {
      if (this.#ended.size <= ENDED_KEPT) break;
      this.#ended.delete(oldest);
    }
    const course = thinned(leg.course);
    const document = this.#document(channel, leg, course, true, nowMs);
    this.#options.onDocument(document, linkedid);
    const segment = leg.file.encrypt(gzipped(document));
    const before = leg.writing ?? Promise.resolve();
    this.#write(
      leg,
      before.then(() => this.#options.spool.finish(leg.name, segment)),
    );
  }

  #document(
    channel: ChannelRecord,
    leg: Leg,
    course: readonly CoursePoint[],
    isWhole: boolean,
    nowMs: number,
  ): LegDocument {
    const { identity } = leg;
    if (leg.linkedid !== channel.linkedid) {
      leg.linkedid = channel.linkedid;
      leg.call = identity.callHash(channel.linkedid);
    }
    return legDocument(channel, {
      sender: identity.sender,
      call: leg.call,
      around: this.#options.around(),
      course,
      pointsLeftOut: leg.pointsLeftOut + leg.course.length - course.length,
      isWhole,
      nowMs,
    });
  }

  #write(leg: Leg, work: Promise<void>): void {
    this.#written += 1;
    const writing = work
      .catch((error: unknown) => this.#options.onProblem(error))
      .finally(() => {
        if (leg.writing === writing) leg.writing = null;
        this.#pending.delete(writing);
      });
    leg.writing = writing;
    this.#pending.add(writing);
  }
}

/**
 * Documents have some kilobytes, and zlib's usual buffers 256 KB each. With 2,000 legs up that is 35 MB a second, which makes
 * V8 collect garbage. Level 1 takes two thirds of the usual level's time, for a tenth more bytes.
 */
const SMALL_GZIP = { windowBits: 13, memLevel: 6, chunkSize: 4096, level: 1 } as const;

export function gzipped(document: object): Buffer {
  return gzipSync(JSON.stringify(document), SMALL_GZIP);
}

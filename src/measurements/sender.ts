import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LiveView } from '../model/ports.ts';
import type { Rating } from '../model/people/rating.ts';
import type { ChannelRecord } from '../model/record.ts';
import { AgeWriter } from './age-writer.ts';
import { CurrentSurroundings, type CurrentSurroundingsOptions } from './surroundings.ts';
import { type MeasurementDocument, ratingDocument } from './format/document.ts';
import { Installation } from './installation.ts';
import { gzipped, LegWriter } from './leg-writer.ts';
import { Spool } from './spool.ts';
import { Uploader } from './uploader.ts';

export const STATUS_FILE = 'status.json';
const RELOAD_EVERY_MS = 5000;
const RATINGS_EVERY_MS = 15_000;
/** A rating is stored somewhat later than its own time says. */
const RATINGS_OVERLAP_MS = 60_000;
const MOST_RATINGS = 100;
const RATINGS_KEPT = 10_000;
/** Time limit for stopping. */
const STOP_MS = 400;
/** Bound on the legs of a call that are shown. */
const MOST_SHOWN = 20;

export interface SenderSettings {
  readonly recipients: readonly string[];
  readonly collector: string | null;
  readonly uploadTo: string | null;
  readonly include: readonly ('calls' | 'ratings')[];
  readonly endpoints: readonly string[];
  readonly spool: string;
  readonly spoolMaxBytes: number;
}

export interface SenderOptions extends CurrentSurroundingsOptions {
  readonly settings: SenderSettings;
  readonly live: LiveView;
  readonly nowMs: () => number;
  /** Ratings since a time, the newest first, at most `limit`. */
  readonly ratingsSince: (fromMs: number, limit: number) => Promise<readonly Rating[]>;
  /** Both are called with one sentence. */
  readonly onProblem: (sentence: string) => void;
  readonly onInfo: (sentence: string) => void;
}

/** Measures calls and ratings, encrypts the documents for their recipients, and sends them. */
export class MeasurementSender {
  readonly #options: SenderOptions;
  readonly #writer: AgeWriter;
  readonly #spool: Spool;
  readonly #surroundings: CurrentSurroundings;
  readonly #uploader: Uploader | null;
  #installation: Installation | null = null;
  #legs: LegWriter | null = null;
  #reloadedAtMs = 0;
  #ratedAtMs: number;
  #ratingsFromMs: number;
  readonly #rated = new Set<string>();
  /** One sentence on why nothing is sent now; null: all is well. */
  get problem(): string | null {
    return this.#writeProblem ?? this.#uploader?.problem ?? null;
  }

  /** The documents of the last call that was made ready: its legs and ratings, in clear. */
  #shown: { readonly linkedid: string; readonly documents: MeasurementDocument[] } | null = null;
  #writeProblem: string | null = null;

  constructor(options: SenderOptions) {
    const { settings } = options;
    this.#options = options;
    this.#writer = new AgeWriter(settings.recipients);
    this.#spool = new Spool(settings.spool, settings.spoolMaxBytes);
    this.#surroundings = new CurrentSurroundings(options);
    this.#ratedAtMs = options.nowMs();
    this.#ratingsFromMs = this.#ratedAtMs;
    this.#uploader =
      settings.collector === null
        ? null
        : new Uploader({
            spool: this.#spool,
            collector: settings.collector,
            uploadTo: settings.uploadTo,
            random: () => Math.random(),
            onState: (problem) =>
              problem === null
                ? options.onInfo('measurements: the collector takes them again')
                : options.onProblem(`measurements: ${problem}; what waits is kept, and it is tried again`),
          });
  }

  get counters(): Readonly<Record<string, number>> {
    return {
      ...this.#spool.counters,
      ...(this.#legs?.counters ?? { live_legs: 0, segments: 0 }),
      ...(this.#uploader?.counters ?? { sent: 0, refused: 0, failed_attempts: 0 }),
    };
  }

  /** The last documents that were made ready, in clear; empty before the first call has ended. */
  get lastDocuments(): readonly MeasurementDocument[] {
    return this.#shown?.documents ?? [];
  }

  /** Opens the spool and begins to send. Rejects with an Error of one sentence. */
  async start(): Promise<void> {
    const { settings, nowMs, live } = this.#options;
    let installation: Installation;
    try {
      installation = await Installation.open(settings.spool, nowMs());
      await this.#spool.open();
    } catch (error) {
      throw new Error(
        `[measurements] spool = ${settings.spool} cannot be used (${codeOf(error)}); let the user that runs asterisk-mes write there, or name another directory`,
        { cause: error },
      );
    }
    this.#installation = installation;
    if (settings.include.includes('calls')) {
      this.#legs = new LegWriter({
        live,
        spool: this.#spool,
        writer: this.#writer,
        identity: (atMs) => installation.identity(atMs),
        takesPart: (endpoint) => this.#takesPart(endpoint),
        around: () => this.#surroundings.now,
        onDocument: (document, linkedid) => this.#show(document, linkedid),
        onProblem: (error) => this.#noteWriteProblem(error),
      });
    }
    this.#uploader?.start();
  }

  async stop(): Promise<void> {
    const nowMs = this.#options.nowMs();
    const deadline = new Promise((resolve) => setTimeout(resolve, STOP_MS).unref());
    await Promise.race([Promise.all([this.#uploader?.stop(), this.#legs?.stop(nowMs)]), deadline]);
    if (this.#installation !== null) await this.#writeStatus();
  }

  channelEnded(channel: ChannelRecord): void {
    this.#legs?.channelEnded(channel, this.#options.nowMs());
  }

  tick(nowMs: number): void {
    this.#surroundings.tick(nowMs);
    this.#legs?.tick(nowMs);
    if (this.#installation !== null && Math.abs(nowMs - this.#reloadedAtMs) >= RELOAD_EVERY_MS) {
      this.#reloadedAtMs = nowMs;
      void this.#installation.reload().catch((error: unknown) => this.#noteWriteProblem(error));
      void this.#writeStatus();
    }
    if (!this.#options.settings.include.includes('ratings') || Math.abs(nowMs - this.#ratedAtMs) < RATINGS_EVERY_MS)
      return;
    this.#ratedAtMs = nowMs;
    void this.#takeRatings(nowMs).catch((error: unknown) => this.#noteWriteProblem(error));
  }

  async #takeRatings(nowMs: number): Promise<void> {
    const installation = this.#installation;
    if (installation === null) return;
    const ratings = await this.#options.ratingsSince(this.#ratingsFromMs, MOST_RATINGS);
    this.#ratingsFromMs = Math.max(this.#ratingsFromMs, nowMs - RATINGS_OVERLAP_MS);
    for (const rating of ratings) {
      if (this.#rated.has(rating.id) || !this.#takesPart(rating.endpoint ?? '')) continue;
      this.#rated.add(rating.id);
      for (const oldest of this.#rated) {
        if (this.#rated.size <= RATINGS_KEPT) break;
        this.#rated.delete(oldest);
      }
      const identity = installation.identity(nowMs);
      const document = ratingDocument(rating, {
        sender: identity.sender,
        call: identity.callHash(rating.linkedid),
      });
      this.#show(document, rating.linkedid);
      await this.#spool.finish(Spool.newName(), this.#writer.newFile().encrypt(gzipped(document)));
    }
  }

  #takesPart(endpoint: string): boolean {
    const { endpoints } = this.#options.settings;
    return (
      endpoints.length === 0 ||
      endpoints.some((one) => (one.endsWith('*') ? endpoint.startsWith(one.slice(0, -1)) : endpoint === one))
    );
  }

  #show(document: MeasurementDocument, linkedid: string): void {
    if (this.#shown?.linkedid !== linkedid) this.#shown = { linkedid, documents: [] };
    if (this.#shown.documents.length < MOST_SHOWN) this.#shown.documents.push(document);
  }

  #noteWriteProblem(error: unknown): void {
    const problem = codeOf(error);
    if (problem === this.#writeProblem) return;
    this.#writeProblem = problem;
    this.#options.onProblem(`measurements: the spool cannot be written (${problem}); calls are scored as before`);
  }

  async #writeStatus(): Promise<void> {
    const status = {
      at: new Date(this.#options.nowMs()).toISOString(),
      problem: this.#uploader?.problem ?? null,
      ...this.counters,
    };
    await writeFile(join(this.#options.settings.spool, STATUS_FILE), JSON.stringify(status), { mode: 0o600 }).catch(
      (error: unknown) => this.#noteWriteProblem(error),
    );
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error ? ((error as NodeJS.ErrnoException).code ?? error.message) : String(error);
}

import { timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { fastify, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { BatchError, readBatch } from './batch.ts';
import { readLiveBatch } from './live/live-batch.ts';
import { BusyError, Merger, MOST_ROWS } from './merger.ts';
import type { AnyKindName, FleetRow } from './kinds.ts';
import { Room } from './room.ts';
import { type FleetPbx, type FleetReader, sha256 } from './settings.ts';
import type { FleetStore } from './store.ts';
import { LineGatherer, lineWriter, type StoredRows } from './stored-rows.ts';
import { errorText } from '../units/error-text.ts';

/** Bounds on a body as sent and unpacked. The most that a PBX sends at once is 5,000 rows of about 1 KB. */
const LARGEST_BODY_BYTES = 8_000_000;
const LARGEST_TEXT_BYTES = 32_000_000;
/** Each piece is a task of its own: in pieces of 16 KB, as usual, unpacking took twice the time. */
const UNPACKED_AT_ONCE_BYTES = 262_144;
const REQUEST_TIMEOUT_MS = 60_000;
const TICK_MS = 100;
/** Batches that are unpacked and checked at the same time, and the number that may wait for that. */
const MOST_AT_ONCE = 4;
const MOST_WAITING = 200;
const RETRY_AFTER_S = 5;
/** While more than this share of the room is full, live data is refused: ended calls come first. */
const LIVE_SHARE = 0.25;
const LIVE_RETRY_AFTER_S = 30;
const SITE = /^[\w. -]{1,64}$/;

const unzip = promisify(gunzip);

export interface GatewayOptions {
  readonly store: Pick<FleetStore, 'insert' | 'targetOf'>;
  readonly pbxs: readonly FleetPbx[];
  /** A site that some reader is limited to must be named in fleet.conf: otherwise a PBX could write for another site's reader. */
  readonly readers?: readonly Pick<FleetReader, 'sites'>[];
  readonly nowMs: () => number;
  readonly onProblem: (sentence: string) => void;
  /** Tests set other bounds. */
  readonly blockMs?: number;
  readonly mostRows?: number;
}

/** Takes the outboxes of PBXs: checks who sends, checks every row, merges rows into blocks, and acknowledges what is stored. */
export class FleetGateway {
  readonly app: FastifyInstance;
  readonly #options: GatewayOptions;
  #byTokenHash: ReadonlyMap<string, FleetPbx>;
  #sitesOfReaders: ReadonlySet<string>;
  /** PBXs whose own site was refused and logged. */
  readonly #toldOf = new Set<string>();
  readonly #merger: Merger<StoredRows>;
  readonly #counters = { batches: 0, rows: 0, live_batches: 0, refused: 0, busy: 0, failed: 0, unknown_columns: 0 };
  readonly #timer: NodeJS.Timeout;
  #working = 0;
  readonly #room: Room;
  readonly #turns: (() => void)[] = [];

  constructor(options: GatewayOptions) {
    this.#options = options;
    this.#byTokenHash = new Map(options.pbxs.map((pbx) => [pbx.tokenSha256, pbx]));
    this.#sitesOfReaders = sitesOf(options.readers);
    this.#room = new Room(options.mostRows ?? MOST_ROWS);
    this.#merger = new Merger({
      countOf: ({ count }) => count,
      store: (target, rows) => options.store.insert(target, rows),
      // A monotonic clock: if the time of day were set back, a block would wait that much longer.
      nowMs: () => performance.now(),
      ...(options.blockMs === undefined ? {} : { blockMs: options.blockMs }),
      ...(options.mostRows === undefined ? {} : { mostRows: options.mostRows }),
    });
    this.#timer = setInterval(() => this.#merger.tick(), TICK_MS);
    this.app = fastify({
      bodyLimit: LARGEST_BODY_BYTES,
      requestTimeout: REQUEST_TIMEOUT_MS,
      routerOptions: { maxParamLength: 200 },
    });
    this.app.addContentTypeParser('application/x-ndjson', { parseAs: 'buffer' }, (_request, body, done) =>
      done(null, body),
    );
    this.app.setErrorHandler((error, _request, reply) => {
      const status = error instanceof Error && 'statusCode' in error ? Number(error.statusCode) : 500;
      if (status >= 400 && status < 500)
        return refuse(reply, status, 'the request cannot be read; send gzipped lines of JSON, 8 MB at most');
      options.onProblem(`a batch failed (${errorText(error)})`);
      return refuse(reply, 500, 'the gateway failed on this batch; its log says why');
    });
    this.app.get('/healthz', () => ({
      status: 'ok',
      waiting_rows: this.#merger.waitingRows,
      counters: { ...this.#counters },
    }));
    // Checks the token before the body is read, so that strangers take no memory.
    const onRequest = async ({ headers }: FastifyRequest, reply: FastifyReply): Promise<void> => {
      const pbx = this.#pbxOf(headers.authorization);
      if (pbx === undefined) return void (await this.#refuseStranger(reply));
      const bytes = Math.min(LARGEST_BODY_BYTES, Number(headers['content-length'] ?? LARGEST_BODY_BYTES));
      const { whyNot, give } = this.#room.take('bytes', pbx.name, bytes);
      reply.raw.once('close', give);
      if (whyNot === null) return;
      this.#counters.busy++;
      reply.header('retry-after', RETRY_AFTER_S);
      await (whyNot === 'of-one'
        ? refuse(reply, 429, 'this PBX sends more than 16 MB at once; send one batch after the other')
        : refuse(reply, 503, 'too many PBXs send at this moment; send it again'));
    };
    this.app.post('/v1/fleet/batches', { onRequest }, (request, reply) =>
      this.#take(request, reply, (text, take) => {
        const { count, lastSequence, unknownColumns } = readBatch(text, this.#options.nowMs(), take);
        this.#counters.unknown_columns += unknownColumns.size;
        return { count, answer: { acked_to: lastSequence } };
      }),
    );
    this.app.post('/v1/fleet/live', { onRequest }, (request, reply) => {
      if (this.#merger.waitingRows > LIVE_SHARE * (this.#options.mostRows ?? MOST_ROWS)) {
        this.#counters.busy++;
        return refuse(
          reply.header('retry-after', LIVE_RETRY_AFTER_S),
          503,
          'calls that ended come first; send it later',
        );
      }
      return this.#take(request, reply, (text, take) => {
        const rows = readLiveBatch(text, this.#options.nowMs());
        for (const row of rows) take(row);
        this.#counters.live_batches++;
        return { count: rows.length, answer: { taken: rows.length } };
      });
    });
  }

  /** Applies from the next batch on. A token that is gone belongs to no PBX. */
  change({ pbxs, readers }: Pick<GatewayOptions, 'pbxs' | 'readers'>): void {
    this.#byTokenHash = new Map(pbxs.map((pbx) => [pbx.tokenSha256, pbx]));
    this.#sitesOfReaders = sitesOf(readers);
    this.#toldOf.clear();
  }

  get counters(): Readonly<Record<string, number>> {
    return { ...this.#counters, waiting_rows: this.#merger.waitingRows };
  }

  async listen(bind: { readonly host: string; readonly port: number }): Promise<string> {
    return this.app.listen(bind);
  }

  async close(): Promise<void> {
    await this.#merger.close();
    clearInterval(this.#timer);
    await this.app.close();
  }

  #pbxOf(authorization = ''): FleetPbx | undefined {
    const token = /^Bearer +(\S{1,200}) *$/i.exec(authorization)?.[1];
    if (token === undefined) return undefined;
    const hash = sha256(token);
    const pbx = this.#byTokenHash.get(hash);
    return pbx !== undefined && timingSafeEqual(Buffer.from(hash), Buffer.from(pbx.tokenSha256)) ? pbx : undefined;
  }

  /** The site of a PBX for which fleet.conf names none. */
  #siteBy({ name }: FleetPbx, said: string): string {
    if (!SITE.test(said)) return '';
    if (!this.#sitesOfReaders.has(said)) return said;
    if (!this.#toldOf.has(name))
      this.#options.onProblem(
        `the PBX ${name} says that it is in ${said}, which readers are limited to, so fleet.conf has to say it; write site = ${said} into [pbx:${name}]`,
      );
    this.#toldOf.add(name);
    return '';
  }

  async #take(
    request: FastifyRequest,
    reply: FastifyReply,
    read: (
      text: string,
      take: (row: FleetRow<AnyKindName>) => void,
    ) => { readonly count: number; readonly answer: object },
  ): Promise<unknown> {
    const { headers, body } = request;
    const pbx = this.#pbxOf(headers.authorization);
    if (pbx === undefined) return this.#refuseStranger(reply);
    if (!Buffer.isBuffer(body)) return this.#refuse(reply, 415, 'send application/x-ndjson');
    if (!(await this.#turn())) {
      this.#counters.busy++;
      return refuse(
        reply.header('retry-after', RETRY_AFTER_S),
        503,
        'too many PBXs send at this moment; send it again',
      );
    }
    const said = [headers['mes-site']].flat()[0] ?? '';
    const identity = { name: pbx.name, site: pbx.site === '' ? this.#siteBy(pbx, said) : pbx.site };
    let byTarget: ReadonlyMap<string, readonly StoredRows[]>;
    let answer: object;
    let count: number;
    try {
      const lines = new LineGatherer();
      const lineOf = lineWriter(identity);
      ({ answer, count } = read(await textOf(body, headers['content-encoding']), (row) =>
        lines.add(this.#options.store.targetOf(identity, row.kind), lineOf(row)),
      ));
      // Only bytes wait from here on.
      byTarget = lines.end();
    } catch (error) {
      if (error instanceof BatchError) return this.#refuse(reply, 400, error.message);
      return this.#refuse(reply, 400, 'it cannot be unpacked; send gzip, 32 MB of text at most');
    } finally {
      this.#endTurn();
    }
    const { whyNot, give } = this.#room.take('rows', pbx.name, count);
    try {
      if (whyNot !== null) throw new BusyError('too many rows wait for the store');
      await this.#merger.add(byTarget);
    } catch (error) {
      if (!(error instanceof BusyError)) this.#options.onProblem(errorText(error));
      this.#counters[error instanceof BusyError ? 'busy' : 'failed']++;
      return refuse(
        reply.header('retry-after', RETRY_AFTER_S),
        503,
        'the store does not take rows at this moment; send them again',
      );
    } finally {
      give();
    }
    this.#counters.batches++;
    this.#counters.rows += count;
    return answer;
  }

  #refuseStranger(reply: FastifyReply): FastifyReply {
    reply.header('www-authenticate', 'Bearer realm="asterisk-mes fleet"');
    return this.#refuse(reply, 401, 'this token is of no PBX; "asterisk-mes fleet add-pbx NAME" makes one');
  }

  #refuse(reply: FastifyReply, status: number, detail: string): FastifyReply {
    this.#counters.refused++;
    return refuse(reply, status, detail);
  }

  /** Waits until the batch may be worked on; false: too many wait already. */
  async #turn(): Promise<boolean> {
    if (this.#working >= MOST_AT_ONCE) {
      if (this.#turns.length >= MOST_WAITING) return false;
      await new Promise<void>((resolve) => void this.#turns.push(resolve));
      // The batch that ends passes its place on.
      return true;
    }
    this.#working++;
    return true;
  }

  #endTurn(): void {
    const next = this.#turns.shift();
    if (next === undefined) this.#working--;
    else next();
  }
}

function sitesOf(readers: readonly Pick<FleetReader, 'sites'>[] = []): ReadonlySet<string> {
  return new Set(readers.flatMap(({ sites }) => sites ?? []));
}

async function textOf(body: Buffer, encoding: string | undefined): Promise<string> {
  const plain =
    encoding === 'gzip'
      ? await unzip(body, { maxOutputLength: LARGEST_TEXT_BYTES, chunkSize: UNPACKED_AT_ONCE_BYTES })
      : body;
  return plain.toString('utf8');
}

function refuse(reply: FastifyReply, status: number, detail: string): FastifyReply {
  return reply
    .code(status)
    .type('application/problem+json')
    .send(JSON.stringify({ type: 'about:blank', status, detail }));
}

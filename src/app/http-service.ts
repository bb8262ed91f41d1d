import type { FastifyInstance } from 'fastify';
import type { LiveStream } from '../api/live-stream.ts';
import { Metrics } from '../api/metrics.ts';
import { AnswerBytes, type AnswerCounters } from '../api/gate/answer-bytes.ts';
import type { Route } from '../api/route.ts';
import { makeDescription, routes } from '../api/routes.ts';
import { type ApiOptions, serveRoutes } from '../api/server.ts';
import { TokenCheck } from '../api/gate/token.ts';
import { listenProblem } from '../model/errors/listen-problem.ts';
import type { Switchboard } from '../calls/switchboard.ts';
import type { Settings } from '../config/settings.ts';
import { dashboardAssets } from '../dashboard/assets.ts';
import type { History } from '../history/history.ts';
import type { Clock, HealthReport, HistoryReader } from '../model/ports.ts';
import type { Companions } from './companions/companions.ts';
import { numberSearcher } from './numbers/caller-numbers.ts';
import { endpointSearcher, textHider } from './numbers/hidden-text.ts';
import { errorsOnly, type Logger } from './state/log.ts';
import { VERSION } from './version.ts';

export interface HttpServiceOptions {
  readonly settings: Settings;
  readonly log: Logger;
  readonly clock: Clock;
  readonly history: HistoryReader;
  readonly live: Switchboard;
  readonly liveStream: LiveStream;
  readonly health: () => HealthReport;
  readonly features: Pick<History['features'], 'read'>;
  readonly companions: Pick<Companions, 'routes' | 'labelledCounters'>;
}

/** Serves REST, the page, the live feed and the metrics over HTTP. */
export class HttpService {
  readonly metrics: Metrics;
  readonly #bind: Settings['http']['bind'];
  readonly #live: Switchboard;
  readonly #liveStream: LiveStream;
  readonly #table: readonly Route[];
  readonly #api: FastifyInstance;
  readonly #token: TokenCheck;
  readonly #answers = new AnswerBytes();

  constructor(options: HttpServiceOptions) {
    const { settings, log, clock, history, live, liveStream, health, features, companions } = options;
    const { bind, token, metricsGroups } = settings.http;
    this.#bind = bind;
    this.#live = live;
    this.#liveStream = liveStream;
    this.metrics = new Metrics({
      thresholds: settings.general.thresholds,
      endpointPatterns: settings.endpoints.map(({ pattern }) => pattern),
      mostGroups: metricsGroups,
      live,
      health: { health },
      labelled: () => companions.labelledCounters,
      version: VERSION,
    });
    this.#token = new TokenCheck(token);
    const sources: ApiOptions = {
      history,
      live,
      health: { health },
      metrics: this.metrics,
      clock,
      storedNumber: numberSearcher(settings.history),
      storedText: textHider(settings.history).text,
      storedEndpoint: endpointSearcher(settings.history),
      logger: errorsOnly(log),
      liveStream,
      files: dashboardAssets(),
      tokenCheck: this.#token,
      answers: this.#answers,
      ratings: { ofCall: (linkedid) => features.read('ratings', 'ofCall', linkedid) },
      remarks: {
        ofCall: (linkedid) => features.read('remarks', 'ofCall', linkedid),
        tagsOf: (linkedids) => features.read('remarks', 'tagsOf', linkedids),
      },
      machine: { peak: (span) => features.read('machine', 'peak', span) },
      moreRoutes: companions.routes,
    };
    this.#table = routes(sources);
    this.#api = serveRoutes(this.#table, sources);
  }

  /** Changes the token from the next request on; null: no token is needed. */
  changeToken(token: string | null): void {
    this.#token.change(token);
  }

  get liveStreamCounters(): LiveStream['counters'] {
    return this.#liveStream.counters;
  }

  get counters(): AnswerCounters {
    return this.#answers.counters;
  }

  /** Rejects with an Error of one sentence. */
  async listen(): Promise<void> {
    const { host, port } = this.#bind;
    makeDescription(this.#table);
    try {
      await this.#api.listen({ host, port });
    } catch (error) {
      const why = listenProblem(error);
      throw new Error(`REST cannot listen on ${host}:${port} (${why}); change bind in [http]`, { cause: error });
    }
  }

  /** Sends changed channels to the live feed. Call it a few times a second. */
  showChanges(): void {
    const { isWatched } = this.#liveStream;
    for (const channel of this.#live.takeShown(isWatched)) this.#liveStream.note(channel);
  }

  async close(): Promise<void> {
    await this.#api.close();
  }
}

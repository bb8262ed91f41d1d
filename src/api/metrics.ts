import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { LOCAL_CHANNEL_PREFIX } from '../model/channel.ts';
import type { ChannelSink, HealthView, LabelledCounter, LiveView } from '../model/ports.ts';
import type { ChannelRecord } from '../model/record.ts';
import type { Direction } from '../model/report.ts';
import type { VerdictThresholds } from '../model/score.ts';
import { inParts } from './gate/turns.ts';
import { openMetricsOf, registryWithExemplars, textOf } from './open-metrics.ts';

const PREFIX = 'asterisk_mes';
const OTHER = 'other';
/** Observations that wait at most, 1 MB: those of some 15,000 channels. */
const MOST_WAITING = 100_000;
/** Observed in one go, in half a millisecond. */
const OBSERVED_AT_ONCE = 300;
/** Ended channels remembered, so that none counts twice: a call's channels are stored again when the call ends. */
const MOST_REMEMBERED = 20_000;

/** The thresholds of the verdicts come between. */
const SCORE_BUCKETS = [1, 2, 2.5, 3, 3.25, 3.5, 3.75, 4, 4.25, 4.5];
const LOSS_BUCKETS = [0, 0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5, 1];
const JITTER_BUCKETS_S = [0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5];
const ROUND_TRIP_BUCKETS_S = [0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6, 1, 2];
const WRITE_BACK_BUCKETS_S = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5];

/** Of the counters of /healthz, those that go down again. */
const GAUGES: ReadonlySet<string> = new Set([
  'history_queued',
  'history_journaled',
  'writeback_waiting',
  'http_answer_bytes',
  'live_stream_clients',
  'capture_capturing',
  'capture_streams',
]);

/** Of prom-client's own, gauges with the name of a counter: promtool complains of them, and their details are there beside them. */
const MISNAMED = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'];

/** What an observation is of, for whoever wants to look at one of those that a figure is made of. */
type Exemplar = Readonly<Record<string, string>>;
const NO_EXEMPLAR: Exemplar = {};
/** OpenMetrics 1.0 allows 128 characters for names and values of an exemplar's labels together. */
const LONGEST_EXEMPLAR_ID = 128 - 'linkedid'.length;

/** A histogram of some labels. */
type Observer = (value: number, exemplarLabels: Exemplar) => void;
type Observers = Readonly<Record<'score' | 'lossRatio' | 'jitterS' | 'roundTripS', Observer>>;

export interface MetricsOptions {
  /** Groups of endpoints, exact or with `*` at their end, as the settings name them; the first that fits counts. */
  readonly endpointPatterns: readonly string[];
  /** Values that the label endpoint_group has at most, `other` and those of technologies included; patterns go first. */
  readonly mostGroups: number;
  /** Lowest scores of the verdicts: each is a bucket's border. */
  readonly thresholds?: VerdictThresholds | undefined;
  readonly live: LiveView;
  readonly health: HealthView;
  /** Of capabilities beside the scoring of calls. */
  readonly labelled?: (() => readonly LabelledCounter[]) | undefined;
  readonly version: string;
}

/**
 * What Prometheus gets. Scores are observed when a channel ends. Labels come from the settings and from Asterisk's own
 * words alone: an endpoint's name may be someone's number or address, so endpoints show as the group that they fit
 * (`PJSIP/trunk*`), or as their technology (`PJSIP`).
 */
export class Metrics implements ChannelSink {
  readonly #options: MetricsOptions;
  readonly #registry = registryWithExemplars();
  readonly #groups: Set<string>;
  readonly #seen = new Set<string>();
  #watchesProcess = false;
  /** What is being made. */
  readonly #rendering: Record<'text' | 'open', Promise<string> | undefined> = { text: undefined, open: undefined };
  readonly #labelled = new Map<string, Counter>();
  readonly #fromHealth = new Map<string, Gauge | Counter>();
  readonly #score: Histogram<'direction' | 'endpoint_group'>;
  readonly #lossRatio = this.#histogram(
    'loss_ratio',
    'Share of the expected packets that were lost, 0-1, of each direction of a channel that ended',
    LOSS_BUCKETS,
  );
  readonly #jitterS = this.#histogram(
    'jitter_seconds',
    'Mean interarrival jitter (RFC 3550) of each direction of a channel that ended',
    JITTER_BUCKETS_S,
  );
  readonly #roundTripS = new Histogram({
    name: `${PREFIX}_round_trip_seconds`,
    help: 'Mean round trip between this server and the far end, of each channel that ended',
    labelNames: ['endpoint_group'] as const,
    buckets: ROUND_TRIP_BUCKETS_S,
    enableExemplars: true,
    registers: [this.#registry],
  });
  readonly #channels = new Counter({
    name: `${PREFIX}_channels_total`,
    help: 'Channels that ended, by verdict; none: never answered, or too early to say',
    labelNames: ['verdict', 'endpoint_group'] as const,
    enableExemplars: true,
    registers: [this.#registry],
  });
  /** What is to be observed, and by whom: in a flood it waits, since each takes a microsecond. */
  #values: number[] = [];
  #observers: Observer[] = [];
  #exemplars: Exemplar[] = [];
  readonly #knownObservers = new Map<string, Observers>();
  readonly #writeBackS = new Histogram({
    name: `${PREFIX}_write_back_seconds`,
    help: 'From the event that changed a score until Asterisk had carried out its writing',
    buckets: WRITE_BACK_BUCKETS_S,
    registers: [this.#registry],
  });
  readonly #observeWriteBack: Observer = (value) => this.#writeBackS.observe(value);
  readonly #live = this.#gauge('live_channels', 'Channels that are up now');
  readonly #liveByVerdict = new Gauge({
    name: `${PREFIX}_live_channels_by_verdict`,
    help: 'Channels that are up now, by their verdict so far; none: too early to say',
    labelNames: ['verdict', 'endpoint_group'] as const,
    registers: [this.#registry],
  });
  readonly #amiConnected = this.#gauge('ami_connected', '1: both AMI sessions are up');
  readonly #historyWritable = this.#gauge('history_writable', '1: the last commit succeeded');

  constructor(options: MetricsOptions) {
    this.#options = options;
    this.#groups = new Set([OTHER, ...options.endpointPatterns].slice(0, options.mostGroups));
    const thresholds = Object.values(options.thresholds ?? {});
    this.#score = this.#histogram(
      'score',
      'Media Experience Score of each direction of a channel that ended, 1-4.5; buckets at the thresholds of the verdicts',
      [...new Set([...SCORE_BUCKETS, ...thresholds])].toSorted((one, other) => one - other),
    );
    const info = new Gauge({
      name: `${PREFIX}_info`,
      help: 'Always 1; the label has the version of asterisk-mes',
      labelNames: ['version'] as const,
      registers: [this.#registry],
    });
    info.set({ version: options.version }, 1);
  }

  /** Media type of `render`'s text. */
  get contentType(): string {
    return Registry.PROMETHEUS_CONTENT_TYPE;
  }

  /**
   * A channel without media of its own (Local) does not count. What it tells is observed later: by `observeSome`, or when
   * somebody asks.
   */
  channelEnded(channel: ChannelRecord): void {
    if (channel.endpoint.startsWith(LOCAL_CHANNEL_PREFIX) || !this.#isNew(channel.uniqueid)) return;
    const group = this.#groupOf(channel.endpoint);
    const exemplar = exemplarOf(channel);
    const labels = { verdict: channel.verdict ?? 'none', endpoint_group: group };
    // prom-client's counters, unlike its histograms, would write an exemplar without labels.
    this.#channels.inc({ labels, value: 1, ...(exemplar === NO_EXEMPLAR ? {} : { exemplarLabels: exemplar }) });
    for (const { direction, mes, lossPercent, jitterMs } of channel.streams) {
      const { score, lossRatio, jitterS } = this.#observersOf(group, direction);
      if (mes !== null) this.#later(score, mes, exemplar);
      if (lossPercent !== null) this.#later(lossRatio, lossPercent / 100, exemplar);
      if (jitterMs.mean !== null) this.#later(jitterS, jitterMs.mean / 1000, exemplar);
    }
    // A round trip belongs to the channel; both directions have the same.
    const roundTrip = channel.streams.find(({ rttMs }) => rttMs.mean !== null)?.rttMs.mean ?? null;
    if (roundTrip !== null) this.#later(this.#observersOf(group, 'rx').roundTripS, roundTrip / 1000, exemplar);
  }

  /** Observes some of what ended channels and writes have left waiting. Call it when there is little else to do. */
  observeSome(): void {
    this.#observe(OBSERVED_AT_ONCE);
  }

  /** Scores were written to Asterisk `afterMs` after the event that changed them. */
  writtenBack(afterMs: number): void {
    this.#later(this.#observeWriteBack, afterMs / 1000, NO_EXEMPLAR);
  }

  /** All metrics in Prometheus' text format. Who asks while they are made gets the same. */
  render(): Promise<string> {
    return (this.#rendering.text ??= this.#made('text', textOf));
  }

  /** The same as OpenMetrics, with the linkedid of a call of each verdict and of each bucket: its exemplar. */
  renderOpenMetrics(): Promise<string> {
    return (this.#rendering.open ??= this.#made('open', openMetricsOf));
  }

  async #made(form: 'text' | 'open', write: typeof textOf): Promise<string> {
    try {
      await this.#bringUpToDate();
      return await write(this.#registry);
    } finally {
      this.#rendering[form] = undefined;
    }
  }

  async #bringUpToDate(): Promise<void> {
    this.#watchProcess();
    this.#observe(this.#values.length);
    const report = this.#options.health.health();
    await this.#countLive();
    this.#amiConnected.set(Number(report.amiConnected));
    this.#historyWritable.set(Number(report.historyWritable));
    const { ariConnected, databaseBytes } = report;
    if (ariConnected !== null) this.#show('ari_connected', '1: the ARI connection is up', Number(ariConnected));
    if (databaseBytes !== null) {
      this.#show('history_database_bytes', 'Size of the database and its write-ahead log', databaseBytes);
    }
    for (const [name, value] of Object.entries(report.counters)) this.#showCounter(name, value);
    for (const counter of this.#options.labelled?.() ?? []) this.#showLabelled(counter);
  }

  /** In parts: with thousands of channels up, a hang-up is not to wait for all of them. */
  async #countLive(): Promise<void> {
    const { live } = this.#options;
    this.#live.set(live.liveCount);
    const counts = new Map<string, { verdict: string; endpoint_group: string; channels: number }>();
    await inParts(live.liveUniqueids(), (uniqueid) => {
      const channel = live.liveMedia(uniqueid);
      if (channel === null || channel.endpoint.startsWith(LOCAL_CHANNEL_PREFIX)) return;
      const labels = { verdict: channel.verdict ?? 'none', endpoint_group: this.#groupOf(channel.endpoint) };
      const key = JSON.stringify(labels);
      counts.set(key, { ...labels, channels: (counts.get(key)?.channels ?? 0) + 1 });
    });
    this.#liveByVerdict.reset();
    for (const { channels, ...labels } of counts.values()) this.#liveByVerdict.set(labels, channels);
  }

  /** From the first reading on: to watch the garbage collector and the event loop for nobody would cost some percent of the work. */
  #watchProcess(): void {
    if (this.#watchesProcess) return;
    this.#watchesProcess = true;
    collectDefaultMetrics({ register: this.#registry });
    for (const name of MISNAMED) this.#registry.removeSingleMetric(name);
  }

  #later(observer: Observer, value: number, exemplar: Exemplar): void {
    this.#observers.push(observer);
    this.#exemplars.push(exemplar);
    this.#values.push(value);
    if (this.#values.length > MOST_WAITING) this.#observe(this.#values.length);
  }

  /** The oldest ones, at most `most`. */
  #observe(most: number): void {
    if (this.#values.length === 0) return;
    const values = this.#values.splice(0, most);
    const exemplars = this.#exemplars.splice(0, most);
    for (const [index, observe] of this.#observers.splice(0, most).entries())
      observe(values[index] ?? 0, exemplars[index] ?? NO_EXEMPLAR);
  }

  #observersOf(group: string, direction: Direction): Observers {
    const key = `${direction} ${group}`;
    const known = this.#knownObservers.get(key);
    if (known !== undefined) return known;
    const labels = { direction, endpoint_group: group };
    const observers: Observers = {
      score: (value, exemplarLabels) => this.#score.observe({ labels, value, exemplarLabels }),
      lossRatio: (value, exemplarLabels) => this.#lossRatio.observe({ labels, value, exemplarLabels }),
      jitterS: (value, exemplarLabels) => this.#jitterS.observe({ labels, value, exemplarLabels }),
      roundTripS: (value, exemplarLabels) =>
        this.#roundTripS.observe({ labels: { endpoint_group: group }, value, exemplarLabels }),
    };
    this.#knownObservers.set(key, observers);
    return observers;
  }

  #histogram(name: string, help: string, buckets: number[]): Histogram<'direction' | 'endpoint_group'> {
    return new Histogram({
      name: `${PREFIX}_${name}`,
      help,
      labelNames: ['direction', 'endpoint_group'] as const,
      buckets,
      enableExemplars: true,
      registers: [this.#registry],
    });
  }

  #gauge(name: string, help: string): Gauge {
    return new Gauge({ name: `${PREFIX}_${name}`, help, registers: [this.#registry] });
  }

  #show(name: string, help: string, value: number): void {
    const gauge = this.#fromHealth.get(name) ?? this.#gauge(name, help);
    this.#fromHealth.set(name, gauge);
    (gauge as Gauge).set(value);
  }

  #showCounter(name: string, value: number): void {
    if (GAUGES.has(name)) return this.#show(name, `${name} of /healthz`, value);
    const known = this.#fromHealth.get(name);
    const counter =
      known ??
      new Counter({ name: `${PREFIX}_${name}_total`, help: `${name} of /healthz`, registers: [this.#registry] });
    this.#fromHealth.set(name, counter);
    counter.reset();
    counter.inc(value);
  }

  #showLabelled({ name, help, labelNames, values }: LabelledCounter): void {
    const counter =
      this.#labelled.get(name) ??
      new Counter({ name: `${PREFIX}_${name}_total`, help, labelNames: [...labelNames], registers: [this.#registry] });
    this.#labelled.set(name, counter);
    counter.reset();
    for (const { labels, value } of values) counter.inc({ ...labels }, value);
  }

  #isNew(uniqueid: string): boolean {
    if (this.#seen.has(uniqueid)) return false;
    this.#seen.add(uniqueid);
    for (const oldest of this.#seen) {
      if (this.#seen.size <= MOST_REMEMBERED) break;
      this.#seen.delete(oldest);
    }
    return true;
  }

  #groupOf(endpoint: string): string {
    const fits = (pattern: string): boolean =>
      pattern.endsWith('*') ? endpoint.startsWith(pattern.slice(0, -1)) : endpoint === pattern;
    const [technology = OTHER] = endpoint.split('/');
    const group = this.#options.endpointPatterns.find(fits) ?? technology;
    if (this.#groups.size < this.#options.mostGroups) this.#groups.add(group);
    return this.#groups.has(group) ? group : OTHER;
  }
}

function exemplarOf({ linkedid }: ChannelRecord): Exemplar {
  return linkedid.length > LONGEST_EXEMPLAR_ID ? NO_EXEMPLAR : { linkedid };
}

import { Gauge, Registry } from 'prom-client';
import { FLEET_FAULT_KINDS, type FleetFault } from '../../alerting/fleet-faults.ts';
import type { PbxList, PbxState } from '../read/pbxs.ts';

const PREFIX = 'asterisk_mes_fleet';
const LABELS = ['pbx', 'site'] as const;

/** Metrics of each PBX. Null: unknown, so there is no sample; 0 would be a claim. */
const OF_PBX: Readonly<
  Record<string, readonly [help: string, value: (pbx: PbxState, nowMs: number) => number | null]>
> = {
  pbx_up: ['1: the PBX was heard of within three minutes', ({ state }) => Number(state === 'up')],
  pbx_heard_seconds: [
    'Since the PBX was last heard of',
    ({ lastHeardAtMs }, nowMs) => (lastHeardAtMs === null ? null : Math.max(0, nowMs - lastHeardAtMs) / 1000),
  ],
  pbx_calls_up: ['Channels that are up', ({ callsUp }) => callsUp],
  pbx_outbox_rows: ['Rows that waited on the PBX when it was last heard of', ({ outboxRows }) => outboxRows],
  pbx_outbox_dropped: ['Rows that the PBX gave up because there was no room', ({ outboxDropped }) => outboxDropped],
  pbx_lag_seconds: [
    'How long the oldest row that waits has waited',
    ({ lagMs }) => (lagMs === null ? null : lagMs / 1000),
  ],
  pbx_bad_ratio: [
    'Share of bad calls among the judged ones of the last 24 hours, 0-1',
    ({ lastDay }) => (lastDay.badPercent === null ? null : lastDay.badPercent / 100),
  ],
  pbx_calls: ['Calls of the last 24 hours', ({ lastDay }) => lastDay.calls],
};

/** What is shown at one moment. */
export interface FleetFigures {
  /** Null, like `faults`: ClickHouse does not answer. */
  readonly list: PbxList | null;
  readonly faults: readonly FleetFault[] | null;
  readonly counters: Readonly<Record<string, number>>;
  readonly nowMs: number;
}

/** Bound on the faults with a sample each. All are counted. */
const MOST_FAULTS = 100;

/** The metrics of a fleet: those of each PBX, the faults that show only in the whole fleet, and those of the gateway. */
export class FleetMetrics {
  readonly #registry = new Registry();
  readonly #ofPbx = new Map<string, Gauge<'pbx' | 'site'>>();
  readonly #own = new Map<string, Gauge>();
  readonly #fault = new Gauge({
    name: `${PREFIX}_fault`,
    help: 'What only many PBXs together show, and on how many it does: a silent PBX, or a trunk, release or device that is bad',
    labelNames: ['kind', 'subject'] as const,
    registers: [this.#registry],
  });
  readonly #faults = new Gauge({
    name: `${PREFIX}_faults`,
    help: 'How many of these there are',
    labelNames: ['kind'] as const,
    registers: [this.#registry],
  });

  constructor() {
    for (const [name, [help]] of Object.entries(OF_PBX)) {
      const gauge = new Gauge({ name: `${PREFIX}_${name}`, help, labelNames: LABELS, registers: [this.#registry] });
      this.#ofPbx.set(name, gauge);
    }
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  async render({ list, faults, counters, nowMs }: FleetFigures): Promise<string> {
    for (const [name, gauge] of this.#ofPbx) {
      gauge.reset();
      for (const pbx of list?.pbxs ?? []) {
        const value = OF_PBX[name]?.[1](pbx, nowMs) ?? null;
        if (value !== null) gauge.set({ pbx: pbx.pbx, site: pbx.site }, value);
      }
    }
    this.#fault.reset();
    for (const { kind, subject, pbxs } of faults?.slice(0, MOST_FAULTS) ?? [])
      this.#fault.set({ kind, subject }, pbxs.length);
    this.#faults.reset();
    for (const kind of faults === null ? [] : FLEET_FAULT_KINDS)
      this.#faults.set({ kind }, faults?.filter((fault) => fault.kind === kind).length ?? 0);
    this.#show('shards_answered', 'Shards of ClickHouse that answered just now', list?.shards?.answered ?? 0);
    if (list?.shards) this.#show('shards', 'Shards of ClickHouse that were asked', list.shards.of);
    for (const [name, value] of Object.entries(counters)) this.#show(`gateway_${name}`, `${name} of /healthz`, value);
    return this.#registry.metrics();
  }

  #show(name: string, help: string, value: number): void {
    const gauge = this.#own.get(name) ?? new Gauge({ name: `${PREFIX}_${name}`, help, registers: [this.#registry] });
    this.#own.set(name, gauge);
    gauge.set(value);
  }
}

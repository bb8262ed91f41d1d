import type { LabelledCounter } from '../../model/ports.ts';
import type { PbxEvent } from '../../model/event.ts';
import type { ChannelRecord } from '../../model/record.ts';
import type { Route } from '../../api/route.ts';
import type { AgiScript } from '../../asterisk/fast-agi.ts';
import { alertsCompanion } from './alerts/alerts.ts';
import { bestCompanion } from './best.ts';
import { ratingsCompanion } from './ratings.ts';
import { remarksCompanion } from './remarks.ts';
import { devices } from './devices.ts';
import { phoneReports } from './phone-reports.ts';
import { machineCompanion } from './machine.ts';
import { measurementsCompanion } from './measurements.ts';
import type { Companion, CompanionContext, MakeCompanion } from './companion.ts';
import { xrReports } from './xr-reports.ts';
import { fleetCompanion } from './fleet-companion.ts';

/** All companions, one line each, by alphabet. The name is also that of the counters. */
const COMPANIONS: Readonly<Record<string, MakeCompanion>> = {
  alerts: alertsCompanion,
  best: bestCompanion,
  devices,
  fleet: fleetCompanion,
  ratings: ratingsCompanion,
  remarks: remarksCompanion,
  phone_reports: phoneReports,
  machine: machineCompanion,
  measurements: measurementsCompanion,
  xr_reports: xrReports,
};

/** The companions that are switched on, as one. */
export class Companions {
  readonly #list: readonly (readonly [name: string, companion: Companion])[];

  constructor(context: CompanionContext, all: Readonly<Record<string, MakeCompanion>> = COMPANIONS) {
    this.#list = Object.entries(all).flatMap(([name, make]) => {
      const companion = make(context);
      return companion === null ? [] : [[name, companion] as const];
    });
  }

  get routes(): readonly Route[] {
    return this.#list.flatMap(([, { routes }]) => routes ?? []);
  }

  get agiScripts(): Readonly<Record<string, AgiScript>> {
    return Object.assign({}, ...this.#list.map(([, { agiScripts }]) => agiScripts ?? {})) as Record<string, AgiScript>;
  }

  get counters(): Readonly<Record<string, Readonly<Record<string, number>> | null>> {
    return Object.fromEntries(this.#list.map(([name, companion]) => [name, companion.counters?.() ?? null]));
  }

  get labelledCounters(): readonly LabelledCounter[] {
    return this.#list.flatMap(([, companion]) => companion.labelledCounters?.() ?? []);
  }

  /** Starts all. Rejects with the first Error. */
  async start(): Promise<void> {
    for (const [, companion] of this.#list) await companion.start?.();
  }

  async stop(): Promise<void> {
    await Promise.all(this.#list.map(async ([, companion]) => companion.stop?.()));
  }

  take(event: PbxEvent): void {
    for (const [, companion] of this.#list) companion.take?.(event);
  }

  channelEnded(channel: ChannelRecord): void {
    for (const [, companion] of this.#list) companion.channelEnded?.(channel);
  }

  tick(nowMs: number): void {
    for (const [, companion] of this.#list) companion.tick?.(nowMs);
  }
}

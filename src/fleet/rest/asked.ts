import { z } from 'zod';
import { several } from '../../api/parameters.ts';
import type { EvidenceService } from '../../api/alerts/evidence.ts';
import { Problem } from '../../api/problem.ts';
import type { BesideQuery } from '../../history/features/alerts.ts';
import type { FleetAlertRule, OtherCalls } from '../../model/alert.ts';
import type { Clock, HistoryReader } from '../../model/ports.ts';
import { AmbiguousError } from '../read/fleet-history.ts';
import type { PbxFilter, Scope } from '../read/scope.ts';
import type { FleetPbx, FleetReader } from '../settings.ts';
import { type FleetStore, StoreError } from '../store.ts';

/** What evidence is made from, for one request. */
export interface FleetEvidenceSources {
  readonly calls: HistoryReader;
  readonly clock: Clock;
  readonly beside: (query: BesideQuery) => Promise<OtherCalls>;
  /** The PBX that the evidence is about. */
  readonly host: () => string;
}

export interface FleetRoutesOptions {
  readonly store: Pick<FleetStore, 'ask' | 'askFirst' | 'insertFirst'>;
  readonly database: string;
  readonly clock: Clock;
  /** The answer may change while the gateway runs. */
  readonly known: () => { readonly pbxs: readonly FleetPbx[]; readonly readers: readonly FleetReader[] };
  readonly counters: () => Readonly<Record<string, number>>;
  /** The rules that the gateways judge; missing: none. */
  readonly alertRules?: readonly FleetAlertRule[];
  /** Makes evidence from what is stored; missing: there is none. */
  readonly makeEvidence?: (sources: FleetEvidenceSources) => EvidenceService;
}

const pbx = () =>
  several("a PBX's name, or its beginning and * at its end", (text) =>
    /^[\w.-]{0,64}\*?$/.test(text) && text !== '' ? text : undefined,
  );
const site = () =>
  several('where the PBX is, as fleet.conf or [fleet] of its mes.conf names it', (text) =>
    /^[\w. -]{1,64}$/.test(text) ? text : undefined,
  );
/** The parameters that choose PBXs. */
export const WHOSE = { pbx: pbx(), site: site() };
export const WHOSE_QUERY = z.strictObject(WHOSE);
export type Whose = z.output<typeof WHOSE_QUERY>;

/** The scope of a question, within what the reader's token allows. */
export type ScopeOf = (asked: Whose, reader: string | null) => Scope;

export function scopeFor({ known }: Pick<FleetRoutesOptions, 'known'>): ScopeOf {
  return (asked, reader) => {
    const allowed: readonly PbxFilter[] = reader === null ? [] : known().readers.filter(({ name }) => name === reader);
    // A reader that was taken out of fleet.conf sees nothing.
    if (reader !== null && allowed.length === 0) return [{ pbxs: [] }];
    return [...allowed, { pbxs: asked.pbx, sites: asked.site }];
  };
}

/** Turns the store's errors into those of REST. */
export async function inWords<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof AmbiguousError) {
      const some = error.pbxs.slice(0, 5).join(', ');
      throw new Problem(
        'MES_ERR_FLEET_PBX_NEEDED',
        `more than one PBX has this id; say which with pbx, such as ${some}`,
        'pbx',
      );
    }
    if (error instanceof StoreError && error.why === 'too-large')
      throw new Problem(
        'MES_ERR_FLEET_TOO_MUCH',
        'this question is too much for ClickHouse; ask for a shorter time or fewer PBXs',
      );
    if (error instanceof StoreError)
      throw new Problem(
        'MES_ERR_FLEET_NO_ANSWER',
        'ClickHouse does not answer, or not as a whole; ask again in some seconds',
      );
    throw error;
  }
}

import { z } from 'zod';
import { faultSentence, FLEET_FAULT_KINDS, type FleetFault } from '../../alerting/fleet-faults.ts';
import { type Route, route } from '../../api/route.ts';
import { findFaults } from '../read/faults.ts';
import { listPbxs } from '../read/pbxs.ts';
import { Question, type Shards } from '../read/question.ts';
import { type FleetRoutesOptions, inWords, type ScopeOf, type Whose, WHOSE_QUERY } from './asked.ts';
import { SHARDS } from './pbx-list.ts';

/** Answers are shared for so long: each looks at a day of sums, and Prometheus and open pages ask again and again. */
const SHARED_MS = 20_000;
const MOST_SHARED = 50;
/** Bound on the PBXs that are named. */
const MOST_NAMED = 20;

const COUNT = z.int().nonnegative();
const PERCENT = z.number().nonnegative().nullable();

const FAULTS_ANSWER = z.strictObject({
  faults: z.array(
    z.strictObject({
      kind: z
        .enum(FLEET_FAULT_KINDS)
        .describe(
          'a PBX of which nothing is heard; a trunk that is bad on at least three PBXs and half of those that have it, by the last three hours; a release of asterisk-mes or Asterisk, or a device with its firmware, worse than the rest by the last 24 hours',
        ),
      subject: z.string().describe('the PBX, trunk, release or device'),
      pbxs: z.array(z.string()).describe(`PBXs of which it is true, the worst first, at most ${MOST_NAMED}`),
      bad_pbxs: COUNT.describe('of how many PBXs it is true'),
      of_pbxs: COUNT.describe('how many PBXs have it'),
      judged_calls: COUNT,
      bad_percent: PERCENT.describe(
        'of a release, share of bad calls; of a trunk or device, of calls whose fault lies with it; null: not known',
      ),
      others_bad_percent: PERCENT.describe('the same of all others that it is held against; null: nothing is'),
      why: z.string(),
    }),
  ),
  shards: SHARDS.nullable(),
});

export interface FaultList {
  readonly faults: readonly FleetFault[];
  readonly shards: Shards | null;
}

/** Finds what shows only in the whole fleet, and remembers it for some seconds. */
export class FleetFaults {
  readonly #options: FleetRoutesOptions;
  readonly #scopeOf: ScopeOf;
  readonly #found = new Map<string, { readonly untilMs: number; readonly list: Promise<FaultList> }>();

  constructor(options: FleetRoutesOptions, scopeOf: ScopeOf) {
    this.#options = options;
    this.#scopeOf = scopeOf;
  }

  /** Rejects with StoreError. */
  async of(asked: Whose, reader: string | null): Promise<FaultList> {
    const key = JSON.stringify([reader, this.#scopeOf(asked, reader)]);
    const known = this.#found.get(key);
    if (known !== undefined && known.untilMs > performance.now()) return known.list;
    if (this.#found.size >= MOST_SHARED) this.#found.clear();
    const list = this.#find(asked, reader);
    this.#found.set(key, { untilMs: performance.now() + SHARED_MS, list });
    // A failed question is asked again.
    list.catch(() => this.#found.delete(key));
    return list;
  }

  async #find(asked: Whose, reader: string | null): Promise<FaultList> {
    const { store, database, clock, known } = this.#options;
    const scope = this.#scopeOf(asked, reader);
    const question = new Question(store, database, scope);
    const nowMs = clock.nowMs();
    const { pbxs } = await listPbxs(store, database, known().pbxs, scope, nowMs);
    const faults = await findFaults(question, pbxs, nowMs);
    return { faults, shards: question.shards };
  }
}

export function faultRoutes(faults: FleetFaults): readonly Route[] {
  return [
    route({
      path: '/v1/fleet/faults',
      summary:
        'What only many PBXs together show: silent PBXs, trunks that are bad on many, releases and devices that are worse than the rest.',
      query: WHOSE_QUERY,
      answer: FAULTS_ANSWER,
      handle: ({ query, reader }) =>
        inWords(async () => {
          const { faults: found, shards } = await faults.of(query, reader);
          return { faults: found.map(presentFault), shards: shards === null ? null : { ...shards } };
        }),
    }),
  ];
}

function presentFault(fault: FleetFault): z.output<typeof FAULTS_ANSWER>['faults'][number] {
  const rounded = (value: number | null): number | null => (value === null ? null : Number(value.toFixed(2)));
  return {
    kind: fault.kind,
    subject: fault.subject,
    pbxs: fault.pbxs.slice(0, MOST_NAMED),
    bad_pbxs: fault.pbxs.length,
    of_pbxs: fault.ofPbxs,
    judged_calls: fault.judgedCalls,
    bad_percent: rounded(fault.badPercent),
    others_bad_percent: rounded(fault.othersBadPercent),
    why: faultSentence(fault),
  };
}

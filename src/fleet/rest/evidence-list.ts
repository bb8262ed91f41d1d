import { z } from 'zod';
import { type EvidenceService, evidenceRoutes } from '../../api/alerts/evidence.ts';
import { Page } from '../../api/page.ts';
import { Problem } from '../../api/problem.ts';
import type { Route } from '../../api/route.ts';
import { FleetHistory } from '../read/fleet-history.ts';
import { callsBeside } from '../read/other-calls.ts';
import { Question } from '../read/question.ts';
import { type FleetRoutesOptions, inWords, type ScopeOf, type Whose, WHOSE } from './asked.ts';
import { SHARDS } from './pbx-list.ts';

/** Only their addresses and schemas are used; no request comes here. */
const DESCRIBED: EvidenceService = {
  evidence: () => Promise.resolve(null),
  callPage: () => Promise.resolve(null),
  trunkEvidence: () => Promise.reject(new Error('no fleet')),
  trunkPage: () => Promise.reject(new Error('no fleet')),
  pageHeaders: {},
};

/** Evidence of a call, or of a trunk of one PBX: as that PBX makes it, from what it has shipped. Links to share are made there. */
export function fleetEvidenceRoutes(options: FleetRoutesOptions, scopeOf: ScopeOf): readonly Route[] {
  const { store, database, clock, makeEvidence } = options;
  if (makeEvidence === undefined) return [];
  return evidenceRoutes(DESCRIBED, clock).map((core) => {
    const { answer } = core;
    return {
      ...core,
      query: z.strictObject({ ...core.query.shape, ...WHOSE }),
      answer: answer instanceof z.ZodObject ? answer.extend({ pbx: z.string(), shards: SHARDS.nullable() }) : answer,
      handle: (request) =>
        inWords(async () => {
          const { pbx, site, ...query } = request.query as Whose & Readonly<Record<string, unknown>>;
          const ofTrunk = core.path.startsWith('/v1/trunks');
          const [only = '', ...others] = pbx ?? [];
          // PBXs may have trunks of the same name, which are others.
          if (ofTrunk && (only === '' || only.endsWith('*') || others.length > 0))
            throw new Problem('MES_ERR_FLEET_PBX_NEEDED', 'say with pbx whose trunk it is, one name', 'pbx');
          const scope = scopeOf({ pbx, site }, request.reader);
          const history = new FleetHistory(store, database, scope, clock.nowMs());
          const whose = (): string => (ofTrunk ? only : (history.pbxOf(request.id) ?? history.lastPbx ?? ''));
          const service = makeEvidence({
            calls: history,
            clock,
            beside: (asked) => callsBeside(new Question(store, database, [...scope, { pbxs: [whose()] }]), asked),
            host: whose,
          });
          const route = evidenceRoutes(service, clock).find(({ path }) => path === core.path);
          const made = (await route?.handle({ ...request, query })) as object;
          return made instanceof Page ? made : { ...made, pbx: whose(), shards: history.shards };
        }),
    };
  });
}

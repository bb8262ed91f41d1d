import { z } from 'zod';
import { NO_QUERY } from '../../api/parameters.ts';
import { Problem } from '../../api/problem.ts';
import { type Route, route } from '../../api/route.ts';
import { WHOSE } from './asked.ts';

/** What people write on one PBX. A gateway stores nothing of its own, and does not know what a PBX hides of numbers. */
const WRITTEN_AT_THE_PBX = [
  ['POST', '/v1/calls/:linkedid/notes'],
  ['DELETE', '/v1/notes/:id'],
  ['POST', '/v1/calls/:linkedid/tags'],
  ['POST', '/v1/calls/:linkedid/ratings'],
] as const;

/** The addresses of one PBX that write. A fleet refuses them and says where to go. */
export function readOnlyRoutes(): readonly Route[] {
  return WRITTEN_AT_THE_PBX.map(([method, path]) =>
    route({
      method,
      path,
      summary:
        'Refused on a fleet: notes, tags and ratings are written at the PBX of the call, from where they come here.',
      query: z.strictObject({ ...NO_QUERY.shape, ...WHOSE }),
      answer: z.strictObject({}),
      handle: () => {
        throw new Problem(
          'MES_ERR_FLEET_READ_ONLY',
          'a fleet only shows; write notes, tags and ratings at the PBX of the call, from where they come here within seconds',
        );
      },
    }),
  );
}

import { z } from 'zod';
import { route, type Route } from './route.ts';

const LAST = z.strictObject({
  documents: z
    .array(z.record(z.string(), z.unknown()))
    .describe(
      'exactly what is sent of the last call, in clear; its fields are described in src/measurements/README.md',
    ),
});

/** What leaves the house, for whoever looks after it. */
export function measurementRoutes(lastDocuments: () => readonly object[]): Route[] {
  return [
    route({
      path: '/v1/measurements/last',
      summary: 'What is sent of the last call that has ended, in clear',
      query: z.strictObject({}),
      answer: LAST,
      handle: () => ({ documents: lastDocuments().map((document) => ({ ...document })) }),
    }),
  ];
}

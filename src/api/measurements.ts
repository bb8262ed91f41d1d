import { z } from 'zod';
import { NO_QUERY } from './parameters.ts';
import { Problem } from './problem.ts';
import { route, type Route } from './route.ts';

const LAST = z.strictObject({
  documents: z
    .array(z.record(z.string(), z.unknown()))
    .describe(
      'exactly what is sent of the last call, in clear; its fields are described in src/measurements/README.md',
    ),
});

export const MEASUREMENT_STATUS = z.strictObject({
  enabled: z.boolean().describe('false: nothing is gathered and nothing is sent'),
  include: z.array(z.enum(['calls', 'ratings'])).describe('what is gathered'),
  recipients: z.array(z.string()).describe('public keys of those who can read it'),
  collector: z.string().nullable().describe('where it is sent to; null: it waits in the spool'),
  upload_to: z.string().nullable().describe('the S3 server that files are put to; null: through the collector'),
  endpoints: z.array(z.string()).describe('whose calls take part; empty: all'),
  spool: z.string().describe('directory of what waits'),
  spool_max_bytes: z.int(),
  waiting_files: z.int(),
  waiting_bytes: z.int(),
  sent: z.int().describe('files, since the last start'),
  refused: z.int().describe('files that the collector will never take'),
  dropped: z.int().describe('files given up for want of room'),
  problem: z.string().nullable().describe('why nothing is sent now'),
  fields: z
    .array(z.strictObject({ of: z.string(), field: z.string(), holds: z.string(), why: z.string() }))
    .describe('all that a measurement can hold'),
});

const RESET = z.strictObject({ reset: z.boolean() });
const FORGOT = z.strictObject({
  asked: z.int().describe('tokens that the collection server was shown'),
  emptied: z.int().describe('files taken out of the spool'),
});

export interface MeasurementService {
  lastDocuments(): readonly object[];
  /** Rejects with an Error of one sentence. */
  status(): Promise<z.output<typeof MEASUREMENT_STATUS>>;
  reset(): Promise<void>;
  forget(): Promise<z.output<typeof FORGOT>>;
}

/** Routes that show what measurements are sent, and take them back. */
export function measurementRoutes(service: MeasurementService): Route[] {
  return [
    route({
      path: '/v1/measurements',
      summary: 'Whether measurements are sent, to whom, what waits, and all that one can hold',
      query: NO_QUERY,
      answer: MEASUREMENT_STATUS,
      handle: () => orProblem(service.status()),
    }),
    route({
      path: '/v1/measurements/last',
      summary: 'What is sent of the last call that has ended, in clear',
      query: NO_QUERY,
      answer: LAST,
      handle: () => ({ documents: service.lastDocuments().map((document) => ({ ...document })) }),
    }),
    route({
      method: 'POST',
      path: '/v1/measurements/reset',
      summary: 'Goes on as another installation from now on',
      access: 'token',
      query: NO_QUERY,
      answer: RESET,
      async handle() {
        await orProblem(service.reset());
        return { reset: true };
      },
    }),
    route({
      method: 'POST',
      path: '/v1/measurements/forget',
      summary: 'Asks the collection server to delete what was sent, and empties the spool',
      access: 'token',
      query: NO_QUERY,
      answer: FORGOT,
      handle: () => orProblem(service.forget()),
    }),
  ];
}

/** Turns a failure into a Problem. Its sentence may name spool and collector, because the reader has set both. */
async function orProblem<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw new Problem('MES_ERR_MEASUREMENTS', error instanceof Error ? error.message : String(error));
  }
}

import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/**
 * They compare delays, which a packet that a busy machine holds up spoils: after all others, by twos, and once more where one
 * failed; what is wrong in the product is so each time.
 */
const MEASURED = [
  'test/integration/accuracy.test.ts',
  'test/integration/call-capture.test.ts',
  'test/integration/calls-*.test.ts',
  'test/integration/capture.test.ts',
  'test/integration/defensible-scores.test.ts',
  'test/integration/foreign-phones-16.test.ts',
  'test/integration/lab.test.ts',
  'test/integration/phones-22.test.ts',
];

/** Most take some seconds on a quiet machine, some half a minute. */
const INTEGRATION_TIMEOUT_MS = 180_000;

export default defineConfig({
  root: fileURLToPath(new URL('..', import.meta.url)),
  test: {
    reporters: ['default', ['json', { outputFile: '.lab/test-results.json' }]],
    // Every test starts the product anew, which from a cache of what was compiled takes half the time.
    env: { NODE_COMPILE_CACHE: fileURLToPath(new URL('../.lab/compile-cache', import.meta.url)) },
    // Of what takes seconds on a quiet machine; one that is four times as slow must not fail for that.
    testTimeout: 120_000,
    hookTimeout: 300_000,
    // What is polled for comes late on a busy machine, and what never comes may take its time to fail.
    expect: { poll: { timeout: 30_000 } },
    // More than most machines have processors: the integration tests mostly wait for their calls, and wait as well side
    // by side. What measures delays comes before all else (`test/lab/real-time.ts`).
    maxWorkers: 4,
    projects: [
      // By name: the long ones begin first.
      {
        extends: true,
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          exclude: MEASURED,
          testTimeout: INTEGRATION_TIMEOUT_MS,
        },
      },
      {
        extends: true,
        test: {
          name: 'measured',
          include: MEASURED,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
          retry: 1,
          testTimeout: INTEGRATION_TIMEOUT_MS,
        },
      },
      {
        extends: true,
        test: { name: 'unit', include: ['test/unit/**/*.test.ts'], setupFiles: ['test/unit/fixed-seed.ts'] },
      },
    ],
  },
});

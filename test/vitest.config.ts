import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** Delays of their calls are measured to milliseconds, and a neighbour adds to them: these run alone, after all others. */
const MEASURED = [
  'test/integration/accuracy.test.ts',
  'test/integration/call-capture.test.ts',
  'test/integration/calls-*.test.ts',
  'test/integration/capture.test.ts',
  'test/integration/defensible-scores.test.ts',
  'test/integration/lab.test.ts',
  'test/integration/live-capture.test.ts',
  'test/unit/lab/departures.test.ts',
];

export default defineConfig({
  root: fileURLToPath(new URL('..', import.meta.url)),
  test: {
    reporters: ['default', ['json', { outputFile: '.lab/test-results.json' }]],
    // Every test starts the product anew, which from a cache of what was compiled takes half the time.
    env: { NODE_COMPILE_CACHE: fileURLToPath(new URL('../.lab/compile-cache', import.meta.url)) },
    testTimeout: 20_000,
    hookTimeout: 120_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts'],
          exclude: MEASURED,
          setupFiles: ['test/unit/fixed-seed.ts'],
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          // They mostly wait for their calls, and wait as well side by side.
          name: 'waiting',
          include: ['test/integration/**/*.test.ts'],
          exclude: MEASURED,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: { name: 'measured', include: MEASURED, maxWorkers: 1, sequence: { groupOrder: 2 } },
      },
    ],
  },
});

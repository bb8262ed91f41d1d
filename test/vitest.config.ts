import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  root: fileURLToPath(new URL('..', import.meta.url)),
  test: {
    include: ['test/unit/**/*.test.ts', 'test/integration/**/*.test.ts'],
    reporters: ['default', ['json', { outputFile: '.lab/test-results.json' }]],
    // One file at a time: the delays of real calls are measured to milliseconds, and a neighbour adds to them.
    maxWorkers: 1,
    testTimeout: 20_000,
    hookTimeout: 120_000,
  },
});

/** `npm run bench -- NAME [--json] [--calls N]`: measures what the product promises, on this machine. */
import { parseArgs } from 'node:util';
import { openOutput, type Output } from './output.ts';

interface Bench {
  /** `calls`: how many the history has that questions are asked of. */
  readonly run: (output: Output, calls?: number) => Promise<void>;
}

const BENCHES: Readonly<Record<string, () => Promise<Bench>>> = {
  capture: () => import('./capture.ts'),
  'live-capture': () => import('./live-capture.ts'),
  ingest: () => import('./ingest.ts'),
  live: () => import('./live.ts'),
  costs: () => import('./costs.ts'),
  crowd: () => import('./crowd.ts'),
  best: () => import('./best.ts'),
  soak: () => import('./soak.ts'),
  queries: () => import('./queries.ts'),
  retention: () => import('./retention.ts'),
  fleet: () => import('./fleet.ts'),
  'fleet-kills': () => import('./fleet-kills.ts'),
};
const OPTIONS = { json: { type: 'boolean' }, calls: { type: 'string' } } as const;

function refuse(sentence: string): void {
  process.stderr.write(`${sentence}\n`);
  process.exitCode = 2;
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({ options: OPTIONS, allowPositionals: true });
  const [name = ''] = positionals;
  const load = Object.hasOwn(BENCHES, name) ? BENCHES[name] : undefined;
  if (load === undefined) {
    const what = name === '' ? 'without a name' : name;
    return refuse(`There is no bench ${what}; there are: ${Object.keys(BENCHES).join(', ')}.`);
  }
  const { calls } = values;
  if (calls !== undefined && !/^[1-9]\d{3,7}$/.test(calls)) {
    return refuse(`--calls ${calls} is not allowed; give a whole number from 1000 to 99999999.`);
  }
  const { run } = await load();
  await run(openOutput(values.json === true), calls === undefined ? undefined : Number(calls));
}

try {
  await main();
} catch (error) {
  // Only what parseArgs throws has such a code.
  if (!(error instanceof TypeError && 'code' in error)) throw error;
  refuse(error.message);
}

/** `npm run bench -- NAME [--json]`: measures what the product promises, on this machine. */
import { openOutput, type Output } from './output.ts';

interface Bench {
  readonly run: (output: Output) => Promise<void>;
}

const BENCHES: Readonly<Record<string, () => Promise<Bench>>> = {
  capture: () => import('./capture.ts'),
  'live-capture': () => import('./live-capture.ts'),
  ingest: () => import('./ingest.ts'),
  live: () => import('./live.ts'),
  soak: () => import('./soak.ts'),
};

const [name = '', ...options] = process.argv.slice(2);
const load = Object.hasOwn(BENCHES, name) ? BENCHES[name] : undefined;
const unknown = options.find((option) => option !== '--json');
if (load === undefined) {
  process.stderr.write(
    `There is no bench ${name === '' ? 'without a name' : name}; there are: ${Object.keys(BENCHES).join(', ')}.\n`,
  );
  process.exitCode = 2;
} else if (unknown !== undefined) {
  process.stderr.write(`There is no option ${unknown}; there is --json.\n`);
  process.exitCode = 2;
} else {
  const { run } = await load();
  await run(openOutput(options.includes('--json')));
}

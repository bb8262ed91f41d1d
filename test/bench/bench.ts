/** `npm run bench -- NAME`: measures what the product promises, on this machine. */
const BENCHES: Readonly<Record<string, () => Promise<{ readonly run: () => Promise<void> }>>> = {
  capture: () => import('./capture.ts'),
  'live-capture': () => import('./live-capture.ts'),
};

const [name = ''] = process.argv.slice(2);
const load = Object.hasOwn(BENCHES, name) ? BENCHES[name] : undefined;
if (load === undefined) {
  process.stderr.write(
    `There is no bench ${name === '' ? 'without a name' : name}; there are: ${Object.keys(BENCHES).join(', ')}.\n`,
  );
  process.exitCode = 2;
} else {
  const { run } = await load();
  await run();
}

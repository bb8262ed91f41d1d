#!/usr/bin/env node
// Plain JavaScript, so that an older Node can read it and say what is wrong.
import { existsSync } from 'node:fs';

const [major] = process.versions.node.split('.');
if (Number(major) < 24) {
  process.stderr.write(`asterisk-mes needs Node.js 24 or newer; this is ${process.versions.node}.\n`);
  process.exitCode = 1;
} else {
  // The npm package has no TypeScript: Node refuses to run it below node_modules.
  const isRepository = existsSync(new URL('./cli/main.ts', import.meta.url));
  const { main } = await import(isRepository ? './cli/main.ts' : '../dist/cli/main.js');
  process.exitCode = await main(process.argv.slice(2));
}

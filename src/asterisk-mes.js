#!/usr/bin/env node
// Plain JavaScript, so that an older Node can read it and say what is wrong.
const [major] = process.versions.node.split('.');
if (Number(major) < 24) {
  process.stderr.write(`asterisk-mes needs Node.js 24 or newer; this is ${process.versions.node}.\n`);
  process.exitCode = 1;
} else {
  const { main } = await import('./cli/main.ts');
  process.exitCode = await main(process.argv.slice(2));
}

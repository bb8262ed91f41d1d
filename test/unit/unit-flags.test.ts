import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { unitFlags } from '../bench/unit-flags.ts';

const ROOT = join(import.meta.dirname, '../..');

it('the systemd unit and the image start Node with the same flags and environment, and Node takes them', () => {
  const { node, environment } = unitFlags();
  expect(node.length).toBeGreaterThan(0);
  const dockerfile = readFileSync(join(ROOT, 'docker/sidecar/Dockerfile'), 'utf8');
  const [, entry = ''] = /^ENTRYPOINT (\[.*\])$/m.exec(dockerfile) ?? [];
  expect(JSON.parse(entry)).toEqual(['node', ...node, '/opt/asterisk-mes/src/asterisk-mes.js']);
  const [, variables = ''] = /^ENV (MALLOC.*)$/m.exec(dockerfile) ?? [];
  expect(Object.fromEntries(variables.split(' ').map((one) => one.split('=')))).toEqual(environment);
  expect(execFileSync(process.execPath, [...node, '--print', '6 * 7'], { encoding: 'utf8' }).trim()).toBe('42');
});

it('the sidecar sets no flag of V8 while it runs, and does not start itself again', () => {
  const sources = execFileSync('git', ['ls-files', 'src'], { cwd: ROOT, encoding: 'utf8' }).trim().split('\n');
  // `analyze` is a program of its own, which ends.
  const ofSidecar = sources.filter((name) => name !== 'src/cli/packets/analyze.ts');
  const setting = ofSidecar.filter((name) =>
    /setFlagsFromString|execve|--expose-gc/.test(readFileSync(join(ROOT, name), 'utf8')),
  );
  expect(sources.length).toBeGreaterThan(100);
  expect(setting).toEqual([]);
});

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

const ENTRY = join(import.meta.dirname, '../../../src/asterisk-mes.js');

test('a gateway without ClickHouse says why it waits, and ends in good order when it is told to', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'mes-fleet-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const config = join(folder, 'fleet.conf');
  // Nobody listens on port 1.
  writeFileSync(
    config,
    '[gateway]\nbind = 127.0.0.1:0\n[http]\nbind = 127.0.0.1:0\n[store]\nshards = http://127.0.0.1:1\n',
  );
  const child = spawn(process.execPath, [ENTRY, 'fleet', '--config', config], { stdio: 'pipe' });
  onTestFinished(() => void child.kill('SIGKILL'));
  const closed = once(child, 'close');
  let text = '';
  child.stderr.setEncoding('utf8').on('data', (part: string) => (text += part));
  for await (const part of child.stdout.setEncoding('utf8')) {
    text += String(part);
    if (text.includes('trying again')) child.kill('SIGTERM');
  }
  expect(text).toMatch(
    /"MES_ERR_FLEET_STORE","msg":"ClickHouse cannot be prepared yet \(.*127\.0\.0\.1:1.*\); see shards in \[store\]; trying again"/,
  );
  expect(text).not.toContain('asterisk-mes: ');
  expect(await closed).toEqual([0, null]);
}, 20_000);

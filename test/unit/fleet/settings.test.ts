import { describe, expect, test } from 'vitest';
import { FleetSettingsError, newPbx, newReader, readFleetSettings, sha256 } from '../../../src/fleet/settings.ts';

describe('fleet.conf', () => {
  test('with its defaults, and a PBX that add-pbx wrote', () => {
    const { token, lines } = newPbx('office-berlin', 'Berlin');
    const settings = readFleetSettings(lines, 'fleet.conf');
    expect(settings).toMatchObject({
      bind: { host: '127.0.0.1', port: 8091 },
      database: 'mes',
      cluster: null,
      isReplicated: false,
      shards: [['http://127.0.0.1:8123']],
      keepDays: 400,
      pbxs: [{ name: 'office-berlin', tokenSha256: sha256(token), site: 'Berlin' }],
    });
    expect(token).toMatch(/^[\w-]{32}$/);
    expect(lines).not.toContain(token);
    expect(newPbx('office-berlin', '').token).not.toBe(token);
  });

  test('with readers who see some PBXs', () => {
    const { token, lines } = newReader('acme', { pbxs: ['acme-*', 'b'], sites: ['Bad Ems'] });
    expect(readFleetSettings(`[http]\nbind = 0.0.0.0:80\n${lines}`, 'f')).toMatchObject({
      http: { bind: { host: '0.0.0.0', port: 80 }, token: null },
      bounds: { seconds: 10, memoryBytes: 2_000_000_000, rows: 2_000_000_000 },
      readers: [{ name: 'acme', tokenSha256: sha256(token), pbxs: ['acme-*', 'b'], sites: ['Bad Ems'] }],
    });
    expect(lines).not.toContain(token);
  });

  test('with shards and replicas', () => {
    const text = '[store]\nshards = http://a:8123,http://b:8123 http://c:8123\ncluster = fleet\nreplicated = yes\n';
    expect(readFleetSettings(text, 'f')).toMatchObject({
      shards: [['http://a:8123', 'http://b:8123'], ['http://c:8123']],
      cluster: 'fleet',
      isReplicated: true,
    });
  });

  test.each([
    ['[stor]\n', 'unknown section "stor"'],
    ['[constructor]\nx = y\n', 'unknown section "constructor"'],
    ['[store]\nshard = x\n', 'unknown key "shard" in [store]'],
    ['[store]\nshards = ftp://x\n', '[store] shards is not allowed'],
    ['[store]\nshards = http://a http://b\n', 'several shards need [store] cluster'],
    ['[store]\ndatabase = 1x\n', '[store] database is not allowed'],
    ['[gateway]\nbind = 8091\n', '[gateway] bind is not allowed'],
    ['[pbx:a]\ntoken_sha256 = abc\n', '[pbx:a] has no token_sha256'],
    ['[gateway]\nbind = 0.0.0.0:8091\n', 'no PBX is known'],
    ['[http]\nbind = 0.0.0.0:8090\n', '[http] bind is not loopback, so it needs [http] token'],
    ['[store]\nquery_seconds = 0\n', '[store] query_seconds is not allowed'],
    [`[reader:a]\ntoken_sha256 = ${'0'.repeat(64)}\n`, 'says neither pbxs nor sites; give pbxs = * for all'],
    [`[reader:a]\ntoken_sha256 = ${'0'.repeat(64)}\npbx = b\n`, 'unknown key "pbx" in [reader:a]'],
    [`[reader:a]\ntoken_sha256 = ${'0'.repeat(64)}\npbxs = b c\n`, 'pbxs is not allowed'],
    [
      `[reader:a]\ntoken_sha256 = ${'0'.repeat(64)}\npbxs = *\n[pbx:b]\ntoken_sha256 = ${'0'.repeat(64)}\n`,
      'two sections have the same token_sha256',
    ],
  ])('refuses %j', (text, sentence) => {
    expect(() => readFleetSettings(text, 'f')).toThrow(FleetSettingsError);
    expect(() => readFleetSettings(text, 'f')).toThrow(sentence);
  });
});

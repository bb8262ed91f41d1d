import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadSettings } from '../../src/config/settings.ts';
import { readFleetSettings, sha256 } from '../../src/fleet/settings.ts';
import { DOCKER, readYaml } from '../lab/compose.ts';

interface Fleet {
  readonly services: Readonly<
    Record<
      string,
      {
        readonly environment?: Readonly<Record<string, string>>;
        readonly ports?: readonly string[];
        readonly cap_drop?: unknown;
        readonly networks?: unknown;
      }
    >
  >;
  readonly configs: { readonly fleet_conf: { readonly content: string } };
}

const { services, configs } = readYaml('compose.fleet.yaml') as Fleet;
const environment = Object.fromEntries(
  execFileSync('sh', [join(DOCKER, 'fleet-secrets.sh')], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((line) => line.split('=', 2) as [string, string]),
);
/** As Compose fills in `${NAME:?why}` and `${NAME:-usual}`. */
const filled = (text: string): string =>
  text.replaceAll(/\$\{(\w+)(?::[?-]([^}]*))?\}/g, (_, name: string, usual = '') => environment[name] ?? String(usual));

describe('docker/compose.fleet.yaml', () => {
  test('has gateways that know each PBX by the hash of its token', () => {
    const settings = readFleetSettings(filled(configs.fleet_conf.content), 'fleet.conf');
    expect(settings).toMatchObject({
      bind: { host: '0.0.0.0', port: 8091 },
      http: { bind: { host: '0.0.0.0', port: 8090 }, token: environment['MES_HTTP_TOKEN'] },
      shards: [['http://clickhouse:8123']],
      username: 'mes',
      password: environment['CLICKHOUSE_PASSWORD'],
    });
    const sidecars = ['sidecar-1', 'sidecar-2', 'sidecar-3'].map((name) => {
      const own = Object.entries(services[name]?.environment ?? {}).map(
        ([key, value]) => [key, filled(value)] as const,
      );
      return loadSettings(undefined, 'mes.conf', Object.fromEntries(own));
    });
    expect(sidecars.map(({ fleet }) => fleet?.url)).toEqual([
      'http://gateway-1:8091',
      'http://gateway-2:8091',
      'http://gateway-1:8091',
    ]);
    expect(settings.pbxs.map(({ name, tokenSha256 }) => [name, tokenSha256])).toEqual(
      ['berlin', 'bonn', 'ulm'].map((name, index) => [name, sha256(sidecars[index]?.fleet?.token ?? '')]),
    );
  });

  test('lets this machine in, nobody else', () => {
    const ports = Object.values(services).flatMap(({ ports: published = [] }) => published);
    expect(ports.toSorted()).toEqual(['127.0.0.1:3000:3000', '127.0.0.1:8090:8090', '127.0.0.1:8092:8090']);
    const others = Object.entries(services).filter(([name]) => name !== 'clickhouse');
    for (const [name, { cap_drop: dropped }] of others) expect([name, dropped]).toEqual([name, ['ALL']]);
    // Phones and PBXs see neither the store nor each other.
    expect(services['pbx-1']?.networks).toEqual({ 'voice-1': { aliases: ['pbx'] } });
    expect(services['sidecar-1']?.networks).toEqual(['voice-1', 'fleet']);
    expect(services['clickhouse']?.networks).toEqual(['store']);
  });
});

import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadSettings } from '../../src/config/settings.ts';
import { DOCKER, type Service, environmentOf, readCompose, readYaml, runWords } from '../lab/compose.ts';

const { services, networks, volumes, secrets } = readCompose();
const { pbx, phones, sidecar, prometheus, grafana } = services as Record<string, Service>;
const ENVIRONMENT = { MES_AMI_SECRET: 'one', MES_HTTP_TOKEN: 'two' };

/** Where a service sees what it is given: inside → outside. */
function mounts(service: Service | undefined): Map<string, string> {
  const pairs = (service?.volumes ?? []).map((volume) => volume.split(':'));
  return new Map(pairs.map(([outside = '', inside = '']) => [inside, outside]));
}

describe('docker/compose.yaml', () => {
  test('lets this machine in, nobody else, and no process become more than it is', () => {
    expect(Object.keys(services)).toEqual(['pbx', 'phones', 'sidecar', 'prometheus', 'grafana']);
    const ports = Object.values(services).flatMap(({ ports: published = [] }) => published);
    expect(ports).toHaveLength(3);
    expect(ports.filter((port) => !port.startsWith('127.0.0.1:'))).toEqual([]);
    for (const service of Object.values(services)) {
      expect(service).toMatchObject({ cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] });
    }
  });

  test('holds no secret and asks for each', () => {
    for (const missing of ['MES_AMI_SECRET', 'MES_HTTP_TOKEN']) {
      const others = { ...ENVIRONMENT, [missing]: '' };
      expect(() => Object.values(services).map((service) => environmentOf(service, others))).toThrow(
        `${missing} is not set: put it into docker/.env`,
      );
    }
  });

  test('keeps the secrets out of what images are built from', () => {
    const lines = readFileSync(join(DOCKER, '../.dockerignore'), 'utf8').trim().split('\n');
    // The last line that fits counts.
    expect(lines.at(-1)).toBe('docker/.env');
    expect(lines.indexOf('!docker')).toBeGreaterThan(0);
  });

  test('names files, networks, volumes and images that there are', () => {
    for (const service of Object.values(services)) {
      const outside = [...mounts(service).values()];
      const files = outside.filter((path) => path.startsWith('./'));
      expect(files.filter((path) => !existsSync(join(DOCKER, path)))).toEqual([]);
      expect(outside.filter((path) => !path.startsWith('./') && !(path in volumes))).toEqual([]);
      expect((service.networks ?? []).filter((name) => !(name in networks))).toEqual([]);
    }
    const dockerfiles = Object.values(services).flatMap(({ build }) => (build === undefined ? [] : [build.dockerfile]));
    expect(dockerfiles.filter((path) => existsSync(join(DOCKER, '..', path)))).toHaveLength(2);
    expect(phones?.image).toBe(pbx?.image);
    for (const service of [prometheus, grafana]) expect(service?.image).toMatch(/:v?\d+\.\d+\.\d+$/);
  });

  test('sets the sidecar up with settings that it takes', () => {
    if (sidecar === undefined) throw new Error('there is no sidecar');
    expect(loadSettings(undefined, 'mes.conf', environmentOf(sidecar, ENVIRONMENT))).toMatchObject({
      ami: { host: 'pbx', username: 'mes', secret: 'one' },
      ari: { url: 'http://pbx:8088', username: 'mes', password: 'one' },
      agi: { bind: { host: '0.0.0.0', port: 4573 } },
      http: { bind: { host: '0.0.0.0', port: 8090 }, token: 'two' },
    });
    expect([...mounts(sidecar)]).toEqual([['/var/lib/asterisk-mes', 'history']]);
    expect(sidecar.read_only).toBe(true);
  });

  test('lets Prometheus ask the sidecar with its token, and judge by the alert rules', () => {
    const configuration = readYaml('prometheus/prometheus.yml') as {
      rule_files: string[];
      scrape_configs: {
        authorization: { credentials_file: string };
        static_configs: { targets: string[] }[];
      }[];
    };
    expect(configuration.rule_files.map((path) => mounts(prometheus).get(path))).toEqual(['./grafana/alerts.yml']);
    expect(mounts(prometheus).get('/etc/prometheus/prometheus.yml')).toBe('./prometheus/prometheus.yml');
    expect(configuration.scrape_configs).toHaveLength(1);
    const [job] = configuration.scrape_configs;
    expect(job?.static_configs).toEqual([{ targets: ['sidecar:8090'] }]);
    expect(prometheus?.secrets).toEqual(['mes_http_token']);
    expect(job?.authorization.credentials_file).toBe('/run/secrets/mes_http_token');
    expect(secrets).toEqual({ mes_http_token: { environment: 'MES_HTTP_TOKEN' } });
    expect(prometheus?.networks?.filter((name) => sidecar?.networks?.includes(name))).toEqual(['monitoring']);
  });

  test('gives Grafana its data source and the dashboard', () => {
    const inside = mounts(grafana);
    const find = (outside: string): string => [...inside].find(([, path]) => path === outside)?.[0] ?? '';
    expect(find('./grafana/datasources.yml')).toMatch(/^\/etc\/grafana\/provisioning\/datasources\//);
    expect(find('./grafana/dashboards.yml')).toMatch(/^\/etc\/grafana\/provisioning\/dashboards\//);
    expect(readYaml('grafana/datasources.yml')).toMatchObject({
      apiVersion: 1,
      datasources: [{ type: 'prometheus', url: 'http://prometheus:9090', isDefault: true }],
    });
    const dashboard = find('./grafana/asterisk-mes.json');
    expect(readYaml('grafana/dashboards.yml')).toMatchObject({
      apiVersion: 1,
      providers: [{ type: 'file', options: { path: dirname(dashboard) } }],
    });
    expect(grafana?.environment?.['GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH']).toBe(dashboard);
    expect(grafana?.networks?.filter((name) => prometheus?.networks?.includes(name))).toEqual(['monitoring']);
  });

  test('says so where the lab cannot do what it says', () => {
    const service = { image: 'x', privileged: true } as Service;
    expect(() => runWords(service, {})).toThrow('The lab cannot do what compose.yaml says with privileged.');
  });
});

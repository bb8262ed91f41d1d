import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLog } from '../../src/app/state/log.ts';
import { startSidecar } from '../../src/app/sidecar.ts';
import { readSettings } from '../../src/config/read-settings.ts';
import { startServer } from './api/server.ts';
import { channelRecord, START_MS } from './history/records.ts';

const FOLDER = resolve(import.meta.dirname, '../../docker/grafana');
/** Prometheus itself gives every sample these. */
const OF_PROMETHEUS = ['job', 'instance'];
/** Of ARI when it is configured: this sidecar has none. */
const ONLY_WITH_ARI = 'asterisk_mes_ari_connected';

/** Labels by the name of each sample in the text of /metrics; a metric without samples yet has none. */
type Known = Map<string, Set<string>>;

function addTo(known: Known, text: string): void {
  const note = (name: string, labels: readonly string[] = []): void => {
    const seen = known.get(name) ?? new Set();
    for (const label of labels) seen.add(label);
    known.set(name, seen);
  };
  for (const line of text.split('\n')) {
    const [, name = '', type] = /^# TYPE (\S+) (\w+)$/.exec(line) ?? [];
    if (type === 'histogram') for (const part of ['bucket', 'count', 'sum']) note(`${name}_${part}`);
    else if (type !== undefined) note(name);
    const sample = /^(\w+)(?:\{(.*)\})? \S+$/.exec(line);
    if (sample === null) continue;
    note(
      sample[1] ?? '',
      [...(sample[2] ?? '').matchAll(/(\w+)="(?:[^"\\]|\\.)*"/g)].map(([, label = '']) => label),
    );
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((done) => server.once('listening', done));
  const address = server.address();
  await new Promise((done) => server.close(done));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** The output of a real sidecar that looks for an Asterisk. */
async function metricsOfSidecar(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'mes-grafana-'));
  const [ami, agi, http] = await Promise.all([freePort(), freePort(), freePort()]);
  const conf = join(folder, 'mes.conf');
  await writeFile(
    conf,
    `[ami]\nport = ${ami}\nusername = mes\nsecret = secret\n[agi]\nbind = 127.0.0.1:${agi}\n` +
      `[http]\nbind = 127.0.0.1:${http}\n[history]\npath = ${join(folder, 'mes.sqlite')}\n`,
  );
  const sidecar = await startSidecar(await readSettings(conf, {}), createLog('silent'));
  try {
    return await (await fetch(`http://127.0.0.1:${http}/metrics`)).text();
  } finally {
    await sidecar.stop();
    await rm(folder, { recursive: true });
  }
}

/** The output after a channel has ended, so that every label shows. */
async function metricsOfCall(): Promise<string> {
  const server = await startServer();
  const [stream] = channelRecord('1').streams;
  const jitterMs = { last: 1, mean: 1, min: 1, max: 1, stdev: 0, count: 1 };
  const streams = stream === undefined ? [] : [{ ...stream, jitterMs }];
  server.live = [channelRecord('2')];
  server.metrics.channelEnded(channelRecord('1', { endedAtMs: START_MS + 1000, streams }));
  const { body } = await server.get('/metrics');
  await server.close();
  return String(body);
}

interface Panel {
  readonly id: number;
  readonly title: string;
  readonly targets?: readonly { readonly expr: string }[];
}

const known: Known = new Map();
let panels: Panel[];
let variables: string[];
let alerts: string;

beforeAll(async () => {
  for (const text of await Promise.all([metricsOfSidecar(), metricsOfCall()])) addTo(known, text);
  const dashboard = JSON.parse(await readFile(join(FOLDER, 'asterisk-mes.json'), 'utf8')) as {
    panels: Panel[];
    templating: { list: { query: string | { query: string } }[] };
  };
  panels = dashboard.panels;
  variables = dashboard.templating.list.flatMap(({ query }) => (typeof query === 'string' ? [] : [query.query]));
  alerts = await readFile(join(FOLDER, 'alerts.yml'), 'utf8');
});
afterAll(() => known.clear());

/** Each `expr:` of the rules, folded lines joined. */
function expressionsOf(rules: string): string[] {
  const found = [...rules.matchAll(/^ +expr: (?:>-\n((?: {10}.*\n)+)|(.*)\n)/gm)];
  return found.map(([, folded, plain]) => (folded ?? plain ?? '').replaceAll(/\s+/g, ' ').trim());
}

/** What a query asks for that is not there. */
function unknownIn(query: string): string[] {
  const missing: string[] = [];
  const names = new Set<string>();
  for (const [, name = '', matchers = ''] of query.matchAll(
    /\b((?:asterisk_mes|process|nodejs)_\w+)(?:\{([^}]*)\})?/g,
  )) {
    if (name === ONLY_WITH_ARI) continue;
    names.add(name);
    const labels = known.get(name);
    if (labels === undefined) missing.push(name);
    for (const [, label = ''] of matchers.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)) {
      if (labels?.has(label) !== true && !OF_PROMETHEUS.includes(label)) missing.push(`${name}{${label}}`);
    }
  }
  const grouped = [...query.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(/\s*,\s*/));
  const given = new Set([...names].flatMap((name) => [...(known.get(name) ?? [])]));
  for (const label of grouped) if (!given.has(label) && !OF_PROMETHEUS.includes(label)) missing.push(`by ${label}`);
  return names.size === 0 && !query.includes(ONLY_WITH_ARI) ? ['nothing of ours'] : missing;
}

describe('Grafana', () => {
  it('asks for metrics and labels that there are', () => {
    const queries = panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => [title, expr] as const));
    expect(queries.length).toBeGreaterThan(20);
    expect(queries.map(([title, query]) => [title, unknownIn(query)]).filter(([, missing]) => missing?.length)).toEqual(
      [],
    );
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    // Of several sidecars, one is looked at by itself.
    const names = /\b(?:asterisk_mes|process|nodejs)_\w+(\{[^}]*\})?/g;
    for (const [title, query] of queries) {
      for (const [, matchers = ''] of query.matchAll(names)) {
        expect([title, matchers]).toEqual([title, expect.stringContaining('job=~"$job",instance=~"$instance"')]);
      }
    }
  });

  it('offers the choices that the labels have', () => {
    expect(variables).toEqual([
      'label_values(asterisk_mes_info, job)',
      'label_values(asterisk_mes_info{job=~"$job"}, instance)',
      'label_values(asterisk_mes_channels_total, endpoint_group)',
    ]);
    expect(known.get('asterisk_mes_info')).toEqual(new Set(['version']));
    expect(known.get('asterisk_mes_channels_total')).toEqual(new Set(['verdict', 'endpoint_group']));
  });

  it('raises alarms on metrics and labels that there are', () => {
    const expressions = expressionsOf(alerts);
    expect(expressions).toHaveLength([...alerts.matchAll(/- alert: /g)].length);
    expect(expressions).toHaveLength(9);
    expect(expressions.flatMap(unknownIn)).toEqual([]);
    const used = [...alerts.matchAll(/\$labels\.(\w+)/g)].map(([, label]) => label);
    expect(new Set(used)).toEqual(new Set(['endpoint_group', 'direction']));
  });

  it('is told by this test of a name, a matcher or a grouping that is not there', () => {
    expect(unknownIn('rate(asterisk_mes_score_bucket{direction="rx"}[5m])')).toEqual([]);
    expect(unknownIn('asterisk_mes_scores')).toEqual(['asterisk_mes_scores']);
    expect(unknownIn('asterisk_mes_score_sum{le="1"}')).toEqual(['asterisk_mes_score_sum{le}']);
    expect(unknownIn('sum by (verdict) (asterisk_mes_score_sum)')).toEqual(['by verdict']);
    expect(unknownIn('up')).toEqual(['nothing of ours']);
  });
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { silentPbxs } from '../../../src/alerting/fleet-faults.ts';
import type { PbxState } from '../../../src/fleet/read/pbxs.ts';
import { FleetMetrics } from '../../../src/fleet/rest/fleet-metrics.ts';

const SHARE = { calls: 40, judgedCalls: 30, badCalls: 6, badPercent: 20, mesMean: 3.9 } as PbxState['lastDay'];
const ULM: PbxState = {
  pbx: 'ulm',
  site: 'south',
  state: 'up',
  lastHeardAtMs: 1000,
  silentSinceMs: null,
  release: '1.0.0',
  asteriskVersion: '22.1.0',
  callsUp: 7,
  outboxRows: 3,
  outboxDropped: 0,
  lagMs: 1500,
  problem: null,
  lastDay: SHARE,
  weekBefore: SHARE,
};
const BONN: PbxState = { ...ULM, pbx: 'bonn', state: 'silent', callsUp: null, lagMs: null };

const figures = { list: { pbxs: [ULM, BONN], shards: { answered: 1, of: 2 } }, counters: { rows: 5 }, nowMs: 61_000 };

describe('metrics of a fleet', () => {
  test('say what is known of each PBX and of all together, and nothing of what is not', async () => {
    const metrics = new FleetMetrics();
    const text = await metrics.render({ ...figures, faults: silentPbxs(['bonn']) });
    expect(text).toContain('asterisk_mes_fleet_pbx_heard_seconds{pbx="ulm",site="south"} 60\n');
    expect(text).toContain('asterisk_mes_fleet_pbx_bad_ratio{pbx="ulm",site="south"} 0.2\n');
    expect(text).toContain('asterisk_mes_fleet_pbx_calls_up{pbx="ulm",site="south"} 7\n');
    expect(text).not.toContain('pbx_calls_up{pbx="bonn"');
    expect(text).toContain('asterisk_mes_fleet_fault{kind="silent-pbx",subject="bonn"} 1\n');
    expect(text).toContain('asterisk_mes_fleet_faults{kind="silent-pbx"} 1\n');
    expect(text).toContain('asterisk_mes_fleet_faults{kind="trunk"} 0\n');
    // Nobody knows: no sample, rather than none of these.
    const later = await metrics.render({ ...figures, faults: null });
    expect(later).not.toMatch(/^asterisk_mes_fleet_faults?\{/m);
  });

  test('have all that the alert rules ask for, with the labels that these name', async () => {
    const text = await new FleetMetrics().render({ ...figures, faults: silentPbxs(['bonn']) });
    const rules = readFileSync(join(import.meta.dirname, '../../../docker/grafana/fleet-alerts.yml'), 'utf8');
    const asked = [...new Set(rules.match(/\basterisk_mes_fleet_\w+/g))];
    expect(asked.length).toBeGreaterThan(8);
    for (const name of asked) expect(text).toContain(`# TYPE ${name} gauge\n`);
    const labels = [...new Set(rules.match(/(?<=\$labels\.)\w+/g))].toSorted();
    expect(labels).toEqual(['kind', 'pbx', 'site', 'subject']);
    for (const label of labels) expect(text).toContain(`${label}="`);
    expect(rules.match(/^ {6}- alert: \w+$/gm)).toHaveLength(8);
    expect(rules.match(/^ {10}(?:summary|description): /gm)).toHaveLength(16);
  });
});

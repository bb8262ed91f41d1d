import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { prefersOpenMetrics } from '../../../src/api/open-metrics.ts';
import { channelRecord, START_MS, streamRecord } from '../history/records.ts';
import { startServer, type TestServer } from './server.ts';

const PLAIN = 'text/plain; version=0.0.4; charset=utf-8';
const OPEN = 'application/openmetrics-text; version=1.0.0; charset=utf-8';
/** As Prometheus 2.42 and 3.5 ask. */
const OF_PROMETHEUS_2 =
  'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1';
const OF_PROMETHEUS_3 =
  'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1';

it.each([
  [OF_PROMETHEUS_2, true],
  [OF_PROMETHEUS_3, true],
  ['application/openmetrics-text', true],
  ['Application/OpenMetrics-Text; Version=1.0.0', true],
  ['application/openmetrics-text, text/plain', true],
  [undefined, false],
  ['', false],
  ['*/*', false],
  ['application/*', false],
  ['text/plain', false],
  ['text/plain, application/openmetrics-text;q=0.5', false],
  ['application/openmetrics-text;version=0.0.1', false],
  ['application/openmetrics-text;version=2.0.0', false],
  ['application/openmetrics-text;q=0', false],
  ['application/openmetrics-text;q=bad', false],
])('who accepts %s gets OpenMetrics: %s', (accept, expected) => {
  expect(prefersOpenMetrics(accept)).toBe(expected);
});

describe('the metrics as OpenMetrics', () => {
  let server: TestServer;
  beforeEach(async () => {
    server = await startServer();
  });
  afterEach(() => server.close());

  async function linesAs(accept: string, type: string): Promise<string[]> {
    const { status, headers, body } = await server.get('/metrics', { accept });
    expect([status, headers.get('content-type'), headers.get('vary')]).toEqual([
      200,
      type,
      expect.stringMatching(/accept(,|$)/i),
    ]);
    return String(body).split('\n');
  }

  function end(linkedid: string, mes: number, part: Parameters<typeof channelRecord>[1] = {}): void {
    const streams = [streamRecord({ mes, lossPercent: 2.5, rttMs: { ...streamRecord().rttMs, mean: 150 } })];
    server.metrics.channelEnded(
      channelRecord(`${linkedid}.c`, { linkedid, endedAtMs: START_MS + 1000, streams, ...part }),
    );
  }

  it('lead from a bucket and from a verdict to the call that came last', async () => {
    end('1795168800.1', 3.6);
    end('1795168800.2', 3.7);
    end('1795168800.3', 1.2, { verdict: 'bad' });
    const lines = await linesAs(OF_PROMETHEUS_3, OPEN);
    expect(lines.slice(-2)).toEqual(['# EOF', '']);
    const exemplarOf = (start: string): string | undefined =>
      lines.find((line) => line.startsWith(`asterisk_mes_${start}`))?.replace(/ \d+(\.\d+)?$/, '');
    const rx = 'direction="rx",endpoint_group="PJSIP/alice"';
    const group = 'endpoint_group="PJSIP/alice"';
    expect(exemplarOf(`score_bucket{le="3.75",${rx}}`)).toBe(
      `asterisk_mes_score_bucket{le="3.75",${rx}} 3 # {linkedid="1795168800.2"} 3.7`,
    );
    expect(exemplarOf(`score_bucket{le="2",${rx}}`)).toContain('} 1 # {linkedid="1795168800.3"} 1.2');
    // Nothing fell into this one itself.
    expect(exemplarOf(`score_bucket{le="2.5",${rx}}`)).toBe(`asterisk_mes_score_bucket{le="2.5",${rx}}`);
    expect(exemplarOf(`loss_ratio_bucket{le="0.03",${rx}}`)).toContain('} 3 # {linkedid="1795168800.3"} 0.025');
    expect(exemplarOf(`round_trip_seconds_bucket{le="0.15",${group}}`)).toContain('# {linkedid="1795168800.3"} 0.15');
    expect(exemplarOf(`channels_total{verdict="bad",${group}}`)).toContain('} 1 # {linkedid="1795168800.3"} 1');
    expect(exemplarOf(`channels_total{verdict="good",${group}}`)).toContain('} 2 # {linkedid="1795168800.2"} 1');
  });

  it('leave the names of the other format as they were, however they are asked for in turn', async () => {
    end('1795168800.1', 3.6);
    const named = (lines: readonly string[]): Set<string> =>
      new Set(lines.filter((line) => line.startsWith('asterisk_mes')).map((line) => line.replace(/ .*/, '')));
    const before = await linesAs('text/plain', PLAIN);
    const [open] = await Promise.all([linesAs(OF_PROMETHEUS_2, OPEN), linesAs('*/*', PLAIN)]);
    const after = await linesAs('text/plain', PLAIN);
    expect([...named(after)].sort()).toEqual([...named(before)].sort());
    expect([...named(open)].sort()).toEqual([...named(before)].sort());
    expect(before.filter((line) => line.includes('linkedid'))).toEqual([]);
    // As "promtool check metrics" has it: counters alone end in _total, and all of them do.
    const types = before
      .flatMap((line) => [/^# TYPE (\S+) (\w+)$/.exec(line) ?? []])
      .filter(({ length }) => length > 0);
    expect(types.length).toBeGreaterThan(20);
    for (const [line, name = '', type] of types)
      expect([line, name.endsWith('_total')]).toEqual([line, type === 'counter']);
    expect(before).toContain('# TYPE asterisk_mes_channels_total counter');
    expect(open).toContain('# TYPE asterisk_mes_channels counter');
    expect(open.slice(0, -1)).not.toContain('');
  });

  it('keep an id that is too long for an exemplar out, and a hostile one in quotes', async () => {
    end('x'.repeat(120), 3.6);
    end('y'.repeat(121), 4.2, { verdict: 'fair' });
    end('"} 1\n# EOF\\', 2.9, { verdict: 'poor' });
    const lines = await linesAs('application/openmetrics-text', OPEN);
    const group = 'endpoint_group="PJSIP/alice"';
    const of = (verdict: string): string | undefined =>
      lines.find((line) => line.startsWith(`asterisk_mes_channels_total{verdict="${verdict}",${group}}`));
    expect(of('good')).toContain(`# {linkedid="${'x'.repeat(120)}"} 1 `);
    expect(of('fair')).toBe(`asterisk_mes_channels_total{verdict="fair",${group}} 1`);
    expect(of('poor')).toContain(String.raw` 1 # {linkedid="\"} 1\n# EOF\\"} 1 `);
    expect(lines.filter((line) => line === '# EOF')).toHaveLength(1);
  });
});

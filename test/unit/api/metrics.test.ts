import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { channelRecord, START_MS, streamRecord } from '../history/records.ts';
import { startServer, WELL, type TestServer } from './server.ts';

let server: TestServer;

beforeEach(async () => {
  server = await startServer();
});
afterEach(() => server.close());

/** Sample by name and labels as Prometheus prints them, such as `x_total{verdict="bad"}`. */
async function samples(): Promise<Map<string, number>> {
  const { status, headers, body } = await server.get('/metrics');
  expect(status).toBe(200);
  expect(headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  const lines = String(body)
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const end = line.lastIndexOf(' ');
      return [line.slice(0, end), Number(line.slice(end + 1))];
    }),
  );
}

/** Those of one metric, without its name. */
async function of(name: string): Promise<Record<string, number | undefined>> {
  const own = [...(await samples())].filter(([sample]) => sample.startsWith(`asterisk_mes_${name}{`));
  return Object.fromEntries(own.map(([sample, value]) => [sample.slice(`asterisk_mes_${name}`.length), value]));
}

function ended(uniqueid: string, part: Parameters<typeof channelRecord>[1] = {}) {
  return channelRecord(uniqueid, { endedAtMs: START_MS + 1000, ...part });
}

describe('the metrics', () => {
  it('have the score of each direction of each channel that ended, once', async () => {
    const channel = ended('1', {
      streams: [
        streamRecord({ mes: 3.6 }),
        streamRecord({ direction: 'tx', mes: null, rttMs: { ...streamRecord().rttMs, mean: null } }),
      ],
    });
    server.metrics.channelEnded(channel);
    server.metrics.channelEnded(channel);
    server.metrics.channelEnded(ended('2', { streams: [streamRecord({ mes: 2 })] }));
    const rx = 'direction="rx",endpoint_group="PJSIP/alice"';
    expect(await of('score_bucket')).toEqual({
      [`{le="1",${rx}}`]: 0,
      [`{le="2",${rx}}`]: 1,
      [`{le="2.5",${rx}}`]: 1,
      [`{le="3",${rx}}`]: 1,
      [`{le="3.25",${rx}}`]: 1,
      [`{le="3.5",${rx}}`]: 1,
      [`{le="3.75",${rx}}`]: 2,
      [`{le="4",${rx}}`]: 2,
      [`{le="4.25",${rx}}`]: 2,
      [`{le="4.5",${rx}}`]: 2,
      [`{le="+Inf",${rx}}`]: 2,
    });
    expect(await of('score_sum')).toEqual({ [`{${rx}}`]: 5.6 });
    expect(await of('channels_total')).toEqual({ '{verdict="good",endpoint_group="PJSIP/alice"}': 2 });
  });

  it('have what many channels told whether that was observed by and by or is yet to be', async () => {
    const count = '{direction="rx",endpoint_group="PJSIP/alice"}';
    for (let n = 0; n < 700; n++)
      server.metrics.channelEnded(ended(`${n}`, { streams: [streamRecord({ mes: n < 400 ? 2 : 4 })] }));
    server.metrics.observeSome();
    expect(await of('score_count')).toEqual({ [count]: 700 });
    expect(await of('score_sum')).toEqual({ [count]: 400 * 2 + 300 * 4 });
    server.metrics.observeSome();
    expect(await of('score_count')).toEqual({ [count]: 700 });
  });

  it('have loss, jitter and round trip in base units, and nothing of what is not known', async () => {
    const summary = { last: 1, min: 1, max: 1, stdev: 0, count: 1 };
    const rx = streamRecord({
      lossPercent: 2.5,
      jitterMs: { ...summary, mean: 20 },
      rttMs: { ...summary, mean: 150 },
    });
    const tx = streamRecord({
      direction: 'tx',
      lossPercent: null,
      jitterMs: { ...summary, mean: null },
      rttMs: { ...summary, mean: 150 },
    });
    server.metrics.channelEnded(ended('1', { streams: [rx, tx] }));
    server.metrics.channelEnded(ended('2', { streams: [], verdict: null, mes: null }));
    server.metrics.writtenBack(12);
    expect(await of('loss_ratio_sum')).toEqual({ '{direction="rx",endpoint_group="PJSIP/alice"}': 0.025 });
    expect(await of('jitter_seconds_sum')).toEqual({ '{direction="rx",endpoint_group="PJSIP/alice"}': 0.02 });
    expect(await of('round_trip_seconds_sum')).toEqual({ '{endpoint_group="PJSIP/alice"}': 0.15 });
    expect(await of('round_trip_seconds_count')).toEqual({ '{endpoint_group="PJSIP/alice"}': 1 });
    expect(await of('channels_total')).toEqual({
      '{verdict="good",endpoint_group="PJSIP/alice"}': 1,
      '{verdict="none",endpoint_group="PJSIP/alice"}': 1,
    });
    const all = await samples();
    expect(all.get('asterisk_mes_write_back_seconds_sum')).toBe(0.012);
    expect(all.get('asterisk_mes_write_back_seconds_bucket{le="0.01"}')).toBe(0);
    expect(all.get('asterisk_mes_write_back_seconds_bucket{le="0.025"}')).toBe(1);
  });

  it('show endpoints as the groups of the settings or as their technology, never a number or an address', async () => {
    const names = [
      'PJSIP/trunk-berlin',
      'PJSIP/trunk-paris',
      'PJSIP/alice',
      'PJSIP/alice2',
      'PJSIP/+4930123456',
      'SIP/203.0.113.5',
      'Local/600@x',
    ];
    for (const [index, endpoint] of names.entries()) {
      server.metrics.channelEnded(
        ended(`1795168800.${index}`, { endpoint, callerNumber: '+4930999', linkedid: '1795168800.0' }),
      );
    }
    expect(await of('round_trip_seconds_count')).toEqual({
      '{endpoint_group="PJSIP/trunk*"}': 2,
      '{endpoint_group="PJSIP/alice"}': 1,
      '{endpoint_group="PJSIP"}': 2,
      '{endpoint_group="SIP"}': 1,
    });
    // Values are left out: the process's own memory may well be 4930… bytes.
    const namesAndLabels = String((await server.get('/metrics')).body).replaceAll(/ \S+$/gm, '');
    expect(namesAndLabels).toContain('endpoint_group="PJSIP/trunk*"');
    expect(namesAndLabels).not.toMatch(/4930|203\.0|1795168800|alice2|berlin|600/);
  });

  it('have no more groups than the settings allow, whatever comes, and keep a place for those that the settings name', async () => {
    for (let n = 0; n < 200; n++) server.metrics.channelEnded(ended(`${n}`, { endpoint: `Tech${n}/x"\n\\` }));
    server.metrics.channelEnded(ended('trunk', { endpoint: 'PJSIP/trunk-late' }));
    const counts = await of('round_trip_seconds_count');
    // Two patterns, of which one had a call, other, and room for 17 technologies.
    expect(Object.keys(counts)).toHaveLength(19);
    expect(counts['{endpoint_group="other"}']).toBe(183);
    expect(counts['{endpoint_group="Tech16"}']).toBe(1);
    expect(counts['{endpoint_group="PJSIP/trunk*"}']).toBe(1);
  });

  it('tell how the sidecar is', async () => {
    server.live = [channelRecord('a'), channelRecord('b')];
    server.health = { ...WELL, counters: { calls_reports: 7, history_queued: 3, history_dropped: 1 } };
    const well = await samples();
    expect(well.get('asterisk_mes_info{version="1.2.3"}')).toBe(1);
    expect(well.get('asterisk_mes_live_channels')).toBe(2);
    expect([...well].filter(([name]) => name.startsWith('asterisk_mes_live_channels_by_verdict'))).toEqual([
      ['asterisk_mes_live_channels_by_verdict{verdict="good",endpoint_group="PJSIP/alice"}', 2],
    ]);
    expect(well.get('asterisk_mes_ami_connected')).toBe(1);
    expect(well.get('asterisk_mes_history_writable')).toBe(1);
    expect(well.has('asterisk_mes_ari_connected')).toBe(false);
    expect(well.get('asterisk_mes_history_database_bytes')).toBe(1_048_576);
    expect(well.get('asterisk_mes_calls_reports_total')).toBe(7);
    expect(well.get('asterisk_mes_history_queued')).toBe(3);
    expect(well.get('asterisk_mes_history_dropped_total')).toBe(1);
    expect(well.get('process_resident_memory_bytes')).toBeGreaterThan(1_000_000);

    server.health = {
      ...WELL,
      amiConnected: false,
      ariConnected: false,
      historyWritable: false,
      databaseBytes: null,
      counters: { calls_reports: 9, history_queued: 0 },
    };
    server.live = [];
    const ill = await samples();
    expect(ill.get('asterisk_mes_live_channels')).toBe(0);
    expect(ill.get('asterisk_mes_ami_connected')).toBe(0);
    expect(ill.get('asterisk_mes_ari_connected')).toBe(0);
    expect(ill.get('asterisk_mes_history_writable')).toBe(0);
    expect(ill.get('asterisk_mes_calls_reports_total')).toBe(9);
    expect(ill.get('asterisk_mes_history_queued')).toBe(0);
  });

  it('need the token, as everything that tells of calls does', async () => {
    const guarded = await startServer({ token: 'open-sesame' });
    expect((await guarded.get('/metrics')).status).toBe(401);
    expect((await guarded.get('/metrics', { authorization: 'Bearer open-sesame' })).status).toBe(200);
    await guarded.close();
  });
});

import { expect, it } from 'vitest';
import { evidenceOf } from '../../../src/alerting/evidence.ts';
import { alertPage, evidencePage, noSuchLinkPage, SHARE_HEADERS } from '../../../src/alerts/share-pages.ts';
import { callRecord, channelRecord, intervalRecord, START_MS, streamRecord } from '../history/records.ts';

const MADE = { atMs: START_MS, host: 'pbx1', timeZone: 'Europe/Berlin' };

function evidence() {
  const channel = channelRecord('1.1', {
    endpoint: 'PJSIP/carrier<1>',
    callerNumber: '"><script>alert(1)</script>',
    startedAtMs: START_MS,
    streams: [streamRecord({ direction: 'rx', lossPercent: 2, packetsLost: 12, verdict: 'bad' })],
  });
  const intervals = Array.from({ length: 1000 }, (_, index) =>
    intervalRecord('1.1', index + 1, {
      direction: 'rx',
      atMs: START_MS + index * 5000,
      lossPercent: index === 500 ? 40 : 0,
    }),
  );
  const call = callRecord('1.1', {
    startedAtMs: START_MS,
    endedAtMs: START_MS + 60_000,
    faultPlace: 'caller-network',
    faultCertainty: 'sure',
    faultWhy: 'The fault lies before this server.',
  });
  return evidenceOf({ ...call, channels: [channel] }, new Map([['1.1', intervals]]), MADE);
}

it('has what was measured of each direction, by whom, and a bounded course', () => {
  const made = evidence();
  expect(made.channels[0]?.directions).toHaveLength(1);
  expect(made.channels[0]?.directions[0]).toMatchObject({
    from: 'PJSIP/carrier<1>',
    to: 'this server',
    measured_by: 'this server, of what it received',
    ssrc: '0x3c2c6734',
    packets_lost: 12,
    loss_percent: 2,
    jitter_ms: { mean: null, max: null },
  });
  expect(made.channels[0]?.directions[0]?.course.length).toBeGreaterThan(300);
  expect(made.channels[0]?.directions[0]?.course.length).toBeLessThanOrEqual(400);
  expect(made.channels[0]?.directions[0]?.course.filter(({ loss_percent: loss }) => loss === 40)).toHaveLength(1);
  expect(made.what_rules_out_this_server).toBe('The fault lies before this server.');
});

it('shows local time beside UTC, unknown as a dash, and no name as a tag', () => {
  const page = evidencePage(evidence());
  // 10:00 UTC on 20 November is 11:00 in Berlin.
  expect(page).toContain('2026-11-20 10:00:00 UTC to 2026-11-20 10:01:00 UTC');
  expect(page).toContain('2026-11-20 11:00:00 to 2026-11-20 11:01:00 (Europe/Berlin)');
  expect(page).toContain('carrier&lt;1&gt;');
  expect(page).not.toContain('<script');
  expect(page).toContain('<td class="number">–</td>');
  expect(page).toContain('The fault lies before this server. (sure)');
  expect(page.match(/<rect /g)).toHaveLength(1);
  expect(SHARE_HEADERS['content-security-policy']).toMatch(/^default-src 'none';style-src 'sha256-[\w+/=]{44}';/);
});

it('shows exactly the calls of an alert, and nothing for a link that does not work', () => {
  const alert = {
    rule: 'loss',
    endpoint: 'PJSIP/a&b',
    sentence: 'calls lose 4 % of their packets',
    since: '2026-11-20T10:00:00.000Z',
    over_at: null,
    calls: 102,
  };
  const call = {
    linkedid: '1.1',
    started_at: '2026-11-20T10:00:00.000Z',
    ended_at: null,
    endpoints: 'PJSIP/a&b',
    verdict: 'bad',
    mes: 2,
    link: 'http://pbx1/s/x.y',
  };
  const page = alertPage(alert, [call, call]);
  expect(page.match(/href="http:\/\/pbx1\/s\/x\.y"/g)).toHaveLength(2);
  expect(page).toContain('<h1>loss at PJSIP/a&amp;b</h1>');
  expect(page).toContain('Since 2026-11-20 10:00:00 UTC; it goes on.');
  expect(page).toContain('And 100 more calls');
  expect(noSuchLinkPage()).not.toMatch(/PJSIP|href/);
});

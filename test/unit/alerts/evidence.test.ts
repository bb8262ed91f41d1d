import { expect, it } from 'vitest';
import { evidenceOf } from '../../../src/alerting/evidence/evidence.ts';
import { NO_OTHER_CALLS } from '../../../src/alerting/evidence/other-calls.ts';
import { noSuchLinkPage, SHARE_HEADERS, spanLines } from '../../../src/alerts/page-parts.ts';
import { alertPage, evidencePage } from '../../../src/alerts/share-pages.ts';
import {
  callRecord,
  captureRecord,
  channelRecord,
  intervalRecord,
  START_MS,
  streamRecord,
} from '../history/records.ts';

const MADE = { atMs: START_MS, host: 'pbx1', timeZone: 'Europe/Berlin' };

function evidence(others = NO_OTHER_CALLS) {
  const channel = channelRecord('1.1', {
    endpoint: 'PJSIP/carrier<1>',
    callerNumber: '"><script>alert(1)</script>',
    startedAtMs: START_MS,
    sipCallId: '3c26700d@192.0.2.7',
    deviceDetails: {
      make: null,
      model: null,
      firmware: null,
      transport: 'udp',
      address: '192.0.2.7',
      isBehindNat: false,
      networkKind: null,
      localMedia: '198.51.100.1:12000',
      remoteMedia: '192.0.2.7:5004',
    },
    streams: [
      streamRecord({ direction: 'rx', lossPercent: 2, packetsLost: 12, verdict: 'bad' }),
      streamRecord({ direction: 'tx', reporter: 'remote', capture: captureRecord() }),
    ],
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
  return evidenceOf({ ...call, channels: [channel] }, new Map([['1.1', intervals]]), others, MADE);
}

it('has what was measured of each direction, by whom, and a bounded course', () => {
  const made = evidence();
  expect(made.channels[0]?.directions).toHaveLength(2);
  expect(made.channels[0]?.directions[0]).toMatchObject({
    from: 'PJSIP/carrier<1>',
    to: 'this server',
    measured_by: 'this server, of what it received',
    ssrc: '0x3c2c6734',
    packets_lost: 12,
    loss_percent: 2,
    jitter_ms: { mean: null, max: null },
    // Report 501 of 1000 lost 40 %.
    reports_with_loss: 1,
    worst_report_loss_percent: 40,
    bursts: null,
  });
  // 23 of 50 packets in two bursts of 1000 ms together, 1 of 590 in three gaps of 11,800 ms.
  expect(made.channels[0]?.directions[1]?.bursts).toEqual({
    burst_density_percent: 46,
    gap_density_percent: 0.17,
    burst_duration_ms: 500,
    gap_duration_ms: 3933,
  });
  expect(made.channels[0]).toMatchObject({
    sip_call_id: '3c26700d@192.0.2.7',
    signalling_address: '192.0.2.7',
    // The captured packets of tx went from there to there.
    local_media: '192.0.2.7:5004',
    remote_media: '198.51.100.1:12000',
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
  expect(page).toMatch(/The fault lies before this server\. \(sure, from \d+ reports\)/);
  expect(page.match(/<rect /g)).toHaveLength(1);
  expect(page).toContain('<td>3c26700d@192.0.2.7</td>');
  expect(page).toContain('Packets were lost in 1 of its reports, at most 40 %.');
  expect(SHARE_HEADERS['content-security-policy']).toMatch(/^default-src 'none';style-src 'sha256-[\w+/=]{44}';/);
});

it('shows exactly the calls of an alert, and nothing for a link that does not work', () => {
  const alert = {
    rule: 'loss',
    endpoint: 'PJSIP/a&b',
    site: null,
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

it('names the span once where the server has UTC, and in both zones elsewhere', () => {
  const span = ['2026-11-30T02:14:12.000Z', '2026-12-01T02:14:12.000Z'] as const;
  const utc = '2026-11-30 02:14:12 UTC to 2026-12-01 02:14:12 UTC';
  expect(spanLines(...span, 'UTC')).toBe(`<p>${utc}</p>`);
  // Berlin is an hour ahead of UTC in winter.
  const berlin = '2026-11-30 03:14:12 to 2026-12-01 03:14:12 (Europe/Berlin)';
  expect(spanLines(...span, 'Europe/Berlin')).toBe(`<p>${utc}<br>\n${berlin}</p>`);
});

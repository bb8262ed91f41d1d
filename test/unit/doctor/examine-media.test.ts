import { describe, expect, test } from 'vitest';
import type { DoctorFacts } from '../../../src/doctor/facts.ts';
import { type Finding } from '../../../src/doctor/finding.ts';
import { edits, find, withFiles } from './examined.ts';
import { modules, UNTOLD, WELL } from './installation.ts';

describe('reports of phones', () => {
  const reporters = [
    { endpoint: 'PJSIP/fine', calls: 400, unusableCalls: 2 },
    { endpoint: 'PJSIP/queue7', calls: 40, unusableCalls: 4 },
    { endpoint: 'PJSIP/transferrer', calls: 4, unusableCalls: 3 },
  ];

  test('about another stream than ours are named, the worst phone first, with what helps', () => {
    const found = find('report-blocks', { reporters });
    expect(found).toMatchObject({
      status: 'warning',
      saw: 'Most reports of these were about another stream than ours: PJSIP/transferrer (3 of 4 calls), PJSIP/queue7 (4 of 40 calls).',
    });
    expect(edits(found)).toEqual(['add mes.conf:null [capture] enabled = yes']);
    const captured = find('report-blocks', { reporters, settings: { ...WELL.settings, captures: true } });
    expect(captured.saw).toMatch(/Live capture is on, so this can be of the time before\.$/);
    expect(captured.changes).toEqual([]);
  });

  test('that can be used, none at all, and a history that nobody may read', () => {
    expect(find('report-blocks', { reporters: reporters.slice(0, 1) }).status).toBe('ok');
    expect(find('report-blocks', { reporters: [] })).toMatchObject({
      status: 'ok',
      saw: expect.stringMatching(/^No reports/),
    });
    expect(find('report-blocks', { reporters: null }).status).toBe('unknown');
  });
});

describe('the media', () => {
  test('rtcpinterval: what is rare or not allowed', () => {
    const of = (ms: string): Finding =>
      find('rtcp-interval', withFiles({ 'rtp.conf': `[general]\nrtcpinterval = ${ms}\n` }));
    expect(of('500').status).toBe('ok');
    expect(of('5000').status).toBe('ok');
    expect(edits(of('5001'))).toEqual(['replace rtp.conf:2 [general] rtcpinterval = 5000']);
    expect(of('499').status).toBe('warning');
    expect(of('soon').status).toBe('warning');
    // What Asterisk says counts more than a file.
    expect(find('rtcp-interval', { values: { ...UNTOLD, rtcpInterval: '20000' } }).status).toBe('warning');
  });

  test('direct media takes two, and a line of a template stays', () => {
    const pjsip =
      '[phone](!)\ntype = endpoint\ndirect_media = yes\n[alice](phone)\n[alice]\ntype = aor\n[bob]\ntype = endpoint\ndirect_media = yes\n';
    const endpoints = ['alice', 'bob'].map((name) => ({ name, directMedia: true }));
    const finding = find('direct-media', { ...withFiles({ 'pjsip.conf': pjsip }), endpoints });
    expect(finding.status).toBe('problem');
    expect(finding.saw).toBe('2 of 2 PJSIP endpoints have direct media: alice, bob.');
    expect(edits(finding)).toEqual([
      'add pjsip.conf:4 [alice] direct_media = no',
      'replace pjsip.conf:9 [bob] direct_media = no',
    ]);
    const many = Array.from({ length: 30 }, (_, index) => ({ name: `p${index}`, directMedia: true }));
    const ofMany = find('direct-media', { endpoints: many });
    expect(ofMany.saw).toContain('p4 and 25 more');
    expect(ofMany.changes).toHaveLength(20);
  });

  test("chan_sip: a peer's own line counts more than [general], by its older name, too, and a line of a template stays", () => {
    const sip =
      '[general]\ncanreinvite = no\n[phone](!)\ntype = friend\ndirectmedia = yes\n[carol](phone)\n[dave]\ntype = peer\ncanreinvite = nonat\n[erin]\ntype = peer\n';
    const peers = { carol: 'yes', dave: 'nonat', erin: '' };
    const facts = (of: Readonly<Record<string, string>>, text = sip): Partial<DoctorFacts> => ({
      modules: modules(['chan_sip']),
      ...withFiles({ 'sip.conf': text }),
      sipPeers: Object.entries(of).map(([name, directMedia]) => ({ name, directMedia })),
    });
    const finding = find('direct-media-sip', facts(peers));
    expect([finding.status, finding.saw]).toEqual(['problem', '2 of 3 chan_sip peers have direct media: carol, dave.']);
    expect(edits(finding)).toEqual([
      'add sip.conf:6 [carol] directmedia = no',
      'replace sip.conf:9 [dave] directmedia = no',
    ]);
    expect(edits(find('direct-media-sip', { ...facts(peers), isFreePbx: true }))).toEqual([
      'add sip_custom_post.conf:null [null] [carol](+) directmedia = no',
      'add sip_custom_post.conf:null [null] [dave](+) directmedia = no',
    ]);
    const one = find('direct-media-sip', facts({ ...peers, carol: 'no' }));
    expect([one.status, one.saw]).toEqual([
      'ok',
      'Only one, which has no other to send to, of 3 chan_sip peers has direct media.',
    ]);
    const byDefault = find('direct-media-sip', facts(peers, sip.replace('canreinvite = no', 'canreinvite = yes')));
    expect(byDefault.saw).toBe('3 of 3 chan_sip peers have direct media: carol, dave, erin.');
    expect(edits(byDefault)[0]).toBe('replace sip.conf:2 [general] directmedia = no');
    const none = find('direct-media-sip', facts({ carol: 'no', dave: 'no' }, '[general]\n'));
    expect([none.status, none.saw]).toEqual(['ok', 'None of 2 chan_sip peers has direct media.']);
  });

  test('chan_sip has direct media unless it says no', () => {
    const loaded = { modules: modules(['chan_sip']) };
    expect(edits(find('direct-media-sip', loaded))).toEqual(['add sip.conf:null [general] directmedia = no']);
    const nonat = withFiles({ 'sip.conf': '[general]\ndirectmedia = nonat\n' });
    expect(find('direct-media-sip', { ...loaded, ...nonat }).status).toBe('problem');
    const no = withFiles({ 'sip.conf': '[general]\ndirectmedia = no\n' });
    expect(find('direct-media-sip', { ...loaded, ...no }).status).toBe('ok');
    const unseen = find('direct-media-sip', { ...loaded, ...no, sipPeers: null });
    expect([unseen.status, unseen.saw]).toEqual(['unknown', expect.stringContaining('the settings of its peers')]);
    expect(find('direct-media-sip', { ...loaded, ...nonat, sipPeers: null }).status).toBe('problem');
  });

  test.each([
    ['16.28.0~dfsg-0+deb11u4', 'ok', '16.28.0, without'],
    ['22.10.1+dfsg', 'warning', '22.10.1: up to 22.10'],
    ['22.11.0', 'ok', 'corrections'],
    ['21.4.0', 'warning', '21.4.0'],
    ['13.38.3', 'warning', 'not tested'],
    ['GIT-master', 'unknown', 'not a known release'],
  ] as const)('release %s: %s', (asteriskVersion, status, words) => {
    const finding = find('asterisk-version', { asteriskVersion });
    expect(finding.status).toBe(status);
    expect(finding.saw).toContain(words);
  });
});

import { describe, expect, test } from 'vitest';
import { HIDE_SCORES, NEEDED_EVENTS } from '../../../src/doctor/event-filters.ts';
import type { DoctorFacts } from '../../../src/doctor/facts.ts';
import type { Finding } from '../../../src/doctor/finding.ts';
import { edits, find, withFiles } from './examined.ts';
import { BLIND, NO_FILES, WELL } from './installation.ts';

describe('the manager', () => {
  test('nobody listens, or the login is refused: the section to look at', () => {
    const unreachable = find('ami', { ami: BLIND.ami, ...withFiles({ 'manager.conf': '[general]\n' }) });
    expect(unreachable.status).toBe('problem');
    expect(edits(unreachable)).toEqual(['add manager.conf:1 [general] enabled = yes bindaddr = 127.0.0.1']);
    const refused = find('ami', { ami: { ...BLIND.ami, state: 'refused', problem: 'It refused the user "mes"' } });
    expect(refused.saw).toBe('It refused the user "mes".');
    expect(edits(refused)).toEqual([
      'add manager.conf:3 [mes] secret = (the secret of [ami] in mes.conf) permit = 127.0.0.1/255.255.255.255',
    ]);
    const tls = find('ami', { ami: BLIND.ami, settings: { ...WELL.settings, amiTls: true } });
    expect(tls.changes[0]?.lines).toContain('tlsbindaddr = 127.0.0.1:5038');
  });

  test('what manager.conf has already is not advised: Asterisk has not read it yet', () => {
    const manager = `[general]\nenabled = yes\n[mes]\nsecret = ${WELL.settings.amiSecret}\n`;
    for (const state of ['refused', 'unreachable'] as const) {
      const finding = find('ami', { ...withFiles({ 'manager.conf': manager }), ami: { ...BLIND.ami, state } });
      expect([finding.status, ...edits(finding)]).toEqual([
        'problem',
        'run null:null [null] asterisk -rx "manager reload"',
      ]);
      expect(JSON.stringify(finding)).not.toContain(WELL.settings.amiSecret);
    }
  });

  test.each([
    ['enabled = no\nport = 5038\nbindaddr = 127.0.0.1', {}, ['replace manager.conf:2 [general] enabled = yes']],
    [
      'enabled = no\nport = 5039',
      {},
      [
        'replace manager.conf:2 [general] enabled = yes',
        'add manager.conf:1 [general] bindaddr = 127.0.0.1',
        'add mes.conf:null [ami] port = 5039',
      ],
    ],
    // What others reach there has to stay.
    ['enabled = yes\nbindaddr = 192.0.2.1', {}, ['add mes.conf:null [ami] host = 192.0.2.1']],
    [
      'enabled = yes\nbindaddr = 127.0.0.1',
      { amiHost: '192.0.2.1' },
      ['replace manager.conf:3 [general] bindaddr = 192.0.2.1'],
    ],
    ['enabled = on\nbindaddr = 0.0.0.0', { amiPort: 5039 }, ['add manager.conf:1 [general] port = 5039']],
  ])('nobody listens, and manager.conf says %j: the lines that are wrong, and no others', (general, own, expected) => {
    const files = withFiles({ 'manager.conf': `[general]\n${general}\n` });
    const finding = find('ami', { ...files, ami: BLIND.ami, settings: { ...WELL.settings, ...own } });
    expect([finding.status, ...edits(finding)]).toEqual(['problem', ...expected]);
  });

  test('a finding that somebody wants is accepted, and a name that is no check is not', () => {
    const settings = { ...WELL.settings, accepted: ['direct-media', 'time-zone', 'direkt'] };
    const endpoints = ['a', 'b'].map((name) => ({ name, directMedia: true }));
    expect(find('direct-media', { endpoints }).status).toBe('problem');
    expect(find('direct-media', { endpoints, settings })).toMatchObject({ status: 'accepted', changes: [] });
    expect(find('time-zone', { settings }).status).toBe('ok');
    expect(find('settings', { settings })).toMatchObject({ status: 'warning' });
    expect(find('settings', { settings }).saw).toContain('direkt');
  });

  test('classes that lack: the line as it must be, with what it gives already', () => {
    const files = withFiles({ 'manager.conf': '[mes]\nread = call,cdr\nwrite = system\n' });
    const finding = find('ami-classes', { ...files, ami: { ...WELL.ami, read: 'call,cdr', write: 'system' } });
    expect(finding.status).toBe('problem');
    expect(finding.saw).toBe('The user "mes" lacks the read class reporting, and the write class call.');
    expect(edits(finding)).toEqual([
      'replace manager.conf:2 [mes] read = call,reporting,dtmf,cdr',
      'replace manager.conf:3 [mes] write = call,system',
    ]);
    expect(find('ami-classes', { ami: { ...WELL.ami, read: 'all', write: 'all' } }).status).toBe('ok');
    expect(find('ami-classes', { ami: { ...WELL.ami, mayWrite: false } }).status).toBe('problem');
  });

  test('with alerts that are sent the class user is missed in write alone', () => {
    const lines = '[mes]\nread = call,reporting,dtmf\nwrite = call\nwritetimeout = 5000\n';
    const ami = { ...WELL.ami, read: 'call,reporting,dtmf', write: 'call' };
    const watched = { settings: { ...WELL.settings, sendsAlerts: true } };
    const finding = find('ami-classes', { ...withFiles({ 'manager.conf': lines }), ...watched, ami });
    expect(finding).toMatchObject({
      status: 'warning',
      saw: 'The user "mes" lacks the class user for write: no program gets the event MesAlert of alerts.',
    });
    expect(edits(finding)).toEqual(['replace manager.conf:3 [mes] write = call,user']);
    expect(find('ami-classes', { ...watched, ami: { ...ami, write: 'call,user' } }).status).toBe('ok');
  });

  test('with ratings the class user is missed, and an eventfilter that hides its events; without them neither is', () => {
    const rated = { settings: { ...WELL.settings, usesRatings: true } };
    const lines = '[mes]\nread = call,reporting,dtmf\nwrite = call\nwritetimeout = 5000\n';
    const ami = { ...WELL.ami, read: 'call,reporting,dtmf', write: 'call' };
    const finding = find('ami-classes', { ...withFiles({ 'manager.conf': lines }), ...rated, ami });
    expect(finding.status).toBe('warning');
    expect(finding.saw).toContain('lacks the class user for read and write');
    expect(edits(finding)).toEqual([
      'replace manager.conf:2 [mes] read = call,reporting,dtmf,user',
      'replace manager.conf:3 [mes] write = call,user',
    ]);
    expect(find('ami-classes', { ...withFiles({ 'manager.conf': lines }), ami }).status).toBe('ok');
    const all = { ...WELL.ami, read: 'call,reporting,dtmf,user', write: 'all' };
    expect(find('ami-classes', { ...rated, ami: all }).status).toBe('ok');
    const filters = NEEDED_EVENTS.map((name) => `eventfilter(name(${name})) =\n`).join('');
    const filtered = withFiles({ 'manager.conf': `[mes]\nread = call,reporting,dtmf,user\n${filters}` });
    expect(find('ami-eventfilter', { ...filtered, ...rated }).saw).toContain('hide UserEvent');
    expect(find('ami-eventfilter', filtered).status).toBe('ok');
  });

  test('without the class dtmf digits look like jitter: a warning, with the line', () => {
    const lines = '[mes]\nread = call,reporting\nwrite = call\n';
    const finding = find('ami-classes', {
      ...withFiles({ 'manager.conf': lines }),
      ami: { ...WELL.ami, read: 'call,reporting', write: 'call' },
    });
    expect(finding).toMatchObject({
      status: 'warning',
      saw: 'The user "mes" lacks the class dtmf for read: digits that are pressed in a call count as jitter, so a good call looks bad.',
    });
    expect(edits(finding)).toEqual(['replace manager.conf:2 [mes] read = call,reporting,dtmf']);
    expect(find('ami-classes', { ami: { ...WELL.ami, read: 'all', write: 'all' } }).status).toBe('ok');
    const filters = NEEDED_EVENTS.map((name) => `eventfilter(name(${name})) =\n`).join('');
    const filtered = find('ami-eventfilter', withFiles({ 'manager.conf': `[mes]\nread = all\n${filters}` }));
    expect(filtered.status).toBe('ok');
    expect(filtered.saw).toContain(
      'They hide DTMFBegin and DTMFEnd, so digits that are pressed in a call count as jitter.',
    );
  });

  test('an eventfilter that hides RTCP: the line goes', () => {
    const manager = '[mes]\nsecret = x\nread = call,reporting\neventfilter = Event: Hangup\n';
    const finding = find('ami-eventfilter', withFiles({ 'manager.conf': manager }));
    expect(finding.status).toBe('problem');
    expect(finding.saw).toContain('RTCPSent, RTCPReceived');
    expect(finding.changes).toEqual([
      {
        file: 'manager.conf',
        section: 'mes',
        action: 'remove',
        line: 4,
        was: 'eventfilter = Event: Hangup',
        lines: [],
        afterwards: 'asterisk -rx "manager reload"',
      },
    ]);
  });

  test('without the files the old filters are still known, the new ones are not', () => {
    expect(find('ami-eventfilter', { files: NO_FILES }).status).toBe('unknown');
    const filters = ['!Event: RTCPSent'];
    const told = find('ami-eventfilter', { files: NO_FILES, ami: { ...WELL.ami, filters } });
    expect(told.status).toBe('problem');
    expect(told.changes[0]).toMatchObject({ line: null, was: 'eventfilter = !Event: RTCPSent' });
  });

  test('files without the user say so', () => {
    const files = withFiles({ 'manager.conf': '[other]\nread = all\n' });
    expect(find('ami-eventfilter', files)).toMatchObject({
      status: 'unknown',
      saw: 'Whether [mes] has lines such as eventfilter(name(…)) is not known: manager.conf has no section [mes].',
    });
  });

  test('writetimeout: the default is too short, a second is enough', () => {
    const ofMs = (writeTimeout: string): Finding => find('ami-writetimeout', { ami: { ...WELL.ami, writeTimeout } });
    expect(ofMs('1000').status).toBe('ok');
    expect(edits(ofMs('999'))).toEqual(['replace manager.conf:7 [mes] writetimeout = 5000']);
    expect(ofMs('').status).toBe('warning');
    expect(ofMs('').saw).toContain("Asterisk's default, 100 ms");
  });

  test('other users that get every score, and those that do not', () => {
    const manager = (lines: string): Partial<DoctorFacts> =>
      withFiles({ 'manager.conf': `[mes]\nread = call,reporting\n[panel]\n${lines}\n` });
    expect(edits(find('ami-clients', manager('read = all')))).toEqual([`add manager.conf:3 [panel] ${HIDE_SCORES}`]);
    expect(find('ami-clients', manager('read = call,dialplan')).status).toBe('warning');
    expect(find('ami-clients', manager('read = call')).status).toBe('ok');
    expect(find('ami-clients', manager('read = all\neventfilter = !Event: VarSet')).status).toBe('ok');
    expect(find('ami-clients', manager(`read = all\n${HIDE_SCORES}`)).status).toBe('ok');
    const other = 'eventfilter = !Variable: RTPAUDIOQOS';
    expect(find('ami-clients', manager(`read = all\n${other}`)).status).toBe('warning');
    const structured = 'eventfilter(action(exclude),name(VarSet),header(Variable),method(starts_with)) =';
    expect(find('ami-clients', manager(`read = all\n${structured} MES`)).status).toBe('ok');
    expect(find('ami-clients', manager(`read = all\n${structured} X`)).status).toBe('warning');
    const quiet = { ...WELL.settings, writesCdr: false, writesVariables: false };
    expect(find('ami-clients', { ...manager('read = all'), settings: quiet }).status).toBe('ok');
  });
});

import { describe, expect, test } from 'vitest';
import { HIDE_SCORES } from '../../../src/doctor/event-filters.ts';
import { examine, examineWithoutSettings } from '../../../src/doctor/examine.ts';
import type { DoctorFacts } from '../../../src/doctor/facts.ts';
import { CHECK_IDS, type Finding } from '../../../src/doctor/finding.ts';
import { edits, find, withFiles } from './examined.ts';
import { BLIND, modules, WELL } from './installation.ts';

describe('an installation as a whole', () => {
  test('where all is well nothing is said but that', () => {
    const findings = examine(WELL);
    expect(findings.filter(({ status }) => status !== 'ok')).toEqual([]);
    expect(findings.length).toBeGreaterThan(18);
    expect(findings.flatMap(({ changes }) => changes)).toEqual([]);
  });

  test('findings come in the order of the list, in sentences', () => {
    const ids = examine(WELL).map(({ id }) => id);
    expect(ids).toEqual(CHECK_IDS.filter((id) => ids.includes(id)));
    for (const { saw, why } of [...examine(WELL), ...examine(BLIND)]) {
      expect(saw).toMatch(/^\S.*\.$/);
      expect(why).toMatch(/^[A-Z].*\.$/);
    }
  });

  test('where nothing can be looked at it says so, and what it can see anyway', () => {
    const statuses = Object.fromEntries(examine(BLIND).map(({ id, status }) => [id, status]));
    expect(statuses).toEqual({
      settings: 'ok',
      node: 'ok',
      ami: 'problem',
      'ami-classes': 'unknown',
      'ami-eventfilter': 'unknown',
      'ami-writetimeout': 'unknown',
      'ami-clients': 'unknown',
      'asterisk-version': 'unknown',
      'rtcp-interval': 'unknown',
      'direct-media': 'unknown',
      'report-blocks': 'unknown',
      'hangup-handler': 'unknown',
      fastagi: 'warning',
      cdr: 'unknown',
      'cdr-endbeforehexten': 'unknown',
      ari: 'ok',
      clock: 'unknown',
      'time-zone': 'unknown',
      disk: 'ok',
      sidecar: 'warning',
    });
  });

  test('wrong settings are named, and the rest waits', () => {
    const findings = examineWithoutSettings(['[ami] secret is missing', 'did you mean "ami"?'], '24.0.0');
    expect(findings.filter(({ status }) => status === 'problem').map(({ saw }) => saw)).toEqual([
      '[ami] secret is missing.',
      'did you mean "ami"?',
    ]);
    expect(findings.find(({ id }) => id === 'settings')?.why).toMatch(/asterisk-mes setup writes/);
    expect(findings.find(({ id }) => id === 'node')?.status).toBe('ok');
    expect(findings.find(({ id }) => id === 'ami')?.status).toBe('unknown');
  });
});

describe('FreePBX', () => {
  test('lines go into the files that it leaves to people', () => {
    const files = {
      'manager.conf': '[mes]\nread = call,reporting\n[admin]\nread = all\n',
      'rtp.conf': '[general]\nrtcpinterval = 9000\n',
      'extensions.conf': '[in]\n',
    };
    const facts = {
      ...withFiles(files),
      isFreePbx: true,
      dialplan: { hasMes: false, hasMesHangup: false },
      endpoints: ['a', 'b'].map((name) => ({ name, directMedia: true })),
      modules: modules(['chan_sip']),
    };
    expect(edits(find('ami-clients', facts))).toEqual([
      `add manager_custom.conf:null [null] [admin](+) ${HIDE_SCORES}`,
    ]);
    expect(edits(find('rtcp-interval', facts))).toEqual([
      'add rtp_custom.conf:null [null] [general](+) rtcpinterval = 5000',
    ]);
    expect(edits(find('hangup-handler', facts))).toEqual([
      'add extensions_custom.conf:null [null] #include extensions_mes.conf',
    ]);
    expect(edits(find('direct-media', facts))[0]).toBe(
      'add pjsip.endpoint_custom_post.conf:null [null] [a](+) direct_media = no',
    );
    expect(edits(find('direct-media-sip', facts))).toEqual([
      'add sip_general_custom.conf:null [null] directmedia = no',
    ]);
  });

  describe('the hangup handler', () => {
    const own = '[mes]\nexten => s,1,Return()\n[mes-hangup]\nexten => s,1,Return()\n';
    const blank = (name: string): string => `[${name}]\nexten => s,1,Return()\n`;
    const hooked = (name: string): string => `[${name}]\nexten => s,1,Gosub(mes,s,1)\n same => n,Return()\n`;
    const hooks = ['dialout-one', 'dialout-trunk', 'dial-ringall', 'dial-hunt'].map(
      (name) => `macro-${name}-predial-hook`,
    );
    const callee = 'func-apply-sipheaders';
    const all = [...hooks, callee];
    const of = (text: string): Finding =>
      find('freepbx-handler', { ...withFiles({ 'extensions.conf': own + text }), isFreePbx: true });

    test('of the lines that FreePBX calls the first counts', () => {
      expect(of(all.map(hooked).join('') + all.map(blank).join('')).status).toBe('ok');
      expect(of(all.map(blank).join('') + all.map(hooked).join(''))).toMatchObject({ status: 'warning' });
    });

    test('in the dial options: B reaches the caller, b nobody', () => {
      const options = (text: string): string => `[globals]\nDIAL_OPTIONS=HhTtr${text}\nTRUNK_OPTIONS=T${text}\n`;
      const useless = of(`${options('b(mes^s^1)')}${all.map(blank).join('')}`);
      expect(useless.saw).toBe(
        'Callers to extensions, trunks, ring groups, hunt groups do not have it; nobody who is called has it; b(mes^s^1) in the dial options does nothing, since FreePBX appends a b() of its own.',
      );
      expect(of(options('B(mes^s^1)') + hooks.map(blank).join('') + hooked(callee)).status).toBe('ok');
    });

    test('on the port of FreePBX itself', () => {
      const facts = { ...withFiles({ 'extensions.conf': own }), isFreePbx: true };
      expect(find('fastagi', facts)).toMatchObject({ status: 'problem' });
      const settings = { ...WELL.settings, agiBind: '127.0.0.1:4574' };
      expect(find('fastagi', { ...facts, settings }).status).toBe('ok');
    });

    describe('the dial options of an extension or a trunk', () => {
      const [one = '', trunk = ''] = hooks;
      const BY_OPTIONS = '[globals]\nDIAL_OPTIONS=HhTtrB(mes^s^1)\nTRUNK_OPTIONS=TB(mes^s^1)\n';
      const own201 = { kind: 'extension', number: '201', options: '' } as const;
      const own1 = { kind: 'trunk', number: '1', options: 'T' } as const;
      const given = (text: string, ownDialOptions: DoctorFacts['ownDialOptions']): Finding =>
        find('freepbx-dial-options', {
          ...withFiles({ 'extensions.conf': own + text }),
          isFreePbx: true,
          ownDialOptions,
        });

      test('count instead of the global ones that bring the handler, also where they are empty', () => {
        expect(given(BY_OPTIONS + blank(one), [own201, own1])).toMatchObject({
          status: 'warning',
          saw: 'The handler is in the global dial options, and these have their own without it: 201, trunk 1.',
        });
        expect(given(BY_OPTIONS + hooked(one), [own201, own1]).saw).toMatch(/without it: trunk 1\.$/);
        expect(given(BY_OPTIONS, [{ ...own201, options: 'trB(mes^s^1)' }]).status).toBe('ok');
        expect(given(BY_OPTIONS, [{ ...own201, options: null }]).saw).toMatch(
          /their own \(what they are only root can see\): 201\.$/,
        );
        expect(edits(given(BY_OPTIONS, [own201]))).toEqual(['run null:null [null] asterisk-mes setup --write']);
      });

      test('do no harm where the hooks bring the handler, and b() there brings nothing', () => {
        expect(given(hooked(one) + hooked(trunk), [own201, own1])).toMatchObject({
          status: 'ok',
          saw: 'These have dial options of their own, on which the handler does not depend: 201, trunk 1.',
        });
        expect(given(hooked(one), [{ ...own201, options: 'Tb(mes^s^1)' }])).toMatchObject({
          status: 'warning',
          saw: 'b(mes^s^1) in the dial options of 201 does nothing, since FreePBX appends a b() of its own.',
        });
        expect(given('', []).status).toBe('ok');
        expect(given('', null).status).toBe('unknown');
      });

      test('are asked for on FreePBX only, and of many some are named', () => {
        expect(examine(WELL).map(({ id }) => id)).not.toContain('freepbx-dial-options');
        const many = Array.from({ length: 12 }, (_, index) => ({ ...own201, number: String(201 + index) }));
        expect(given(BY_OPTIONS, many).saw).toMatch(/: 201, 202, 203, 204, 205 and 7 more\.$/);
      });
    });

    test('its secrets and fwconsole chown', () => {
      const list = (items: readonly string[]): string =>
        `[blacklist]\n${items.map((name) => `item = /etc/asterisk/${name}\n`).join('')}`;
      const secrets = ['mes.conf', 'manager_mes.conf', 'ari_mes.conf', 'extensions_mes.conf'];
      const found = (items: readonly string[]): Finding =>
        find('freepbx-chown', { ...withFiles({ 'freepbx_chown.conf': list(items) }), isFreePbx: true });
      expect(found(secrets).status).toBe('ok');
      expect(found(secrets.slice(1))).toMatchObject({
        status: 'warning',
        saw: 'freepbx_chown.conf does not name mes.conf in [blacklist].',
      });
    });
  });

  test('a line that has to go is named where it is', () => {
    const files = withFiles({ 'manager.conf': '[mes]\neventfilter = !Event: RTCPSent\n' });
    expect(edits(find('ami-eventfilter', { ...files, isFreePbx: true }))).toEqual(['remove manager.conf:2 [mes]']);
  });
});

describe('the dialplan', () => {
  test('no handler: the include; a handler that nobody uses: how to use it', () => {
    const absent = { dialplan: { hasMes: false, hasMesHangup: false } };
    const unread = find('hangup-handler', absent);
    expect(edits(unread)).toEqual(['run null:null [null] asterisk -rx "dialplan reload"']);
    const none = find('hangup-handler', { ...absent, ...withFiles({ 'extensions.conf': '[in]\n' }) });
    expect(none.status).toBe('warning');
    expect(edits(none)).toEqual(['add extensions.conf:null [null] #include extensions_mes.conf']);
    const unused = withFiles({ 'extensions.conf': '[mes]\nexten => s,1,Return()\n[in]\nexten => 1,1,Dial(PJSIP/a)\n' });
    expect(find('hangup-handler', unused).saw).toContain('no line of extensions.conf or pjsip.conf uses it');
  });

  test.each([
    ['extensions.conf', '[mes]\n[in]\nexten => 1,1,Dial(PJSIP/a,30,tTb(mes^s^1))\n'],
    ['extensions.conf', '[mes]\n[in]\nexten => 1,1,NoOp()\n same => n,Gosub(mes,s,1)\n'],
    ['pjsip.conf', '[a]\ntype = endpoint\nset_var = CHANNEL(hangup_handler_push)=mes-hangup,s,1\n'],
  ] as const)('a use in %s', (name, text) => {
    const unused = { 'extensions.conf': '[mes]\nexten => s,1,Gosub(mes,s,1)\n' };
    expect(find('hangup-handler', withFiles(unused)).status).toBe('warning');
    expect(find('hangup-handler', withFiles({ ...unused, [name]: text })).status).toBe('ok');
  });

  test('an address of the sidecar that is not its own', () => {
    const settings = { ...WELL.settings, agiBind: '127.0.0.1:4600' };
    const finding = find('fastagi', { settings });
    expect(finding.status).toBe('problem');
    expect(edits(finding)).toEqual([
      'replace extensions.conf:4 [mes-hangup] exten => s,1,AGI(agi://127.0.0.1:4600/hangup)',
    ]);
    expect(find('fastagi', { settings: { ...settings, agiBind: '0.0.0.0:4573' } }).status).toBe('ok');
  });

  test('a script without the secret of the sidecar, which is not shown', () => {
    const settings = { ...WELL.settings, agiScript: 'hangup/o2Jq-w_8Zt4mK1yR' };
    const finding = find('fastagi', { settings });
    expect(finding.status).toBe('problem');
    expect(JSON.stringify(finding)).not.toContain('o2Jq');
    const text =
      '[mes]\nexten => s,1,Return()\n[mes-hangup]\nexten => s,1,AGI(agi://127.0.0.1:4573/hangup/o2Jq-w_8Zt4mK1yR)\n';
    expect(find('fastagi', { ...withFiles({ 'extensions.conf': text }), settings }).status).toBe('ok');
  });

  test('nobody there, not reached, not known', () => {
    const of = (isListening: boolean, fromAsterisk: DoctorFacts['fastAgi']['fromAsterisk']): Finding =>
      find('fastagi', { fastAgi: { isListening, fromAsterisk } });
    expect([of(true, 'taken'), of(true, null), of(false, null)].map(({ status }) => status)).toEqual([
      'ok',
      'unknown',
      'warning',
    ]);
    expect(edits(of(true, 'refused'))[0]).toMatch(/^add mes\.conf:null \[agi\] peers = /);
    expect(edits(of(true, 'absent'))[0]).toMatch(/^add mes\.conf:null \[agi\] bind = /);
    expect([of(true, 'refused').status, of(true, 'absent').status]).toEqual(['problem', 'problem']);
  });
});

describe('the machine', () => {
  test('ARI that was asked for and does not answer costs no score', () => {
    const user = { url: 'http://a', username: 'mes', password: 'never shown' };
    const finding = find('ari', { ari: { ...user, problem: 'It refused the user' } });
    expect(finding.status).toBe('warning');
    expect(finding.changes.map(({ file }) => file)).toEqual(['http.conf', 'ari.conf']);
    expect(find('ari', { ari: { ...user, problem: null } }).status).toBe('ok');
  });

  test('of ARI only that is advised which its files do not have yet', () => {
    const ari = { url: 'http://a', username: 'mes', password: 'never shown', problem: 'It cannot be reached' };
    const httpOff = '[general]\nenabled = no\nbindaddr = 192.0.2.1\n';
    const httpOn = '[general]\nenabled = Yes\n';
    const user = '[mes]\ntype = user\npassword = never shown\n';
    const of = (http: string, text: string) =>
      find('ari', { ari, ...withFiles({ 'http.conf': http, 'ari.conf': text }) });
    expect(edits(of(httpOff, user))).toEqual(['replace http.conf:2 [general] enabled = yes']);
    expect(edits(of(httpOn, `[general]\nenabled = no\n${user}`))).toEqual([
      'add http.conf:1 [general] bindaddr = 127.0.0.1',
      'replace ari.conf:2 [general] enabled = yes',
    ]);
    const whole = of(`${httpOn}bindaddr = 0.0.0.0\n`, user);
    expect(edits(whole)).toEqual([
      'run null:null [null] asterisk -rx "module reload http" asterisk -rx "module reload res_ari.so"',
    ]);
    expect(whole.saw).toBe(
      'It cannot be reached; http.conf and ari.conf have what is needed, so Asterisk does not run, or has not read them yet.',
    );
    expect(JSON.stringify(whole)).not.toContain('never shown');
    expect(of(`${httpOn}bindaddr = 0.0.0.0\n`, user.replace('never', 'another')).changes[0]?.file).toBe('ari.conf');
  });

  test('clocks a second apart, zones an hour apart', () => {
    const clock = WELL.clock;
    expect(find('clock', { clock: { ...clock, aheadMs: -1000 } }).status).toBe('ok');
    expect(find('clock', { clock: { ...clock, aheadMs: -1600 } }).saw).toBe("Asterisk's clock is 1.6 s behind ours.");
    const apart = find('time-zone', { clock: { ...clock, asteriskOffsetMinutes: -210 } });
    expect(apart.status).toBe('warning');
    expect(apart.saw).toBe('Asterisk is at UTC-03:30, we are at UTC+01:00.');
  });

  test('a disk that is nearly full, full, or not ours', () => {
    const of = (freeBytes: number): string => find('disk', { disk: { ...WELL.disk, freeBytes } }).status;
    expect([of(2e9), of(9e8), of(9e7)]).toEqual(['ok', 'warning', 'problem']);
    const closed = find('disk', { disk: { ...WELL.disk, problem: '/var/lib cannot be written', freeBytes: null } });
    expect(closed.changes[0]?.lines).toEqual([
      'install -d -m 700 -o (the user that runs asterisk-mes) /var/lib/asterisk-mes',
    ]);
  });

  test('a sidecar that is not ready says why', () => {
    const sidecar = { ...WELL.sidecar, problem: 'no connection to Asterisk' };
    expect(find('sidecar', { sidecar })).toMatchObject({
      status: 'problem',
      saw: 'The sidecar runs, but: no connection to Asterisk.',
    });
  });

  test('an old Node', () => {
    expect(find('node', { nodeVersion: '22.9.0' }).status).toBe('problem');
  });
});

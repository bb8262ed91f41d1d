import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Lab, startLab } from '../lab/lab.ts';
import { labIsReady } from '../lab/obstacle.ts';
import { type Release, RELEASES } from '../lab/root-filesystem.ts';
import { SidecarProcess } from '../lab/sidecar-process.ts';
import { asteriskMes } from '../unit/cli/command.ts';
import { applyChanges, consoleCommands, type Diagnosis, diagnose, runAfterwards } from './fixtures/doctor-command.ts';
import { readiness } from './fixtures/sidecar-checks.ts';

/** What reads the files again that the tests break. */
const RELOADS = [
  'manager reload',
  'dialplan reload',
  'module reload cdr',
  'module reload cdr_custom.so',
  'module reload cdr_manager.so',
  'module unload cdr_sqlite3_custom.so',
  'module load cdr_sqlite3_custom.so',
  'module reload res_pjsip.so',
  'module reload res_ari.so',
];

// Both releases beside each other, the tests of each one after the other.
describe.runIf(labIsReady()).each(RELEASES)('doctor at Asterisk %s', { concurrent: true }, (release) => {
  describe('in this order', { concurrent: false }, () => {
    testDoctor(release);
  });
});

function testDoctor(release: Release): void {
  let lab: Lab;
  let sidecar: SidecarProcess;
  let etc = '';

  beforeAll(async () => {
    lab = await startLab({ release, phones: [{ name: 'alice' }, { name: 'bob' }] });
    etc = join(lab.pbx.runDirectory, 'etc');
    // The lab's own user is as any other client of the PBX, and reads everything.
    edit('manager.conf', (text) =>
      text
        .replace('[mes]\n', '[mes]\nwritetimeout = 5000\n')
        .replace('[lab]\n', '[lab]\neventfilter = !Event: VarSet\n'),
    );
    await consoleCommands(lab, ['manager reload']);
    sidecar = await SidecarProcess.start(lab, { httpHost: lab.pbx.host, httpPort: await lab.freePort() });
  });
  afterAll(async () => {
    await sidecar.stop();
    await lab.stop();
  });

  function edit(name: string, change: (text: string) => string): void {
    const path = join(etc, name);
    const before = existsSync(path) ? readFileSync(path, 'utf8') : '';
    const after = change(before);
    expect(after, `nothing changed in ${name}`).not.toBe(before);
    writeFileSync(path, after);
  }

  /** All is well, but for the score of a 22 itself. */
  const well = {
    settings: 'ok',
    node: 'ok',
    ami: 'ok',
    'ami-classes': 'ok',
    'ami-eventfilter': 'ok',
    'ami-writetimeout': 'ok',
    'ami-clients': 'ok',
    'asterisk-version': release === '22' ? 'warning' : 'ok',
    'rtcp-interval': 'ok',
    'direct-media': 'ok',
    'report-blocks': 'ok',
    'hangup-handler': 'ok',
    fastagi: 'ok',
    cdr: 'ok',
    'cdr-custom': 'ok',
    'cdr-fixed': 'ok',
    'cdr-endbeforehexten': 'ok',
    ari: 'ok',
    clock: 'ok',
    // These two tell of the machine that the test runs on.
    'time-zone': expect.stringMatching(/^(?:ok|warning)$/),
    disk: expect.stringMatching(/^(?:ok|warning)$/),
    sidecar: 'ok',
  };

  test('where all is right nothing is a problem, with no more rights than the sidecar has', async () => {
    const { statuses, checks, status, stderr } = await diagnose(sidecar.configPath, etc);
    expect(statuses).toEqual(well);
    expect([status, stderr]).toEqual([0, '']);
    expect(checks.get('asterisk-version')?.saw).toContain(`Asterisk is ${release}.`);
    expect(checks.get('direct-media')?.saw).toBe('None of 2 PJSIP endpoints has direct media.');
    expect(checks.get('fastagi')?.saw).toContain('Asterisk reaches the sidecar');
  });

  test("where Asterisk's files cannot be seen it tells what it could not look at", async () => {
    const { statuses, status } = await diagnose(sidecar.configPath);
    expect(statuses).toEqual({
      ...well,
      'ami-eventfilter': 'unknown',
      'ami-clients': 'unknown',
      'report-blocks': 'ok',
      'hangup-handler': 'unknown',
    });
    expect(status).toBe(0);
  });

  test('for people: a line a check, what to change, and the same exit status', async () => {
    edit('rtp.conf', (text) => text.replace('rtcpinterval = 1000', 'rtcpinterval = 20000'));
    const { stdout, status } = await asteriskMes(['doctor', '--config', sidecar.configPath, '--asterisk-dir', etc]);
    edit('rtp.conf', (text) => text.replace('rtcpinterval = 20000', 'rtcpinterval = 1000'));
    expect(status).toBe(0);
    expect(stdout).toMatch(/^ok {7}ami {2,}The user "mes" can log in at /m);
    expect(stdout).toMatch(
      /^WARNING {2}rtcp-interval {2,}.*20000 ms.*\n +Why: .*\n +Change .*rtp\.conf line \d+, in \[general\]:\n +rtcpinterval = 20000\n +to:\n +rtcpinterval = 5000\n +Then: restart Asterisk$/m,
    );
    expect(stdout).not.toContain(lab.pbx.amiSecret);
  });

  test('what is broken is found, and doing what is said mends it', async () => {
    edit('manager.conf', (text) =>
      text
        .replace('read = call,reporting,dtmf\n', 'read = call\neventfilter = Event: (RTCP|Hangup)\n')
        .replace('[mes]\nwritetimeout = 5000\n', '[mes]\n')
        .replace('eventfilter = !Event: VarSet\n', ''),
    );
    edit('rtp.conf', (text) => text.replace('rtcpinterval = 1000', 'rtcpinterval = 20000'));
    edit('cdr.conf', (text) => `${text}endbeforehexten = no\n`);
    edit('cdr_custom.conf', (text) => text.replace(`\${CSV_QUOTE(\${CDR(mes)})},`, ''));
    edit('cdr_sqlite3_custom.conf', () => `[master]\ntable => cdr\ncolumns => src\nvalues => '\${CDR(src)}'\n`);
    edit('cdr_manager.conf', () => '[general]\nenabled = yes\n[mappings]\nrate => Rate\n');
    edit('pjsip.conf', (text) => text.replaceAll('direct_media = no', 'direct_media = yes'));
    edit('ari.conf', (text) => text.replace('enabled = yes', 'enabled = no'));
    edit('extensions.conf', (text) => text.replace('#include extensions_mes.conf\n', ''));
    edit('extensions_mes.conf', (text) => text.replace(/agi:\/\/[^/]+/, 'agi://127.0.0.1:1'));
    await consoleCommands(lab, RELOADS);

    const broken = await diagnose(sidecar.configPath, etc);
    expect(broken.statuses).toEqual({
      ...well,
      'ami-classes': 'problem',
      'ami-eventfilter': 'problem',
      'ami-writetimeout': 'warning',
      'ami-clients': 'warning',
      'rtcp-interval': 'warning',
      'direct-media': 'problem',
      'report-blocks': 'ok',
      'hangup-handler': 'warning',
      cdr: 'problem',
      'cdr-custom': 'warning',
      'cdr-sqlite3-custom': 'warning',
      'cdr-manager': 'warning',
      'cdr-endbeforehexten': 'problem',
      ari: 'warning',
    });
    expect(broken.status).toBe(1);
    expect(broken.stdout).not.toContain(lab.pbx.amiSecret);
    expect(broken.checks.get('ami-classes')?.saw).toBe('The user "mes" lacks the read class reporting.');

    // Two findings may name one mapping, and ARI's lines are for an ari.conf without a user.
    const changes = [...broken.checks.values()].flatMap(({ id, changes: of }) =>
      id === 'cdr' || id === 'ari' ? [] : of,
    );
    applyChanges(etc, changes);
    edit('ari.conf', (text) => text.replace('enabled = no', 'enabled = yes'));
    await runAfterwards(lab, changes);
    await consoleCommands(lab, ['module reload res_ari.so']);

    // The dialplan is back, and now shows that it looks for the sidecar in the wrong place.
    const nearly = await diagnose(sidecar.configPath, etc);
    expect(nearly.statuses).toEqual({ ...well, 'cdr-sqlite3-custom': 'ok', 'cdr-manager': 'ok', fastagi: 'problem' });
    const address = nearly.checks.get('fastagi')?.changes ?? [];
    expect(address[0]?.was).toContain('agi://127.0.0.1:1/hangup');
    applyChanges(etc, address);
    await runAfterwards(lab, address);
    const mended = await diagnose(sidecar.configPath, etc);
    expect(mended.statuses).toEqual({ ...well, 'cdr-sqlite3-custom': 'ok', 'cdr-manager': 'ok' });
    expect(mended.status).toBe(0);
  });

  // Debian's 22 has no chan_sip any more.
  test.each(release === '16' ? ['chan_sip'] : [])('%s is looked at where it is loaded', async () => {
    const general = `[general]\nudpbindaddr = ${lab.pbx.host}:${lab.plan.pbxSipPort + 1}\n`;
    edit('sip.conf', () => general);
    await consoleCommands(lab, ['module load chan_sip.so']);
    const broken = await diagnose(sidecar.configPath, etc);
    expect(broken.statuses['direct-media-sip']).toBe('problem');
    await mend(broken);

    // What a peer says for itself counts more than [general].
    const peer = (name: string, line: string): string => `[${name}]\ntype = friend\nhost = dynamic\n${line}`;
    edit(
      'sip.conf',
      (text) =>
        `${text}${peer('dave', 'directmedia = yes\n')}${peer('erin', 'canreinvite = nonat\n')}${peer('fay', '')}`,
    );
    await consoleCommands(lab, ['sip reload']);
    const strict = await diagnose(sidecar.configPath, etc);
    expect(strict.checks.get('direct-media-sip')).toMatchObject({
      status: 'problem',
      saw: '2 of 3 chan_sip peers have direct media: dave, erin.',
    });
    // Their names are in the file alone.
    expect((await diagnose(sidecar.configPath)).statuses['direct-media-sip']).toBe('unknown');
    await mend(strict);
    const shown = await lab.pbxAction({ Action: 'SIPshowpeer', Peer: 'dave' });
    expect(shown).toMatchObject({ 'SIP-DirectMedia': 'N' });
    await consoleCommands(lab, ['module unload chan_sip.so']);

    async function mend({ checks }: Diagnosis): Promise<void> {
      const changes = checks.get('direct-media-sip')?.changes ?? [];
      applyChanges(etc, changes);
      await runAfterwards(lab, changes);
      expect((await diagnose(sidecar.configPath, etc)).statuses['direct-media-sip']).toBe('ok');
    }
  });

  test('a second sidecar with another database ends with one sentence, unless it writes nothing', async () => {
    const second = async (extraConfig: string): Promise<SidecarProcess> => {
      const pbx = { ...lab.pbx, agiPort: await lab.freePort() };
      return SidecarProcess.start({ pbx }, { httpHost: lab.pbx.host, httpPort: await lab.freePort(), extraConfig });
    };
    const listening = await second('[writeback]\nvariables = no\ncdr = no\n');
    try {
      await expect(second('')).rejects.toThrow(
        /^asterisk-mes: Another asterisk-mes, with a database of its own, writes scores by Asterisk's manager at [\d.:]+; stop that one, or set variables = no and cdr = no in \[writeback\] of this one$/m,
      );
      for (const other of [sidecar, listening]) expect(await readiness(other)).toMatch(/^200 /);
    } finally {
      await listening.stop();
    }
  });

  test('a sidecar that turns Asterisk away does not count as reached', async () => {
    await sidecar.shutDown();
    const strict = await SidecarProcess.start(lab, {
      httpHost: lab.pbx.host,
      httpPort: await lab.freePort(),
      extraConfig: '[agi]\npeers = 192.0.2.1/32\n',
    });
    const { checks } = await diagnose(strict.configPath, etc);
    await strict.stop();
    expect(checks.get('fastagi')).toMatchObject({ status: 'problem', changes: [{ section: 'agi' }] });
    expect(checks.get('fastagi')?.saw).toContain("turns Asterisk's address away");
  });

  test('without sidecar and without Asterisk it tells what it still can', async () => {
    const without = await diagnose(sidecar.configPath, etc);
    expect(without.statuses).toMatchObject({ ami: 'ok', sidecar: 'warning', fastagi: 'warning' });
    await lab.pbxInstance.kill();
    const alone = await diagnose(sidecar.configPath, etc);
    expect(alone.statuses).toMatchObject({
      ami: 'problem',
      'ami-classes': 'ok',
      'ami-eventfilter': 'ok',
      'asterisk-version': 'unknown',
      'direct-media': 'ok',
      'report-blocks': 'ok',
      'hangup-handler': 'ok',
      cdr: 'ok',
      ari: 'warning',
      clock: 'unknown',
    });
    expect(alone.status).toBe(1);
    expect(alone.checks.get('ami')?.saw).toContain(`Nothing listens on ${lab.pbx.host}:${lab.pbx.amiPort}`);
  });

  /** As a PBX that knows nothing of asterisk-mes yet; FreePBX's own files include those that are left to people. */
  function strip(target: string): void {
    edit('manager.conf', (text) => `${text.slice(0, text.indexOf('\n[mes]'))}\n`);
    edit('extensions.conf', (text) => text.replace('#include extensions_mes.conf\n', ''));
    for (const name of ['extensions_mes.conf', 'sip.conf']) rmSync(join(etc, name), { force: true });
    if (target === 'vanilla') {
      edit('cdr.conf', (text) => `${text}endbeforehexten = no\n`);
      edit('cdr_custom.conf', () => '; nothing yet\n');
      return;
    }
    edit('manager.conf', (text) => `${text}#include manager_custom.conf\n`);
    edit('extensions.conf', (text) => `#include extensions_custom.conf\n${text}`);
    for (const name of ['manager_custom.conf', 'extensions_custom.conf', 'extensions_additional.conf']) {
      writeFileSync(join(etc, name), '; FreePBX\n');
    }
  }

  test.each(['vanilla', 'freepbx'])('what setup writes for %s boots, and doctor finds no problem', async (target) => {
    const kept = new Map(readdirSync(etc).map((name) => [name, readFileSync(join(etc, name), 'utf8')]));
    const config = join(etc, 'mes.conf');
    const { host, amiPort, agiPort, runDirectory } = lab.pbx;
    try {
      strip(target);
      writeFileSync(
        config,
        `[ami]\nhost = ${host}\nport = ${amiPort}\nusername = mes\nsecret = CHANGE-ME\n[agi]\nbind = ${host}:${agiPort}\n[http]\nbind = ${host}:1\n[history]\npath = ${join(runDirectory, 'mes.sqlite')}\n`,
      );
      const done = await asteriskMes(['setup', '--write', '--config', config, '--asterisk-dir', etc]);
      expect([done.status, done.stderr]).toEqual([0, '']);
      await lab.pbxInstance.start();
      const { statuses, status } = await diagnose(config, etc);
      expect(statuses).toMatchObject({
        ...well,
        // Nobody has started a sidecar with these settings.
        fastagi: 'warning',
        sidecar: 'warning',
      });
      expect(status).toBe(0);
    } finally {
      await lab.pbxInstance.kill();
      // Written over, so that files keep their owner.
      for (const name of readdirSync(etc)) if (!kept.has(name)) rmSync(join(etc, name));
      for (const [name, text] of kept) writeFileSync(join(etc, name), text);
    }
  });
}

import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../lab/addresses.ts';
import { spawnConfined } from '../lab/confined.ts';
import { labIsReady } from '../lab/obstacle.ts';
import { makeRunDirectory, REPOSITORY } from '../lab/paths.ts';
import { BARE_SUITES, type BareSuite, ensureBareDebian } from '../lab/root-filesystem.ts';
import { SimulatedAsterisk } from '../lab/simulated-asterisk.ts';
import { inBootedDebian } from './fixtures/booted-debian.ts';
import { startCall } from './fixtures/sidecar-checks.ts';

const folder = makeRunDirectory('deb');
const { version } = JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8')) as { readonly version: string };
const debVersion = version.replace('-', '~');
let newer = '';
let older = '';

/** Runs a script as root of a bare Debian, in a copy of its file system that is gone afterwards. */
async function inBareDebian(suite: BareSuite, script: string): Promise<Record<string, string>> {
  const root = await ensureBareDebian(suite);
  const outer = `
    mount -t tmpfs none "$1"; mkdir "$1/up" "$1/work" "$1/root"
    mount -t overlay -o lowerdir="$2",upperdir="$1/up",workdir="$1/work" none "$1/root"
    mount --bind "$3" "$1/root/mnt"; mount -t proc none "$1/root/proc"; mount --rbind /dev "$1/root/dev"
    chroot "$1/root" env -i sh -c "$4"`;
  const mountPoint = join(folder, `root-${suite}`);
  mkdirSync(mountPoint);
  const environment = 'export DEBIAN_FRONTEND=noninteractive PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C;';
  const inside = spawnConfined(outer, [mountPoint, root, folder, `${environment}\n${script}`]);
  let output = '';
  inside.process.stdout?.on('data', (bytes: Buffer) => (output += bytes.toString()));
  inside.process.stderr?.on('data', (bytes: Buffer) => (output += bytes.toString()));
  const status = await inside.ended;
  if (status !== 0) throw new Error(`the script in Debian ${suite} ended with ${status}:\n${output}`);
  return sections(output);
}

/** What is said under each name: `= NAME` begins it. */
function sections(output: string): Record<string, string> {
  return Object.fromEntries(
    output.split(/^= /m).map((part) => {
      const [name = '', ...lines] = part.split('\n');
      return [name, lines.join('\n').trim()];
    }),
  );
}

/** The same files under an older version, so that there is something to upgrade from. */
function repacked(deb: string, asVersion: string): string {
  const unpacked = join(folder, 'older');
  execFileSync('dpkg-deb', ['-R', deb, unpacked]);
  const control = join(unpacked, 'DEBIAN/control');
  writeFileSync(control, readFileSync(control, 'utf8').replace(/^Version: .*$/m, `Version: ${asVersion}`));
  // It did not choose trunks, nor tell Asterisk of alerts.
  const files = join(unpacked, 'usr/lib/asterisk-mes/asterisk-conf');
  const change = (name: string, pattern: RegExp, text: string): void => {
    const before = readFileSync(join(files, name), 'utf8');
    expect(before).toMatch(pattern);
    writeFileSync(join(files, name), before.replace(pattern, text));
  };
  change('extensions_mes.conf', /\n; Which of some trunks[^]*$/, '');
  change('manager_mes.conf', /^write = call,user$/m, 'write = call');
  const target = join(folder, 'older.deb');
  execFileSync('dpkg-deb', ['--root-owner-group', '-Znone', '--build', unpacked, target], { stdio: 'pipe' });
  rmSync(unpacked, { recursive: true });
  return target;
}

/** A repository of what is here, committed: a release is made of a tag. */
function repositoryOf(here: string): string {
  const copy = join(folder, 'repository');
  const files = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: here,
    encoding: 'utf8',
  });
  for (const name of new Set(files.split('\0').filter((file) => file !== '' && existsSync(join(here, file))))) {
    mkdirSync(dirname(join(copy, name)), { recursive: true });
    cpSync(join(here, name), join(copy, name));
  }
  execFileSync('cp', ['-al', join(here, 'node_modules'), join(copy, 'node_modules')]);
  const git = (...words: string[]): void => {
    execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@example.com', ...words], {
      cwd: copy,
      stdio: 'pipe',
    });
  };
  git('init', '--quiet');
  git('add', '--all');
  git('commit', '--quiet', '--message', 'Everything');
  return copy;
}

/** `npm run release`, as those who release it would. This process answers vitest meanwhile. */
async function release(repository: string): Promise<{ readonly stdout: string; readonly stderr: string }> {
  const words = ['run', '--silent', 'release', '--', '--arch', 'amd64', '--out', folder, '--compression', '0'];
  try {
    return await promisify(execFile)('npm', words, { cwd: repository });
  } catch (error) {
    return error as { readonly stdout: string; readonly stderr: string };
  }
}

let refused = '';
let made = '';
let complained = '';

beforeAll(async () => {
  const repository = repositoryOf(REPOSITORY);
  ({ stderr: refused } = await release(repository));
  execFileSync('git', ['tag', `v${version}`], { cwd: repository });
  ({ stdout: made, stderr: complained } = await release(repository));
  const [, deb = ''] = made.split('\n');
  newer = deb;
  older = repacked(newer, '0.0.9');
  rmSync(repository, { recursive: true });
}, 400_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

// Beside each other: lintian alone takes as long as all others.
describe.runIf(labIsReady())('the Debian package', { concurrent: true }, () => {
  test('is made in one go with the npm package from a tag and nothing else, and both have checksums', () => {
    const [tarball, deb, sums] = made.split('\n');
    expect([complained, tarball, deb, sums]).toEqual([
      '',
      join(folder, `asterisk-mes-${version}.tgz`),
      newer,
      join(folder, 'SHA256SUMS'),
    ]);
    expect(refused).toBe(
      `npm run release: package.json says ${version}, and this commit has no tag v${version}; set it with git tag v${version}\n`,
    );
    const checked = execFileSync('sha256sum', ['--check', '--strict', 'SHA256SUMS'], { cwd: folder, encoding: 'utf8' });
    expect(checked).toBe(`asterisk-mes-${version}.tgz: OK\nasterisk-mes_${debVersion}_amd64.deb: OK\n`);
  });

  test('is named after its version, and lintian finds no error in it', async () => {
    expect(newer).toBe(join(folder, `asterisk-mes_${debVersion}_amd64.deb`));
    // Rejects when it finds one. Half a minute on a quiet machine; this process answers vitest meanwhile.
    const { stdout } = await promisify(execFile)('lintian', ['--fail-on', 'error', newer]);
    expect(stdout.match(/^E: .*$/gm)).toBeNull();
  }, 300_000);

  test.each(BARE_SUITES)(
    'installs, upgrades, leaves and is gone again on a bare Debian (%s)',
    async (suite) => {
      const said = await inBareDebian(
        suite,
        `set -e
        apt-get install -q -y /mnt/${debFile(older)} >/dev/null
        echo "= installed"; dpkg-query -W -f '\${Version} \${Status}\\n' asterisk-mes
        echo "= version"; cd /; asterisk-mes version --json
        echo "= score"; asterisk-mes score --rtt-ms 200 --jitter-ms 30 --jitter-stdev-ms 12 --lost-packets 2 --json
        echo "= modes"; stat -c '%a %U %n' /etc/asterisk/mes.conf /var/lib/asterisk-mes
        echo "= unconfigured"; asterisk-mes run 2>&1 || true
        echo "= started"; CREDENTIALS_DIRECTORY=/etc/asterisk sh -c "$(sed -n 's/^ExecStart=//p' /usr/lib/systemd/system/asterisk-mes.service)" 2>&1 || true
        echo "= setup"; asterisk-mes setup >/tmp/setup.txt 2>&1 || true; cat /tmp/setup.txt
        mkdir /tmp/pbx; cd /tmp/pbx; printf '[general]\\nenabled = yes\\n' | tee manager.conf > ari.conf; touch extensions.conf cdr.conf cdr_custom.conf http.conf
        setup() { asterisk-mes setup --write --asterisk-dir /tmp/pbx --config /tmp/pbx/mes.conf; }
        setup >/dev/null; sed -i 's/^;keep_calls = .*/keep_calls = 100d/' mes.conf; grep -q '^keep_calls = 100d' mes.conf; cp -r /tmp/pbx /tmp/before
        echo "; mine" >> /etc/asterisk/mes.conf; echo history > /var/lib/asterisk-mes/mes.sqlite
        apt-get install -q -y /mnt/${debFile(newer)} >/dev/null
        echo "= upgraded"; dpkg-query -W -f '\${Version} \${Status}\\n' asterisk-mes
        echo "= kept"; tail -1 /etc/asterisk/mes.conf; cat /var/lib/asterisk-mes/mes.sqlite
        echo "= offered"; setup
        echo "= changed"; diff -rq /tmp/before /tmp/pbx | grep -v '^Only in /tmp/pbx: .*before-asterisk-mes$' || true
        echo "= new lines"; diff /tmp/before/extensions_mes.conf extensions_mes.conf | grep -c '^> \\[mes-best\\]'; diff /tmp/before/manager_mes.conf manager_mes.conf | grep '^[<>]'
        echo "= again"; setup; cd /; rm -r /tmp/pbx /tmp/before
        echo "= completed"; bash -c '. /usr/share/bash-completion/completions/asterisk-mes
          COMP_WORDS=(asterisk-mes sc); COMP_CWORD=1; _asterisk_mes; echo "\${COMPREPLY[@]}"
          COMP_WORDS=(asterisk-mes setup --target ""); COMP_CWORD=3; _asterisk_mes; echo "\${COMPREPLY[@]}"'
        echo "= files"; dpkg -L asterisk-mes | grep -E '^/(etc|usr/bin|usr/lib/(systemd|sysusers.d|tmpfiles.d)|usr/share/(man|bash))' | while read f; do [ -f "$f" ] && echo "$f"; done
        apt-get remove -q -y asterisk-mes >/dev/null
        echo "= removed"; ls /usr/bin/asterisk-mes 2>&1 || true; tail -1 /etc/asterisk/mes.conf; cat /var/lib/asterisk-mes/mes.sqlite
        apt-get purge -q -y asterisk-mes >/dev/null
        echo "= purged"; find / -xdev -path /mnt -prune -o \\( -name '*asterisk-mes*' -o -name 'mes.conf*' \\) -print; getent passwd asterisk-mes || true
        echo "= end"`,
      );
      expect(said['installed']).toBe('0.0.9 install ok installed');
      const { asterisk_mes: inside, node } = JSON.parse(said['version'] ?? '') as Record<string, string>;
      expect(inside).toBe(version);
      expect(node).toMatch(/^24\./);
      // formulas' table: 200 ms, 30 ms ± 12, 2 packets a report.
      expect((JSON.parse(said['score'] ?? '') as { readonly mes: number }).mes).toBeCloseTo(2.8489, 3);
      expect(said['modes']).toBe('600 root /etc/asterisk/mes.conf\n700 asterisk-mes /var/lib/asterisk-mes');
      expect(said['unconfigured']).toMatch(/^asterisk-mes: .*username.*\[ami\]/s);
      // As systemd starts it: with the Node.js of the package, since there is no other here.
      expect(said['started']).toBe(said['unconfigured']);
      expect(said['setup']).toContain('extensions_mes.conf');
      expect(said['upgraded']).toBe(`${debVersion} install ok installed`);
      expect(said['kept']).toBe('; mine\nhistory');
      expect(said['offered']).toContain('asterisk -rx "dialplan reload"');
      expect(said['changed']?.split('\n').sort()).toEqual([
        'Files /tmp/before/extensions_mes.conf and /tmp/pbx/extensions_mes.conf differ',
        'Files /tmp/before/manager_mes.conf and /tmp/pbx/manager_mes.conf differ',
      ]);
      expect(said['new lines']).toBe('1\n< write = call\n> write = call,user');
      expect(said['again']).toMatch(/^Everything is set up already/m);
      expect(said['completed']).toBe('score\nvanilla freepbx');
      expect(said['files']?.split('\n').sort()).toEqual([
        '/etc/asterisk/mes.conf',
        '/usr/bin/asterisk-mes',
        '/usr/lib/systemd/system/asterisk-mes.service',
        '/usr/lib/systemd/system/asterisk-mes@.service',
        '/usr/lib/sysusers.d/asterisk-mes.conf',
        '/usr/lib/tmpfiles.d/asterisk-mes.conf',
        '/usr/share/bash-completion/completions/asterisk-mes',
        '/usr/share/man/man1/asterisk-mes.1.gz',
      ]);
      expect(said['removed']).toMatch(/cannot access.*\n; mine\nhistory$/);
      expect(said['purged']).toBe('');
    },
    300_000,
  );

  test('runs under systemd with no right but its own, comes back, is upgraded, and is gone with all its instances', async () => {
    const pbxs = await Promise.all([SimulatedAsterisk.start(), SimulatedAsterisk.start()]);
    try {
      for (const pbx of pbxs) startCall(pbx, 1000);
      const main = await freePort('127.0.0.1', 28_600);
      const branch = await freePort('127.0.0.1', 28_600);
      const settings = await Promise.all(
        pbxs.map(async ({ connection: { port, username, secret } }, index) => {
          const agi = await freePort('127.0.0.1', 24_600);
          const lines = `[ami]\nport = ${port}\nusername = ${username}\nsecret = ${secret}\n[agi]\nbind = 127.0.0.1:${agi}\n[http]\nbind = 127.0.0.1:${index === 0 ? main : branch}\n`;
          return `printf '%s' '${lines}' >/etc/asterisk/mes${index === 0 ? '' : '-branch'}.conf`;
        }),
      );
      const said = sections(
        await inBootedDebian(
          await ensureBareDebian('bookworm'),
          folder,
          `umask 077; dpkg -i /mnt/${debFile(older)} >/dev/null
          ${settings.join('\n')}
          node=/usr/lib/asterisk-mes/bin/node; units="asterisk-mes asterisk-mes@branch"
          get() { $node -e 'fetch(process.argv[1]).then(async (a) => console.log(a.status, await a.text()), () => console.log(0))' "http://127.0.0.1:$1"; }
          ready() { for n in $(seq 300); do case "$(get $1/readyz)" in '200 '*) echo ready; return;; esac; sleep 0.2; done; echo late; }
          pid() { systemctl show --value --property=MainPID $1; }
          of() { systemctl show --property=$2 $1; }
          echo "= unasked"; systemctl is-active $units
          echo "= started"; systemctl enable --quiet --now $units; ready ${main}; ready ${branch}; systemctl is-active $units
          first=$(pid asterisk-mes)
          echo "= process"; stat -c %U /proc/$first; grep -E '^(CapEff|CapBnd|CapAmb|NoNewPrivs|Seccomp):' /proc/$first/status; cat /proc/$first/oom_score_adj
          inside() { nsenter --target $first --mount --root --wd=/ -- "$@" 2>&1; }
          echo "= writes"; inside touch /etc/mine; inside touch /usr/mine; inside stat -c 'home %a' /root; inside touch /var/lib/asterisk-mes/mine && inside rm /var/lib/asterisk-mes/mine && echo its own
          echo "= settings"; inside sh -c 'ls /run/credentials; cat /run/credentials/*/mes.conf' | head -3; stat -c '%a %U' /etc/asterisk/mes.conf
          echo "= histories"; ls -d /var/lib/asterisk-mes/mes.sqlite /var/lib/asterisk-mes/branch/mes.sqlite
          echo "= killed"; kill -9 $first; for n in $(seq 300); do case $(pid asterisk-mes) in 0|$first) sleep 0.2;; *) break;; esac; done; ready ${main}; of asterisk-mes NRestarts
          before=$(pid asterisk-mes); beside=$(pid asterisk-mes@branch)
          echo "= upgraded"; dpkg -i /mnt/${debFile(newer)} >/dev/null; ready ${main}; ready ${branch}
          [ $before != $(pid asterisk-mes) ] && [ $beside != $(pid asterisk-mes@branch) ] && echo again; of asterisk-mes Result; of asterisk-mes@branch Result
          echo "= calls"; get ${main}/v1/calls
          processes="$(pid asterisk-mes) $(pid asterisk-mes@branch)"; echo "$processes"
          echo "= removed"; apt-get remove -q -y asterisk-mes >/dev/null 2>&1; systemctl is-active $units; for process in $processes; do [ -d /proc/$process ] && echo $process runs; done; find /etc/systemd -name '*asterisk-mes*'; ls /var/lib/asterisk-mes
          echo "= purged"; apt-get purge -q -y asterisk-mes >/dev/null 2>&1; find / -xdev -path /mnt -prune -o \\( -name '*asterisk-mes*' -o -name 'mes*.conf*' \\) -print; getent passwd asterisk-mes
          echo "= failed"; systemctl list-units --failed --no-legend`,
        ),
      );
      expect(said['unasked']).toBe('inactive\ninactive');
      expect(said['started']).toBe('ready\nready\nactive\nactive');
      const none = '0'.repeat(16);
      expect(said['process']?.split(/\s+/).join(' ')).toBe(
        `asterisk-mes CapEff: ${none} CapBnd: ${none} CapAmb: ${none} NoNewPrivs: 1 Seccomp: 2 500`,
      );
      expect(said['writes']).toMatch(
        /^touch: .*'\/etc\/mine': Read-only file system\ntouch: .*'\/usr\/mine': Read-only file system\nhome 0\nits own$/,
      );
      // Its own and no others'; root's alone outside.
      expect(said['settings']).toBe(`asterisk-mes.service\n[ami]\nport = ${pbxs[0].connection.port}\n600 root`);
      expect(said['histories']?.split('\n')).toHaveLength(2);
      expect(said['killed']).toBe('ready\nNRestarts=1');
      expect(said['upgraded']).toBe('ready\nready\nagain\nResult=success\nResult=success');
      // The call that was up all the while, once.
      const [, answer = '', processes] = /^200 (.*)\n([1-9]\d* [1-9]\d*)$/.exec(said['calls'] ?? '') ?? [];
      expect(processes).toBeDefined();
      const { calls } = JSON.parse(answer) as { calls: { mes: number | null }[] };
      expect(calls).toEqual([expect.objectContaining({ ended_at: null, mes: expect.any(Number) })]);
      expect(said['removed']).toMatch(/^inactive\ninactive\nbranch\nmes\.sqlite\b/);
      // Who made it keeps it.
      expect(said['purged']).toBe('/etc/asterisk/mes-branch.conf');
      expect(said['failed']).toBe('');
    } finally {
      await Promise.all(pbxs.map((pbx) => pbx.stop()));
    }
  }, 300_000);

  describe('unpacked', { concurrent: false }, () => {
    testUnpacked();
  });
});

function testUnpacked(): void {
  test('has units that systemd understands, one for each of several Asterisks', () => {
    const unpacked = join(folder, 'unpacked');
    execFileSync('dpkg-deb', ['-x', newer, unpacked]);
    const units = join(unpacked, 'usr/lib/systemd/system');
    for (const name of ['asterisk-mes.service', 'asterisk-mes@.service']) {
      const path = join(units, name);
      const text = readFileSync(path, 'utf8');
      expect(text).toMatch(/^User=asterisk-mes$/m);
      expect(text).not.toContain('DynamicUser');
      // systemd looks for the program on this machine.
      expect(text).toMatch(/^ExecStart=\/usr\/lib\/asterisk-mes\/bin\/node --/m);
      writeFileSync(path, text.replace('ExecStart=/usr/lib', `ExecStart=${unpacked}/usr/lib`));
      const { status, stdout, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', `./${name}`], {
        cwd: units,
        encoding: 'utf8',
      });
      expect([status, stdout + stderr]).toEqual([0, '']);
    }
    const instance = readFileSync(join(units, 'asterisk-mes@.service'), 'utf8');
    expect(instance).toContain('\nEnvironment=MES_HISTORY_PATH=/var/lib/asterisk-mes/%i/mes.sqlite\n');
    expect(instance).toContain('\nLoadCredential=mes.conf:/etc/asterisk/mes-%i.conf\n');
    expect(instance).toContain('\nStateDirectory=asterisk-mes/%i\n');
  });

  test('has a manual page that man shows without complaint', () => {
    const page = join(folder, 'unpacked/usr/share/man/man1/asterisk-mes.1.gz');
    const { stdout, stderr } = spawnSync('man', ['--warnings', '-l', page], {
      encoding: 'utf8',
      env: { ...process.env, MANWIDTH: '80', LC_ALL: 'C.UTF-8' },
    });
    expect(stderr).toBe('');
    expect(stdout).toContain('score the media of every call');
    expect(stdout).toMatch(/^ {3}rescore$/m);
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
  });
}

function debFile(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

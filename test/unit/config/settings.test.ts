import { describe, expect, it } from 'vitest';
import { environmentName } from '../../../src/config/setting-reader.ts';
import { SettingsError } from '../../../src/config/settings-error.ts';
import { SETTINGS } from '../../../src/config/settings-table.ts';
import { loadSettings } from '../../../src/config/settings.ts';
import type { AlertRule } from '../../../src/model/alert.ts';
import { load, LOGIN } from './loaded-settings.ts';

/** Not shown when refused, and yet no secret: without them something is off, and nothing is open. */
const OPEN_OR_EMPTY = new Set([
  'link_base',
  'questions_url',
  'url',
  'collector',
  'upload_to',
  'recipient',
  'smtp',
  'webhook',
]);
const HOUR_MS = 60 * 60 * 1000;
const DAY_MS = 24 * HOUR_MS;

/** A rule that is there without a line in the file. */
function shown(
  rule: Pick<AlertRule, 'overMs' | 'calls' | 'raise' | 'clear'> & { name: AlertRule['what']; by?: 'all' },
): AlertRule {
  return { what: rule.name, by: 'endpoint', endpoints: ['*'], quiet: null, againMs: null, send: false, ...rule };
}

/** What a section's secret is of no use without. */
const WITH_IT: Readonly<Record<string, string>> = {
  ari: 'url = http://h:1\nusername = u\n',
  fleet: 'url = http://h:1\n',
};
const NO_RATINGS = {
  enabled: false,
  askPercent: 5,
  never: ['000', '110', '111', '112', '113', '115', '117', '118', '119', '120', '122', '133', '144', '999', '911'],
  code: '*637',
  questions: null,
  questionsUrl: null,
  questionsKey: null,
  linkBase: null,
  linkLifetimeMs: DAY_MS,
  prompts: {
    score: ['info-about-last-call', 'vm-press', 'digits/1', 'digits/2', 'digits/3', 'digits/4', 'digits/5'],
    thanks: ['auth-thankyou'],
    none: ['im-sorry'],
  },
};

describe('settings', () => {
  it('of ratings are read, and names and sounds are refused that are none', () => {
    const text = (lines: string): string => `[ami]\nusername = mes\nsecret = x\n[ratings]\n${lines}\n`;
    expect(
      load(
        text(
          'enabled = yes\nask_percent = 0.5\nnever = PJSIP/lift*, 112,*43\ncode = **5\nlink_base = https://pbx.example.net/mes/\nlink_lifetime = 2h\nprompt_score = beep&custom/how',
        ),
      ).ratings,
    ).toEqual({
      ...NO_RATINGS,
      enabled: true,
      askPercent: 0.5,
      never: ['PJSIP/lift*', '112', '*43'],
      code: '**5',
      linkBase: 'https://pbx.example.net/mes',
      linkLifetimeMs: 7_200_000,
      prompts: { ...NO_RATINGS.prompts, score: ['beep', 'custom/how'] },
    });
    for (const line of ['never = PJSIP/a b', 'code = 12a', 'prompt_thanks = beep,goodbye', 'ask_percent = 101'])
      expect(() => load(text(line))).toThrow(SettingsError);
  });

  it('keep a secret of the file when its environment variable is empty, whichever secret it is', () => {
    const secrets = Object.entries(SETTINGS).flatMap(([section, keys]) =>
      Object.entries(keys).flatMap(([key, { type }]) =>
        type.secret && !OPEN_OR_EMPTY.has(key) ? [[section, key] as const] : [],
      ),
    );
    expect(secrets.length).toBeGreaterThanOrEqual(4);
    for (const [section, key] of secrets) {
      const own =
        section === 'ami' ? '[ami]\nusername = mes\n' : '[ami]\nusername = mes\nsecret = x\n[' + section + ']\n';
      const text = `${own}${key} = sixteen-or-more-characters\n${WITH_IT[section] ?? ''}`;
      for (const empty of ['', '  ', '\n']) {
        const settings = load(text, { [environmentName(section, key)]: empty });
        expect(JSON.stringify(settings)).toContain('sixteen-or-more-characters');
      }
    }
    expect(load('[ari]\nurl = http://h:1\nusername = u\npassword = p\n', { ...LOGIN, MES_ARI_URL: '' }).ari).toBeNull();
  });

  it('are the documented defaults when only the login is given', () => {
    expect(loadSettings(undefined, 'mes.conf', LOGIN)).toEqual({
      general: { profile: 'documented', thresholds: { good: 4, fair: 3.6, poor: 3.1 } },
      ami: { host: '127.0.0.1', port: 5038, username: 'mes', secret: 'hunter2', tls: false },
      ari: null,
      agi: {
        bind: { host: '127.0.0.1', port: 4573 },
        peers: [
          { address: '127.0.0.0', family: 'ipv4', prefixLength: 8 },
          { address: '::1', family: 'ipv6', prefixLength: 128 },
        ],
        secret: null,
      },
      http: { bind: { host: '127.0.0.1', port: 8090 }, token: null, metricsGroups: 50 },
      writeback: { variables: true, cdr: true },
      alerts: {
        smtp: null,
        from: null,
        to: [],
        webhook: null,
        webhookSecret: null,
        url: null,
        digest: 'off',
        rules: [
          shown({ name: 'bad-live', overMs: 15_000, calls: 1, raise: 1, clear: 0 }),
          shown({ name: 'bad-calls', overMs: HOUR_MS, calls: 10, raise: 20, clear: 5 }),
          shown({ name: 'p5', overMs: HOUR_MS, by: 'all', calls: 20, raise: 3.1, clear: 3.6 }),
          shown({ name: 'one-way', overMs: HOUR_MS, calls: 5, raise: 20, clear: 5 }),
          shown({ name: 'loss', overMs: HOUR_MS, calls: 5, raise: 3, clear: 1 }),
          shown({ name: 'jitter', overMs: HOUR_MS, calls: 5, raise: 40, clear: 20 }),
          shown({ name: 'rtt', overMs: HOUR_MS, calls: 5, raise: 400, clear: 300 }),
          shown({ name: 'no-reports', overMs: 2 * HOUR_MS, calls: 5, raise: 90, clear: 50 }),
          shown({ name: 'gone', overMs: 10 * 60_000, calls: 20, raise: 10, clear: 1 }),
          shown({ name: 'unreachable', overMs: 5 * 60_000, calls: 1, raise: 1, clear: 0 }),
          shown({ name: 'ami', overMs: 30_000, by: 'all', calls: 1, raise: 30, clear: 0 }),
        ],
      },
      history: {
        path: '/var/lib/asterisk-mes/mes.sqlite',
        keepIntervalsMs: 30 * DAY_MS,
        keepCallsMs: 400 * DAY_MS,
        numbers: 'clear',
        numbersKey: null,
      },
      phoneReports: null,
      networks: [],
      capture: { enabled: false, interface: 'any', ports: { lowest: 10_000, highest: 20_000 }, audio: false },
      measurements: {
        enabled: false,
        recipients: [],
        collector: null,
        uploadTo: null,
        include: ['calls', 'ratings'],
        endpoints: [],
        spool: '/var/lib/asterisk-mes/measurements',
        spoolMaxBytes: 100_000_000,
      },
      doctor: { accept: [] },
      fleet: null,
      ratings: NO_RATINGS,
      customProfile: {},
      codecs: new Map(),
      endpoints: [],
    });
  });

  it('come from the file', () => {
    const settings = load(
      `[general]
profile = asterisk-2026.09
good = 4.2
[ami]
host = pbx.example.org
port = 5039
username = file-user
secret = s3;cret\\;x ; comment
tls = yes
[ari]
url = http://127.0.0.1:8088/
username = a
password = b
[agi]
bind = [::1]:4574
peers = 192.0.2.0/24,2001:db8::7
secret = of-the-hangup-handler
[http]
bind = 0.0.0.0:80
token = abc.DEF
metrics_groups = 200
[writeback]
cdr = off
[history]
path = /tmp/x.sqlite
keep_intervals = 12h
keep_calls = 90m
numbers = hashed
numbers_key = sixteen or more characters
[doctor]
accept = direct-media, time-zone
[capture]
enabled = yes
interface = eth0
ports = 16384 - 32767
[alerts]
smtp = smtp://pbx%40example.com:p%3As@mail.example.com
from = pbx@example.com
to = a@example.com, b@example.com
webhook = https://example.com/hooks?key=1
webhook_secret = sixteen-or-more-characters
url = https://pbx.example.com/
digest = weekly
[alert:carrier]
what = loss
over = 30m
endpoint = PJSIP/a*, PJSIP/b
by = all
calls = 3
raise = 6
quiet = 22:00-06:30
again = 4h
[alert:bad-live]
send = yes
[phone_reports]
bind = 0.0.0.0:5063
peers = 192.0.2.0/24
[profile:custom]
base_r = 90
loss_unit = percent
[codec:G729]
delay_ms = 25
[endpoint:PJSIP/mobile*]
advantage = 10
[network:192.0.2.0/24]
site = Berlin
kind = wifi
country = DE
asn = 64496
[network:2001:db8::/32]
kind = vpn
`,
      {},
    );
    expect(settings).toEqual({
      general: { profile: 'asterisk-2026.09', thresholds: { good: 4.2, fair: 3.6, poor: 3.1 } },
      ami: { host: 'pbx.example.org', port: 5039, username: 'file-user', secret: 's3', tls: true },
      ari: { url: 'http://127.0.0.1:8088', username: 'a', password: 'b', app: 'mes' },
      agi: {
        bind: { host: '::1', port: 4574 },
        peers: [
          { address: '192.0.2.0', family: 'ipv4', prefixLength: 24 },
          { address: '2001:db8::7', family: 'ipv6', prefixLength: 128 },
        ],
        secret: 'of-the-hangup-handler',
      },
      http: { bind: { host: '0.0.0.0', port: 80 }, token: 'abc.DEF', metricsGroups: 200 },
      writeback: { variables: true, cdr: false },
      alerts: {
        smtp: { host: 'mail.example.com', port: 587, isTls: false, user: 'pbx@example.com', password: 'p:s' },
        from: 'pbx@example.com',
        to: ['a@example.com', 'b@example.com'],
        webhook: 'https://example.com/hooks?key=1',
        webhookSecret: 'sixteen-or-more-characters',
        url: 'https://pbx.example.com',
        digest: 'weekly',
        rules: [
          { ...shown({ name: 'bad-live', overMs: 15_000, calls: 1, raise: 1, clear: 0 }), send: true },
          ...loadSettings(undefined, 'mes.conf', LOGIN).alerts.rules.slice(1),
          {
            name: 'carrier',
            what: 'loss',
            overMs: HOUR_MS / 2,
            endpoints: ['PJSIP/a*', 'PJSIP/b'],
            by: 'all',
            calls: 3,
            raise: 6,
            // As the usual 3 and 1.
            clear: 2,
            quiet: { fromMinute: 1320, toMinute: 390 },
            againMs: 4 * HOUR_MS,
            send: true,
          },
        ],
      },
      history: {
        path: '/tmp/x.sqlite',
        keepIntervalsMs: DAY_MS / 2,
        keepCallsMs: 90 * 60_000,
        numbers: 'hashed',
        numbersKey: 'sixteen or more characters',
      },
      phoneReports: {
        bind: { host: '0.0.0.0', port: 5063 },
        peers: [{ address: '192.0.2.0', family: 'ipv4', prefixLength: 24 }],
      },
      networks: [
        {
          subnet: { address: '192.0.2.0', family: 'ipv4', prefixLength: 24 },
          site: 'Berlin',
          kind: 'wifi',
          country: 'DE',
          asn: 64496,
        },
        {
          subnet: { address: '2001:db8::', family: 'ipv6', prefixLength: 32 },
          site: null,
          kind: 'vpn',
          country: null,
          asn: null,
        },
      ],
      capture: { enabled: true, interface: 'eth0', ports: { lowest: 16_384, highest: 32_767 }, audio: false },
      measurements: load('').measurements,
      doctor: { accept: ['direct-media', 'time-zone'] },
      fleet: null,
      ratings: NO_RATINGS,
      customProfile: { baseR: 90, lossUnit: 'percent' },
      codecs: new Map([['g729', { delayMs: 25 }]]),
      endpoints: [{ pattern: 'PJSIP/mobile*', advantage: 10 }],
    });
  });

  it('of the environment win over the file, even over a value there that would be refused', () => {
    const settings = load('[ami]\nport = abc\nusername = file\n[codec:g729]\ndelay_ms = 25\n', {
      ...LOGIN,
      MES_AMI_PORT: ' 5040\n',
      MES_PROFILE_CUSTOM_RTT_FACTOR: '0.5',
      MES_CODEC_G729_DELAY_MS: '30',
      MES_CODEC_OPUS_DELAY_MS: '26.5',
      MES_CODEC_ULAW_BPL: '25.1',
      MES_CODEC_ULAW_IE: '0',
      MES_CODEC_ULAW_R0_IS: '94',
      MES_HTTP_TOKEN: '',
      MES_DEMO: 'not ours',
    });
    expect(settings.ami).toEqual({ host: '127.0.0.1', port: 5040, username: 'mes', secret: 'hunter2', tls: false });
    expect(settings.customProfile).toEqual({ rttFactor: 0.5 });
    expect(settings.codecs).toEqual(
      new Map([
        ['g729', { delayMs: 30 }],
        ['opus', { delayMs: 26.5 }],
        ['ulaw', { ie: 0, bpl: 25.1, r0Is: 94 }],
      ]),
    );
    expect(settings.http.token).toBeNull();
  });
});

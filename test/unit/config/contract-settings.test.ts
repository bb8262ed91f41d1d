import { describe, expect, test } from 'vitest';
import { environmentName } from '../../../src/config/setting-reader.ts';
import { loadSettings } from '../../../src/config/settings.ts';

const AGE_KEY = 'age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p';

/** Every section and key that users were promised, each with a value that is not its default. */
const PROMISED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  general: { profile: 'informed', good: '4.1', fair: '3.7', poor: '3.2' },
  ami: { host: '192.0.2.1', port: '5039', username: 'mes', secret: 'hunter2', tls: 'yes' },
  ari: { url: 'http://192.0.2.1:8088', username: 'mes', password: 'x', app: 'scores' },
  agi: { bind: '192.0.2.2:4574', peers: '192.0.2.0/24', secret: 'a-longer-secret' },
  http: { bind: '192.0.2.2:8091', token: 'token', metrics_groups: '40' },
  writeback: { variables: 'no', cdr: 'no' },
  history: {
    path: '/srv/mes.sqlite',
    keep_intervals: '20d',
    keep_calls: '300d',
    numbers: 'hashed',
    numbers_key: 'sixteen characters and more',
  },
  capture: { enabled: 'yes', interface: 'eth0', ports: '16384-32767', audio: 'yes' },
  ratings: {
    enabled: 'yes',
    ask_percent: '7.5',
    never: '110, 112, 911, PJSIP/lift*',
    code: '*638',
    questions_url: 'https://collector.example.org/v1/questions',
  },
  phone_reports: { bind: '0.0.0.0:5063', peers: '192.0.2.0/24' },
  measurements: {
    enabled: 'yes',
    recipient: AGE_KEY,
    collector: 'https://collector.example.org',
    include: 'calls',
    endpoints: 'PJSIP/carrier*',
    spool: '/srv/spool',
    spool_max: '50 MB',
  },
  alerts: {
    smtp: 'smtp://mail.example.org:587',
    from: 'pbx@example.org',
    to: 'noc@example.org',
    webhook: 'https://example.org/hook',
    digest: 'weekly',
  },
  'alert:carrier': { what: 'bad-calls', endpoint: 'PJSIP/carrier*', over: '2h', raise: '30' },
  fleet: { url: 'https://fleet.example.org', token: 'token', site: 'Berlin', send: 'intervals' },
  doctor: { accept: 'direct-media' },
  'profile:custom': {
    base_r: '90',
    rtt_factor: '0.4',
    jitter_sample: 'last',
    jitter_unit: 's',
    jitter_factor: '3',
    jitter_stdev_divisor: '2',
    codec_delay_ms: '11',
    latency_knee_ms: '170',
    latency_divisor_below: '41',
    latency_offset_ms: '121',
    latency_divisor_above: '11',
    loss_unit: 'percent',
    loss_per: 'report',
    loss_factor: '2.4',
  },
  'codec:g729': { delay_ms: '25', ie: '11', bpl: '19', r0_is: '93' },
  'endpoint:PJSIP/mobile*': { advantage: '10' },
};

const PAIRS = Object.entries(PROMISED).flatMap(([section, keys]) =>
  Object.entries(keys).map(([key, value]) => ({ section, key, value })),
);

/** The file with these values, or with only the headings of its sections. */
function fileOf(values: boolean): string {
  return Object.entries(PROMISED)
    .map(([section, keys]) => {
      const lines = Object.entries(keys).map(([key, value]) => `${key} = ${value}`);
      return [`[${section}]`, ...(values ? lines : [])].join('\n');
    })
    .join('\n');
}

const WRITTEN = loadSettings(fileOf(true), 'mes.conf', {});

describe('the settings that users were promised', () => {
  test('are all read, and none is at its default', () => {
    expect(WRITTEN).toMatchObject({
      general: { profile: 'informed', thresholds: { good: 4.1, fair: 3.7, poor: 3.2 } },
      http: { metricsGroups: 40 },
      capture: { enabled: true, interface: 'eth0', ports: { lowest: 16_384, highest: 32_767 }, audio: true },
      ratings: { code: '*638', askPercent: 7.5, questionsUrl: 'https://collector.example.org/v1/questions' },
      measurements: { spool: '/srv/spool', spoolMaxBytes: 50_000_000 },
      doctor: { accept: ['direct-media'] },
      customProfile: { baseR: 90, lossSample: 'report' },
      endpoints: [{ pattern: 'PJSIP/mobile*', advantage: 10 }],
    });
    expect(WRITTEN.codecs.get('g729')).toEqual({ delayMs: 25, ie: 11, bpl: 19, r0Is: 93 });
    expect(WRITTEN.alerts.rules.find(({ name }) => name === 'carrier')).toMatchObject({ raise: 30, overMs: 7_200_000 });
  });

  test.each(['documented', 'documented-per-report', 'informed', 'asterisk-22.10', 'asterisk-2026.09', 'custom'])(
    'have the profile %s',
    (profile) => {
      const text = `[general]\nprofile = ${profile}\n[ami]\nusername = mes\nsecret = x\n`;
      expect(loadSettings(text, 'mes.conf', {}).general.profile).toBe(profile);
    },
  );

  test('may all come from the environment, which gives the same as the file', () => {
    const env = Object.fromEntries(PAIRS.map(({ section, key, value }) => [environmentName(section, key), value]));
    expect(Object.keys(env)).toHaveLength(PAIRS.length);
    expect(loadSettings(fileOf(false), 'mes.conf', env)).toEqual(WRITTEN);
    expect(env).toMatchObject({
      MES_HTTP_METRICS_GROUPS: '40',
      MES_RATINGS_QUESTIONS_URL: 'https://collector.example.org/v1/questions',
      MES_PROFILE_CUSTOM_BASE_R: '90',
      MES_CODEC_G729_BPL: '19',
      MES_PHONE_REPORTS_BIND: '0.0.0.0:5063',
      MES_ALERT_CARRIER_RAISE: '30',
    });
  });

  test.each(PAIRS)(
    '[$section] $key may come from the environment alone, and misspelt it stops the start',
    ({ section, key, value }) => {
      const line = `\n${key} = ${value}`;
      const at = fileOf(true).indexOf(line, fileOf(true).indexOf(`[${section}]`));
      const without = fileOf(true).slice(0, at) + fileOf(true).slice(at + line.length);
      const name = environmentName(section, key);
      expect(loadSettings(without, 'mes.conf', { [name]: value })).toEqual(WRITTEN);
      expect(() => loadSettings(fileOf(true), 'mes.conf', { [`${name}X`]: value })).toThrow(`${name}X`);
    },
  );

  test('a variable of a section that the file has not is refused', () => {
    const env = { MES_AMI_USERNAME: 'mes', MES_AMI_SECRET: 'x', MES_ENDPOINT_PJSIP_MOBILE__ADVANTAGE: '10' };
    expect(() => loadSettings('', 'mes.conf', env)).toThrow('in [endpoint:PATTERN], and a variable changes a key');
    expect(loadSettings('[endpoint:PJSIP/mobile*]\n', 'mes.conf', env).endpoints).toEqual([
      { pattern: 'PJSIP/mobile*', advantage: 10 },
    ]);
  });
});

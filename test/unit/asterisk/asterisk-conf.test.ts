import { readdirSync, readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from 'vitest';
import { ALIVE_VARIABLE } from '../../../src/asterisk/ami/ami-actions.ts';
import { loadSettings, type Settings } from '../../../src/config/settings.ts';
import { SETTINGS } from '../../../src/config/settings-table.ts';
import { mesProfile } from '../../../src/score/profiles.ts';
import {
  DIGIT_CLASSES,
  NEEDED_READ_CLASSES,
  NEEDED_WRITE_CLASSES,
  RATING_CLASSES,
} from '../../../src/wire/ami/ami-classes.ts';

const folder = new URL('../../../asterisk-conf/', import.meta.url);
const read = (name: string): string => readFileSync(new URL(name, folder), 'utf8');
const CDR_FIELDS = [
  'mes',
  'mes_rx',
  'mes_tx',
  'mes_peer_rx',
  'mes_peer_tx',
  'mes_call',
  'mes_min',
  'mes_verdict',
  'mes_rating',
];

const DAY_MS = 24 * 60 * 60 * 1000;

/** The sample with every setting written out. */
function uncommented(): string {
  return read('mes.conf').replaceAll(/^;(?=\S)/gm, '');
}

function load(text: string): Settings {
  return loadSettings(text, 'mes.conf', {});
}

/** What each example is for, by the settings that differ from the defaults of the login alone. */
const EXAMPLES: Readonly<Record<string, object>> = {
  'small-office.conf': {},
  'freepbx.conf': {
    http: { bind: { host: '0.0.0.0' }, token: 'CHANGE-ME-TO-A-LONG-RANDOM-TOKEN' },
    history: { keepIntervalsMs: 90 * DAY_MS, keepCallsMs: 730 * DAY_MS },
    endpoints: [{ pattern: 'PJSIP/trunk-main' }, { pattern: 'PJSIP/trunk-backup' }],
  },
  'call-centre.conf': {
    general: { thresholds: { good: 4.1, fair: 3.8, poor: 3.4 } },
    http: { metricsGroups: 20 },
    history: {
      numbers: 'hashed',
      numbersKey: 'CHANGE-ME-TO-A-LONG-RANDOM-KEY',
      keepIntervalsMs: 14 * DAY_MS,
      keepCallsMs: 180 * DAY_MS,
    },
    capture: { enabled: true, interface: 'eth0' },
    endpoints: [{ pattern: 'PJSIP/agent-*' }, { pattern: 'PJSIP/mobile-*', advantage: 5 }],
  },
  'carrier.conf': {
    http: { metricsGroups: 200 },
    writeback: { variables: false },
    history: {
      path: '/srv/asterisk-mes/mes.sqlite',
      numbers: 'masked',
      keepIntervalsMs: 7 * DAY_MS,
      keepCallsMs: 365 * DAY_MS,
    },
    endpoints: [{ pattern: 'PJSIP/carrier-*' }, { pattern: 'PJSIP/customer-*' }],
  },
  'remote-asterisk.conf': {
    ami: { host: '192.0.2.10', port: 5039, tls: true },
    agi: {
      bind: { host: '192.0.2.20' },
      peers: [{ address: '192.0.2.10', family: 'ipv4', prefixLength: 32 }],
    },
    http: { token: 'CHANGE-ME-TO-A-LONG-RANDOM-TOKEN' },
  },
  'compare-with-asterisk.conf': {
    general: { profile: 'asterisk-2026.09' },
    ari: { url: 'http://127.0.0.1:8088', username: 'mes', password: 'CHANGE-ME', app: 'mes' },
    writeback: { variables: false, cdr: false },
    history: { keepIntervalsMs: 365 * DAY_MS },
    customProfile: { rttFactor: 0.5, lossUnit: 'percent' },
    codecs: new Map([['g729', { delayMs: 25 }]]),
  },
};

/** What of `value` is not as in `usual`; undefined when all of it is. */
function difference(value: unknown, usual: unknown): unknown {
  if (isDeepStrictEqual(value, usual)) return undefined;
  if (!isPlainObject(value) || !isPlainObject(usual)) return value;
  const entries = Object.keys(value).map((key) => [key, difference(value[key], usual[key])] as const);
  return Object.fromEntries(entries.filter(([, differs]) => differs !== undefined));
}

function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

describe('the examples of mes.conf', () => {
  const bare = load('[ami]\nusername = mes\nsecret = CHANGE-ME\n');

  it('are these, and README says what each is for', () => {
    const names = readdirSync(new URL('examples/', folder));
    expect(names.toSorted()).toEqual(Object.keys(EXAMPLES).toSorted());
    for (const name of names) expect(read('README.md')).toContain(`[\`${name}\`](examples/${name})`);
  });

  it.each(Object.entries(EXAMPLES))('%s is accepted and changes what it says', (name, changes) => {
    const text = read(`examples/${name}`);
    expect(text.startsWith(`; ${name} - `)).toBe(true);
    expect(text).toContain('\n; Goes into: /etc/asterisk/mes.conf');
    expect(difference(load(text), bare) ?? {}).toEqual(changes);
  });
});

describe('asterisk-conf', () => {
  it('says in each file where it goes', () => {
    const names = readdirSync(folder).filter((name) => name.includes('.') && name !== 'README.md');
    expect(names.length).toBeGreaterThanOrEqual(9);
    for (const name of names) {
      expect(read(name)).toContain(name);
      expect(read(name)).toContain('Goes into: ');
      expect(read('README.md')).toContain(`\`${name}\``);
    }
  });

  it('has a mes.conf that is accepted as it is, and with every setting written out', () => {
    const bare = load('[ami]\nusername = mes\nsecret = CHANGE-ME\n');
    expect(load(read('mes.conf'))).toEqual(bare);
    const { customProfile, codecs, endpoints, ...rest } = load(uncommented());
    expect(rest).toEqual({ ...rest, general: bare.general, ami: bare.ami, ari: null, agi: bare.agi, http: bare.http });
    expect(rest).toMatchObject({
      writeback: bare.writeback,
      history: bare.history,
      capture: bare.capture,
      measurements: bare.measurements,
    });
    expect(mesProfile('custom', customProfile)).toEqual({ ...mesProfile('documented'), name: 'custom' });
    expect([...codecs]).toEqual([['g729', { delayMs: 25, ie: 10, bpl: 19, r0Is: 93.25 }]]);
    expect(endpoints).toEqual([{ pattern: 'PJSIP/mobile*', advantage: 10 }]);
  });

  it('has a mes.conf that leaves no setting out', () => {
    const text = uncommented();
    for (const [section, keys] of Object.entries(SETTINGS)) {
      const body = text.slice(text.indexOf(`[${section}]\n`)).split(/\n\[/, 1)[0] ?? '';
      for (const key of Object.keys(keys)) expect(body).toMatch(new RegExp(`^${key} =`, 'm'));
    }
  });

  it('asks for the classes that are checked for, and no others', () => {
    expect(read('manager_mes.conf')).toMatch(
      new RegExp(`^read = ${[...NEEDED_READ_CLASSES, ...DIGIT_CLASSES, ...RATING_CLASSES].join(',')}$`, 'm'),
    );
    expect(read('manager_mes.conf')).toMatch(
      new RegExp(`^write = ${[...NEEDED_WRITE_CLASSES, ...RATING_CLASSES].join(',')}$`, 'm'),
    );
  });

  it('looks for the sidecar where it listens by default, and for the variable that it sets', () => {
    const { agi } = load('[ami]\nusername = mes\nsecret = x\n');
    expect(read('extensions_mes.conf')).toContain(`AGI(agi://${agi.bind.host}:${agi.bind.port}/hangup)`);
    expect(read('extensions_mes.conf')).toContain(`GLOBAL(${ALIVE_VARIABLE})`);
  });

  it.each(['cdr_custom_mes.conf', 'cdr_sqlite3_custom_mes.conf'])('writes every field: %s', (name) => {
    for (const field of CDR_FIELDS) expect(read(name)).toContain('$'.concat(`{CDR(${field})}`));
  });

  it.each(['cdr_adaptive_odbc_mes.sql', 'cdr_pgsql_mes.sql'])('has every column: %s', (name) => {
    for (const field of CDR_FIELDS) expect(read(name)).toMatch(new RegExp(`ADD COLUMN ${field} `));
  });
});

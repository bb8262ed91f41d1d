import {
  CONFIG_FILES,
  CONFIG_VALUES,
  type ConfigFileName,
  type DoctorFacts,
  type ModuleName,
  MODULES,
} from '../../../src/doctor/facts.ts';
import { type AsteriskConfig, readAsteriskConfig } from '../../../src/wire/asterisk-conf.ts';

/** The text of Asterisk's files in an installation where all is well. */
export const GOOD_FILES = {
  'manager.conf':
    '[general]\nenabled = yes\n[mes]\nsecret = x\nread = call,reporting,dtmf\nwrite = call\nwritetimeout = 5000\n',
  'rtp.conf': '[general]\nrtpstart = 10000\n',
  'extensions.conf':
    '[mes]\nexten => s,1,Return()\n[mes-hangup]\nexten => s,1,AGI(agi://127.0.0.1:4573/hangup)\n[in]\nexten => 1,1,Gosub(mes,s,1)\n',
  'pjsip.conf': '',
  'sip.conf': '',
  'cdr.conf': '[general]\n',
  'cdr_custom.conf': `[mappings]\nMaster.csv => \${CDR(src)},\${CDR(mes)}\n`,
  'cdr_sqlite3_custom.conf': '',
  'cdr_manager.conf': '',
  'cdr_adaptive_odbc.conf': '',
  'cdr_pgsql.conf': '',
  'cdr_mysql.conf': '',
  'cdr_syslog.conf': '',
  'freepbx_chown.conf': '',
  'http.conf': '',
  'ari.conf': '',
} as const satisfies Readonly<Record<ConfigFileName, string>>;

/** What doctor sees there through the files alone, with `texts` in place of some. */
export function filesFrom(
  texts: Readonly<Partial<Record<ConfigFileName, string>>> = {},
): Record<ConfigFileName, AsteriskConfig | null> {
  const files = CONFIG_FILES.map((name) => [name, readAsteriskConfig(name, texts[name] ?? GOOD_FILES[name], () => [])]);
  return Object.fromEntries(files) as Record<ConfigFileName, AsteriskConfig>;
}

export const UNTOLD = Object.fromEntries(
  Object.keys(CONFIG_VALUES).map((name) => [name, null]),
) as DoctorFacts['values'];

export const NO_FILES = Object.fromEntries(CONFIG_FILES.map((name) => [name, null])) as DoctorFacts['files'];

/** Those loaded and no others; null: nobody knows. */
export function modules(loaded: readonly ModuleName[] | null): DoctorFacts['modules'] {
  const known = MODULES.map((name) => [name, loaded === null ? null : loaded.includes(name)]);
  return Object.fromEntries(known) as DoctorFacts['modules'];
}

/** An installation where all is well, written down by hand. */
export const WELL: DoctorFacts = {
  nodeVersion: '24.21.0',
  settings: {
    file: 'mes.conf',
    amiHost: '127.0.0.1',
    amiPort: 5038,
    amiTls: false,
    amiUsername: 'mes',
    amiSecret: 'never shown',
    agiBind: '127.0.0.1:4573',
    agiScript: 'hangup',
    writesVariables: true,
    writesCdr: true,
    captures: false,
    usesRatings: false,
    sendsAlerts: false,
    accepted: [],
  },
  ami: {
    state: 'logged-in',
    problem: null,
    read: 'call,reporting,dtmf',
    write: 'call',
    mayWrite: true,
    writeTimeout: '5000',
    filters: [],
  },
  asteriskVersion: '18.26.1',
  isFreePbx: false,
  files: filesFrom(),
  values: UNTOLD,
  modules: modules(['cdr_custom', 'cdr_sqlite3_custom', 'cdr_manager', 'cdr_csv']),
  dialplan: { hasMes: true, hasMesHangup: true },
  endpoints: [
    { name: 'alice', directMedia: false },
    { name: 'trunk', directMedia: true },
  ],
  sipPeers: [],
  ownDialOptions: [],
  reporters: [{ endpoint: 'PJSIP/alice', calls: 12, unusableCalls: 2 }],
  fastAgi: { isListening: true, fromAsterisk: 'taken' },
  ari: null,
  clock: { aheadMs: 3, asteriskOffsetMinutes: 60, ownOffsetMinutes: 60 },
  disk: { path: '/var/lib/asterisk-mes/mes.sqlite', problem: null, freeBytes: 50e9 },
  sidecar: { url: 'http://127.0.0.1:8090', isRunning: true, problem: null },
  readyLines: (name) => [`first line of ${name}`],
};

/** The same where nothing could be asked of Asterisk, and no file be read. */
export const BLIND: DoctorFacts = {
  ...WELL,
  ami: {
    state: 'unreachable',
    problem: 'Nothing listens on 127.0.0.1:5038',
    read: null,
    write: null,
    mayWrite: null,
    writeTimeout: null,
    filters: null,
  },
  asteriskVersion: null,
  files: NO_FILES,
  modules: modules(null),
  dialplan: { hasMes: null, hasMesHangup: null },
  endpoints: null,
  sipPeers: null,
  ownDialOptions: null,
  reporters: null,
  clock: { aheadMs: null, asteriskOffsetMinutes: null, ownOffsetMinutes: 60 },
  fastAgi: { isListening: false, fromAsterisk: null },
  sidecar: { url: 'http://127.0.0.1:8090', isRunning: false, problem: null },
};

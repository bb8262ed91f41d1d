import type { AsteriskConfig } from '../wire/asterisk-conf.ts';

/** What was found out about an installation. Null everywhere: it could not be looked at. */
export interface DoctorFacts {
  readonly nodeVersion: string;
  readonly settings: SettingsFacts;
  readonly ami: AmiFacts;
  /** Such as `22.10.1`. */
  readonly asteriskVersion: string | null;
  /** Whether FreePBX writes Asterisk's files. */
  readonly isFreePbx: boolean;
  /** Asterisk's configuration files by name, such as `manager.conf`; null: it could not be read, or is not there. */
  readonly files: Readonly<Record<ConfigFileName, AsteriskConfig | null>>;
  /** Single values that Asterisk itself read out of its files; null: not asked, or no answer; '' is not set. */
  readonly values: Readonly<Record<ConfigValueName, string | null>>;
  /** Whether a module is loaded. */
  readonly modules: Readonly<Record<ModuleName, boolean | null>>;
  readonly dialplan: DialplanFacts;
  readonly endpoints: readonly EndpointFacts[] | null;
  /** Those of chan_sip that sip.conf names or that have a state. */
  readonly sipPeers: readonly SipPeerFacts[] | null;
  readonly fastAgi: FastAgiFacts;
  /** Null: ARI is not used. */
  readonly ari: { readonly url: string; readonly problem: string | null } | null;
  readonly clock: ClockFacts;
  readonly disk: DiskFacts;
  readonly sidecar: SidecarFacts;
  /** The lines of the ready files in `asterisk-conf/`, without comments. */
  readonly readyLines: (name: string) => readonly string[];
}

export const CONFIG_FILES = [
  'manager.conf',
  'rtp.conf',
  'extensions.conf',
  'pjsip.conf',
  'sip.conf',
  'cdr.conf',
  'cdr_custom.conf',
  'cdr_sqlite3_custom.conf',
  'cdr_manager.conf',
  'cdr_adaptive_odbc.conf',
  'cdr_pgsql.conf',
  'cdr_mysql.conf',
  'cdr_syslog.conf',
] as const;
export type ConfigFileName = (typeof CONFIG_FILES)[number];

/** What can be asked for by name where files cannot be read: file, section and key. */
export const CONFIG_VALUES = {
  rtcpInterval: ['rtp.conf', 'general', 'rtcpinterval'],
  cdrEnable: ['cdr.conf', 'general', 'enable'],
  endBeforeHExten: ['cdr.conf', 'general', 'endbeforehexten'],
  customMes: ['cdr_custom.conf', 'mappings', 'mes.csv'],
  customMaster: ['cdr_custom.conf', 'mappings', 'Master.csv'],
  sqliteColumns: ['cdr_sqlite3_custom.conf', 'master', 'columns'],
  sqliteValues: ['cdr_sqlite3_custom.conf', 'master', 'values'],
  cdrManagerEnabled: ['cdr_manager.conf', 'general', 'enabled'],
  cdrManagerMes: ['cdr_manager.conf', 'mappings', 'mes'],
  sipDirectMedia: ['sip.conf', 'general', 'directmedia'],
  sipCanReinvite: ['sip.conf', 'general', 'canreinvite'],
} as const satisfies Readonly<Record<string, readonly [ConfigFileName, string, string]>>;
export type ConfigValueName = keyof typeof CONFIG_VALUES;

export const MODULES = [
  'cdr_custom',
  'cdr_sqlite3_custom',
  'cdr_adaptive_odbc',
  'cdr_pgsql',
  'cdr_manager',
  'cdr_mysql',
  'cdr_syslog',
  'cdr_csv',
  'cdr_odbc',
  'cdr_tds',
  'cdr_radius',
  'cdr_beanstalkd',
  'chan_sip',
] as const;
export type ModuleName = (typeof MODULES)[number];

export interface SettingsFacts {
  /** The path of mes.conf. */
  readonly file: string;
  readonly amiHost: string;
  readonly amiPort: number;
  readonly amiTls: boolean;
  readonly amiUsername: string;
  /** `127.0.0.1:4573` */
  readonly agiBind: string;
  readonly writesVariables: boolean;
  readonly writesCdr: boolean;
}

export interface AmiFacts {
  readonly state: 'logged-in' | 'unreachable' | 'refused';
  /** One sentence; null when logged in. */
  readonly problem: string | null;
  /** The user's lines in manager.conf as Asterisk sees them, the last of each; '' is not set. */
  readonly read: string | null;
  readonly write: string | null;
  /** False: an action of class `call` was refused. */
  readonly mayWrite: boolean | null;
  readonly writeTimeout: string | null;
  /** The user's `eventfilter` lines; those of the newer form, `eventfilter(…)`, cannot be asked for. */
  readonly filters: readonly string[] | null;
}

export interface DialplanFacts {
  /** Whether `[mes]` and `[mes-hangup]` are there. */
  readonly hasMes: boolean | null;
  readonly hasMesHangup: boolean | null;
}

export interface EndpointFacts {
  readonly name: string;
  readonly directMedia: boolean;
}

export interface SipPeerFacts {
  readonly name: string;
  /** Its own `directmedia`, or `canreinvite`, which is the same; '': that of [general] holds. */
  readonly directMedia: string;
}

export interface FastAgiFacts {
  /** Whether something listens at the sidecar's address. */
  readonly isListening: boolean;
  /** What became of a connection that Asterisk was made to open: taken, turned away for its address, or never there. */
  readonly fromAsterisk: 'taken' | 'refused' | 'absent' | null;
}

export interface ClockFacts {
  /** By how much Asterisk's clock is ahead of ours at least; negative when it is behind. */
  readonly aheadMs: number | null;
  readonly asteriskOffsetMinutes: number | null;
  readonly ownOffsetMinutes: number;
}

export interface DiskFacts {
  readonly path: string;
  /** Null: all is well. */
  readonly problem: string | null;
  readonly freeBytes: number | null;
}

export interface SidecarFacts {
  /** `http://127.0.0.1:8090` */
  readonly url: string;
  readonly isRunning: boolean;
  /** What it says is wrong; null when it is ready, or not running. */
  readonly problem: string | null;
}

import type { AsteriskConfig } from '../wire/asterisk-conf.ts';

/** What is known of an installation. Null always means not known. */
export interface DoctorFacts {
  readonly nodeVersion: string;
  readonly settings: SettingsFacts;
  readonly ami: AmiFacts;
  /** Such as `22.10.1`. */
  readonly asteriskVersion: string | null;
  /** Whether FreePBX writes Asterisk's files. */
  readonly isFreePbx: boolean;
  /** Asterisk's configuration files by name, such as `manager.conf`; null: missing or unreadable. */
  readonly files: Readonly<Record<ConfigFileName, AsteriskConfig | null>>;
  /** Values as Asterisk itself has them; null: nobody asked, or no answer came; '': not set. */
  readonly values: Readonly<Record<ConfigValueName, string | null>>;
  /** Whether a module is loaded. */
  readonly modules: Readonly<Record<ModuleName, boolean | null>>;
  readonly dialplan: DialplanFacts;
  readonly endpoints: readonly EndpointFacts[] | null;
  /** The peers of chan_sip: those in sip.conf and those that have a device state. */
  readonly sipPeers: readonly SipPeerFacts[] | null;
  /** FreePBX only: dial options in AstDB that replace the global ones. */
  readonly ownDialOptions: readonly OwnDialOptions[] | null;
  /** How usable the reports of each endpoint were in the last days; null: the history cannot be read. */
  readonly reporters: readonly ReporterFacts[] | null;
  readonly fastAgi: FastAgiFacts;
  /** Null: ARI is not used. */
  readonly ari: {
    readonly url: string;
    readonly problem: string | null;
    readonly username: string;
    /** Only compared, never shown. */
    readonly password: string;
  } | null;
  readonly clock: ClockFacts;
  readonly disk: DiskFacts;
  readonly sidecar: SidecarFacts;
  /** The lines of a ready file in `asterisk-conf/`, without comments. */
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
  'freepbx_chown.conf',
  'http.conf',
  'ari.conf',
] as const;
export type ConfigFileName = (typeof CONFIG_FILES)[number];

/** Where AMI finds a value when the files cannot be read: file, section, key. */
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
  /** Only compared, never shown. */
  readonly amiSecret: string;
  /** `127.0.0.1:4573` */
  readonly agiBind: string;
  /** The script that the hangup handler has to ask for: `hangup`, or `hangup/SECRET`. Never shown. */
  readonly agiScript: string;
  readonly writesVariables: boolean;
  readonly writesCdr: boolean;
  /** [capture] enabled */
  readonly captures: boolean;
  /** [ratings] enabled */
  readonly usesRatings: boolean;
  /** Whether some [alert:NAME] is sent. */
  readonly sendsAlerts: boolean;
  /** Checks whose findings the settings accept. */
  readonly accepted: readonly string[];
}

export interface AmiFacts {
  readonly state: 'logged-in' | 'unreachable' | 'refused';
  /** One sentence; null when logged in. */
  readonly problem: string | null;
  /** The classes in manager.conf as Asterisk has them: the last line of each key; '': not set. */
  readonly read: string | null;
  readonly write: string | null;
  /** False: Asterisk refused an action of class `call`. */
  readonly mayWrite: boolean | null;
  readonly writeTimeout: string | null;
  /** The user's `eventfilter` lines. AMI does not show lines of the new form, `eventfilter(…)`. */
  readonly filters: readonly string[] | null;
}

export interface DialplanFacts {
  /** Whether the dialplan has `[mes]` and `[mes-hangup]`. */
  readonly hasMes: boolean | null;
  readonly hasMesHangup: boolean | null;
}

export interface EndpointFacts {
  readonly name: string;
  readonly directMedia: boolean;
}

export interface OwnDialOptions {
  /** What the number stands for. */
  readonly kind: 'extension' | 'trunk';
  /** An extension such as `201`, or FreePBX's own number of a trunk. */
  readonly number: string;
  /** The options; '': none, which replaces the global ones, too; null: they exist, but are not known. */
  readonly options: string | null;
}

export interface ReporterFacts {
  readonly endpoint: string;
  /** Calls in which the endpoint's reports came. */
  readonly calls: number;
  /** Those of them in which most reports were about another stream than the one that we sent. */
  readonly unusableCalls: number;
}

export interface SipPeerFacts {
  readonly name: string;
  /** The peer's own `directmedia` or `canreinvite`, which means the same; '': [general] applies. */
  readonly directMedia: string;
}

export interface FastAgiFacts {
  /** Whether something listens at the sidecar's address. */
  readonly isListening: boolean;
  /** What happened to a connection that Asterisk opened on request: accepted, refused for its address, or never arrived. */
  readonly fromAsterisk: 'taken' | 'refused' | 'absent' | null;
}

export interface ClockFacts {
  /** How far Asterisk's clock is ahead of ours, at least; negative: it is behind; null: not known. */
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
  /** The problem that it reports; null when it is ready or not running. */
  readonly problem: string | null;
}

import type { AlertRule } from '../model/alert.ts';
import type { CodecSettings, CodecTable, MesProfile, ProfileName, VerdictThresholds } from '../model/score.ts';
import type { Subnet } from '../model/subnet.ts';
import { ALERT_SETTINGS, alertRules, type GivenRule } from './alert-rules.ts';
import { parseConf } from './conf-file.ts';
import { type RatingSettings, ratingSettings } from './rating-settings.ts';
import { checkEnvironment } from './environment.ts';
import { type NamedSections, namedSections } from './named-sections.ts';
import { type NetworkSettings, readNetworks } from './networks.ts';
import { environmentName, SettingReader, type Environment } from './setting-reader.ts';
import { SettingsError } from './settings-error.ts';
import { CODEC_SETTINGS, ENDPOINT_SETTINGS, SETTINGS } from './settings-table.ts';
import { isLoopback, type HostAndPort, type PortRange, type SmtpServer } from './value-types.ts';

/** The numbers that `[profile:custom]` gives; the others are those of `documented`. */
export type CustomProfile = Partial<
  Omit<MesProfile, 'name' | 'clampBelowOne' | 'usesDelayOfCodec' | 'usesCodecImpairment'>
>;

export interface EndpointSettings {
  /** An endpoint, or its beginning and `*`. */
  readonly pattern: string;
  readonly advantage: number | undefined;
}

/** All settings, checked, with their defaults filled in. */
export interface Settings {
  readonly general: { readonly profile: ProfileName; readonly thresholds: VerdictThresholds };
  readonly ami: {
    readonly host: string;
    readonly port: number;
    readonly username: string;
    readonly secret: string;
    readonly tls: boolean;
  };
  /** Null: ARI is not used. `url` has no slash at its end. */
  readonly ari: {
    readonly url: string;
    readonly username: string;
    readonly password: string;
    readonly app: string;
  } | null;
  /** `secret` null: the hangup handler needs none. */
  readonly agi: { readonly bind: HostAndPort; readonly peers: readonly Subnet[]; readonly secret: string | null };
  readonly http: { readonly bind: HostAndPort; readonly token: string | null; readonly metricsGroups: number };
  readonly writeback: { readonly variables: boolean; readonly cdr: boolean };
  readonly alerts: {
    /** Null: no mail is sent, and `from` and `to` may be missing. */
    readonly smtp: SmtpServer | null;
    readonly from: string | null;
    readonly to: readonly string[];
    readonly webhook: string | null;
    readonly webhookSecret: string | null;
    /** Has no slash at its end; null: links use the address that REST listens on. */
    readonly url: string | null;
    readonly digest: 'off' | 'daily' | 'weekly';
    readonly rules: readonly AlertRule[];
  };
  readonly history: {
    readonly path: string;
    readonly keepIntervalsMs: number;
    readonly keepCallsMs: number;
    readonly numbers: 'clear' | 'masked' | 'hashed';
    /** Not null when numbers are hashed. */
    readonly numbersKey: string | null;
  };
  /** Null: reports of phones are not taken. No peers: they are taken from any address. */
  readonly phoneReports: { readonly bind: HostAndPort; readonly peers: readonly Subnet[] } | null;
  readonly networks: readonly NetworkSettings[];
  readonly capture: {
    readonly enabled: boolean;
    readonly interface: string;
    readonly ports: PortRange;
    readonly audio: boolean;
  };
  readonly measurements: {
    readonly enabled: boolean;
    /** Public keys of age; not empty when enabled. */
    readonly recipients: readonly string[];
    /** Null: measurements stay in the spool until somebody exports them. */
    readonly collector: string | null;
    readonly uploadTo: string | null;
    readonly include: readonly ('calls' | 'ratings')[];
    /** Endpoints, or the beginning of their names and `*`; empty: all endpoints. */
    readonly endpoints: readonly string[];
    readonly spool: string;
    readonly spoolMaxBytes: number;
  };
  /** Ids of doctor's checks. */
  readonly doctor: { readonly accept: readonly string[] };
  /** Null: nothing is shipped. */
  readonly fleet: {
    readonly url: string;
    readonly token: string;
    readonly site: string | null;
    readonly send: 'summaries' | 'bad-intervals' | 'intervals';
  } | null;
  readonly ratings: RatingSettings;
  readonly customProfile: CustomProfile;
  readonly codecs: CodecTable;
  /** In the order of the file; the first that matches counts. */
  readonly endpoints: readonly EndpointSettings[];
}

/** Drops undefined values, so that a spread over defaults keeps the defaults. */
function given<T extends object>(values: T): { [Key in keyof T]?: Exclude<T[Key], undefined> } {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [Key in keyof T]?: Exclude<T[Key], undefined> };
}

/** Checks settings against each other. */
function combinedProblems(settings: Settings, problems: string[]): string[] {
  const { good, fair, poor } = settings.general.thresholds;
  if (good < fair || fair < poor) {
    problems.push(
      `[general] good = ${good}, fair = ${fair}, poor = ${poor} are out of order; give good the highest and poor the lowest`,
    );
  }
  const { bind, token } = settings.http;
  if (!isLoopback(bind.host) && token === null) {
    problems.push(
      `[http] bind = ${bind.host} can be reached from other machines and needs a token; set token in [http] or ${environmentName('http', 'token')}, or bind to 127.0.0.1`,
    );
  }
  if (settings.history.numbers === 'hashed' && settings.history.numbersKey === null) {
    problems.push(
      `[history] numbers = hashed needs a key; set numbers_key in [history] or ${environmentName('history', 'numbers_key')} to a random text that you keep`,
    );
  }
  if (settings.measurements.enabled && settings.measurements.recipients.length === 0) {
    problems.push(
      `[measurements] enabled = yes needs somebody who can read them; set recipient in [measurements] or ${environmentName('measurements', 'recipient')} to a public key of age (age1…), or set enabled = no`,
    );
  }
  if (settings.measurements.enabled && settings.measurements.include.length === 0) {
    problems.push(
      '[measurements] enabled = yes and an empty include leave nothing to send; set include to calls, ratings or both, or set enabled = no',
    );
  }
  const { smtp, from, to, digest } = settings.alerts;
  if (smtp !== null && (from === null || to.length === 0)) {
    problems.push(`[alerts] smtp is set but ${from === null ? 'from' : 'to'} is missing; set both in [alerts]`);
  }
  if (digest !== 'off' && smtp === null) {
    problems.push(`[alerts] digest = ${digest} needs a mail server; set smtp, from and to in [alerts]`);
  }
  return problems;
}

/** The alert rules: those of `[alert:NAME]`, and those that hold without a section. */
function readRules(reader: SettingReader, sections: NamedSections['alerts']): readonly AlertRule[] {
  const written = new Map<string, GivenRule>();
  for (const [name, section] of sections) written.set(name, reader.section(section.name, ALERT_SETTINGS, section));
  return alertRules(written, (name, problem) =>
    reader.refuseLine(sections.get(name)?.line ?? 0, `[alert:${name}] ${problem}`),
  );
}

/** The settings of commands that do not talk to Asterisk. */
export type OfflineSettings = Omit<Settings, 'ami'>;

/** Like `loadSettings`, but nobody need say how to log in to Asterisk. */
export function loadOfflineSettings(text: string | undefined, fileName: string, env: Environment): OfflineSettings {
  return load(text, fileName, env, true);
}

/**
 * Reads all settings from the text of `mes.conf` (undefined: there is no file) and the environment, whose `MES_<SECTION>_<KEY>`
 * override the file. Durations become milliseconds. `fileName` is for messages only. Throws SettingsError with every problem
 * found, one sentence each.
 */
export function loadSettings(text: string | undefined, fileName: string, env: Environment): Settings {
  return load(text, fileName, env, false);
}

function load(text: string | undefined, fileName: string, env: Environment, isOffline: boolean): Settings {
  const file = parseConf(text ?? '');
  const reader = new SettingReader(file, fileName, env);
  const written = new Map(file.sections.map((section) => [section.name, section]));
  const read = <Name extends keyof typeof SETTINGS>(name: Name) =>
    reader.section(name, SETTINGS[name], written.get(name));

  const { profile, ...thresholds } = read('general');
  const ami = reader.section('ami', SETTINGS.ami, written.get('ami'), isOffline);
  const ari = read('ari');
  const agi = read('agi');
  const http = read('http');
  const writeback = read('writeback');
  const alerts = read('alerts');
  const history = read('history');
  const phoneReports = read('phone_reports');
  const capture = read('capture');
  const measurements = read('measurements');
  const doctor = read('doctor');
  const fleet = read('fleet');
  const custom = read('profile:custom');
  const ratings = read('ratings');
  const named = namedSections(reader, file.sections, env);
  const codecs = new Map<string, CodecSettings>();
  for (const [name, section] of named.codecs) {
    const { delay_ms, ie, bpl, r0_is } = reader.section(section?.name ?? `codec:${name}`, CODEC_SETTINGS, section);
    const own = given({ delayMs: delay_ms, ie, bpl, r0Is: r0_is });
    if (Object.keys(own).length > 0) codecs.set(name, own);
  }
  const endpoints = [...named.endpoints].map(([pattern, section]) => ({
    pattern,
    ...reader.section(section.name, ENDPOINT_SETTINGS, section),
  }));
  const rules = readRules(reader, named.alerts);
  const networks = readNetworks(reader, named.networks);
  checkEnvironment(
    reader,
    env,
    file.sections.map(({ name }) => name),
  );
  if (reader.problems.length > 0) {
    throw new SettingsError(
      reader.problems.sort((a, b) => (a.line < b.line ? -1 : Number(a.line > b.line))).map(({ sentence }) => sentence),
    );
  }

  const ariIsComplete = ari.url !== null && ari.username !== null && ari.password !== null;
  const settings: Settings = {
    general: { profile, thresholds },
    ami,
    ari: ariIsComplete ? { url: ari.url, username: ari.username, password: ari.password, app: ari.app } : null,
    agi,
    http: { bind: http.bind, token: http.token, metricsGroups: http.metrics_groups },
    writeback,
    alerts: {
      smtp: alerts.smtp,
      from: alerts.from,
      to: alerts.to,
      webhook: alerts.webhook,
      webhookSecret: alerts.webhook_secret,
      url: alerts.url,
      digest: alerts.digest,
      rules,
    },
    history: {
      path: history.path,
      keepIntervalsMs: history.keep_intervals,
      keepCallsMs: history.keep_calls,
      numbers: history.numbers,
      numbersKey: history.numbers_key,
    },
    phoneReports: phoneReports.bind === null ? null : { bind: phoneReports.bind, peers: phoneReports.peers ?? [] },
    networks,
    capture,
    measurements: {
      enabled: measurements.enabled,
      recipients: measurements.recipient,
      collector: measurements.collector,
      uploadTo: measurements.upload_to,
      include: measurements.include,
      endpoints: measurements.endpoints,
      spool: measurements.spool,
      spoolMaxBytes: measurements.spool_max,
    },
    doctor: { accept: doctor.accept },
    fleet:
      fleet.url !== null && fleet.token !== null
        ? { url: fleet.url, token: fleet.token, site: fleet.site, send: fleet.send }
        : null,
    ratings: ratingSettings(ratings),
    customProfile: given({
      baseR: custom.base_r,
      rttFactor: custom.rtt_factor,
      jitterSample: custom.jitter_sample,
      jitterUnit: custom.jitter_unit,
      jitterFactor: custom.jitter_factor,
      jitterStdevDivisor: custom.jitter_stdev_divisor,
      codecDelayMs: custom.codec_delay_ms,
      latencyKneeMs: custom.latency_knee_ms,
      latencyDivisorBelow: custom.latency_divisor_below,
      latencyOffsetMs: custom.latency_offset_ms,
      latencyDivisorAbove: custom.latency_divisor_above,
      lossUnit: custom.loss_unit,
      lossSample: custom.loss_per,
      lossFactor: custom.loss_factor,
    }),
    codecs,
    endpoints,
  };
  const incomplete: string[] = [];
  if (ari.url !== null && !ariIsComplete) {
    incomplete.push(
      `[ari] url is set but ${ari.username === null ? 'username' : 'password'} is missing; set username and password in [ari] of ${fileName}, or ${environmentName('ari', 'username')} and ${environmentName('ari', 'password')}`,
    );
  }
  if (fleet.url !== null && fleet.token === null) {
    incomplete.push(
      `[fleet] url is set but token is missing; set token in [fleet] of ${fileName}, or ${environmentName('fleet', 'token')}, to what "asterisk-mes fleet add-pbx" printed`,
    );
  }
  const problems = combinedProblems(settings, incomplete);
  if (problems.length > 0) throw new SettingsError(problems);
  return settings;
}

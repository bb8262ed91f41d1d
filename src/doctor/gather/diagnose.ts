import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { AmiInquiry } from '../../asterisk/ami/ami-inquiry.ts';
import { DEFAULT_SETTINGS_PATH, readSettings } from '../../config/read-settings.ts';
import type { Environment } from '../../config/setting-reader.ts';
import { SettingsError } from '../../config/settings-error.ts';
import type { Settings } from '../../config/settings.ts';
import { examine, examineWithoutSettings } from '../examine.ts';
import type { DoctorFacts } from '../facts.ts';
import type { Finding } from '../finding.ts';
import { asteriskFacts, openInquiry } from './asterisk-facts.ts';
import { hostAndPortText } from '../../config/value-types.ts';
import { ariFacts, diskFacts, fastAgiFacts, reporterFacts, sidecarFacts } from './own-facts.ts';

export interface DoctorOptions {
  /** Undefined: the default place. */
  readonly config: string | undefined;
  /** The directory of Asterisk's files; undefined: the one that Asterisk names, if it is on this machine. */
  readonly asteriskDirectory: string | undefined;
  readonly env: Environment;
  /** Returns the lines of a ready file of `asterisk-conf/`, without comments. */
  readonly readyLines: DoctorFacts['readyLines'];
}

/** Doctor cannot look at anything; the message is one sentence. */
export class DoctorError extends Error {
  override readonly name = 'DoctorError';
}

export interface DoctorReport {
  readonly asteriskVersion: string | null;
  readonly findings: readonly Finding[];
}

/** Examines the installation and changes nothing. Throws DoctorError. */
export async function diagnose({ config, asteriskDirectory, env, readyLines }: DoctorOptions): Promise<DoctorReport> {
  if (asteriskDirectory !== undefined && !existsSync(join(asteriskDirectory, 'manager.conf'))) {
    throw new DoctorError(
      `${asteriskDirectory} has no manager.conf; name the directory of Asterisk's files with --asterisk-dir`,
    );
  }
  let settings: Settings;
  try {
    settings = await readSettings(config, env);
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    return { asteriskVersion: null, findings: examineWithoutSettings(error.problems, process.versions.node) };
  }
  const facts = { ...(await gather(settings, config, asteriskDirectory)), readyLines };
  return { asteriskVersion: facts.asteriskVersion, findings: examine(facts) };
}

async function gather(
  settings: Settings,
  config: string | undefined,
  asteriskDirectory: string | undefined,
): Promise<Omit<DoctorFacts, 'readyLines'>> {
  const inquiry = await openInquiry(settings);
  const open = inquiry instanceof AmiInquiry ? inquiry : undefined;
  try {
    const { clock, ...asterisk } = await asteriskFacts(inquiry, settings, asteriskDirectory);
    const sidecar = await sidecarFacts(settings);
    return {
      ...asterisk,
      nodeVersion: process.versions.node,
      settings: {
        file: config ?? DEFAULT_SETTINGS_PATH,
        amiHost: settings.ami.host,
        amiPort: settings.ami.port,
        amiTls: settings.ami.tls,
        amiUsername: settings.ami.username,
        amiSecret: settings.ami.secret,
        agiBind: hostAndPortText(settings.agi.bind),
        agiScript: settings.agi.secret === null ? 'hangup' : `hangup/${settings.agi.secret}`,
        writesVariables: settings.writeback.variables,
        writesCdr: settings.writeback.cdr,
        captures: settings.capture.enabled,
        usesRatings: settings.ratings.enabled,
        sendsAlerts: settings.alerts.rules.some(({ send }) => send),
        accepted: settings.doctor.accept,
      },
      ari: await ariFacts(settings),
      clock: { ...clock, ownOffsetMinutes: -new Date().getTimezoneOffset() },
      disk: await diskFacts(settings.history.path),
      reporters: await reporterFacts(settings.history.path, Date.now()),
      sidecar,
      fastAgi: await fastAgiFacts(settings, sidecar, open),
    };
  } finally {
    open?.close();
  }
}

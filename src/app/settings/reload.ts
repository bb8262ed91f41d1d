import { readSettings } from '../../config/read-settings.ts';
import type { Environment } from '../../config/setting-reader.ts';
import type { Settings } from '../../config/settings.ts';
import { changedSettings } from './changed-settings.ts';
import { coded, type Logger } from '../state/log.ts';
import { errorText } from '../../units/error-text.ts';

export interface ReloadOptions {
  /** The path of `--config`; undefined: the default path. */
  readonly path: string | undefined;
  readonly env: Environment;
  readonly log: Logger;
  /** The settings that the sidecar was started with. */
  readonly settings: Settings;
  /** Applies the settings that may change while the sidecar runs. */
  readonly change: (settings: Settings) => void;
}

/** Makes the function that reads the settings again. A wrong file changes nothing. */
export function reloader({ path, env, log, settings, change }: ReloadOptions): () => Promise<void> {
  let current = settings;
  return async () => {
    let read: Settings;
    try {
      read = await readSettings(path, env);
    } catch (error) {
      const sentence = errorText(error);
      log.error(
        coded('MES_ERR_RELOAD'),
        `the settings were read again and are wrong, so that nothing changes: ${sentence}`,
      );
      return;
    }
    const { taken } = changedSettings(current, read);
    // Compare with the start, so that settings that need a restart are named each time.
    const { waiting } = changedSettings(settings, read);
    current = read;
    if (taken.length > 0) change(read);
    log.info(
      `the settings were read again; ${taken.length === 0 ? 'nothing changes' : `changed: ${taken.join(', ')}`}`,
    );
    if (waiting.length > 0) {
      log.warn(coded('MES_ERR_RESTART_NEEDED'), `after a restart only will count: ${waiting.join(', ')}`);
    }
    if (isCopy(path, env)) {
      log.warn(
        coded('MES_ERR_RESTART_NEEDED'),
        'what was read is the copy that systemd made of mes.conf at the start; "systemctl restart asterisk-mes" makes a new one',
      );
    }
  };
}

/** Whether the file is a copy that systemd made for the service (LoadCredential). */
export function isCopy(path: string | undefined, env: Environment): boolean {
  const directory = env['CREDENTIALS_DIRECTORY'];
  return directory !== undefined && directory !== '' && path?.startsWith(`${directory}/`) === true;
}

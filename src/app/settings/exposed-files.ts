import { stat } from 'node:fs/promises';
import { DEFAULT_SETTINGS_PATH } from '../../config/read-settings.ts';
import type { Environment } from '../../config/setting-reader.ts';
import { isCopy } from './reload.ts';

/** Read, write or execute for everybody except owner and group. */
const FOR_OTHERS = 0o007;

export interface PrivateFile {
  readonly path: string;
  /** Completes "holds …". */
  readonly holds: string;
}

/** The settings file. When it is a copy that systemd made, which nobody else can read, also the original. */
export function settingsFiles(path: string, env: Environment, original = DEFAULT_SETTINGS_PATH): PrivateFile[] {
  const paths = isCopy(path, env) ? [path, original] : [path];
  return paths.map((each) => ({ path: each, holds: 'secrets' }));
}

/** One sentence for each file that everybody may open. A missing file is fine. */
export async function exposureWarnings(files: readonly PrivateFile[]): Promise<string[]> {
  const warnings = files.map(async ({ path, holds }) => {
    const mode = await stat(path).then(
      (found) => found.mode,
      () => 0,
    );
    if ((mode & FOR_OTHERS) === 0) return [];
    return [`${path} is open to every user of this machine and holds ${holds}; run chmod o= ${path}`];
  });
  return (await Promise.all(warnings)).flat();
}

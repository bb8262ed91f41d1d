import { stat } from 'node:fs/promises';

/** Read, write or execute for everybody except owner and group. */
const FOR_OTHERS = 0o007;

export interface PrivateFile {
  readonly path: string;
  /** Completes "holds …". */
  readonly holds: string;
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

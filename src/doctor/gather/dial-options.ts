import Sqlite from 'better-sqlite3';
import { join } from 'node:path';
import type { AmiInquiry } from '../../asterisk/ami/ami-inquiry.ts';
import type { OwnDialOptions } from '../facts.ts';

/** A name that is safe as an argument of a dialplan function. */
const PLAIN_NAME = /^[\w.@+-]+$/;
/** Families of FreePBX's keys in AstDB. */
const FAMILIES = { extension: 'AMPUSER', trunk: 'TRUNK' } as const;
/** How long to wait for the file: Asterisk commits once a second and locks it for a moment. */
const LOCKED_MS = 2000;

/**
 * The dial options that FreePBX keeps in AstDB for one extension or trunk. With the sidecar's rights, AMI tells only that they
 * exist (Getvar of DB() is empty). What they are stands in AstDB's file, if that is on this machine.
 */
export async function askDialOptions(inquiry: AmiInquiry, devices: readonly string[]): Promise<OwnDialOptions[]> {
  const stored = readAstDb((await inquiry.variable('ASTVARLIBDIR')) || '/var/lib/asterisk');
  if (stored !== null) return stored;
  const keys = async (family: string): Promise<string[]> =>
    ((await inquiry.variable(`DB_KEYS(${family})`)) ?? '').split(',').filter((name) => PLAIN_NAME.test(name));
  // AMI cuts a long list, so devices are asked for by their names.
  const extensions = [...new Set([...(await keys(FAMILIES.extension)), ...devices])];
  const asked = [
    ...extensions.map((number) => ({ kind: 'extension' as const, number })),
    ...(await keys(FAMILIES.trunk)).map((number) => ({ kind: 'trunk' as const, number })),
  ];
  const there = await inquiry.variables(
    asked.map(({ kind, number }) => `DB_EXISTS(${FAMILIES[kind]}/${number}/dialopts)`),
  );
  return asked.filter((_, index) => there[index] === '1').map((own) => ({ ...own, options: null }));
}

/** Null: the file is not on this machine, or cannot be read. */
function readAstDb(directory: string): OwnDialOptions[] | null {
  let database: Sqlite.Database | undefined;
  try {
    database = new Sqlite(join(directory, 'astdb.sqlite3'), {
      readonly: true,
      fileMustExist: true,
      timeout: LOCKED_MS,
    });
    const rows = database
      .prepare<[], { key: string; value: string }>(
        "SELECT key, value FROM astdb WHERE key LIKE '/AMPUSER/%/dialopts' OR key LIKE '/TRUNK/%/dialopts' ORDER BY key",
      )
      .all();
    return rows.flatMap(({ key, value }) => {
      const [, family, number] = /^\/(AMPUSER|TRUNK)\/([^/]+)\/dialopts$/.exec(key) ?? [];
      if (number === undefined) return [];
      return { kind: family === FAMILIES.trunk ? 'trunk' : 'extension', number, options: value };
    });
  } catch {
    return null;
  } finally {
    database?.close();
  }
}

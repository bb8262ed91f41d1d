/** `npm run documents`: writes those tables of the documents that are made from the code. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { REPOSITORY } from '../lab/paths.ts';
import { readDocument } from './documents.ts';
import { MADE_TABLES, withTable } from './made-tables.ts';

for (const { path, name, make } of MADE_TABLES) {
  writeFileSync(join(REPOSITORY, path), withTable(readDocument(path), name, make()));
  execFileSync(join(REPOSITORY, 'node_modules/.bin/oxfmt'), [path], { cwd: REPOSITORY });
}

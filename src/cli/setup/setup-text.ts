import type { Setup } from '../../app/setup/prepare.ts';
import type { SetupFile } from '../../app/setup/write-files.ts';
import { HANDLER_LINE } from '../../setup/own-lines.ts';
import { reloadsFor } from '../../setup/reloads.ts';

/** Keys whose values are not printed. */
const SECRET_LINE = /^(\s*(?:secret|password|token|numbers_key|webhook_secret|webhook|smtp)\s*=\s*)(\S.*)$/gm;
const SECRET_SCRIPT = /(agi:\/\/[^/\s]+\/(?:hangup|rate|best)\/)([\w-]+)/g;

/** The file as it would be written, without secrets: they stay out of terminals and of what is copied from them. */
export function printed({ path, text, added, place, isNew, mode }: SetupFile, { newSecrets }: Setup): string[] {
  if (added !== null && !isNew) return [`=== ${path}: added ${place}`, ...added, ''];
  const word = (secret: string): string =>
    newSecrets.has(secret) ? '(a random one, made up by --write)' : '(the one that is set already)';
  const shown = text
    .replaceAll(SECRET_LINE, (_, key: string, secret: string) => `${key}${word(secret)}`)
    .replaceAll(SECRET_SCRIPT, (_, script: string, secret: string) => `${script}${word(secret)}`);
  return [`=== ${path} (${isNew ? 'new' : 'changed'}, mode ${mode.toString(8)})`, shown];
}

export function written({ path, mode }: SetupFile, backup: string | null): string[] {
  return [
    backup === null ? `Made ${path} (mode ${mode.toString(8)}).` : `Changed ${path}; what it was is in ${backup}.`,
  ];
}

/** One line a file, for somebody who is asked whether it may be written. */
export function announced({ path, added, place, isNew }: SetupFile): string {
  if (isNew) return `  ${path}: new`;
  return added === null ? `  ${path}: changed` : `  ${path}: ${count(added)} added ${place}`;
}

function count(lines: readonly string[]): string {
  return lines.length === 1 ? '1 line' : `${lines.length} lines`;
}

/** Of the files that change: whether endpoints of PJSIP are in them. */
export function changedFiles({ files }: Setup): { readonly name: string | null; readonly isEndpoints: boolean }[] {
  return files.map(({ name, added }) => ({ name, isEndpoints: added?.includes(HANDLER_LINE) === true }));
}

export function steps(
  setup: Setup,
  { isWritten, sql }: { readonly isWritten: boolean; readonly sql: readonly string[] },
): string[] {
  const { files, target } = setup;
  if (files.length === 0) return ['Everything is set up already; "asterisk-mes doctor" looks whether it works.'];
  const reloads = reloadsFor(changedFiles(setup)).map(({ command, module }) =>
    module === null
      ? `  asterisk -rx "${command}"`
      : `  asterisk -rx "${command}" (where that says that it is not loaded: module load ${module})`,
  );
  return [
    'Next:',
    ...(isWritten ? [] : ['  write these files with: asterisk-mes setup --write']),
    ...reloads,
    ...dialplanSteps(setup),
    ...(target === 'freepbx' ? columnSteps(sql) : []),
    '  asterisk-mes run',
    '  asterisk-mes doctor',
  ];
}

/** What is to be done in the dialplan where nothing else brings the hangup handler. */
export function dialplanSteps(setup: Setup): string[] {
  const hasEndpoints = changedFiles(setup).some(({ isEndpoints }) => isEndpoints);
  if (setup.target === 'freepbx' || hasEndpoints) return [];
  return [
    '  before Dial() put Gosub(mes,s,1), and in its options b(mes^s^1); extensions_mes.conf says how else',
    '  or, for PJSIP endpoints, no change of any Dial(): asterisk-mes setup --write --pjsip',
  ];
}

/** FreePBX's CDR table. Its module reads the columns only when FreePBX itself reloads. */
export function columnSteps(sql: readonly string[]): string[] {
  return ['  in the database asteriskcdrdb:', ...sql.map((line) => `    ${line}`), '  then: fwconsole reload'];
}

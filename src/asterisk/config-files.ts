import { globSync, readFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { errorCode } from '../model/errors/error-code.ts';
import { type AsteriskConfig, type IncludedFile, readAsteriskConfig } from '../wire/asterisk-conf.ts';

/**
 * Reads one of Asterisk's configuration files with its includes. A missing file is empty, as it is for Asterisk; null when it
 * cannot be read.
 */
export function readConfigFile(directory: string, name: string): AsteriskConfig | null {
  const path = join(directory, name);
  let text = '';
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') return null;
  }
  return readAsteriskConfig(path, text, (pattern) => includedFiles(directory, pattern));
}

/** The files that an `#include` in that directory names, without unreadable ones. */
export function includedFiles(directory: string, pattern: string): IncludedFile[] {
  const paths = globSync(pattern, { cwd: directory }).sort();
  return paths.flatMap((path) => {
    const file = isAbsolute(path) ? path : join(directory, path);
    try {
      return [{ file, text: readFileSync(file, 'utf8') }];
    } catch {
      return [];
    }
  });
}

import { SettingsError } from '../../../src/config/settings-error.ts';
import { loadSettings } from '../../../src/config/settings.ts';

export const LOGIN = { MES_AMI_USERNAME: 'mes', MES_AMI_SECRET: 'hunter2' };

export function load(text: string, env: Record<string, string | undefined> = LOGIN): ReturnType<typeof loadSettings> {
  return loadSettings(text, 'mes.conf', env);
}

/** What is said of settings that are refused; empty: they are taken. */
export function problems(text: string, env: Record<string, string | undefined> = LOGIN): readonly string[] {
  try {
    load(text, env);
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
    throw error;
  }
  return [];
}

import { existsSync } from 'node:fs';
import type { PreparedRemoval } from '../../app/setup/remove.ts';
import { DEFAULT_SETTINGS_PATH } from '../../config/read-settings.ts';
import { reloadsFor } from '../../setup/reloads.ts';
import { DONE, WORK_FAILED } from '../exit-status.ts';
import { consoleOf, type SetupWords } from './setup-words.ts';
import { NoAnswerError, Questions } from './questions.ts';
import { say } from './say.ts';

const USUAL_HISTORY = '/var/lib/asterisk-mes/mes.sqlite';

/** Takes back what setup did; on a terminal it asks first. Throws SetupError. */
export async function removeSetup(words: SetupWords): Promise<number> {
  const { carryOut, prepareRemoval } = await import('../../app/setup/remove.ts');
  const asterisk = await consoleOf(words.asteriskDir);
  const usesElsewhere = (await asterisk?.hiddenUses()) ?? [];
  const removal = prepareRemoval({ config: words.config, asteriskDirectory: words.asteriskDir, usesElsewhere });
  if (removal.files.length === 0) {
    say(...removal.notes, 'Nothing of setup is there.', ...usesLeft(removal));
    return DONE;
  }
  if (!(await isWanted(removal, words))) {
    say('Nothing was changed.');
    return DONE;
  }
  // While the settings are there.
  const history = await historyPath(words.config);
  const stopped = await stop(words);
  if (stopped !== null) say(stopped);
  for (const file of removal.files) say(carryOut(file, removal.pathOf(file)));
  const reloads = reloadsFor(
    removal.files.map(({ name }) => ({ name, isEndpoints: name?.startsWith('pjsip') === true })),
  );
  let status = DONE;
  for (const each of reloads) {
    // What is not loaded has nothing to read again.
    const outcome = await asterisk?.reload(each, { mayBeEmpty: true });
    if (outcome === undefined) say(`To do: asterisk -rx "${each.command}"`);
    else if (outcome.problem !== null) {
      say(`"${outcome.command}" failed: ${outcome.problem}`);
      status = WORK_FAILED;
    } else say(`Ran ${outcome.command}.`);
  }
  say(...removal.notes, ...usesLeft(removal));
  if (existsSync(history)) say(`The history stays, with callers' numbers in it: rm ${history}* removes it.`);
  return status;
}

async function isWanted({ files, pathOf }: PreparedRemoval, words: SetupWords): Promise<boolean> {
  if (words.yes === true || words.write === true || !process.stdin.isTTY || !process.stdout.isTTY) return true;
  const questions = new Questions(false);
  try {
    const verbs = { remove: 'goes', write: 'our lines go', keep: 'is set aside' };
    say('Taken back:', ...files.map((file) => `  ${pathOf(file)}: ${verbs[file.action]}`));
    return await questions.yes('Do it?');
  } catch (error) {
    if (!(error instanceof NoAnswerError)) throw error;
    return false;
  } finally {
    questions.close();
  }
}

function usesLeft({ uses }: PreparedRemoval): string[] {
  if (uses.length === 0) return [];
  return [
    'These lines still use the hangup handler; its contexts stay, empty, so that calls go on:',
    ...uses.map((line) => `  ${line}`),
    'Take them out, and run "asterisk-mes setup --remove" again.',
  ];
}

/** The service reads /etc/asterisk/mes.conf; another sidecar is not ours to stop. */
async function stop(words: SetupWords): Promise<string | null> {
  if ((words.config ?? DEFAULT_SETTINGS_PATH) !== DEFAULT_SETTINGS_PATH) return null;
  const { stopService } = await import('../../app/setup/service.ts');
  const stopped = await stopService();
  if (stopped === 'absent') return null;
  return stopped === 'stopped' ? 'Stopped the service asterisk-mes.' : `The service does not stop: ${stopped.problem}`;
}

async function historyPath(config: string | undefined): Promise<string> {
  const { readOfflineSettings } = await import('../../config/read-settings.ts');
  try {
    return (await readOfflineSettings(config, process.env)).history.path;
  } catch {
    return USUAL_HISTORY;
  }
}

import { hostname } from 'node:os';
import type { Installation, Setup } from '../../app/setup/prepare.ts';
import { DEFAULT_SETTINGS_PATH } from '../../config/read-settings.ts';
import { hostAndPortText } from '../../config/value-types.ts';
import { NO_CHOICES, type SetupChoices } from '../../setup/input.ts';
import { reloadsFor } from '../../setup/reloads.ts';
import { DONE, WORK_FAILED } from '../exit-status.ts';
import { consoleOf, type SetupWords } from './setup-words.ts';
import { NoAnswerError, Questions } from './questions.ts';
import { announced, changedFiles, columnSteps, dialplanSteps, written } from './setup-text.ts';
import { say } from './say.ts';

/** Asks what cannot be found out, writes, reloads, starts and looks whether it works. Throws SetupError. */
export async function guide(installation: Installation, words: SetupWords): Promise<number> {
  const questions = new Questions(words.yes === true);
  try {
    say(`asterisk-mes for ${installation.target === 'freepbx' ? 'FreePBX' : 'Asterisk'} in ${installation.directory}.`);
    const choices = await choose(installation, questions);
    const plan = installation.plan(choices);
    if (plan.files.length > 0) {
      say('', 'These files are written. Each that is there already is kept beside as ….before-asterisk-mes:');
      say(...plan.files.map(announced));
      if (!(await questions.yes('Write them, let Asterisk read them, and start the service?'))) {
        say('Nothing was changed.');
        return DONE;
      }
    }
    questions.close();
    return await carryOut(installation, plan, words);
  } catch (error) {
    if (!(error instanceof NoAnswerError)) throw error;
    say('', 'Nothing was changed.');
    return WORK_FAILED;
  } finally {
    questions.close();
  }
}

async function choose(installation: Installation, questions: Questions): Promise<SetupChoices> {
  const { isAmiOff, endpoints, hasHttpBind } = installation;
  const enablesAmi =
    isAmiOff &&
    (await questions.yes(
      "Asterisk's manager interface (AMI), from which scores are made, is off. Switch it on, for this machine only?",
    ));
  const places = endpoints === 1 ? '1 PJSIP endpoint or template' : `${endpoints} PJSIP endpoints or templates`;
  const asked = `Give ${places} the hangup handler, for the final score of each call? No Dial() has to be changed then.`;
  const usesEndpoints = endpoints > 0 && (await questions.yes(asked));
  if (hasHttpBind) return { ...NO_CHOICES, enablesAmi, endpoints: usesEndpoints };
  const who = await questions.choice('Who may open the page with the scores?', [
    'this machine only',
    'every machine that reaches this one, with a token (no TLS: put a proxy in front for the Internet)',
  ]);
  const { newToken } = await import('../../app/setup/prepare.ts');
  const port = installation.settings.http.bind.port;
  const http = who === 1 ? null : { bind: `0.0.0.0:${port}`, token: newToken() };
  return { enablesAmi, endpoints: usesEndpoints, http };
}

async function carryOut(installation: Installation, plan: Setup, words: SetupWords): Promise<number> {
  const { writeSetupFile } = await import('../../app/setup/write-files.ts');
  say('');
  for (const file of plan.files) say(...written(file, writeSetupFile(file, installation.directory)));
  say(...plan.notes);
  const toDo = [...plan.toDo.map((note) => `  ${note}`), ...(await reload(installation, plan))];
  toDo.push(...(await start(installation, words)));
  if (plan.files.length > 0) toDo.push(...dialplanSteps(plan));
  if (plan.target === 'freepbx' && plan.files.length > 0) {
    const { readyLines } = await import('../../app/ready-files.ts');
    toDo.push(...columnSteps(readyLines('cdr_adaptive_odbc_mes.sql')));
  }
  const status = await examine(words);
  if (toDo.length > 0) say('', 'Still to do:', ...toDo);
  say('', await whereThePageIs(words));
  return status;
}

/** Gives the commands that could not be run. */
async function reload(installation: Installation, plan: Setup): Promise<string[]> {
  const reloads = reloadsFor(changedFiles(plan));
  if (reloads.length === 0) return [];
  const asterisk = await consoleOf(installation.directory);
  if (asterisk === undefined) {
    say('No Asterisk answers here ("asterisk -rx").');
    return reloads.map(({ command, module }) =>
      module === null
        ? `  asterisk -rx "${command}"`
        : `  asterisk -rx "${command}" (not loaded: module load ${module})`,
    );
  }
  const failed: string[] = [];
  for (const each of reloads) {
    const { command, problem } = await asterisk.reload(each);
    say(problem === null ? `Ran ${command}.` : `"${command}" failed: ${problem}`);
    if (problem !== null) failed.push(`  asterisk -rx "${command}"`);
  }
  return failed;
}

/** Starts the service, which reads /etc/asterisk/mes.conf; gives what is to be done by hand. */
async function start({ settingsPath }: Installation, words: SetupWords): Promise<string[]> {
  const byHand = [`  asterisk-mes run${words.config === undefined ? '' : ` --config ${words.config}`}`];
  if (settingsPath !== DEFAULT_SETTINGS_PATH) return byHand;
  const { becomesReady, startService } = await import('../../app/setup/service.ts');
  const started = await startService();
  if (started === 'absent') return byHand;
  if (started !== 'started') {
    say(`The service does not start: ${started.problem}`);
    return ['  systemctl status asterisk-mes'];
  }
  const isReady = await becomesReady(await pageAddress(words));
  say(
    isReady
      ? 'Started the service asterisk-mes, now and at each start of this machine.'
      : 'The service does not answer.',
  );
  return isReady ? [] : ['  journalctl -u asterisk-mes'];
}

/** What doctor says, without what is well. */
async function examine(words: SetupWords): Promise<number> {
  const [{ diagnose }, { readyLines }, { findingLines, summary, widthOf }, { paintFor }] = await Promise.all([
    import('../../doctor/gather/diagnose.ts'),
    import('../../app/ready-files.ts'),
    import('../doctor/doctor-text.ts'),
    import('../terminal/paint.ts'),
  ]);
  const asteriskDirectory = words.asteriskDir === '/etc/asterisk' ? undefined : words.asteriskDir;
  const report = await diagnose({ config: words.config, asteriskDirectory, env: process.env, readyLines });
  const paint = paintFor(process.stdout, process.env);
  const found = report.findings.filter(({ status }) => status === 'problem' || status === 'warning');
  const width = widthOf(process.stdout);
  say('', `asterisk-mes doctor: ${summary(report.findings)}`);
  say(...found.flatMap((each) => findingLines(each, paint, { width })));
  return found.some(({ status }) => status === 'problem') ? WORK_FAILED : DONE;
}

async function pageAddress(words: SetupWords): Promise<string> {
  const { restClient } = await import('../terminal/rest-client.ts');
  return (await restClient(words.config)).address;
}

async function whereThePageIs(words: SetupWords): Promise<string> {
  const { readSettings } = await import('../../config/read-settings.ts');
  const { http } = await readSettings(words.config, process.env);
  const isOpen = ['0.0.0.0', '::'].includes(http.bind.host);
  const address = isOpen ? `http://${hostname()}:${http.bind.port}` : `http://${hostAndPortText(http.bind)}`;
  const token =
    http.token === null ? '' : ` (it asks for the token of [http] in ${words.config ?? DEFAULT_SETTINGS_PATH})`;
  return `The page: ${address}/${token}`;
}

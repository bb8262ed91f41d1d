import type { AsteriskConfig, ConfigEntry } from '../wire/asterisk-conf.ts';
import { handlerUses } from '../wire/ami/handler-uses.ts';
import { howToLook } from './ami-checks.ts';
import type { DoctorFacts } from './facts.ts';
import { addLines, type Change, type Finding, findingsOf, replaceLine, runLines } from './finding.ts';

/** The port of FreePBX's own FastAGI server, `core-fastagi`. */
const FREEPBX_AGI_PORT = 4573;
const DIALPLAN_RELOAD = 'asterisk -rx "dialplan reload"';

/** Whether the dialplan has the hangup handler and uses it. */
export function checkHangupHandler(facts: DoctorFacts): Finding {
  const { ok, warning, unknown } = findingsOf(
    'hangup-handler',
    'Without it scores are written during the call, but what happened after the last report is missing from the row.',
  );
  const { dialplan, files } = facts;
  const extensions = files['extensions.conf'];
  const has = {
    mes: dialplan.hasMes ?? hasSection(extensions, 'mes'),
    'mes-hangup': dialplan.hasMesHangup ?? hasSection(extensions, 'mes-hangup'),
  };
  const missing = (['mes', 'mes-hangup'] as const).filter((name) => has[name] === false);
  const isInFiles = missing.every((name) => hasSection(extensions, name) === true);
  if (missing.length > 0 && isInFiles) {
    return warning(`Asterisk has no [${missing.join('] and no [')}], but its files do: it has not read them yet.`, [
      runLines([DIALPLAN_RELOAD]),
    ]);
  }
  if (missing.length > 0) {
    const include = addLines('extensions.conf', null, undefined, ['#include extensions_mes.conf'], DIALPLAN_RELOAD);
    return warning(`The dialplan has no [${missing.join('] and no [')}]; "asterisk-mes setup" writes the file.`, [
      include,
    ]);
  }
  if (has.mes === null || extensions === null)
    return unknown(`Whether the dialplan uses it is not known: ${howToLook(facts)}`);
  const uses = [...handlerUses(extensions), ...handlerUses(files['pjsip.conf'] ?? [])];
  if (uses.length > 0)
    return ok(
      `The dialplan has [mes] and [mes-hangup]; ${uses.length === 1 ? 'one line uses' : `${uses.length} lines use`} it.`,
    );
  const lines = [
    '; in the context that dials',
    'exten => _X.,1,Gosub(mes,s,1)',
    ` same => n,Dial(PJSIP/\${EXTEN},30,b(mes^s^1))`,
  ];
  return warning('The dialplan has [mes], but no line of extensions.conf or pjsip.conf uses it.', [
    addLines('extensions.conf', null, undefined, lines, DIALPLAN_RELOAD),
  ]);
}

/** Whether the hangup handler reaches the sidecar. */
export function checkFastAgi(facts: DoctorFacts): Finding {
  const { ok, warning, problem, unknown } = findingsOf(
    'fastagi',
    'The hangup handler asks the sidecar over FastAGI for the final scores; without an answer the row lacks them.',
  );
  const { agiBind } = facts.settings;
  if (facts.isFreePbx && agiBind.endsWith(`:${FREEPBX_AGI_PORT}`)) {
    return problem(
      `[agi] bind is ${agiBind}, and on port ${FREEPBX_AGI_PORT} FreePBX has a server of its own: "asterisk-mes run" cannot start, or ring groups fail.`,
      [runLines(['asterisk-mes setup --write'], `${DIALPLAN_RELOAD}, and restart asterisk-mes`)],
    );
  }
  const lines = agiLines(facts.files['extensions.conf'] ?? []);
  const elsewhere = lines.filter(({ value }) => !reaches(value, agiBind));
  if (elsewhere.length > 0) {
    return problem(
      `The dialplan looks for the sidecar at ${elsewhere.map(({ value }) => agiAddress(value)).join(', ')}, but it listens on ${agiBind}.`,
      elsewhere
        .map(withoutSecret)
        .map((entry) =>
          replaceLine(entry, 'mes-hangup', [entry.text.replace(agiAddress(entry.value), agiBind)], DIALPLAN_RELOAD),
        ),
    );
  }
  if (lines.some(({ value }) => agiScript(value) !== facts.settings.agiScript)) {
    return problem(
      'The script of [mes-hangup] does not end in the secret that [agi] of mes.conf has, so that the sidecar turns it away; run "asterisk-mes setup --write", and then "dialplan reload".',
      [],
    );
  }
  if (!facts.fastAgi.isListening)
    return warning(`Nothing listens on ${agiBind}: the sidecar is not running, or not here.`);
  const agiLine = (line: string): Change[] => [
    addLines(facts.settings.file, 'agi', undefined, [line], 'restart asterisk-mes'),
  ];
  const { fromAsterisk } = facts.fastAgi;
  if (fromAsterisk === 'taken') return ok(`Asterisk reaches the sidecar at ${agiBind}.`);
  if (fromAsterisk === 'refused') {
    return problem(
      `The sidecar listens on ${agiBind}, but turns Asterisk's address away.`,
      agiLine('peers = ADDRESS, the one from which Asterisk connects; the log of the sidecar names it'),
    );
  }
  if (fromAsterisk === 'absent') {
    return problem(
      `The sidecar listens on ${agiBind}, but Asterisk cannot connect to it.`,
      agiLine('bind = ADDRESS:4573, an address of this machine that Asterisk reaches'),
    );
  }
  return unknown(
    `The sidecar listens on ${agiBind}; whether Asterisk reaches it shows agi_answered at /healthz after a call.`,
  );
}

function hasSection(config: AsteriskConfig | null, name: string): boolean | null {
  return config === null ? null : config.some((section) => section.name === name);
}

function agiLines(config: AsteriskConfig): ConfigEntry[] {
  return config
    .filter(({ name }) => name === 'mes-hangup')
    .flatMap(({ entries }) => entries.filter(({ value }) => agiAddress(value) !== ''));
}

/** The address in `n,AGI(agi://127.0.0.1:4573/hangup)`; '' when there is none. */
function agiAddress(value: string): string {
  return /AGI\(agi:\/\/([^/,)]+)/i.exec(value)?.[1] ?? '';
}

/** The same line with `SECRET` in place of the secret, which doctor may not show. */
function withoutSecret(entry: ConfigEntry): ConfigEntry {
  return { ...entry, text: entry.text.replace(/(\/hangup\/)[\w-]+/, '$1SECRET') };
}

/** The script in the same value: `hangup/SECRET`. */
function agiScript(value: string): string {
  return /AGI\(agi:\/\/[^/,)]+\/([^,)]*)/i.exec(value)?.[1] ?? '';
}

function reaches(value: string, bind: string): boolean {
  const address = agiAddress(value);
  if (address === bind) return true;
  // A sidecar that listens on every address is found under each of them, or under a name.
  const portOf = (text: string): string => /:(\d+)$/.exec(text)?.[1] ?? '4573';
  const isWildcard = bind.startsWith('0.0.0.0:') || bind.startsWith('[::]:');
  return portOf(address) === portOf(bind) && (isWildcard || /[a-z]/i.test(address.replace(/:\d+$/, '')));
}

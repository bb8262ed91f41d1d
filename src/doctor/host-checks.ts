import type { DoctorFacts } from './facts.ts';
import { addLines, type Change, type Finding, findingsOf, runLines } from './finding.ts';
import { type AsteriskConfig, isFalse, lastEntry } from '../wire/asterisk-conf.ts';
import { sectionChanges } from './written-value.ts';

const NEEDED_NODE = 24;
/** Two requests over a slow line explain a smaller difference. */
const CLOCK_TOLERANCE_MS = 1000;
const LITTLE_BYTES = 1024 ** 3;
const NO_BYTES = 100 * 1024 ** 2;

export function checkNode({ nodeVersion }: Pick<DoctorFacts, 'nodeVersion'>): Finding {
  const { ok, problem } = findingsOf('node', 'The sidecar needs Node.js 24 and does not start on an older one.');
  if (Number(nodeVersion.split('.')[0]) >= NEEDED_NODE) return ok(`Node.js is ${nodeVersion}.`);
  return problem(`Node.js is ${nodeVersion}, older than ${NEEDED_NODE}.`);
}

const ARI_RELOAD = 'asterisk -rx "module reload res_ari.so"';
const HTTP_RELOAD = 'asterisk -rx "module reload http"';

/** Whether ARI works. Scores do not need it. */
export function checkAri({ ari, files }: DoctorFacts): Finding {
  const { ok, warning } = findingsOf(
    'ari',
    'ARI adds per-packet jitter, and the last counters of channels without a hangup handler.',
  );
  if (ari === null) return ok('ARI is not used ([ari] url is empty), and not needed.');
  if (ari.problem === null) return ok(`ARI answers at ${ari.url}.`);
  const changes = [...httpChanges(files['http.conf'] ?? []), ...ariChanges(files['ari.conf'] ?? [], ari)];
  if (changes.length > 0) return warning(`${ari.problem}.`, changes);
  return warning(
    `${ari.problem}; http.conf and ari.conf have what is needed, so Asterisk does not run, or has not read them yet.`,
    [runLines([HTTP_RELOAD, ARI_RELOAD])],
  );
}

/** An address that http.conf already has stays, because other programs may use it. */
function httpChanges(config: AsteriskConfig): Change[] {
  const hasAddress = lastEntry(config, 'general', 'bindaddr') !== undefined;
  const lines = ['enabled = yes', ...(hasAddress ? [] : ['bindaddr = 127.0.0.1'])];
  return sectionChanges('http.conf', 'general', config, lines, HTTP_RELOAD);
}

function ariChanges(config: AsteriskConfig, { username, password }: NonNullable<DoctorFacts['ari']>): Change[] {
  const isOff = isFalse(lastEntry(config, 'general', 'enabled')?.value ?? '');
  const change = isOff ? sectionChanges('ari.conf', 'general', config, ['enabled = yes'], ARI_RELOAD) : [];
  if (lastEntry(config, username, 'password')?.value === password) return change;
  const lines = [
    '[general](+)',
    'channelvars = MES,MES_RX,MES_TX,MES_VERDICT',
    `[${username}]`,
    'type = user',
    'password = (the password of [ari] in mes.conf)',
    'read_only = yes',
  ];
  return [...change, addLines('ari.conf', null, undefined, lines, ARI_RELOAD)];
}

/** Whether both clocks agree: reports carry the time of our clock, CDR rows that of Asterisk's. */
export function checkClock({ clock }: DoctorFacts): Finding {
  const { ok, warning, unknown } = findingsOf(
    'clock',
    "Reports have the time of our clock, CDR rows that of Asterisk's: if the clocks differ, it is hard to match them.",
  );
  if (clock.aheadMs === null) return unknown('The clock of Asterisk is not known: fix "ami" first.');
  const seconds = (Math.abs(clock.aheadMs) / 1000).toFixed(1);
  if (Math.abs(clock.aheadMs) <= CLOCK_TOLERANCE_MS) return ok("Asterisk's clock and ours agree to a second.");
  return warning(`Asterisk's clock is ${seconds} s ${clock.aheadMs > 0 ? 'ahead of' : 'behind'} ours.`, [
    runLines(['timedatectl set-ntp true']),
  ]);
}

export function checkTimeZone({ clock }: DoctorFacts): Finding {
  const { ok, warning, unknown } = findingsOf(
    'time-zone',
    "CDR rows have the local time of Asterisk's machine; whoever looks a call up by it must know the difference.",
  );
  const { asteriskOffsetMinutes, ownOffsetMinutes } = clock;
  if (asteriskOffsetMinutes === null) return unknown('The time zone of Asterisk is not known: fix "ami" first.');
  if (asteriskOffsetMinutes === ownOffsetMinutes)
    return ok(`Asterisk and we are in one time zone (UTC${offset(ownOffsetMinutes)}).`);
  return warning(`Asterisk is at UTC${offset(asteriskOffsetMinutes)}, we are at UTC${offset(ownOffsetMinutes)}.`, [
    runLines(['TZ=ZONE asterisk-mes run, where ZONE is that of the machine of Asterisk']),
  ]);
}

function offset(minutes: number): string {
  const absolute = Math.abs(minutes);
  const two = (number: number): string => String(number).padStart(2, '0');
  return `${minutes < 0 ? '-' : '+'}${two(Math.floor(absolute / 60))}:${two(absolute % 60)}`;
}

/** Whether the history can be written. */
export function checkDisk({ disk, settings }: DoctorFacts): Finding {
  const { ok, warning, problem } = findingsOf('disk', 'REST, page and metrics show only what could be stored.');
  if (disk.problem !== null) {
    const folder = disk.path.replace(/\/[^/]*$/, '');
    return problem(`${disk.problem}.`, [
      runLines([`install -d -m 700 -o (the user that runs asterisk-mes) ${folder}`], 'restart asterisk-mes'),
    ]);
  }
  const free = disk.freeBytes === null ? 'an unknown number of' : (disk.freeBytes / 1024 ** 3).toFixed(1);
  const saw = `${disk.path} can be written, with ${free} GiB free.`;
  if (disk.freeBytes === null || disk.freeBytes >= LITTLE_BYTES) return ok(saw);
  const change = addLines(settings.file, 'history', undefined, ['keep_intervals = 7d'], 'restart asterisk-mes');
  return disk.freeBytes < NO_BYTES ? problem(saw, [change]) : warning(saw, [change]);
}

export function checkSidecar({ sidecar }: DoctorFacts): Finding {
  const { ok, warning, problem } = findingsOf('sidecar', 'Calls are scored only while it runs.');
  if (!sidecar.isRunning) {
    return warning(`The sidecar does not answer at ${sidecar.url}.`, [runLines(['asterisk-mes run'])]);
  }
  return sidecar.problem === null
    ? ok(`The sidecar answers at ${sidecar.url} and is ready.`)
    : problem(`The sidecar runs, but: ${sidecar.problem}.`);
}

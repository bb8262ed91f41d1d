import { type ConfigEntry, type ConfigSection, isFalse, sectionsOf } from '../wire/asterisk-conf.ts';
import { howToLook } from './ami-checks.ts';
import type { ConfigValueName, DoctorFacts, EndpointFacts, SipPeerFacts } from './facts.ts';
import { addLines, type Change, type Finding, findingsOf, replaceLine } from './finding.ts';
import { setValue, writtenValue } from './written-value.ts';

const DEFAULT_INTERVAL_MS = 5000;
/** The range that rtp.conf accepts, ms. For a value outside of it Asterisk takes its default. */
const SHORTEST_INTERVAL_MS = 500;
const LONGEST_INTERVAL_MS = 60_000;
/** The oldest release that tests run against. */
const OLDEST_RELEASE = 16;
/** The first release with its own score, and the last release of series 22 whose own score is wrong. */
const FIRST_RELEASE_WITH_SCORE = 20;
const LAST_WRONG_22 = 10;
/** How many names a sentence shows. */
const NAMES_SHOWN = 5;
/** Bound on the changes shown: so many endpoints share a template, where one change is enough. */
const CHANGES_SHOWN = 20;
const SIP_RELOAD = 'asterisk -rx "sip reload"';

/** Whether RTCP reports come often enough. */
export function checkRtcpInterval(facts: DoctorFacts): Finding {
  const { ok, warning, unknown } = findingsOf(
    'rtcp-interval',
    'A call that is shorter than one interval ends without a report, and so without a score.',
  );
  const written = writtenValue(facts, 'rtcpInterval');
  if (written === null) return unknown(`rtcpinterval is not known: ${howToLook(facts)}`);
  if (written.value === '') return ok(`rtcpinterval is Asterisk's default, ${DEFAULT_INTERVAL_MS} ms.`);
  const intervalMs = Number(written.value);
  const change = setValue(facts, 'rtcpInterval', `rtcpinterval = ${DEFAULT_INTERVAL_MS}`, 'restart Asterisk');
  if (!(intervalMs >= SHORTEST_INTERVAL_MS && intervalMs <= LONGEST_INTERVAL_MS)) {
    return warning(`rtcpinterval = ${written.value} is not allowed, and Asterisk takes ${DEFAULT_INTERVAL_MS} ms.`, [
      change,
    ]);
  }
  if (intervalMs <= DEFAULT_INTERVAL_MS) return ok(`rtcpinterval is ${intervalMs} ms.`);
  return warning(`rtcpinterval is ${intervalMs} ms: reports come less often than by default.`, [change]);
}

/** Whether audio of PJSIP endpoints may bypass Asterisk. */
export function checkDirectMedia(facts: DoctorFacts): Finding {
  const { ok, problem, unknown } = findingsOf(
    'direct-media',
    'Audio that two endpoints send to each other does not pass through Asterisk, so it cannot be scored.',
  );
  if (facts.endpoints === null) return unknown(`The PJSIP endpoints are not known: ${howToLook(facts)}`);
  if (facts.endpoints.length === 0) return ok('There is no PJSIP endpoint.');
  const direct = facts.endpoints.filter(({ directMedia }) => directMedia);
  if (direct.length < 2) {
    const single = direct.length === 0 ? 'None' : 'Only one, which has no other to send to,';
    return ok(`${single} of ${count(facts.endpoints.length, 'PJSIP endpoint')} has direct media.`);
  }
  return problem(
    `${direct.length} of ${count(facts.endpoints.length, 'PJSIP endpoint')} have direct media: ${namesOf(direct)}.`,
    direct.slice(0, CHANGES_SHOWN).map((endpoint) => withoutDirectMedia(facts, endpoint)),
  );
}

function withoutDirectMedia({ files }: DoctorFacts, { name }: EndpointFacts): Change {
  const afterwards = 'asterisk -rx "module reload res_pjsip.so"';
  const section = sectionsOf(files['pjsip.conf'] ?? [], name).find(({ entries }) =>
    entries.some(({ key, value }) => key.toLowerCase() === 'type' && value === 'endpoint'),
  );
  const own = ownEntry(section, /^direct_media$/);
  if (own !== undefined) return replaceLine(own, name, ['direct_media = no'], afterwards);
  return addLines('pjsip.conf', name, section, ['direct_media = no'], afterwards);
}

/**
 * The same for chan_sip's peers; null: chan_sip is not loaded. A peer's own line overrides [general], where the default is yes.
 */
export function checkSipDirectMedia(facts: DoctorFacts): Finding | null {
  if (facts.modules.chan_sip !== true) return null;
  const { ok, problem, unknown } = findingsOf(
    'direct-media-sip',
    'Audio that two peers send to each other does not pass through Asterisk, so it cannot be scored.',
  );
  const general = sipGeneral(facts);
  if (general === null) return unknown(`directmedia in sip.conf is not known: ${howToLook(facts)}`);
  const { name, value } = general;
  const isDirect = !isFalse(value);
  const saw = value === '' ? 'chan_sip has direct media, which is its default' : `chan_sip has directmedia = ${value}`;
  const peers = facts.sipPeers ?? [];
  const direct = peers.filter(({ directMedia }) => (directMedia === '' ? isDirect : !isFalse(directMedia)));
  const changes = direct
    .filter(({ directMedia }) => directMedia !== '')
    .slice(0, CHANGES_SHOWN)
    .map((peer) => peerWithoutDirectMedia(facts, peer));
  const needsGeneral = isDirect && (peers.length === 0 || changes.length < direct.length);
  const all = needsGeneral ? [setValue(facts, name, 'directmedia = no', SIP_RELOAD), ...changes] : changes;
  if (peers.length === 0 && isDirect) return problem(`${saw}.`, all);
  if (facts.sipPeers === null)
    return unknown(`${saw}, but the settings of its peers are not known: ${howToLook(facts)}`);
  if (peers.length === 0) return ok(`${saw}.`);
  if (direct.length < 2) {
    const single = direct.length === 0 ? 'None' : 'Only one, which has no other to send to,';
    return ok(`${single} of ${count(peers.length, 'chan_sip peer')} has direct media.`);
  }
  return problem(
    `${direct.length} of ${count(peers.length, 'chan_sip peer')} have direct media: ${namesOf(direct)}.`,
    all,
  );
}

/** The setting in [general] under the name that is used there; null: not known. */
function sipGeneral(facts: DoctorFacts): { readonly name: ConfigValueName; readonly value: string } | null {
  const older = writtenValue(facts, 'sipCanReinvite');
  const written = writtenValue(facts, 'sipDirectMedia');
  if (written === null) return null;
  if (written.value === '' && older !== null && older.value !== '')
    return { name: 'sipCanReinvite', value: older.value };
  return { name: 'sipDirectMedia', value: written.value };
}

function peerWithoutDirectMedia({ files }: DoctorFacts, { name }: SipPeerFacts): Change {
  const [section] = sectionsOf(files['sip.conf'] ?? [], name);
  const own = ownEntry(section, /^(?:directmedia|canreinvite)$/);
  if (own !== undefined) return replaceLine(own, name, ['directmedia = no'], SIP_RELOAD);
  return addLines('sip.conf', name, section, ['directmedia = no'], SIP_RELOAD);
}

/** Looks only at the section's own lines, because other sections may share a template's lines. */
function ownEntry(section: ConfigSection | undefined, key: RegExp): ConfigEntry | undefined {
  return section?.entries.findLast(
    (entry) => key.test(entry.key.toLowerCase()) && entry.line !== null && entry.line > (section.line ?? 0),
  );
}

/** Whether tests cover the release, and whether its own score is wrong. */
export function checkVersion({ asteriskVersion }: DoctorFacts): Finding {
  const { ok, warning, unknown } = findingsOf(
    'asterisk-version',
    "A dialplan should not use Asterisk's own score (CHANNEL(rtcp,rxmes), RTPAUDIOQOSMES) but MES_RX and MES_TX.",
  );
  if (asteriskVersion === null) return unknown('The release is not known: fix "ami" first.');
  const [release = '', major = '', minor = ''] = /^(\d+)\.(\d+)[\d.]*/.exec(asteriskVersion) ?? [];
  if (release === '') return unknown(`Asterisk calls itself ${asteriskVersion}, which is not a known release.`);
  if (Number(major) < OLDEST_RELEASE) {
    return warning(`Asterisk is ${release}; releases before ${OLDEST_RELEASE} are not tested with asterisk-mes.`);
  }
  if (Number(major) < FIRST_RELEASE_WITH_SCORE) return ok(`Asterisk is ${release}, without a score of its own.`);
  if (Number(major) === 22 && Number(minor) > LAST_WRONG_22) {
    return ok(`Asterisk is ${release}, with the corrections of August 2026 to its own score.`);
  }
  return warning(
    `Asterisk is ${release}: up to 22.10, and before September 2026 in other series, its own score is wrong (jitter never counts, loss adds up, silence is perfect).`,
  );
}

function count(number: number, thing: string): string {
  return `${number} ${thing}${number === 1 ? '' : 's'}`;
}

function namesOf(endpoints: readonly { readonly name: string }[]): string {
  const names = endpoints.slice(0, NAMES_SHOWN).map(({ name }) => name);
  return endpoints.length > NAMES_SHOWN
    ? `${names.join(', ')} and ${endpoints.length - NAMES_SHOWN} more`
    : names.join(', ');
}

import type { ConfigEntry } from '../wire/asterisk-conf.ts';

/** The events that scoring needs; `manager_mes.conf` names the same. */
export const NEEDED_EVENTS = [
  'RTCPSent',
  'RTCPReceived',
  'Newchannel',
  'Newstate',
  'NewCallerid',
  'NewConnectedLine',
  'Rename',
  'Hangup',
  'BridgeEnter',
  'BridgeLeave',
  'Hold',
  'Unhold',
  'LocalBridge',
  'DialBegin',
] as const;

/** Events that tell who hung up. Without them only that is lost. */
export const HANGUP_EVENTS = ['HangupRequest', 'SoftHangupRequest'] as const;

/** Events that tell when digits are pressed: the packets of digits look like jitter. */
export const DIGIT_EVENTS = ['DTMFBegin', 'DTMFEnd'] as const;

/** Events that tell which endpoints Asterisk can reach, for alerts. */
export const ENDPOINT_EVENTS = ['DeviceStateChange'] as const;

/** Further events that ratings need. */
export const RATING_EVENTS = ['UserEvent'] as const;

interface Filter {
  readonly entry: ConfigEntry;
  readonly excludes: boolean;
  /** Whether the filter matches an event of this name; null: that depends on the event's other headers. */
  readonly matches: (event: string) => boolean | null;
}

/** The events that a user's `eventfilter` lines hide. */
export interface HiddenEvents {
  readonly events: readonly string[];
  /** The lines that hide them. */
  readonly lines: readonly ConfigEntry[];
}

/**
 * Finds which of `events` these lines of manager.conf hide, always or sometimes.
 * Asterisk passes what an including filter names (everything when there is none), and then drops what an excluding filter names.
 */
export function hiddenEvents(entries: readonly ConfigEntry[], events: readonly string[]): HiddenEvents {
  const filters = entries.flatMap((entry) => readFilter(entry) ?? []);
  const including = filters.filter(({ excludes }) => !excludes);
  const excluding = filters.filter(({ excludes }) => excludes);
  const hidden = new Set<string>();
  const lines = new Set<ConfigEntry>();
  for (const event of events) {
    if (including.length > 0 && !including.some(({ matches }) => matches(event) === true)) {
      hidden.add(event);
      for (const { entry } of including) lines.add(entry);
    }
    for (const { entry, matches } of excluding) {
      if (matches(event) === false) continue;
      hidden.add(event);
      lines.add(entry);
    }
  }
  return { events: [...hidden], lines: [...lines] };
}

/** The VarSet event that writing a score causes. */
const SCORE_EVENT =
  'Event: VarSet\r\nPrivilege: dialplan,all\r\nChannel: PJSIP/a-1\r\nVariable: MES_RX\r\nValue: 4.41\r\n';

/** Hides the events of our variables from one client and changes nothing for the others. It works in all releases. */
export const HIDE_SCORES = 'eventfilter = !Variable: (MES|MES_[A-Z_]+|CDR.mes[a-z_]*.)[[:space:]]';

/** Whether these lines keep the events of our variables from their user. */
export function hidesScores(entries: readonly ConfigEntry[]): boolean {
  const shown = entries.flatMap((entry) => showsScore(entry) ?? []);
  const including = shown.filter(({ excludes }) => !excludes);
  if (including.length > 0 && !including.some(({ matches }) => matches)) return true;
  return shown.some(({ excludes, matches }) => excludes && matches);
}

function showsScore({
  key,
  value,
}: ConfigEntry): { readonly excludes: boolean; readonly matches: boolean } | undefined {
  if (key.toLowerCase() === 'eventfilter') {
    return { excludes: value.startsWith('!'), matches: isInScoreEvent(value.replace(/^!/, '')) };
  }
  const criteria = /^eventfilter\((.*)\)$/i.exec(key)?.[1];
  if (criteria === undefined) return undefined;
  const part = (name: string): string | undefined =>
    new RegExp(`${name}\\(([^)]*)\\)`, 'i').exec(criteria)?.[1]?.trim();
  const header = part('header')?.toLowerCase();
  const isNamed = (part('name') ?? 'VarSet') === 'VarSet';
  const text = header === undefined || header === 'variable' ? isMatched(part('method'), value) : false;
  return { excludes: part('action')?.toLowerCase() === 'exclude', matches: isNamed && (value === '' || text) };
}

function isMatched(method: string | undefined, value: string): boolean {
  if (method === 'starts_with') return 'MES_RX'.startsWith(value);
  if (method === 'ends_with') return 'MES_RX'.endsWith(value);
  if (method === 'exact') return value === 'MES_RX';
  return method === 'contains' ? 'MES_RX'.includes(value) : isInScoreEvent(value);
}

function isInScoreEvent(expression: string): boolean {
  try {
    return new RegExp(expression.replaceAll('[[:space:]]', '\\s')).test(SCORE_EVENT);
  } catch {
    return false;
  }
}

function readFilter(entry: ConfigEntry): Filter | undefined {
  if (entry.key.toLowerCase() === 'eventfilter') return readExpression(entry);
  const criteria = /^eventfilter\((.*)\)$/i.exec(entry.key)?.[1];
  return criteria === undefined ? undefined : readCriteria(entry, criteria);
}

/** The old form: a regular expression over the whole text of the event; a leading `!` excludes. */
function readExpression(entry: ConfigEntry): Filter {
  const excludes = entry.value.startsWith('!');
  const expression = entry.value.replace(/^!/, '');
  return { entry, excludes, matches: (event) => matchesText(expression, event) };
}

function matchesText(expression: string, event: string): boolean | null {
  // Asterisk reads POSIX expressions. The ones in use here mean the same in JavaScript.
  try {
    if (new RegExp(expression).test(`Event: ${event}\r\n`)) return true;
  } catch {
    return null;
  }
  // An expression about other headers matches some events of that name; one that names another event matches none.
  return /Event:|Privilege:/.test(expression) ? false : null;
}

/** The new form: `eventfilter(action(exclude),name(X),header(Y),method(Z)) = text`. */
function readCriteria(entry: ConfigEntry, criteria: string): Filter {
  const parts = new Map(
    [...criteria.matchAll(/(\w+)\(([^)]*)\)/g)].map(([, name = '', value = '']) => [name.toLowerCase(), value.trim()]),
  );
  const name = parts.get('name');
  const isConditional = parts.has('header') || parts.has('method') || entry.value !== '';
  return {
    entry,
    excludes: parts.get('action')?.toLowerCase() === 'exclude',
    matches: (event) => {
      if (name !== undefined && name !== event) return false;
      return isConditional ? null : true;
    },
  };
}

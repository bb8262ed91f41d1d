/** The meaning of a sentence such as `214 yesterday one way`. */
export interface Understood {
  /** Query parameters for the page of calls. */
  readonly query: URLSearchParams;
  /** Unknown words, as typed. */
  readonly strange: readonly string[];
}

type Meaning = Readonly<Record<string, string>>;

/** English and German, whichever language the page speaks: people type as they think. The longest phrase counts. */
const PHRASES: Readonly<Record<string, Meaning>> = {
  ...same({ from: 'today' }, 'today', 'heute'),
  ...same({ from: 'yesterday' }, 'yesterday', 'gestern'),
  ...same({ from: 'this-week' }, 'this week', 'diese woche'),
  ...same({ from: 'last-week' }, 'last week', 'letzte woche'),
  ...same({ from: '-1h' }, 'last hour', 'letzte stunde'),
  ...same({ verdict: 'any-one-way' }, 'one way', 'one-way', 'one way audio', 'one-way audio', 'einseitig'),
  ...same({ verdict: 'no-media,any-one-way' }, 'no audio', 'no sound', 'silent', 'kein ton', 'stumm'),
  ...same({ verdict: 'bad-or-worse' }, 'bad', 'schlecht', 'schlechte'),
  ...same({ verdict: 'poor-or-worse' }, 'poor', 'dürftig', 'dürftige'),
  ...same({ verdict: 'fair' }, 'fair', 'mäßig'),
  ...same({ verdict: 'good' }, 'good', 'gut', 'gute'),
  ...same({ fault_place: 'this-server' }, 'this server', 'server', 'dieser server'),
  ...same({ fault_place: 'caller-network,both-networks' }, "caller's network", 'netz des anrufers'),
  ...same({ fault_place: 'callee-network,both-networks' }, "callee's network", 'netz des angerufenen'),
  ...same({ fault_place: 'caller-phone,callee-phone' }, 'phone fault', 'telefonfehler'),
  ...same({ ended_by: 'caller' }, 'caller hung up', 'ended by caller', 'anrufer legte auf'),
  ...same({ ended_by: 'callee' }, 'callee hung up', 'ended by callee', 'angerufener legte auf'),
  ...same({ ended_by: 'server' }, 'server hung up', 'ended by server', 'server legte auf'),
  ...same({ finding: 'echo' }, 'echo'),
  ...same({ finding: 'noisy' }, 'noise', 'noisy', 'rauschen'),
  ...same({ finding: 'too-quiet' }, 'too quiet', 'zu leise'),
  ...same({ finding: 'too-loud' }, 'too loud', 'zu laut'),
  ...same({ sort: 'mes' }, 'worst', 'worst first', 'schlechteste', 'schlechteste zuerst'),
  ...same({ sort: '-duration_s' }, 'longest', 'longest first', 'längste', 'längste zuerst'),
};
const LONGEST_PHRASE = 3;
const CODECS = new Set([
  'ulaw',
  'alaw',
  'g722',
  'g729',
  'gsm',
  'opus',
  'ilbc',
  'speex',
  'slin',
  'g726',
  'silk8',
  'silk16',
]);
/** Words without a meaning of their own. */
const FILLERS = new Set(
  'a an all and any audio by call calls codec extension for from had has have in is number of on or show that the to tag was were which who whose with alle anruf anrufe auf der die das und mit nummer von vom war waren welche im in zu zeige'.split(
    ' ',
  ),
);
const UNITS: ReadonlyMap<string, string> = new Map([
  ...named('m', 'm min minute minutes minuten'),
  ...named('h', 'h hour hours stunde stunden'),
  ...named('d', 'd day days tag tage tagen'),
]);
const SECONDS: ReadonlyMap<string, number> = new Map([
  ...named(1, 's sec second seconds sekunde sekunden'),
  ...named(60, 'm min minute minutes minuten'),
  ...named(3600, 'h hour hours stunde stunden'),
]);
/** A number, an extension or an endpoint; a name only where it has its technology before it or a number in it. */
const PARTY = /^(?:\+?[\d*#]+\*?|[\w.-]*\d[\w.-]*\*?|\w+\/\S+)$/;

/** Reads a sentence about calls. One word without another meaning is taken for the party: the name of a person or a trunk. */
export function understand(sentence: string): Understood {
  const typed = sentence
    .trim()
    .split(/[\s,;]+/)
    .filter((word) => word !== '');
  const words = typed.map((word) => word.toLowerCase().replace(/[?!.:]+$/, ''));
  const query = new URLSearchParams();
  const bare: string[] = [];
  for (let at = 0; at < words.length;) {
    const [meaning, length] = meaningAt(words, at, typed);
    if (meaning === undefined) bare.push(typed[at] ?? '');
    else for (const [name, value] of Object.entries(meaning)) put(query, name, value);
    at += length;
  }
  const strange = bare.filter((word) => {
    if (query.has('party') || !/^[\p{L}\p{N}][\p{L}\p{N}_.-]*\*?$/u.test(word)) return true;
    query.set('party', word);
    return false;
  });
  return { query, strange };
}

function meaningAt(words: readonly string[], at: number, typed: readonly string[]): [Meaning | undefined, number] {
  for (let length = Math.min(LONGEST_PHRASE, words.length - at); length > 0; length--) {
    const phrase = words.slice(at, at + length).join(' ');
    if (Object.hasOwn(PHRASES, phrase)) return [PHRASES[phrase], length];
  }
  const [word = '', second = '', third = '', fourth = ''] = words.slice(at, at + 4);
  const span = UNITS.get(third);
  if (/^(?:last|letzten?)$/.test(word) && /^\d{1,4}$/.test(second) && span !== undefined) {
    return [{ from: `-${second}${span}` }, 3];
  }
  const isLonger = /^(?:longer|länger)$/.test(word);
  if ((isLonger || /^(?:shorter|kürzer)$/.test(word)) && /^(?:than|als)$/.test(second) && /^\d{1,5}$/.test(third)) {
    const factor = SECONDS.get(fourth);
    const length = String(Number(third) * (factor ?? 1));
    return [{ [isLonger ? 'min_duration_s' : 'max_duration_s']: length }, factor === undefined ? 3 : 4];
  }
  if (word.startsWith('#') && word.length > 1 && !/^#\d+$/.test(word)) return [{ tag: (typed[at] ?? '').slice(1) }, 1];
  if (CODECS.has(word)) return [{ codec: word }, 1];
  if (FILLERS.has(word)) return [{}, 1];
  if (PARTY.test(typed[at] ?? '')) return [{ party: typed[at] ?? '' }, 1];
  return [undefined, 1];
}

/** Adds a parameter. Verdicts, codecs and tags add up; of anything else the last one counts. */
function put(query: URLSearchParams, name: string, value: string): void {
  const before = query.get(name);
  const isList = ['verdict', 'codec', 'tag', 'fault_place', 'finding', 'ended_by'].includes(name);
  query.set(name, before === null || !isList ? value : `${before},${value}`);
}

function same(meaning: Meaning, ...phrases: readonly string[]): Readonly<Record<string, Meaning>> {
  return Object.fromEntries(phrases.map((phrase) => [phrase, meaning]));
}

function named<Value>(value: Value, words: string): [string, Value][] {
  return words.split(' ').map((word) => [word, value]);
}

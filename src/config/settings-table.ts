import { EMERGENCY_NUMBERS } from '../model/people/rating.ts';
import { NETWORK_KINDS } from '../model/phones/device.ts';
import { PROFILE_NAMES } from '../model/score.ts';
import {
  BIND,
  choice,
  decimal,
  DURATION,
  HOST,
  HTTP_URL,
  listOf,
  matching,
  NAMES,
  optional,
  MAIL_ADDRESS,
  PORT_RANGE,
  SIZE,
  SMTP_URL,
  SUBNETS,
  WEBHOOK_URL,
  wholeNumber,
  YES_NO,
  type ValueType,
} from './value-types.ts';

/** One setting. The reader, the documentation (`npm run documents`) and doctor use it. */
export interface Setting<T> {
  readonly type: ValueType<T>;
  /** The default as one would write it in the file; undefined when there is none. */
  readonly defaultText: string | undefined;
  /** What a setting does without value and default: refuse to start, or be left out. */
  readonly whenAbsent: 'refuse' | 'leave-out';
  readonly doc: string;
}

type Section = Readonly<Record<string, Setting<unknown>>>;

function setting<T>(type: ValueType<T>, defaultText: string, doc: string): Setting<T> {
  return { type, defaultText, whenAbsent: 'refuse', doc };
}

function required<T>(type: ValueType<T>, doc: string): Setting<T> {
  return { type, defaultText: undefined, whenAbsent: 'refuse', doc };
}

function override<T>(type: ValueType<T>, doc: string): Setting<T | undefined> {
  return { type, defaultText: undefined, whenAbsent: 'leave-out', doc };
}

const SECRET = { secret: true, outlastsEmptyVariable: true };
const NO_CONTROL = /^\P{Cc}+$/u;
const PLAIN_TEXT = 'text without control characters';
const NAME = matching(PLAIN_TEXT, NO_CONTROL);
const SOUNDS = matching('names of sounds, with & between them', /^[\w/.-]{1,80}(?:&[\w/.-]{1,80}){0,15}$/);
/** RFC 8410: every Ed25519 key begins with the same twelve bytes. */
const ED25519_KEY = matching(
  'an Ed25519 key in one line of 60 characters: the middle line that "openssl pkey -in KEY.pem -pubout" prints',
  /^MCowBQYDK2VwAyEA[\w+/]{43}=$/,
);
const PASSWORD = matching(PLAIN_TEXT, NO_CONTROL, SECRET);
/** An opinion threshold is on the scale of scores, 1-4.5. */
const OPINION = decimal(1, 4.5);
/** An endpoint, or its beginning and `*`. */
const ENDPOINT_PATTERN = /^(?:[^\s*,]+\*?|\*)$/;
const FACTOR = decimal(0, 1000);
const DIVISOR = decimal(0.001, 1_000_000);
const DELAY_MS = decimal(0, 10_000);

/** Every section with a fixed name, and its keys. The documentation has this order and wording. */
export const SETTINGS = {
  general: {
    profile: setting(choice(...PROFILE_NAMES), 'documented', 'how scores are computed'),
    good: setting(OPINION, '4.0', 'lowest opinion (1-4.5) that is called good'),
    fair: setting(OPINION, '3.6', 'lowest opinion that is called fair'),
    poor: setting(OPINION, '3.1', 'lowest opinion that is called poor; below it is bad'),
  },
  ami: {
    host: setting(HOST, '127.0.0.1', 'where Asterisk listens for manager sessions'),
    port: setting(wholeNumber(1, 65_535), '5038', 'its TCP port'),
    username: required(NAME, 'a user of manager.conf'),
    secret: required(PASSWORD, "that user's secret"),
    tls: setting(YES_NO, 'no', 'whether that port speaks TLS'),
  },
  ari: {
    url: setting(optional(HTTP_URL), '', "base address of Asterisk's HTTP server; empty: ARI is not used"),
    username: setting(optional(NAME), '', 'a user of ari.conf'),
    password: setting(optional(PASSWORD), '', "that user's password"),
    app: setting(
      matching('letters, digits, dots, dashes and underscores', /^[\w.-]{1,64}$/),
      'mes',
      'name of our application',
    ),
  },
  agi: {
    bind: setting(BIND, '127.0.0.1:4573', 'where the hangup handler finds us (FastAGI)'),
    secret: setting(
      optional(matching('letters, digits, dashes and underscores, at least 8', /^[\w-]{8,128}$/, SECRET)),
      '',
      'what the script that the hangup handler asks for ends in: hangup/SECRET; empty: it is hangup',
    ),
    peers: setting(SUBNETS, '127.0.0.0/8, ::1', 'from where Asterisk may ask; anybody else is turned away'),
  },
  http: {
    bind: setting(BIND, '127.0.0.1:8090', 'where REST listens'),
    token: setting(
      optional(matching('printable ASCII without spaces', /^[\x21-\x7e]+$/, SECRET)),
      '',
      'what clients send as "Authorization: Bearer …"; needed when bind is not loopback',
    ),
    metrics_groups: setting(
      wholeNumber(2, 1000),
      '50',
      'groups of endpoints that /metrics tells apart at most; the rest is "other"',
    ),
  },
  writeback: {
    variables: setting(YES_NO, 'yes', 'whether scores are written to channel variables'),
    cdr: setting(YES_NO, 'yes', 'whether scores are written to the CDR'),
  },
  alerts: {
    smtp: setting(optional(SMTP_URL), '', 'the mail server; empty: no mail'),
    from: setting(optional(MAIL_ADDRESS), '', 'the sender of mails'),
    to: setting(listOf(MAIL_ADDRESS, 'mail addresses with commas in between'), '', 'who gets them'),
    webhook: setting(optional(WEBHOOK_URL), '', 'what alerts are posted to as JSON; empty: nothing'),
    webhook_secret: setting(
      optional(matching('at least 16 printable ASCII characters without spaces', /^[\x21-\x7e]{16,}$/, SECRET)),
      '',
      'the key that posts are signed with (HMAC-SHA256); empty: they are not signed',
    ),
    url: setting(
      optional(HTTP_URL),
      '',
      'under which address people reach this server, for the links in messages; empty: http:// and bind of [http]',
    ),
    digest: setting(choice('off', 'daily', 'weekly'), 'off', 'how often a digest is mailed, at 7 in the morning'),
  },
  history: {
    path: setting(NAME, '/var/lib/asterisk-mes/mes.sqlite', 'the SQLite file'),
    keep_intervals: setting(DURATION, '30d', 'how long single reports are kept'),
    keep_calls: setting(DURATION, '400d', 'how long calls with their channels and scores are kept'),
    numbers: setting(choice('clear', 'masked', 'hashed'), 'clear', "how callers' numbers are kept and shown"),
    numbers_key: setting(
      optional(matching('at least 16 characters, none of them a control character', /^\P{Cc}{16,}$/u, SECRET)),
      '',
      'the secret that numbers = hashed hashes them with',
    ),
  },
  phone_reports: {
    bind: setting(
      optional(BIND),
      '',
      'where phones send their own reports (RFC 6035, UDP and TCP), such as 0.0.0.0:5063; empty: they are not taken',
    ),
    peers: setting(
      optional(SUBNETS),
      '',
      'from where reports are taken; empty: from anywhere, and only those from the phone of the call are believed',
    ),
  },
  capture: {
    enabled: setting(YES_NO, 'no', 'whether packets are captured'),
    // tcpdump would take a name that begins with a dash for an option.
    interface: setting(matching('the name of a network interface, or any', /^[\w.:@][\w.:@-]{0,63}$/), 'any', 'where'),
    ports: setting(PORT_RANGE, '10000-20000', 'UDP ports that carry RTP (rtp.conf: rtpstart, rtpend)'),
    audio: setting(YES_NO, 'no', 'whether levels, noise and echo are to be measured in the audio of captured packets'),
  },
  measurements: {
    enabled: setting(YES_NO, 'no', 'whether anonymous measurements of calls are gathered and sent'),
    recipient: setting(
      listOf(
        matching('public keys of age', /^age1[02-9ac-hj-np-z]{58}$/),
        'public keys of age (age1…) with commas in between',
      ),
      '',
      'whoever can read them: public keys of age with commas in between; needed when enabled',
    ),
    collector: setting(
      optional(HTTP_URL),
      '',
      'collection server that they are sent to; empty: they stay in the spool',
    ),
    upload_to: setting(
      optional(HTTP_URL),
      '',
      "the collection server's S3 server, to which files go straight; empty: they pass through the collection server",
    ),
    include: setting(
      listOf(choice('calls', 'ratings'), 'calls, ratings, or both with a comma in between'),
      'calls, ratings',
      'what is sent: the media of calls, what people said of them, or both',
    ),
    endpoints: setting(
      listOf(
        matching('an endpoint', ENDPOINT_PATTERN),
        'endpoints such as PJSIP/alice, PJSIP/carrier* with commas in between',
      ),
      '',
      'endpoints that take part, one * at the end stands for anything; empty: all',
    ),
    spool: setting(NAME, '/var/lib/asterisk-mes/measurements', 'directory of what waits to be sent, encrypted'),
    spool_max: setting(SIZE, '100 MB', 'size of that directory; beyond it the oldest is given up'),
  },
  doctor: {
    accept: setting(
      listOf(matching('a check', /^[a-z0-9-]+$/), 'names with commas in between, such as direct-media, ami-clients'),
      '',
      'checks of doctor whose findings you want as they are; shown as accepted',
    ),
  },
  fleet: {
    url: setting(optional(HTTP_URL), '', "address of the fleet's gateway; empty: nothing is shipped"),
    token: setting(
      optional(matching('printable ASCII without spaces', /^[\x21-\x7e]+$/, SECRET)),
      '',
      'what "asterisk-mes fleet add-pbx" printed for this PBX',
    ),
    site: setting(
      optional(matching('up to 64 letters, digits, blanks, dots, dashes and underscores', /^[\w. -]{1,64}$/)),
      '',
      'where this PBX is, unless the gateway knows it',
    ),
    send: setting(
      choice('summaries', 'bad-intervals', 'intervals'),
      'summaries',
      'calls with their scores; with the reports of directions below good; with all reports',
    ),
  },
  ratings: {
    enabled: setting(YES_NO, 'no', 'whether people are asked how their call was, by voice and by link'),
    ask_percent: setting(
      decimal(0, 100),
      '5',
      'how many of a hundred good calls are asked about; poor ones always are',
    ),
    never: setting(NAMES, EMERGENCY_NUMBERS.join(', '), 'endpoints and numbers that are never asked; * at the end'),
    code: setting(
      matching('two to ten digits, stars or pound signs', /^[\d*#]{2,10}$/),
      '*637',
      'what people dial to rate their last call; setup writes it into extensions_mes.conf',
    ),
    questions: setting(optional(NAME), '', 'the file with your own questions; empty: ours'),
    questions_url: setting(
      optional(HTTP_URL),
      '',
      'where signed questions are fetched from, such as https://collector.example.org/v1/questions; they are asked in place of others',
    ),
    questions_key: setting(
      optional(ED25519_KEY),
      '',
      'public key that they have to be signed with; empty: that of the first that come over HTTPS',
    ),
    link_base: setting(optional(HTTP_URL), '', 'address under which people reach us; empty: that of [http] bind'),
    link_lifetime: setting(DURATION, '1d', 'how long a link to rate a call is good'),
    prompt_score: setting(
      SOUNDS,
      'info-about-last-call&vm-press&digits/1&digits/2&digits/3&digits/4&digits/5',
      'sounds that ask for 1 to 5',
    ),
    prompt_thanks: setting(SOUNDS, 'auth-thankyou', 'sounds at the end'),
    prompt_none: setting(SOUNDS, 'im-sorry', 'sounds when there is no call to rate'),
  },
  'profile:custom': {
    base_r: override(decimal(0, 200), 'R before anything is taken off'),
    rtt_factor: override(FACTOR, 'part of the round trip that counts: 1 the whole, 0.5 one way'),
    jitter_sample: override(choice('mean', 'last'), 'which jitter counts'),
    jitter_unit: override(choice('ms', 's'), 'its unit; s repeats Asterisk up to 22.10'),
    jitter_factor: override(FACTOR, 'what the jitter term is multiplied by'),
    jitter_stdev_divisor: override(DIVISOR, "what the jitter's deviation is divided by"),
    codec_delay_ms: override(DELAY_MS, 'delay of a codec that has none of its own'),
    latency_knee_ms: override(DELAY_MS, 'effective latency from which the steeper line holds'),
    latency_divisor_below: override(DIVISOR, 'ms that cost one R below the knee'),
    latency_offset_ms: override(DELAY_MS, 'taken off the latency above the knee'),
    latency_divisor_above: override(DIVISOR, 'ms that cost one R above the knee'),
    loss_unit: override(choice('packets', 'percent'), 'what loss is counted in: packets of 20 ms, or percent'),
    loss_per: override(choice('5s', 'report'), 'what packets are counted over: 5 s of audio, or one report'),
    loss_factor: override(FACTOR, 'R that each of them costs'),
  },
} as const satisfies Readonly<Record<string, Section>>;

/** Keys of `[codec:NAME]`, NAME as Asterisk writes it. */
export const CODEC_SETTINGS = {
  delay_ms: override(DELAY_MS, "the codec's own delay, in place of the profile's"),
  ie: override(decimal(0, 94), "the E-model's Ie: R that the codec costs without loss"),
  bpl: override(decimal(0.1, 100), "the E-model's Bpl: how well it bears loss; more is better"),
  r0_is: override(decimal(0, 130), "the E-model's R0 - Is: R before anything is taken off"),
} as const satisfies Section;

/**
 * Keys of `[endpoint:PATTERN]`, PATTERN an endpoint such as `PJSIP/alice`, or `device:`, `site:` or `network:` and a name; or the beginning
 * and `*`.
 */
export const ENDPOINT_SETTINGS = {
  /** G.107's A goes up to 20 (places hard to reach). */
  advantage: override(decimal(0, 20), "the E-model's advantage factor, R that users forgive"),
} as const satisfies Section;

/** Keys of `[network:PREFIX]`, PREFIX an IP network such as `192.0.2.0/24`; of several that fit the longest counts. */
export const NETWORK_SETTINGS = {
  site: override(NAME, 'where the devices of that network are'),
  kind: override(choice(...NETWORK_KINDS), 'what kind of network it is'),
  country: override(matching('two capital letters (ISO 3166)', /^[A-Z]{2}$/), 'in which country it is, such as DE'),
  asn: override(wholeNumber(1, 4_294_967_295), 'the number of the autonomous system that it belongs to'),
} as const satisfies Section;

export type ValuesOf<S extends Section> = {
  readonly [Key in keyof S]: S[Key] extends Setting<infer Value> ? Value : never;
};

import { numberHider, type NumberSetting } from './caller-numbers.ts';

/**
 * At least five digits of any script, with anything but letters between them: `0155 50100`, `(0155) 50-100`, `tel:+4915550100`.
 * A leading `+`, `*` or `#` belongs to it.
 */
const NUMBER_RUN = /[+*#]?\p{Nd}(?:[^\p{L}\p{M}\p{N}]*\p{Nd}){4,}/gu;
/**
 * A number beside versions: `96.86.0.100` and `GXP2160 1.0.11.6` are none. So a number needs seven digits without dots between
 * them, or eleven with dots.
 */
const NUMBER_BESIDE_VERSIONS = /[+*#]?\p{Nd}(?:[^\p{L}\p{M}\p{N}.]*\p{Nd}){6,}(?!\.?\p{Nd})|\p{Nd}(?:\.?\p{Nd}){10,}/gu;
/** An extension that is a number, not a name of the dialplan (`s`, `h`, `hangup`). */
const DIALLED = /^[+*#]?\d[\d*#]+$/;
/** The dialled number in `Local/600@from-internal`, however short. */
const DIALLED_LOCALLY = /((?:^|\/)Local\/)([+*#]?\d[\d*#]+)(?=@)/;
/** Digits in a driver's name or span (`DAHDI/i1/`) do not belong to the number behind them. */
const DRIVER = /(?:^|\/)(?:DAHDI\/(?:i\d{1,4}\/)?|IAX2\/)/;
/**
 * What Asterisk puts at the end of a channel's name so that no two are the same: a counter of eight hexadecimal digits,
 * which begins at 0 with Asterisk, or a short number where the driver is DAHDI or IAX2.
 */
const SERIAL = /-0[0-9a-f]{7}(?:;[12])?(?:<[A-Z]+>)?$/;
const SHORT_SERIAL = /-[0-9a-f]{1,4}(?:<[A-Z]+>)?$/;
const WITH_SHORT_SERIAL = /(?:^|\/)(?:DAHDI|IAX2)\//;
/** Bound on remembered texts: every report of a channel repeats its name. */
const MOST_REMEMBERED = 10_000;

/** How to hide numbers in each kind of text. Equal texts stay equal. */
export interface TextHider {
  /** A number, or what somebody gave as one: hidden whole. */
  readonly number: (text: string) => string;
  /** Any text: numbers in it are hidden. */
  readonly text: (text: string) => string;
  /** An extension: a number of any length, or a word of the dialplan that may hold one. */
  readonly exten: (text: string) => string;
  /** A program or device with its version, such as a User-Agent. */
  readonly program: (text: string) => string;
  /** A channel's name: the serial number stays, a dialled number is hidden however short it is. */
  readonly channelName: (text: string) => string;
  /** An endpoint, such as `PJSIP/alice`: the same without a serial number, which its end may look like. */
  readonly endpoint: (text: string) => string;
}

function remembering(make: (text: string) => string): (text: string) => string {
  const known = new Map<string, string>();
  return (text) => {
    const before = known.get(text);
    if (before !== undefined) return before;
    const made = make(text);
    if (known.size >= MOST_REMEMBERED) known.clear();
    // Flat copies: slices would keep their whole event in memory.
    known.set(Buffer.from(text).toString(), made);
    return made;
  };
}

/** Throws RangeError when a key is needed and missing. */
export function textHider(setting: NumberSetting): TextHider {
  const number = numberHider(setting);
  const text = (whole: string): string => whole.replaceAll(NUMBER_RUN, (run) => number(run));

  const hideEndpoint = (name: string): string => hideUpTo(name, name.length);
  const hideName = (name: string): string =>
    hideUpTo(name, (WITH_SHORT_SERIAL.test(name) ? SHORT_SERIAL : SERIAL).exec(name)?.index ?? name.length);
  const hideUpTo = (name: string, serial: number): string => {
    const driver = DRIVER.exec(name);
    const from = driver === null ? 0 : driver.index + driver[0].length;
    const head = text(name.slice(0, driver?.index ?? 0)) + (driver?.[0] ?? '');
    let hiddenDialled = '';
    const rest = name.slice(from, serial).replace(DIALLED_LOCALLY, (_, start: string, dialled: string) => {
      hiddenDialled = number(dialled);
      return `${start}\0`;
    });
    return head + text(rest).replace('\0', () => hiddenDialled) + name.slice(serial);
  };
  return {
    number,
    text,
    exten: remembering((exten) => (DIALLED.test(exten) ? number(exten) : text(exten))),
    program: (whole) => whole.replaceAll(NUMBER_BESIDE_VERSIONS, (run) => number(run)),
    channelName: remembering(hideName),
    endpoint: remembering(hideEndpoint),
  };
}

/** A number's hash, in a text. */
const HASHED = /(#[0-9a-f]{16}(?![0-9a-f]))/;

/**
 * Makes the function that changes a requested endpoint into its stored form. A stored form stays as it is, and so does a prefix
 * (`*` at its end) without a number. Undefined for a prefix that cuts a number: nothing is stored under it. Throws RangeError
 * when a key is needed and missing.
 */
export function endpointSearcher(setting: NumberSetting): (name: string) => string | undefined {
  if (setting.numbers === 'clear') return (name) => name;
  const { endpoint } = textHider(setting);
  const hide = (name: string): string => {
    if (setting.numbers === 'masked') return endpoint(name);
    return name
      .split(HASHED)
      .map((part, index) => (index % 2 === 0 ? endpoint(part) : part))
      .join('');
  };
  return (name) => {
    if (!name.endsWith('*')) return hide(name);
    const beginning = name.slice(0, -1);
    return hide(beginning) === beginning ? name : undefined;
  };
}

import type { ChannelCodecs } from '../../model/event.ts';
import type { AmiMessage } from './ami.ts';

const NO_CODECS: ChannelCodecs = { rx: null, tx: null };
const MAX_FORMATS = 64;
const FORMAT_NAME = /^[a-z0-9_.-]{1,32}$/;

/**
 * The codecs of a channel's audio from a row of AMI's `Status` list, each null where the row does not tell.
 *
 * What passes between channel and network is not in `Readformat` and `Writeformat`, which are what the bridge or the
 * application takes and gives, but at the outer ends of the translations: `Readtrans: (ulaw@8000)->(slin@8000)` came in as
 * ulaw, `Writetrans: (slin@16000)->(g722@16000)` goes out as g722. No translation: the two formats are the codecs.
 * (22.10.1 and 16.28, compared with the payload types of captured packets.)
 */
export function readChannelCodecs(row: AmiMessage): ChannelCodecs {
  // In the order in which Asterisk prints them.
  const native = readFormats(row.get('Nativeformats'));
  const readFormat = row.get('Readformat');
  const readPath = readPathOf(row.get('Readtrans'));
  const writeFormat = row.get('Writeformat');
  const writePath = readPathOf(row.get('Writetrans'));
  if (native.length === 0) return NO_CODECS;
  return {
    rx: pick(readPath === undefined ? [readFormat] : namesOf(readPath.at(0)), native),
    tx: pick(writePath === undefined ? [writeFormat] : namesOf(writePath.at(-1)), native),
  };
}

/** One that was negotiated, or the only one that was: at a change the two may not fit for a moment. */
function pick(names: readonly (string | undefined)[], native: readonly string[]): string | null {
  const found = names.find((name) => name !== undefined && native.includes(name.toLowerCase()));
  if (found !== undefined) return found.toLowerCase();
  return (native.length === 1 ? native[0] : undefined) ?? null;
}

/** `(ulaw|h264)`; `(nothing)` is none. */
function readFormats(list: string | undefined): string[] {
  const names = (list ?? '')
    .replace(/^\((.*)\)$/, '$1')
    .toLowerCase()
    .split('|', MAX_FORMATS);
  return names.filter((name) => name !== 'nothing' && FORMAT_NAME.test(name));
}

/** A step of a translation names the codec and the rate at which it samples. */
interface PathStep {
  readonly codec: string;
  readonly rateHz: number;
}

/** `(slin@16000)->(g722@16000)`; undefined when there is no translation. */
function readPathOf(path: string | undefined): PathStep[] | undefined {
  const steps = [...(path ?? '').matchAll(/\(([a-z0-9_.-]{1,32})@(\d{1,6})\)/gi)];
  if (steps.length === 0) return undefined;
  return steps.map(([, codec = '', rateHz]) => ({ codec: codec.toLowerCase(), rateHz: Number(rateHz) }));
}

/** The names that its format may have: codec `speex` at 16000 is format `speex16`, but g722 is `g722`. */
function namesOf(step: PathStep | undefined): string[] {
  return step === undefined ? [] : [`${step.codec}${step.rateHz / 1000}`, step.codec];
}

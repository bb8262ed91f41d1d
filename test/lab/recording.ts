import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { REPOSITORY } from './paths.ts';

/** A message of a recording: its text cut where an id stands, `ids[n]` between `texts[n]` and `texts[n + 1]`. */
export interface RecordedMessage {
  /** After the recording's first message. */
  readonly atMs: number;
  /** `Newchannel`, `RTCPSent` … */
  readonly event: string;
  readonly texts: readonly string[];
  /** Numbers of the recording's ids. */
  readonly ids: readonly number[];
}

type IdKind = 'uniqueid' | 'serial' | 'bridge' | 'ssrc';

/** The messages of a real Asterisk over some calls, to be replayed with other ids. */
export interface Recording {
  readonly messages: readonly RecordedMessage[];
  readonly ids: readonly IdKind[];
}

const FOLDER = join(REPOSITORY, 'test/golden/ami');
const UNIQUEID_HEADER = /(?:Uniqueid|Linkedid)$/;
const CHANNEL_NAME = /^([A-Z]\w*\/.*-)([0-9a-f]{8})((?:;[12])?)$/;
const BRIDGE_ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Reads `test/golden/ami/NAME.txt` and the times of its messages beside it. */
export function readRecording(name: string): Recording {
  const facts = JSON.parse(readFileSync(join(FOLDER, `${name}.json`), 'utf8')) as { message_arrivals_ms: number[] };
  const blocks = readFileSync(join(FOLDER, `${name}.txt`), 'utf8')
    .split('\r\n\r\n')
    .slice(0, -1);
  const numbers = new Map<string, number>();
  const ids: IdKind[] = [];
  const numberOf = (kind: IdKind, value: string): number => {
    const key = `${kind} ${value}`;
    const known = numbers.get(key);
    if (known !== undefined) return known;
    numbers.set(key, ids.length);
    return ids.push(kind) - 1;
  };
  const messages = blocks.map((block, index) => cut(block, facts.message_arrivals_ms[index] ?? 0, numberOf));
  return { messages, ids };
}

function cut(block: string, atMs: number, numberOf: (kind: IdKind, value: string) => number): RecordedMessage {
  const event = /^Event: (\w+)/.exec(block)?.[1] ?? '';
  const texts: string[] = [];
  const ids: number[] = [];
  let text = '';
  const putId = (kind: IdKind, value: string): void => {
    texts.push(text);
    ids.push(numberOf(kind, value));
    text = '';
  };
  for (const line of block.split('\r\n')) {
    const colon = line.indexOf(': ');
    const header = line.slice(0, colon);
    const value = line.slice(colon + 2);
    const [, channel, serial, half] = CHANNEL_NAME.exec(value) ?? [];
    text += `${header}: `;
    if (BRIDGE_ID.test(value)) putId('bridge', value);
    else if (UNIQUEID_HEADER.test(header)) putId('uniqueid', value);
    // What RTCPReceived calls SSRC is a time: NTP seconds.
    else if (header === 'Report0SourceSSRC' || (header === 'SSRC' && event === 'RTCPSent')) putId('ssrc', value);
    else if (channel !== undefined && serial !== undefined) {
      text += channel;
      putId('serial', serial);
      text += half ?? '';
    } else text += value;
    text += '\r\n';
  }
  return { atMs, event, texts: [...texts, `${text}\r\n`], ids };
}

export interface Pace {
  /** Between two reports of a stream. The recordings have 1 s. */
  readonly reportEveryMs: number;
  /** From the first message to the first of the ending. */
  readonly callMs: number;
}

const RECORDED_REPORT_EVERY_MS = 1000;

/**
 * The same call with its reports at another interval, shortened, or prolonged in silence when it has no more reports. For recordings
 * that have all other events before and after the reports.
 */
export function atPace({ messages, ids }: Recording, { reportEveryMs, callMs }: Pace): Recording {
  const first = messages.findIndex(isReport);
  const afterLast = messages.findLastIndex(isReport) + 1;
  const beginning = messages.slice(0, first);
  const ending = messages.slice(afterLast);
  const upAtMs = beginning.at(-1)?.atMs ?? 0;
  const endedAtMs = ending[0]?.atMs ?? 0;
  const factor = reportEveryMs / RECORDED_REPORT_EVERY_MS;
  const reports = messages
    .slice(first, afterLast)
    .filter(isReport)
    .map((message) => ({ ...message, atMs: upAtMs + (message.atMs - upAtMs) * factor }))
    .filter(({ atMs }) => atMs < callMs);
  const end = ending.map((message) => ({ ...message, atMs: callMs + message.atMs - endedAtMs }));
  return { messages: [...beginning, ...reports, ...end], ids };
}

/**
 * The same call without the far ends' sender parts. At an interval other than the recorded one, those would claim too many packets
 * for the time, and a stall of a busy machine would then make a direction dead.
 */
export function withoutSenders({ messages, ids }: Recording): Recording {
  const plain = (text: string): string =>
    text.replace('PT: 200(SR)', 'PT: 201(RR)').replaceAll(/^Sent(?:NTP|RTP|Packets|Octets): .*\r\n/gm, '');
  return {
    ids,
    messages: messages.map((message) =>
      message.event === 'RTCPReceived' ? { ...message, texts: message.texts.map(plain) } : message,
    ),
  };
}

export function isReport({ event }: RecordedMessage): boolean {
  return event === 'RTCPSent' || event === 'RTCPReceived';
}

/** Gives ids as Asterisk does, none twice: `1795172529.17`, `0000002a`, a bridge's UUID, `0x2aac88e6`. */
export class FreshIds {
  readonly #startedAtS = Math.floor(Date.now() / 1000);
  #next = 0;

  /** One for each id of the recording. */
  of({ ids }: Recording): string[] {
    return ids.map((kind) => this.#one(kind));
  }

  #one(kind: IdKind): string {
    if (kind === 'bridge') return randomUUID();
    const number = this.#next++;
    if (kind === 'uniqueid') return `${this.#startedAtS}.${number}`;
    const digits = number.toString(16).padStart(8, '0');
    return kind === 'ssrc' ? `0x${digits.replace(/^0+(?=.)/, '')}` : digits;
  }
}

/** The message with these ids, as Asterisk writes it: whole, its empty line included. */
export function render({ texts, ids }: RecordedMessage, values: readonly string[]): string {
  let text = texts[0] ?? '';
  for (const [index, id] of ids.entries()) text += `${values[id] ?? ''}${texts[index + 1] ?? ''}`;
  return text;
}

import type { RtpCounters } from '../../model/event.ts';
import { signed24 } from '../../units/rtp.ts';
import { MAX_UINT32, readDecimal, readUnsigned } from '../number-text.ts';

/** A `CHANNEL(rtcp,all)` answer is about 160 characters long; anything much longer is not one. */
const MAX_TEXT_CHARACTERS = 2048;

/**
 * Reads the answer of `CHANNEL(rtcp,all)`: `ssrc=…;themssrc=…;lp=…;rxjitter=…;rxcount=…;…`.
 * Undefined when the channel has no RTP (the answer is empty) or the text is no such answer.
 *
 * Despite their names `rxjitter` and `rxmes` are what the far end said of audio that we sent. The counts are what
 * they say: `rxcount` and `txcount` up to now, `lp` (lost of what we received) and `rlp` (lost of what we sent, by
 * the far end) as of the last RTCP report. Without any report from the far end Asterisk prints `rlp=0`: unknown.
 */
export function parseRtcpAll(text: string): RtpCounters | undefined {
  if (text.length > MAX_TEXT_CHARACTERS) return undefined;
  const fields = readFields(text);
  const rxPackets = readUnsigned(fields.get('rxcount'), MAX_UINT32);
  const txPackets = readUnsigned(fields.get('txcount'), MAX_UINT32);
  if (rxPackets === undefined && txPackets === undefined) return undefined;
  const rxLostPackets = readLost(fields.get('lp'));
  const txLostPackets = farEndReported(fields) ? readLost(fields.get('rlp')) : undefined;
  const localSsrc = readUnsigned(fields.get('ssrc'), MAX_UINT32);
  // 0 stands for "nothing received yet".
  const remoteSsrc = readUnsigned(fields.get('themssrc'), MAX_UINT32);
  return {
    ...(rxPackets === undefined ? {} : { rxPackets }),
    ...(rxLostPackets === undefined ? {} : { rxLostPackets }),
    ...(txPackets === undefined ? {} : { txPackets }),
    ...(txLostPackets === undefined ? {} : { txLostPackets }),
    ...(localSsrc === undefined ? {} : { localSsrc }),
    ...(remoteSsrc === undefined || remoteSsrc === 0 ? {} : { remoteSsrc }),
  };
}

/**
 * A count of lost packets, below zero when duplicates outnumber them. Asterisk keeps it in 24 bits (as reported) or 32
 * (as computed) and prints either as unsigned or signed by release.
 */
export function signedLostPackets(printed: number): number {
  return printed > 0xff_ffff || printed < 0 ? printed | 0 : signed24(printed);
}

function readLost(text: string | undefined): number | undefined {
  const printed = readDecimal(text, -MAX_UINT32, MAX_UINT32);
  return printed === undefined || !Number.isInteger(printed) ? undefined : signedLostPackets(printed);
}

function farEndReported(fields: ReadonlyMap<string, string>): boolean {
  return ['rlp', 'rxjitter', 'rtt', 'rxmes'].some((name) => {
    const value = readDecimal(fields.get(name), -MAX_UINT32, MAX_UINT32);
    return value !== undefined && value !== 0;
  });
}

function readFields(text: string): Map<string, string> {
  const fields = new Map<string, string>();
  for (const pair of text.split(';')) {
    const equals = pair.indexOf('=');
    const name = pair.slice(0, Math.max(0, equals)).trim();
    if (name !== '' && !fields.has(name)) fields.set(name, pair.slice(equals + 1).trim());
  }
  return fields;
}

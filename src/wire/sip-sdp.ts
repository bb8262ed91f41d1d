import { type PayloadFormat, formatFromSdp } from './payload-types.ts';

/** One stream that an SDP offers or accepts: where its owner listens, and what the payload types mean there. */
export interface SdpMedia {
  readonly kind: MediaKind;
  /** The address as it is written, without brackets. */
  readonly address: string;
  readonly port: number;
  /** Only what `a=rtpmap` says; static types may be missing. */
  readonly formats: ReadonlyMap<number, PayloadFormat>;
}

/** The media of an SDP that are read. */
type MediaKind = 'audio' | 'video';

const MAX_SIP_BYTES = 65_535;
const MAX_PORT = 65_535;
const MAX_PAYLOAD_TYPE = 127;
const UPPER_CASE_A = 0x41;
const UPPER_CASE_Z = 0x5a;
const START_LINE = /^(?:[A-Z]{2,20} \S{1,2000} SIP\/2\.0|SIP\/2\.0 \d{3} [^\r\n]*)\r?\n/;
const END_OF_HEADERS = /\r?\n\r?\n/;
const RTPMAP = /^a=rtpmap:(\d{1,3}) ([A-Za-z0-9._-]{1,64})\/(\d{1,6})(?:\/\d{1,3})?\s*$/;
const CONNECTION = /^c=IN IP[46] ([0-9A-Fa-f.:]{2,45})/;
const MEDIA = /^m=([a-z]{1,20}) (\d{1,5})(?:\/\d{1,5})? /;

/**
 * Reads the audio and video streams out of a SIP message with an SDP body in a UDP payload, as far as it was captured.
 * Undefined when it is no SIP message; empty when it has no SDP. Only what names codecs and media addresses is read.
 */
export function readSipMedia(view: DataView, start: number, end: number): SdpMedia[] | undefined {
  const first = end > start ? view.getUint8(start) : 0;
  if (first < UPPER_CASE_A || first > UPPER_CASE_Z) return undefined;
  const bytes = new Uint8Array(view.buffer, view.byteOffset + start, Math.min(end - start, MAX_SIP_BYTES));
  const text = new TextDecoder('latin1').decode(bytes);
  if (!START_LINE.test(text)) return undefined;
  const endOfHeaders = END_OF_HEADERS.exec(text);
  if (endOfHeaders === null) return [];
  const headers = text.slice(0, endOfHeaders.index);
  if (!/^(?:content-type|c)\s*:\s*(?:application\/sdp|multipart\/)/im.test(headers)) return [];
  return readSdpMedia(text.slice(endOfHeaders.index + endOfHeaders[0].length));
}

/** Reads the audio and video parts of an SDP (RFC 8866). A part without an address or with port 0 (refused) is left out. */
export function readSdpMedia(text: string): SdpMedia[] {
  const media: SdpMedia[] = [];
  let sessionAddress: string | undefined;
  let address: string | undefined;
  let port = 0;
  let isInMedia = false;
  let kind: MediaKind | undefined;
  let formats = new Map<number, PayloadFormat>();
  const closePart = (): void => {
    if (kind !== undefined && address !== undefined && port > 0) media.push({ kind, address, port, formats });
    formats = new Map();
  };
  for (const line of text.split(/\r?\n/)) {
    const part = MEDIA.exec(line);
    const connection = CONNECTION.exec(line);
    if (part !== null) {
      closePart();
      isInMedia = true;
      kind = part[1] === 'audio' || part[1] === 'video' ? part[1] : undefined;
      port = Number(part[2]) <= MAX_PORT ? Number(part[2]) : 0;
      address = sessionAddress;
    } else if (connection !== null) {
      address = connection[1];
      if (!isInMedia) sessionAddress = address;
    } else {
      readRtpmap(line, formats);
    }
  }
  closePart();
  return media;
}

function readRtpmap(line: string, formats: Map<number, PayloadFormat>): void {
  const [, payloadType, encodingName = '', clockRate] = RTPMAP.exec(line) ?? [];
  if (payloadType === undefined || Number(payloadType) > MAX_PAYLOAD_TYPE) return;
  const format = formatFromSdp(encodingName, Number(clockRate));
  if (format !== undefined) formats.set(Number(payloadType), format);
}

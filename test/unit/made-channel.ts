import type { TimedText } from '../lab/timed-text.ts';

/** How a release of Asterisk prints RTCP events: 16 has no score of its own; chan_sip's channels are named otherwise. */
export type EventShape = '22' | '16' | 'chan_sip';

export type Direction = 'rx' | 'tx';

/** What a report says of a stream: the fields of its block, and what its sender has sent. */
export interface MadeBlock {
  readonly sourceSsrc: number;
  readonly fractionLostQ8: number;
  /** Signed, as RFC 3550 has it. */
  readonly cumulativeLost: number;
  /** Cycles × 65536 + sequence. */
  readonly highest: number;
  readonly jitterTicks: number;
  readonly lsr: number;
}

/** One direction: what its receiver reports, once a pace, and what its sender says that it sent. */
export interface MadeDirection {
  readonly ssrc: number;
  readonly firstSequence: number;
  readonly packetsPerS: number;
  readonly clockRateHz: number;
  /** Changes the plain block of report `number` (1, 2, …); null: the report has no block. */
  readonly block: (plain: MadeBlock, number: number) => MadeBlock | null;
  /** Changes the count of the sender's SR that comes with the other direction's report `number`; null: it sends RRs. */
  readonly sentPackets: (plain: number, number: number) => number | null;
}

export interface MadeChannel {
  readonly shape: EventShape;
  readonly serial: number;
  readonly reports: number;
  /** Our reports (about rx), and the far end's (about tx), seconds. */
  readonly localPaceS: number;
  readonly remotePaceS: number;
  readonly rx: MadeDirection;
  readonly tx: MadeDirection;
  /** Of the far end's report `number`, as printed; null: the header is missing. */
  readonly rttS: (number: number) => string | null;
  /** ReportCount of the far end's report with a block. */
  readonly remoteCount: (number: number) => number;
  /** Changes the headers of an event, by its name and number. */
  readonly headers: (headers: readonly Header[], event: string, number: number) => readonly Header[];
}

export type Header = readonly [name: string, value: string];

const UP_AT_MS = 1200;
/** The far end's reports come so much after ours. */
const REMOTE_AFTER_MS = 300;
const HANGUP_AFTER_MS = 700;

export function madeDirection(of: Partial<MadeDirection> = {}): MadeDirection {
  return {
    ssrc: 0x5000_0014,
    firstSequence: 1000,
    packetsPerS: 50,
    clockRateHz: 8000,
    block: (plain) => plain,
    sentPackets: (plain) => plain,
    ...of,
  };
}

export function madeChannel(of: Partial<MadeChannel> = {}): MadeChannel {
  return {
    shape: '22',
    serial: 20,
    reports: 14,
    localPaceS: 1,
    remotePaceS: 1,
    rx: madeDirection(),
    tx: madeDirection({ ssrc: 0x2000_0014 }),
    rttS: (number) => (number === 1 ? '0.0000' : '0.0312'),
    remoteCount: () => 1,
    headers: (headers) => headers,
    ...of,
  };
}

export const uniqueidOf = ({ serial }: MadeChannel): string => `1790000000.${serial}`;

/** The channel's life as a manager tells it, piece by piece. */
export function tellOf(channel: MadeChannel): TimedText[] {
  const events: { readonly atMs: number; readonly event: string; readonly headers: readonly Header[] }[] = [
    { atMs: 1000, event: 'Newchannel', headers: snapshotOf(channel, 4) },
    { atMs: UP_AT_MS, event: 'Newstate', headers: snapshotOf(channel, 6) },
  ];
  let endMs = UP_AT_MS;
  for (let number = 1; number <= channel.reports; number++) {
    const localAtMs = UP_AT_MS + number * channel.localPaceS * 1000;
    const remoteAtMs = UP_AT_MS + REMOTE_AFTER_MS + number * channel.remotePaceS * 1000;
    endMs = Math.max(endMs, localAtMs, remoteAtMs);
    events.push({ atMs: localAtMs, event: 'RTCPSent', headers: reportOf(channel, 'rx', number) });
    events.push({ atMs: remoteAtMs, event: 'RTCPReceived', headers: reportOf(channel, 'tx', number) });
  }
  const ending: Header[] = [...snapshotOf(channel, 6), ['Cause', '16'], ['Cause-txt', 'Normal Clearing']];
  events.push({ atMs: endMs + HANGUP_AFTER_MS, event: 'Hangup', headers: ending });
  const numbers = new Map<string, number>();
  return events
    .toSorted((a, b) => a.atMs - b.atMs)
    .map(({ atMs, event, headers }) => {
      const number = (numbers.get(event) ?? 0) + 1;
      numbers.set(event, number);
      const all: Header[] = [
        ['Event', event],
        ['Privilege', event.startsWith('RTCP') ? 'reporting,all' : 'call,all'],
        ...headers,
      ];
      const lines = channel.headers(all, event, number).map(([name, value]) => `${name}: ${value}\r\n`);
      return { atMs, text: `${lines.join('')}\r\n` };
    });
}

function snapshotOf({ shape, serial }: MadeChannel, state: number): Header[] {
  const technology = shape === 'chan_sip' ? 'SIP' : 'PJSIP';
  return [
    ['Channel', `${technology}/phone-${serial.toString(16).padStart(8, '0')}`],
    ['ChannelState', String(state)],
    ['ChannelStateDesc', state === 6 ? 'Up' : 'Ring'],
    ['CallerIDNum', '101'],
    ['CallerIDName', 'Test'],
    ['ConnectedLineNum', '<unknown>'],
    ['ConnectedLineName', '<unknown>'],
    ['Language', 'en'],
    ['AccountCode', ''],
    ['Context', 'from-internal'],
    ['Exten', '600'],
    ['Priority', '2'],
    ['Uniqueid', `1790000000.${serial}`],
    ['Linkedid', `1790000000.${serial}`],
  ];
}

function reportOf(channel: MadeChannel, direction: Direction, number: number): Header[] {
  const { shape, localPaceS, remotePaceS } = channel;
  const isOurs = direction === 'rx';
  const of = channel[direction];
  const sender = isOurs ? channel.tx : channel.rx;
  const paceS = isOurs ? localPaceS : remotePaceS;
  const elapsedS = number * paceS;
  const plain: MadeBlock = {
    sourceSsrc: of.ssrc,
    fractionLostQ8: 0,
    cumulativeLost: 0,
    highest: of.firstSequence + of.packetsPerS * elapsedS,
    jitterTicks: (2 * of.clockRateHz) / 1000,
    lsr: !isOurs && number === 1 ? 0 : 2_805_260_561,
  };
  const block = of.block(plain, number);
  const sent = sender.sentPackets(sender.packetsPerS * elapsedS, number);
  const rtt = isOurs ? null : channel.rttS(number);
  const headers: Header[] = [
    ...snapshotOf(channel, 6),
    ['To', isOurs ? '192.0.2.10:16041' : '192.0.2.1:10041'],
    ['From', isOurs ? '192.0.2.1:10041' : '192.0.2.10:16041'],
    ...(rtt === null ? [] : [['RTT', rtt] as const]),
    ...(shape === '22' ? [['MES', '87.2'] as const] : []),
    // Of what the far end sends Asterisk prints the NTP seconds here.
    ['SSRC', isOurs ? hex(sender.ssrc) : '0xeeaaa732'],
    ['PT', sent === null ? '201(RR)' : '200(SR)'],
    ['ReportCount', String(block === null ? 0 : isOurs ? 1 : channel.remoteCount(number))],
  ];
  if (sent !== null) {
    headers.push(
      ['SentNTP', (1_796_042_111 + elapsedS).toFixed(6)],
      ['SentRTP', String(elapsedS * sender.clockRateHz)],
      ['SentPackets', String(sent)],
      ['SentOctets', String(sent * 160)],
    );
  }
  return block === null ? headers : [...headers, ...headersOf(block)];
}

function headersOf(block: MadeBlock): Header[] {
  return [
    ['Report0SourceSSRC', hex(block.sourceSsrc)],
    ['Report0FractionLost', String(block.fractionLostQ8)],
    ['Report0CumulativeLost', String((block.cumulativeLost + 2 ** 24) % 2 ** 24)],
    ['Report0HighestSequence', String(block.highest % 65_536)],
    ['Report0SequenceNumberCycles', String(Math.floor(block.highest / 65_536))],
    ['Report0IAJitter', String(block.jitterTicks)],
    ['Report0LSR', String(block.lsr)],
    ['Report0DLSR', '0.4000'],
  ];
}

function hex(ssrc: number): string {
  return `0x${ssrc.toString(16).padStart(8, '0')}`;
}

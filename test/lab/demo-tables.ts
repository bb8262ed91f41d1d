import { networkOf } from './demo-phones.ts';

/** What the demo reads of a stream, a channel and a call as REST gives them. */
export interface StreamAnswer {
  readonly direction: 'rx' | 'tx';
  readonly codec: string | null;
  readonly loss_percent: number | null;
  readonly rtt_ms: { readonly mean: number | null };
  readonly jitter_ms: { readonly mean: number | null };
  readonly verdict: string | null;
  readonly why: string | null;
}

export interface ChannelAnswer {
  /** On a fleet. */
  readonly pbx?: string;
  readonly uniqueid: string;
  readonly linkedid: string;
  readonly endpoint: string;
  readonly started_at: string;
  readonly duration_s: number;
  readonly mes: number | null;
  readonly mes_rx: number | null;
  readonly mes_tx: number | null;
  readonly mes_call: number | null;
  readonly mes_min: number | null;
  readonly verdict: string | null;
  readonly streams: readonly StreamAnswer[];
}

export interface CallAnswer {
  /** On a fleet. */
  readonly pbx?: string;
  readonly linkedid: string;
  readonly started_at: string;
  readonly ended_at: string | null;
  readonly duration_s: number;
  readonly mes: number | null;
  readonly mes_min: number | null;
  readonly verdict: string | null;
  readonly channels: readonly ChannelAnswer[];
}

type Row = readonly string[];

const LIVE_HEAD: Row = [
  'phone',
  'network',
  'codec',
  's',
  'MES',
  'rx',
  'tx',
  'loss rx/tx %',
  'jitter rx/tx ms',
  'rtt ms',
  'verdict',
];

/** One line a channel that is up; the two of a call stand together. */
export function liveTable(channels: readonly ChannelAnswer[]): string {
  const sorted = [...channels].sort(byAge);
  return table(LIVE_HEAD, sorted.map(liveRow));
}

const CALL_HEAD: Row = ['call', 'network', 'codec', 's', 'MES', 'min', 'caller rx/tx', 'callee rx/tx', 'verdict'];

/** One line a call, oldest first. */
export function callTable(calls: readonly CallAnswer[]): string {
  const oldestFirst = [...calls].sort((one, other) => one.started_at.localeCompare(other.started_at));
  return table(CALL_HEAD, oldestFirst.map(callRow));
}

/** The phone's name in `PJSIP/alice`. */
export function phoneOf(channel: { readonly endpoint: string }): string {
  return channel.endpoint.replace(/^PJSIP\//, '');
}

/** Where several PBXs are in a table. */
function ofPbx({ pbx }: { readonly pbx?: string }): string {
  return pbx === undefined ? '' : `${pbx}: `;
}

/** Calls in the order of their beginning, in each the caller before the callee: ids end in a serial number. */
function byAge(one: ChannelAnswer, other: ChannelAnswer): number {
  const id = ({ linkedid, uniqueid }: ChannelAnswer): string => `${linkedid} ${uniqueid}`;
  return id(one).localeCompare(id(other), 'en', { numeric: true });
}

function liveRow(channel: ChannelAnswer): Row {
  const rx = channel.streams.find((stream) => stream.direction === 'rx');
  const tx = channel.streams.find((stream) => stream.direction === 'tx');
  return [
    ofPbx(channel) + phoneOf(channel),
    networkOf(phoneOf(channel)).name,
    rx?.codec ?? tx?.codec ?? '-',
    number(channel.duration_s, 0),
    number(channel.mes, 2),
    number(channel.mes_rx, 2),
    number(channel.mes_tx, 2),
    `${number(rx?.loss_percent, 1)} / ${number(tx?.loss_percent, 1)}`,
    `${number(rx?.jitter_ms.mean, 1)} / ${number(tx?.jitter_ms.mean, 1)}`,
    number(tx?.rtt_ms.mean ?? rx?.rtt_ms.mean, 0),
    channel.verdict ?? '-',
  ];
}

function callRow(call: CallAnswer): Row {
  const channels = [...call.channels].sort(byAge);
  const phones = channels.map(phoneOf);
  const networks = phones.map((phone) => networkOf(phone).name);
  const codecs = channels.map(({ streams }) => streams.find(({ codec }) => codec !== null)?.codec ?? '-');
  const sides = [0, 1].map((at) => `${number(channels[at]?.mes_rx, 2)} / ${number(channels[at]?.mes_tx, 2)}`);
  return [
    ofPbx(call) + phones.join(' → '),
    networks.join(' → '),
    [...new Set(codecs)].join(' → '),
    number(call.duration_s, 0),
    number(call.mes, 2),
    number(call.mes_min, 2),
    ...sides,
    call.verdict ?? '-',
  ];
}

/** A value that is not known is a dash, never a zero. */
function number(value: number | null | undefined, decimals: number): string {
  return value === null || value === undefined ? '-' : value.toFixed(decimals);
}

function table(head: Row, rows: readonly Row[]): string {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => (row[column] ?? '').length)));
  const line = (row: Row): string =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return [line(head), widths.map((width) => '─'.repeat(width)).join('  '), ...rows.map(line)].join('\n');
}

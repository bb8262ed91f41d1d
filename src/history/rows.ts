import { snakeCase } from '../model/naming.ts';
import type {
  CallRecord,
  ChannelRecord,
  IntervalRecord,
  SampleSummary,
  SegmentRecord,
  StreamMeasures,
  StreamRecord,
} from '../model/record.ts';

export type Cell = string | number | null;
export type Row = Readonly<Record<string, Cell>>;

/** How a property is stored: as it is, as 0 or 1, as epoch milliseconds, spread over six columns, or as JSON. */
type Storage = 'plain' | 'boolean' | 'time' | 'summary' | 'json';

/** A record's way into the columns of a table and back. */
export interface RecordColumns<T> {
  readonly names: readonly string[];
  /** One a name, in their order. Times are kept to the millisecond. */
  toCells(record: T): Cell[];
  toRow(record: T): Row;
  /** Columns that are not the record's are left out. */
  fromRow(row: Row): T;
}

interface Field {
  readonly property: string;
  readonly storage: Storage;
  readonly column: string;
  /** Of a summary only. */
  readonly parts: readonly (readonly [part: keyof SampleSummary, column: string])[];
}

const SUMMARY_PARTS = ['last', 'mean', 'min', 'max', 'stdev'] as const satisfies readonly (keyof SampleSummary)[];

function fieldOf(property: string, storage: Storage): Field {
  const column = snakeCase(property);
  // `rttMs` is kept in `rtt_last_ms` … `rtt_stdev_ms` and `rtt_count`: the unit stays last.
  const quantity = column.replace(/_ms$/, '');
  const parts = SUMMARY_PARTS.map((part) => [part, `${quantity}_${part}_ms`] as const);
  return { property, storage, column, parts: storage === 'summary' ? [...parts, ['count', `${quantity}_count`]] : [] };
}

/** The columns of a record type; the compiler sees to it that no property is forgotten. */
function recordColumns<T extends object>(storages: { readonly [Property in keyof T]: Storage }): RecordColumns<T> {
  const fields = Object.entries<Storage>(storages).map(([property, storage]) => fieldOf(property, storage));

  const names = fields.flatMap(({ column, parts }) => (parts.length > 0 ? parts.map(([, name]) => name) : [column]));

  const toCells = (record: T): Cell[] => {
    const cells: Cell[] = [];
    const values = record as Readonly<Record<string, unknown>>;
    for (const { property, storage, parts } of fields) {
      const value = values[property];
      if (storage === 'plain') cells.push(value as Cell);
      else if (storage === 'boolean') cells.push(value === true ? 1 : 0);
      else if (storage === 'time') cells.push(typeof value === 'number' ? Math.round(value) : null);
      else if (storage === 'json') cells.push(value === null ? null : JSON.stringify(value));
      else for (const [part] of parts) cells.push((value as SampleSummary)[part]);
    }
    return cells;
  };

  const toRow = (record: T): Row => {
    const cells = toCells(record);
    return Object.fromEntries(names.map((name, index) => [name, cells[index] ?? null]));
  };

  const fromRow = (row: Row): T => {
    const record: Record<string, unknown> = {};
    for (const { property, storage, column, parts } of fields) {
      if (storage === 'summary') {
        const summary: Record<string, unknown> = {};
        for (const [part, partColumn] of parts) summary[part] = row[partColumn];
        record[property] = summary;
      } else if (storage === 'json') {
        const text = row[column];
        record[property] = typeof text === 'string' ? JSON.parse(text) : null;
      } else {
        record[property] = storage === 'boolean' ? row[column] === 1 : row[column];
      }
    }
    return record as T;
  };

  return { names, toCells, toRow, fromRow };
}

export const CALL_COLUMNS: RecordColumns<CallRecord> = recordColumns<CallRecord>({
  linkedid: 'plain',
  startedAtMs: 'time',
  endedAtMs: 'time',
  mes: 'plain',
  mesMin: 'plain',
  verdict: 'plain',
  profile: 'plain',
  version: 'plain',
  faultPlace: 'plain',
  faultCertainty: 'plain',
  faultReports: 'plain',
  faultWhy: 'plain',
});

export const CHANNEL_COLUMNS: RecordColumns<Omit<ChannelRecord, 'streams'>> = recordColumns<
  Omit<ChannelRecord, 'streams'>
>({
  uniqueid: 'plain',
  linkedid: 'plain',
  name: 'plain',
  endpoint: 'plain',
  callerNumber: 'plain',
  callerName: 'plain',
  connectedNumber: 'plain',
  connectedName: 'plain',
  exten: 'plain',
  codec: 'plain',
  startedAtMs: 'time',
  answeredAtMs: 'time',
  endedAtMs: 'time',
  endReason: 'plain',
  hangupCause: 'plain',
  hangupCauseText: 'plain',
  bridgeId: 'plain',
  bridgeTechnology: 'plain',
  peerUniqueid: 'plain',
  onHold: 'boolean',
  mes: 'plain',
  mesRx: 'plain',
  mesTx: 'plain',
  mesPeerRx: 'plain',
  mesPeerTx: 'plain',
  mesCall: 'plain',
  mesMin: 'plain',
  verdict: 'plain',
  profile: 'plain',
  version: 'plain',
  finalAtMs: 'time',
  lastReceivedAtMs: 'time',
});

const MEASURES = {
  direction: 'plain',
  reporter: 'plain',
  ssrc: 'plain',
  codec: 'plain',
  clockRateHz: 'plain',
  clockRateSource: 'plain',
  reports: 'plain',
  idleReports: 'plain',
  deadReports: 'plain',
  packetsExpected: 'plain',
  packetsReceived: 'plain',
  packetsLost: 'plain',
  duplicates: 'plain',
  lossPercent: 'plain',
  lostPacketsPerReportMean: 'plain',
  rttMs: 'summary',
  jitterMs: 'summary',
  rttKnown: 'boolean',
  effectiveLatencyMs: 'plain',
  rValue: 'plain',
  mes: 'plain',
  mes100: 'plain',
  mesMin: 'plain',
  profile: 'plain',
  nativeMes100: 'plain',
  rLq: 'plain',
  rCq: 'plain',
  mosLq: 'plain',
  mosCq: 'plain',
} as const satisfies { readonly [Property in keyof StreamMeasures]: Storage };

export const STREAM_COLUMNS: RecordColumns<StreamRecord> = recordColumns<StreamRecord>({
  ...MEASURES,
  mosLqInterval: 'plain',
  mosCqInterval: 'plain',
  senderPackets: 'plain',
  senderOctets: 'plain',
  packetJitterMeanMs: 'plain',
  packetJitterStdevMs: 'plain',
  fractionLostQ8: 'plain',
  jitterTicks: 'plain',
  verdict: 'plain',
  why: 'plain',
  nativeWhy: 'plain',
  // Asked for as a whole, and of a call at a time.
  capture: 'json',
});

export const SEGMENT_COLUMNS: RecordColumns<SegmentRecord> = recordColumns<SegmentRecord>({
  uniqueid: 'plain',
  segmentNumber: 'plain',
  openedBy: 'plain',
  startedAtMs: 'time',
  endedAtMs: 'time',
  senderPackets: 'plain',
  senderOctets: 'plain',
  ...MEASURES,
});

export const INTERVAL_COLUMNS: RecordColumns<IntervalRecord> = recordColumns<IntervalRecord>({
  uniqueid: 'plain',
  direction: 'plain',
  reporter: 'plain',
  reportNumber: 'plain',
  channelReportNumber: 'plain',
  beganAtMs: 'time',
  atMs: 'time',
  kind: 'plain',
  ssrc: 'plain',
  fractionLostQ8: 'plain',
  cumulativeLostPackets: 'plain',
  extendedHighestSequence: 'plain',
  jitterTicks: 'plain',
  codec: 'plain',
  clockRateHz: 'plain',
  clockRateSource: 'plain',
  lsrNtp32: 'plain',
  dlsrS: 'plain',
  senderPackets: 'plain',
  rttMs: 'plain',
  jitterMs: 'plain',
  packetsExpected: 'plain',
  packetsLost: 'plain',
  duplicates: 'plain',
  lossPercent: 'plain',
  coversReports: 'plain',
  effectiveLatencyMs: 'plain',
  rValue: 'plain',
  mes: 'plain',
  mesRunning: 'plain',
  nativeMes100: 'plain',
  sentNtpS: 'plain',
  sentRtpTicks: 'plain',
  sentPackets: 'plain',
  sentOctets: 'plain',
  profile: 'plain',
});

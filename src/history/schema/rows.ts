import { snakeCase } from '../../model/naming.ts';
import type {
  CallRecord,
  CallScores,
  ChannelRecord,
  ChannelScores,
  IntervalRecord,
  SampleSummary,
  SegmentRecord,
  StreamMeasures,
  StreamRecord,
  StreamScores,
} from '../../model/record.ts';

/**
 * One copy of every stored field: a property of a record in `model/record.ts`, and how it is kept. To add a column, add the
 * property there and its line here; the writer adds the column when it next opens a database (`migrations.ts`). Its type in
 * `model/record.ts` must have null, which it is in every row stored before, except for a `boolean`, which is false there.
 */

export type Cell = string | number | null;
export type Row = Readonly<Record<string, Cell>>;

/**
 * How a property is stored: as it is, a whole number, 0 or 1, epoch milliseconds, spread over six columns, or as JSON. Number or
 * integer matters to the column's type alone.
 */
type Storage = 'text' | 'number' | 'integer' | 'boolean' | 'time' | 'summary' | 'json';

/** What it may be for a property of that type. */
type StorageOf<Value> = [Value] extends [boolean]
  ? 'boolean'
  : [Value] extends [string | null]
    ? 'text'
    : [Value] extends [number | null]
      ? 'number' | 'integer' | 'time'
      : [Value] extends [SampleSummary]
        ? 'summary'
        : 'json';

type Storages<T> = { readonly [Property in keyof T]: StorageOf<T[Property]> };

/** A record's way into the columns of a table and back. */
export interface RecordColumns<T> {
  readonly names: readonly string[];
  /** One a name: its type where it is added to a table that was made without it. */
  readonly types: readonly ('TEXT' | 'REAL' | 'INTEGER')[];
  /** One a name: the column has texts, not numbers. */
  readonly isText: readonly boolean[];
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

const TYPES = {
  text: 'TEXT',
  json: 'TEXT',
  number: 'REAL',
  // Spread over columns of their own types.
  summary: 'REAL',
  integer: 'INTEGER',
  boolean: 'INTEGER',
  time: 'INTEGER',
} as const satisfies Readonly<Record<Storage, string>>;

const SUMMARY_PARTS = ['last', 'mean', 'min', 'max', 'stdev'] as const satisfies readonly (keyof SampleSummary)[];

function fieldOf(property: string, storage: Storage): Field {
  const column = snakeCase(property);
  // `rttMs` is kept in `rtt_last_ms` … `rtt_stdev_ms` and `rtt_count`: the unit stays last.
  const quantity = column.replace(/_ms$/, '');
  const parts = SUMMARY_PARTS.map((part) => [part, `${quantity}_${part}_ms`] as const);
  return { property, storage, column, parts: storage === 'summary' ? [...parts, ['count', `${quantity}_count`]] : [] };
}

/** The columns of a record type; the compiler sees to it that no property is forgotten. */
function recordColumns<T extends object>(storages: Storages<T>): RecordColumns<T> {
  const fields = Object.entries<Storage>(storages).map(([property, storage]) => fieldOf(property, storage));

  const names = fields.flatMap(({ column, parts }) => (parts.length > 0 ? parts.map(([, name]) => name) : [column]));
  const types = fields.flatMap(({ storage, parts }) =>
    parts.length > 0 ? parts.map(([part]) => (part === 'count' ? 'INTEGER' : 'REAL')) : [TYPES[storage]],
  );
  const isText = fields.flatMap(({ storage, parts }) =>
    parts.length > 0 ? parts.map(() => false) : [storage === 'text' || storage === 'json'],
  );

  const empty: readonly Cell[] = names.map(() => null);
  // By index, into an array of its length: one that grows, and an iterator, would be four times as much garbage, for each report.
  const toCells = (record: T): Cell[] => {
    const cells = empty.slice();
    const values = record as Readonly<Record<string, unknown>>;
    let at = 0;
    for (let index = 0; index < fields.length; index++) {
      const { property, storage, parts } = fields[index] as Field;
      const value = values[property];
      if (storage === 'time') cells[at++] = typeof value === 'number' ? Math.round(value) : null;
      else if (storage === 'boolean') cells[at++] = value === true ? 1 : 0;
      else if (storage === 'json') cells[at++] = value === null ? null : JSON.stringify(value);
      else if (storage === 'summary') for (const [part] of parts) cells[at++] = (value as SampleSummary)[part];
      else cells[at++] = value as Cell;
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

  return { names, types, isText, toCells, toRow, fromRow };
}

export const CALL_COLUMNS: RecordColumns<CallRecord> = recordColumns<CallRecord>({
  linkedid: 'text',
  startedAtMs: 'time',
  endedAtMs: 'time',
  mes: 'number',
  mesMin: 'number',
  verdict: 'text',
  profile: 'text',
  version: 'text',
  faultPlace: 'text',
  faultCertainty: 'text',
  faultReports: 'number',
  faultWhy: 'text',
});

export const CHANNEL_COLUMNS: RecordColumns<Omit<ChannelRecord, 'streams'>> = recordColumns<
  Omit<ChannelRecord, 'streams'>
>({
  uniqueid: 'text',
  linkedid: 'text',
  name: 'text',
  endpoint: 'text',
  callerNumber: 'text',
  callerName: 'text',
  connectedNumber: 'text',
  connectedName: 'text',
  exten: 'text',
  codec: 'text',
  startedAtMs: 'time',
  answeredAtMs: 'time',
  endedAtMs: 'time',
  endReason: 'text',
  hangupCause: 'number',
  hangupCauseText: 'text',
  bridgeId: 'text',
  bridgeTechnology: 'text',
  peerUniqueid: 'text',
  onHold: 'boolean',
  mes: 'number',
  mesRx: 'number',
  mesTx: 'number',
  mesPeerRx: 'number',
  mesPeerTx: 'number',
  mesCall: 'number',
  mesMin: 'number',
  verdict: 'text',
  profile: 'text',
  version: 'text',
  finalAtMs: 'time',
  lastReceivedAtMs: 'time',
  sipCallId: 'text',
  device: 'text',
  site: 'text',
  deviceDetails: 'json',
  phone: 'json',
});

const MEASURES = {
  direction: 'text',
  reporter: 'text',
  ssrc: 'number',
  codec: 'text',
  clockRateHz: 'number',
  clockRateSource: 'text',
  reports: 'number',
  idleReports: 'number',
  deadReports: 'number',
  unusedReports: 'number',
  packetsExpected: 'number',
  packetsReceived: 'number',
  packetsLost: 'number',
  duplicates: 'number',
  sequenceRestarts: 'number',
  jitterResets: 'number',
  lossPercent: 'number',
  lostPacketsPerReportMean: 'number',
  rttMs: 'summary',
  jitterMs: 'summary',
  rttKnown: 'boolean',
  effectiveLatencyMs: 'number',
  rValue: 'number',
  mes: 'number',
  mes100: 'number',
  mesMin: 'number',
  profile: 'text',
  nativeMes100: 'number',
  rLq: 'number',
  rCq: 'number',
  mosLq: 'number',
  mosCq: 'number',
} as const satisfies Storages<StreamMeasures>;

export const STREAM_COLUMNS: RecordColumns<StreamRecord> = recordColumns<StreamRecord>({
  ...MEASURES,
  mosLqInterval: 'number',
  mosCqInterval: 'number',
  senderPackets: 'number',
  senderOctets: 'number',
  packetJitterMeanMs: 'number',
  packetJitterStdevMs: 'number',
  fractionLostQ8: 'number',
  jitterTicks: 'number',
  unknownSinceMs: 'time',
  verdict: 'text',
  why: 'text',
  nativeWhy: 'text',
  // Asked for as a whole, and of a call at a time.
  capture: 'json',
});

export const SEGMENT_COLUMNS: RecordColumns<SegmentRecord> = recordColumns<SegmentRecord>({
  uniqueid: 'text',
  segmentNumber: 'number',
  openedBy: 'text',
  startedAtMs: 'time',
  endedAtMs: 'time',
  senderPackets: 'number',
  senderOctets: 'number',
  ...MEASURES,
});

export const INTERVAL_COLUMNS: RecordColumns<IntervalRecord> = recordColumns<IntervalRecord>({
  uniqueid: 'text',
  direction: 'text',
  reporter: 'text',
  reportNumber: 'number',
  channelReportNumber: 'number',
  beganAtMs: 'time',
  atMs: 'time',
  kind: 'text',
  ssrc: 'number',
  fractionLostQ8: 'number',
  cumulativeLostPackets: 'number',
  extendedHighestSequence: 'number',
  jitterTicks: 'number',
  codec: 'text',
  clockRateHz: 'number',
  clockRateSource: 'text',
  lsrNtp32: 'number',
  dlsrS: 'number',
  senderPackets: 'number',
  rttMs: 'number',
  jitterMs: 'number',
  packetsExpected: 'number',
  packetsLost: 'number',
  duplicates: 'number',
  latePackets: 'number',
  lossPercent: 'number',
  coversReports: 'number',
  effectiveLatencyMs: 'number',
  rValue: 'number',
  mes: 'number',
  mesRunning: 'number',
  nativeMes100: 'number',
  sentNtpS: 'number',
  sentRtpTicks: 'number',
  sentPackets: 'number',
  sentOctets: 'number',
  sentSsrc: 'number',
  profile: 'text',
});

/** What is brought up to date of a call that is up. */
export const CALL_SCORE_COLUMNS: RecordColumns<Omit<CallScores, 'channels'>> = recordColumns<
  Omit<CallScores, 'channels'>
>({ linkedid: 'text', mes: 'number', mesMin: 'number', verdict: 'text' });

export const CHANNEL_SCORE_COLUMNS: RecordColumns<Omit<ChannelScores, 'streams'>> = recordColumns<
  Omit<ChannelScores, 'streams'>
>({
  uniqueid: 'text',
  mes: 'number',
  mesRx: 'number',
  mesTx: 'number',
  mesPeerRx: 'number',
  mesPeerTx: 'number',
  mesCall: 'number',
  mesMin: 'number',
  verdict: 'text',
});

export const STREAM_SCORE_COLUMNS: RecordColumns<StreamScores> = recordColumns<StreamScores>({
  direction: 'text',
  mes: 'number',
  mes100: 'number',
  verdict: 'text',
});

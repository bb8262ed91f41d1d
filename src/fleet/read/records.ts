import { presentCapture, presentVoipMetrics } from '../../api/answers/captured.ts';
import { presentDevice } from '../../api/answers/device.ts';
import { presentHearing } from '../../api/phone/hearing.ts';
import {
  CALL_COLUMNS,
  CHANNEL_COLUMNS,
  INTERVAL_COLUMNS,
  type RecordColumns,
  type Row,
  SEGMENT_COLUMNS,
  STREAM_COLUMNS,
} from '../../history/schema/rows.ts';
import type { CallRecord, ChannelRecord, IntervalRecord, SegmentRecord, StreamRecord } from '../../model/record.ts';
import { storedName } from '../ddl.ts';

/** A row of the store, with its PBX. */
export type StoreRow = Readonly<Record<string, string | number | null>> & {
  readonly pbx: string;
  readonly site: string;
  readonly linkedid: string;
  readonly call_started_at_ms: number;
};

/** Values for columns that are never null in the model, when an old PBX left them out. */
const USUAL: Row = {
  name: '',
  endpoint: '',
  profile: 'documented',
  mes_version: '',
  reporter: 'local',
  clock_rate_hz: 8000,
  clock_rate_source: 'assumed',
  reports: 0,
  idle_reports: 0,
  dead_reports: 0,
  duplicates: 0,
  rtt_count: 0,
  jitter_count: 0,
  covers_reports: 1,
  kind: 'media',
  opened_by: 'start',
};

/** Columns with JSON, and tests whether their content is usable. One bad row must not spoil a whole list. */
const JSON_TESTS: Readonly<Record<string, (value: object) => unknown>> = {
  device_details: (value) => presentDevice(value as never),
  phone: (value) => presentHearing(value as never),
  capture: (value) => [presentCapture(value as never), presentVoipMetrics(value as never)],
};

function recordOf<T>(columns: RecordColumns<T>, stored: StoreRow): T {
  const row: Record<string, string | number | null> = {};
  for (const name of columns.names) {
    const stand = storedName(name);
    const value = stored[stand] ?? USUAL[stand] ?? null;
    row[name] = name in JSON_TESTS && typeof value === 'string' && !canBeShown(name, value) ? null : value;
  }
  return columns.fromRow(row);
}

function canBeShown(name: string, text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
    return JSON_TESTS[name]?.(value) !== undefined;
  } catch {
    return false;
  }
}

export function callOf(row: StoreRow): CallRecord & { readonly pbx: string; readonly site: string } {
  const { pbx, site } = row;
  return { ...recordOf(CALL_COLUMNS, row), startedAtMs: row.call_started_at_ms, pbx, site };
}

export function channelOf(row: StoreRow, streams: readonly StoreRow[]): ChannelRecord & { readonly pbx: string } {
  return { ...recordOf(CHANNEL_COLUMNS, row), pbx: row.pbx, streams: streams.map(streamOf) };
}

/** A channel that is up, from the cells that its PBX sent; null where they cannot be read. */
export function liveChannelOf(text: string, pbx: string): (ChannelRecord & { readonly pbx: string }) | null {
  try {
    const { streams, ...cells } = JSON.parse(text) as Row & { readonly streams: readonly Row[] };
    const stored = (row: Row): StoreRow => ({
      ...Object.fromEntries(Object.entries(row).map(([name, value]) => [storedName(name), value])),
      pbx,
      site: '',
      linkedid: String(cells['linkedid']),
      call_started_at_ms: 0,
    });
    return channelOf(stored(cells), streams.map(stored));
  } catch {
    return null;
  }
}

function streamOf(row: StoreRow): StreamRecord {
  return recordOf(STREAM_COLUMNS, row);
}

export function segmentOf(row: StoreRow): SegmentRecord {
  return recordOf(SEGMENT_COLUMNS, row);
}

export function intervalOf(row: StoreRow): IntervalRecord {
  return recordOf(INTERVAL_COLUMNS, row);
}

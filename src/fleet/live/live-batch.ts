import { CHANNEL_COLUMNS, type Row, STREAM_COLUMNS } from '../../history/schema/rows.ts';
import type { ChannelRecord } from '../../model/record.ts';
import { BatchError, isCount, isObject, readCells } from '../batch.ts';
import { type Cell, type FleetRow, type Kind, KINDS, type LiveKindName } from '../kinds.ts';

/** Bound on the channels of one batch, those that are up and those that ended. */
export const MOST_CHANNELS = 500;
const MOST_STREAMS = 8;
/** A PBX whose clock is off by more gets an error that says so. */
const CLOCK_SLACK_MS = 86_400_000;
const LONGEST_ID = 200;

/** Some of the channels that are up on a PBX, as it sees them at this moment. Nothing of it is kept for longer than minutes. */
export interface LiveBatch {
  readonly atMs: number;
  /** The channels of the whole PBX; a batch may have fewer. */
  readonly channelsUp: number;
  readonly channels: readonly ChannelRecord[];
  /** Uniqueids of channels that were shipped and are not up any more. */
  readonly ended: readonly string[];
}

/** The text of a batch, as `readLiveBatch` takes it. */
export function writeLiveBatch({ atMs, channelsUp, channels, ended }: LiveBatch): string {
  return JSON.stringify({
    at_ms: Math.round(atMs),
    channels_up: channelsUp,
    channels: channels.map(({ streams, ...channel }) => ({
      ...known(CHANNEL_COLUMNS.toRow(channel)),
      streams: streams.map((stream) => known(STREAM_COLUMNS.toRow(stream))),
    })),
    ended,
  });
}

/** Unknown values are not sent: they are null at the other end as well. */
function known(row: Row): Row {
  return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null));
}

/** The columns of a live channel. Its call is not over, so more of them may be unknown than for one that ended. */
const CHANNEL_KIND: Pick<Kind, 'columns' | 'key' | 'required'> = KINDS.channels;
const STREAM_KIND: Pick<Kind, 'columns' | 'key' | 'required'> = {
  columns: KINDS.streams.columns,
  key: ['direction'],
  required: [],
};

/**
 * Checks a whole batch and makes rows for the store. `nowMs` is the gateway's clock. Throws BatchError: then nothing of the batch
 * is stored.
 */
export function readLiveBatch(
  text: string,
  nowMs: number,
  unknownColumns = new Set<string>(),
): FleetRow<LiveKindName>[] {
  let batch: unknown;
  try {
    batch = JSON.parse(text);
  } catch {
    throw new BatchError('it is no JSON; was the request cut short?');
  }
  if (!isObject(batch)) throw new BatchError('it is no object');
  const { at_ms: atMs, channels_up: channelsUp, channels, ended, ...more } = batch;
  const [surplus] = Object.keys(more);
  if (surplus === 'pbx' || surplus === 'site')
    throw new BatchError(`a batch may not say its ${surplus}; the token does`);
  if (!isCount(atMs)) throw new BatchError('at_ms is no whole number');
  if (Math.abs(atMs - nowMs) > CLOCK_SLACK_MS)
    throw new BatchError("it is of another day than this gateway's clock says; set the PBX's clock");
  if (!isCount(channelsUp)) throw new BatchError('channels_up is no whole number');
  if (!Array.isArray(channels) || !Array.isArray(ended)) throw new BatchError('channels or ended is no list');
  if (channels.length > MOST_CHANNELS || ended.length > MOST_CHANNELS)
    throw new BatchError(`more than ${MOST_CHANNELS} channels; send them in parts`);
  const row = (kind: LiveKindName, cells: FleetRow['cells']): FleetRow<LiveKindName> => ({
    kind,
    version: atMs,
    callStartedAtMs: Math.round(nowMs),
    cells: { ...cells, at_ms: atMs },
  });
  return [
    ...channels.map((channel, index) => row('live', channelCells(channel, index + 1, unknownColumns))),
    ...ended.map((uniqueid: unknown) => {
      if (typeof uniqueid !== 'string' || uniqueid.length > LONGEST_ID || !uniqueid.isWellFormed())
        throw new BatchError('ended has something that is no uniqueid');
      return row('live', { uniqueid, ended_at_ms: atMs });
    }),
    row('live_pbxs', { channels_up: channelsUp }),
  ];
}

function channelCells(channel: unknown, number: number, unknownColumns: Set<string>): Record<string, Cell> {
  const refuse = (why: string): never => {
    throw new BatchError(`channel ${number}: ${why}`);
  };
  if (!isObject(channel)) return refuse('it is no object');
  const { streams, ...own } = channel;
  if (!Array.isArray(streams) || streams.length > MOST_STREAMS) return refuse('streams is no short list');
  const cells = readCells(own, CHANNEL_KIND, unknownColumns, refuse);
  const ofStreams = streams.map((stream) =>
    isObject(stream) ? readCells(stream, STREAM_KIND, unknownColumns, refuse) : refuse('a stream is no object'),
  );
  const { uniqueid = null, linkedid = null, endpoint = null, codec = null, verdict = null, mes = null } = cells;
  return { uniqueid, linkedid, endpoint, codec, verdict, mes, cells: JSON.stringify({ ...cells, streams: ofStreams }) };
}

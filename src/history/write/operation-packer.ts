import type {
  CallRecord,
  ChannelRecord,
  SampleSummary,
  SegmentRecord,
  StreamMeasures,
  StreamRecord,
} from '../../model/record.ts';
import { NumberPool } from './number-pool.ts';
import {
  CHANNEL_CELLS,
  HEADER_CELLS,
  kindNumber,
  MOST_STREAMS,
  type Operation,
  type OperationRow,
  type PackedOperations,
  STREAM_CELLS,
  textCells,
} from './packed-operations.ts';
import { numberOf, TextTable } from './packing.ts';

/** A piece of about so many is closed, so that nothing has to grow: 48 KB, some hundred states. */
export const PIECE_CELLS = 6144;
const MOST_ROW_CELLS = HEADER_CELLS + CHANNEL_CELLS + MOST_STREAMS * STREAM_CELLS;

/** Operations of which some may still go. */
export interface OpenPiece extends PackedOperations {
  /** Rows that are not gone, and those of them that are states of what is up, which whoever changes them has to count. */
  count: number;
  up: number;
}

/** Packs operations one by one; nothing of them is kept but numbers and texts. */
export class OperationPacker implements OpenPiece {
  readonly #pool = new NumberPool(PIECE_CELLS);
  values = this.#pool.take();
  readonly #texts = new TextTable();
  length = 0;
  count = 0;
  up = 0;

  get texts(): readonly string[] {
    return this.#texts.texts;
  }

  /** It may have no room for another one. */
  get isFull(): boolean {
    return this.length + MOST_ROW_CELLS > PIECE_CELLS;
  }

  /** Where its row begins. Not to be called when it is full. */
  add(operation: Operation): number {
    const first = this.length + HEADER_CELLS;
    let end = first;
    try {
      end = this.#write(operation, first);
    } catch {
      // It stays without cells, and the database refuses it: the others are to be stored all the same.
    }
    return this.#close(kindNumber(operation.kind), end);
  }

  /** The same of a row of another piece. */
  copy({ kind, table, at, cells }: OperationRow): number {
    const isText = textCells(kind);
    let end = this.length + HEADER_CELLS;
    for (let column = 0; column < cells; column++) {
      const value = table.values[at + column] ?? Number.NaN;
      this.values[end++] = isText[column] === true ? this.#texts.placeOf(table.texts[value] ?? null) : value;
    }
    return this.#close(kindNumber(kind), end);
  }

  /** What was added since the last time. */
  take(): OpenPiece {
    const { values, length, count, up } = this;
    const piece = { values, length, texts: this.#texts.take(), count, up };
    this.values = this.#pool.take();
    [this.length, this.count, this.up] = [0, 0, 0];
    return piece;
  }

  /** Pieces that are committed; nobody may look at them any more. */
  giveBack(pieces: readonly PackedOperations[]): void {
    this.#pool.giveBack(pieces);
  }

  #close(kind: number, end: number): number {
    const start = this.length;
    this.values[start] = kind;
    this.values[start + 1] = end - start - HEADER_CELLS;
    this.length = end;
    this.count++;
    return start;
  }

  /** From `at` on; returns where it ends. */
  #write(operation: Operation, at: number): number {
    const { values } = this;
    const texts = this.#texts;
    if (operation.kind === 'segment') return writeSegment(operation.segment, values, at, texts);
    if (operation.kind === 'call') return writeCall(operation.call, values, at, texts);
    if (operation.kind === 'call-merged') {
      values[at] = texts.placeOf(operation.fromLinkedid);
      values[at + 1] = texts.placeOf(operation.intoLinkedid);
      return at + 2;
    }
    const { channel, resume } = operation;
    if (channel.streams.length > MOST_STREAMS) throw new RangeError('a channel has two directions');
    let end = writeChannel(channel, values, at, texts);
    values[end++] = texts.placeOf(resume);
    for (const stream of channel.streams) end = writeStream(stream, values, end, texts);
    return end;
  }
}

// Each cell by name, in the order of the columns: a loop over these would take several times as long.

function writeCall(call: CallRecord, values: Float64Array, start: number, texts: TextTable): number {
  let at = start;
  values[at++] = texts.placeOf(call.linkedid);
  values[at++] = Math.round(numberOf(call.startedAtMs));
  values[at++] = Math.round(numberOf(call.endedAtMs));
  values[at++] = numberOf(call.mes);
  values[at++] = numberOf(call.mesMin);
  values[at++] = texts.placeOf(call.verdict);
  values[at++] = texts.placeOf(call.profile);
  values[at++] = texts.placeOf(call.version);
  values[at++] = texts.placeOf(call.faultPlace);
  values[at++] = texts.placeOf(call.faultCertainty);
  values[at++] = numberOf(call.faultReports);
  values[at++] = texts.placeOf(call.faultWhy);
  return at;
}

function writeChannel(channel: ChannelRecord, values: Float64Array, start: number, texts: TextTable): number {
  let at = start;
  values[at++] = texts.placeOf(channel.uniqueid);
  values[at++] = texts.placeOf(channel.linkedid);
  values[at++] = texts.placeOf(channel.name);
  values[at++] = texts.placeOf(channel.endpoint);
  values[at++] = texts.placeOf(channel.callerNumber);
  values[at++] = texts.placeOf(channel.callerName);
  values[at++] = texts.placeOf(channel.connectedNumber);
  values[at++] = texts.placeOf(channel.connectedName);
  values[at++] = texts.placeOf(channel.exten);
  values[at++] = texts.placeOf(channel.codec);
  values[at++] = Math.round(numberOf(channel.startedAtMs));
  values[at++] = Math.round(numberOf(channel.answeredAtMs));
  values[at++] = Math.round(numberOf(channel.endedAtMs));
  values[at++] = texts.placeOf(channel.endReason);
  values[at++] = numberOf(channel.hangupCause);
  values[at++] = texts.placeOf(channel.hangupCauseText);
  values[at++] = texts.placeOf(channel.bridgeId);
  values[at++] = texts.placeOf(channel.bridgeTechnology);
  values[at++] = texts.placeOf(channel.peerUniqueid);
  values[at++] = Number(channel.onHold);
  values[at++] = numberOf(channel.mes);
  values[at++] = numberOf(channel.mesRx);
  values[at++] = numberOf(channel.mesTx);
  values[at++] = numberOf(channel.mesPeerRx);
  values[at++] = numberOf(channel.mesPeerTx);
  values[at++] = numberOf(channel.mesCall);
  values[at++] = numberOf(channel.mesMin);
  values[at++] = texts.placeOf(channel.verdict);
  values[at++] = texts.placeOf(channel.profile);
  values[at++] = texts.placeOf(channel.version);
  values[at++] = Math.round(numberOf(channel.finalAtMs));
  values[at++] = Math.round(numberOf(channel.lastReceivedAtMs));
  return at;
}

function writeStream(stream: StreamRecord, values: Float64Array, start: number, texts: TextTable): number {
  let at = writeMeasures(stream, values, start, texts);
  values[at++] = numberOf(stream.mosLqInterval);
  values[at++] = numberOf(stream.mosCqInterval);
  values[at++] = numberOf(stream.senderPackets);
  values[at++] = numberOf(stream.senderOctets);
  values[at++] = numberOf(stream.packetJitterMeanMs);
  values[at++] = numberOf(stream.packetJitterStdevMs);
  values[at++] = numberOf(stream.fractionLostQ8);
  values[at++] = numberOf(stream.jitterTicks);
  values[at++] = Math.round(numberOf(stream.unknownSinceMs));
  values[at++] = texts.placeOf(stream.verdict);
  values[at++] = texts.placeOf(stream.why);
  values[at++] = texts.placeOf(stream.nativeWhy);
  values[at++] = texts.placeOf(stream.capture === null ? null : JSON.stringify(stream.capture));
  return at;
}

function writeSegment(segment: SegmentRecord, values: Float64Array, start: number, texts: TextTable): number {
  let at = start;
  values[at++] = texts.placeOf(segment.uniqueid);
  values[at++] = numberOf(segment.segmentNumber);
  values[at++] = texts.placeOf(segment.openedBy);
  values[at++] = Math.round(numberOf(segment.startedAtMs));
  values[at++] = Math.round(numberOf(segment.endedAtMs));
  values[at++] = numberOf(segment.senderPackets);
  values[at++] = numberOf(segment.senderOctets);
  return writeMeasures(segment, values, at, texts);
}

function writeMeasures(measures: StreamMeasures, values: Float64Array, start: number, texts: TextTable): number {
  let at = start;
  values[at++] = texts.placeOf(measures.direction);
  values[at++] = texts.placeOf(measures.reporter);
  values[at++] = numberOf(measures.ssrc);
  values[at++] = texts.placeOf(measures.codec);
  values[at++] = numberOf(measures.clockRateHz);
  values[at++] = texts.placeOf(measures.clockRateSource);
  values[at++] = numberOf(measures.reports);
  values[at++] = numberOf(measures.idleReports);
  values[at++] = numberOf(measures.deadReports);
  values[at++] = numberOf(measures.unusedReports);
  values[at++] = numberOf(measures.packetsExpected);
  values[at++] = numberOf(measures.packetsReceived);
  values[at++] = numberOf(measures.packetsLost);
  values[at++] = numberOf(measures.duplicates);
  values[at++] = numberOf(measures.sequenceRestarts);
  values[at++] = numberOf(measures.jitterResets);
  values[at++] = numberOf(measures.lossPercent);
  values[at++] = numberOf(measures.lostPacketsPerReportMean);
  at = writeSummary(measures.rttMs, values, at);
  at = writeSummary(measures.jitterMs, values, at);
  values[at++] = Number(measures.rttKnown);
  values[at++] = numberOf(measures.effectiveLatencyMs);
  values[at++] = numberOf(measures.rValue);
  values[at++] = numberOf(measures.mes);
  values[at++] = numberOf(measures.mes100);
  values[at++] = numberOf(measures.mesMin);
  values[at++] = texts.placeOf(measures.profile);
  values[at++] = numberOf(measures.nativeMes100);
  values[at++] = numberOf(measures.rLq);
  values[at++] = numberOf(measures.rCq);
  values[at++] = numberOf(measures.mosLq);
  values[at++] = numberOf(measures.mosCq);
  return at;
}

function writeSummary(summary: SampleSummary, values: Float64Array, start: number): number {
  let at = start;
  values[at++] = numberOf(summary.last);
  values[at++] = numberOf(summary.mean);
  values[at++] = numberOf(summary.min);
  values[at++] = numberOf(summary.max);
  values[at++] = numberOf(summary.stdev);
  values[at++] = numberOf(summary.count);
  return at;
}

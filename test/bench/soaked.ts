import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { Metrics } from '../../src/api/metrics.ts';
import { WriteBack } from '../../src/asterisk/write-back.ts';
import { CaptureJoin } from '../../src/calls/media/capture-join.ts';
import { Switchboard } from '../../src/calls/switchboard.ts';
import { VideoFilter } from '../../src/calls/media/video-filter.ts';
import { type History, openHistory } from '../../src/history/history.ts';
import type { SeenStream } from '../../src/model/capture.ts';
import type { HealthReport } from '../../src/model/ports.ts';
import { mesProfile } from '../../src/score/profiles.ts';
import { DEFAULT_THRESHOLDS } from '../../src/score/verdict.ts';
import { AmiParser } from '../../src/wire/ami/ami.ts';
import { readPbxEvent } from '../../src/wire/ami/ami-event.ts';
import { RTCP_EVENT } from '../../src/wire/ami/ami-rtcp.ts';
import { collectGarbage } from '../lab/collect-garbage.ts';
import { atPace, FreshIds, readRecording, render } from '../lab/recording.ts';

const RECORDING = '22-lossy-call';
const PACE = { reportEveryMs: 5000, callMs: 50_000 };
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const STARTED_AT_MS = 1_795_000_000_000;
const STEP_MS = 1000;
/** The virtual hour has gone by in a second: what waits for the disk must not pile up as it never would. */
const STEPS_PER_FLUSH = 60;
/** The last minutes of every hour have no calls, so that what is left is left over. */
const QUIET_MS = 120_000;

export interface SoakPlan {
  readonly hours: number;
  readonly callEveryMs: number;
}

/** At the end of a virtual hour, with no call up. */
export interface SoakMark {
  readonly hour: number;
  readonly calls: number;
  /** After a full garbage collection. */
  readonly heapBytes: number;
  readonly databaseBytes: number;
  /** Timers, sockets, threads and files that keep a process alive. */
  readonly handles: number;
  readonly liveChannels: number;
}

export interface SoakOutcome {
  readonly marks: readonly SoakMark[];
  readonly callsStored: number;
  readonly intervalsStored: number;
  readonly intervalsExpected: number;
}

const NOTHING_WRONG: HealthReport = {
  amiConnected: true,
  amiProblem: null,
  ariConnected: null,
  historyWritable: true,
  historyProblem: null,
  asteriskVersion: null,
  databaseBytes: null,
  capture: { status: 'off', problem: null },
  counters: {},
};

/**
 * Parser, video filter, switchboard, capture's book of channels, write-back, metrics and history (a real SQLite file, its
 * real threads) through hours of calls on a clock that only this function moves: where the sidecar only waits, no time
 * passes. `onMark` is told of every hour.
 */
export async function soak(plan: SoakPlan, onMark: (mark: SoakMark) => void = () => {}): Promise<SoakOutcome> {
  const directory = mkdtempSync(join(tmpdir(), 'mes-soak-'));
  const path = join(directory, 'mes.sqlite');
  let nowMs = STARTED_AT_MS;
  const clock = { nowMs: () => nowMs };
  const history = await openHistory({ path, keepIntervalsMs: 30 * DAY_MS, keepCallsMs: 400 * DAY_MS, clock });
  const reader = new Sqlite(path, { readonly: true });
  try {
    const soaked = new Soaked(history);
    const marks: SoakMark[] = [];
    let nextCallAtMs = nowMs;
    for (let hour = 1; hour <= plan.hours; hour++) {
      const hourEndsAtMs = STARTED_AT_MS + hour * HOUR_MS;
      for (let step = 0; nowMs < hourEndsAtMs; step++, nowMs += STEP_MS) {
        for (; nextCallAtMs <= nowMs; nextCallAtMs += plan.callEveryMs) {
          if (nowMs < hourEndsAtMs - QUIET_MS) soaked.begin(nowMs);
        }
        soaked.step(nowMs);
        if (step % STEPS_PER_FLUSH === 0) await history.flush();
      }
      await history.flush();
      await history.tidy();
      await soaked.render();
      const left = { heapBytes: heapBytes(), databaseBytes: sizeOf(reader), handles: handles() };
      const mark = { hour, ...soaked.counts(), ...left };
      marks.push(mark);
      onMark(mark);
    }
    return { marks, ...stored(reader), intervalsExpected: soaked.reports };
  } finally {
    reader.close();
    await history.close();
    rmSync(directory, { recursive: true });
  }
}

interface SoakedCall {
  readonly ids: readonly string[];
  readonly startedAtMs: number;
  next: number;
}

/** What of a sidecar keeps anything, and the calls that go through it. */
class Soaked {
  reports = 0;
  readonly #history: History;
  readonly #recording = atPace(readRecording(RECORDING), PACE);
  readonly #ids = new FreshIds();
  readonly #parser = new AmiParser(RTCP_EVENT);
  readonly #metrics: Metrics;
  readonly #board: Switchboard;
  readonly #video = new VideoFilter(() => {});
  /** Without a packet: what it keeps of channels alone. */
  readonly #join = new CaptureJoin<SeenStream>();
  #calls = 0;
  #up: SoakedCall[] = [];

  constructor(history: History) {
    this.#history = history;
    const rules = { profile: mesProfile('documented'), thresholds: DEFAULT_THRESHOLDS, codecs: new Map() };
    const setter = { connected: true, hurry: () => () => {}, setVariables: () => Promise.resolve() };
    const writer = new WriteBack({ setter, variables: true, cdr: true });
    const board = new Switchboard(
      { ...rules, advantages: [], version: '1.0.0' },
      {
        writer,
        askCodecs: () => {},
        askCounters: () => {},
        storeInterval: (interval) => history.record({ kind: 'interval', interval }),
      },
    );
    this.#board = board;
    const health = { health: () => NOTHING_WRONG };
    this.#metrics = new Metrics({ endpointPatterns: [], mostGroups: 50, live: board, health, version: '1.0.0' });
  }

  begin(nowMs: number): void {
    this.#calls++;
    this.#up.push({ ids: this.#ids.of(this.#recording), startedAtMs: nowMs, next: 0 });
  }

  /** Everything that happens up to this moment. */
  step(nowMs: number): void {
    for (const call of this.#up) this.#say(call, nowMs);
    this.#up = this.#up.filter(({ next }) => next < this.#recording.messages.length);
    this.#board.tick(nowMs);
    this.#join.sweep([], nowMs);
    this.#board.takeShown(false);
    for (const change of this.#board.drain(nowMs)) {
      this.#history.record(change);
      if (change.kind === 'channel' && change.channel.endedAtMs !== null) this.#metrics.channelEnded(change.channel);
    }
  }

  async render(): Promise<void> {
    await this.#metrics.render();
  }

  counts(): { calls: number; liveChannels: number } {
    return { calls: this.#calls, liveChannels: this.#board.liveCount };
  }

  #say(call: SoakedCall, nowMs: number): void {
    for (;;) {
      const message = this.#recording.messages[call.next];
      if (message === undefined || call.startedAtMs + message.atMs > nowMs) return;
      call.next++;
      this.#parser.push(render(message, call.ids), (read) => this.#take(readPbxEvent(read, nowMs)));
    }
  }

  #take(event: ReturnType<typeof readPbxEvent>): void {
    if (event === undefined || event === 'malformed') return;
    if (event.type === 'rtcp') this.reports++;
    if (!this.#video.admits(event)) return;
    this.#join.take(event);
    this.#board.handle(event);
  }
}

function heapBytes(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

function handles(): number {
  return process.getActiveResourcesInfo().length;
}

/** Of the database, what is still in its write-ahead log included. */
function sizeOf(database: Sqlite.Database): number {
  return (
    Number(database.pragma('page_count', { simple: true })) * Number(database.pragma('page_size', { simple: true }))
  );
}

function stored(database: Sqlite.Database): { callsStored: number; intervalsStored: number } {
  const count = (table: string): number => Number(database.prepare(`SELECT count(*) FROM ${table}`).pluck().get());
  return { callsStored: count('calls'), intervalsStored: count('intervals') };
}

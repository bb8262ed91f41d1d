import { setTimeout as sleep } from 'node:timers/promises';
import type { DemoCalls } from './demo-calls.ts';
import { networkOf } from './demo-phones.ts';
import { type CallAnswer, type ChannelAnswer, liveTable, phoneOf } from './demo-tables.ts';
import { inSnakeCase } from './snake-case.ts';

/** On a pipe, one line this often. */
const PIPE_INTERVAL_MS = 10_000;

/** Where the demo reads what it shows: one PBX's REST, or a fleet's. */
export interface DemoSource {
  readonly url: string;
  /** As a sentence names it: the sidecar. */
  readonly name: string;
  /** How long the last calls may take to be remembered. */
  readonly settleMs: number;
  get<T>(path: string): Promise<T>;
  /** Throws when something of it has ended. */
  check(): void;
}

/** A demo that runs: what it shows, and the calls that it places. */
export interface RunningDemo {
  readonly version: string;
  readonly calls: readonly DemoCalls[];
  readonly source: DemoSource;
  stop(): Promise<void>;
}

/** `data`: where databases are kept; undefined: nowhere. Throws one plain sentence. */
export type StartDemo = (
  asked: { readonly port: number; readonly data: string | undefined },
  say: (line: string) => void,
) => Promise<RunningDemo>;

export const HOST = '127.0.0.1';
/** Reports as Asterisk sends them by default; and the machine may carry real calls, which come before the demo's. */
export const LASTING = { rtcpIntervalMs: 5000, inRealTime: false } as const;

/** Two PBXs of a fleet may have calls of the same linkedid. */
export function nameOf({ linkedid, pbx = '' }: Pick<CallAnswer, 'linkedid' | 'pbx'>): string {
  return `${linkedid} ${pbx}`;
}

export function placedOf(calls: readonly DemoCalls[]): number {
  return calls.reduce((sum, { placed }) => sum + placed, 0);
}

/** Places calls and shows them until the time is over, a signal comes, or something breaks. */
export async function runCalls(
  calls: readonly DemoCalls[],
  source: DemoSource,
  stopping: AbortSignal,
  endMs: number | undefined,
  isQuiet: boolean,
): Promise<void> {
  const over = endMs === undefined ? [] : [AbortSignal.timeout(Math.max(0, endMs - Date.now()))];
  const done = new AbortController();
  const end = AbortSignal.any([stopping, done.signal, ...over]);
  const shown = show(calls, source, end, isQuiet).catch((error: unknown) => {
    done.abort();
    throw error;
  });
  const placed = Promise.all(calls.map((one) => one.run(end, endMs))).finally(() => done.abort());
  const [first] = (await Promise.allSettled([placed, shown])).filter((result) => result.status === 'rejected');
  if (first !== undefined) throw first.reason;
}

/** A table once a second on a terminal, a line now and then elsewhere. Throws when the sidecar is gone. */
async function show(
  calls: readonly DemoCalls[],
  source: DemoSource,
  end: AbortSignal,
  isQuiet: boolean,
): Promise<void> {
  const isTerminal = !isQuiet && process.stdout.isTTY;
  const startMs = Date.now();
  let lastLineMs = startMs;
  while (!end.aborted) {
    await sleep(1000, undefined, { signal: end }).catch(() => undefined);
    source.check();
    if (end.aborted || isQuiet) continue;
    const { channels } = await source.get<{ channels: ChannelAnswer[] }>('/v1/live');
    const line = summary(channels, placedOf(calls), Date.now() - startMs);
    if (isTerminal) {
      const text = `${line}\n\n${liveTable(channels)}\n\n${source.url}/   Ctrl-C ends the demo\n`;
      process.stdout.write(`\u001B[H${text.replaceAll('\n', '\u001B[K\n')}\u001B[J`);
    } else if (Date.now() - lastLineMs >= PIPE_INTERVAL_MS) {
      lastLineMs = Date.now();
      process.stdout.write(`${line}\n`);
    }
  }
}

function summary(channels: readonly ChannelAnswer[], placed: number, elapsedMs: number): string {
  const up = new Set(channels.map(({ linkedid }) => linkedid)).size;
  const scored = channels.filter((channel) => channel.mes !== null);
  const [worst] = [...scored].sort((one, other) => (one.mes ?? 0) - (other.mes ?? 0));
  const name = worst === undefined ? '' : phoneOf(worst);
  const bad = worst === undefined ? '' : `; worst ${worst.mes?.toFixed(2)} at ${name} (${networkOf(name).name})`;
  return `${Math.round(elapsedMs / 1000)} s: ${placed} calls placed, ${up} up${bad}`;
}

/** All calls of this demo, once each has its end in the history. Throws when that does not happen in time. */
export async function endedCalls(
  source: DemoSource,
  known: ReadonlySet<string>,
  placed: number,
): Promise<CallAnswer[]> {
  const deadlineMs = Date.now() + source.settleMs;
  for (;;) {
    const calls = (await readCalls(source)).filter((call) => !known.has(nameOf(call)));
    const ended = calls.filter((call) => call.ended_at !== null);
    if (ended.length >= placed) {
      const whole = await Promise.all(
        ended.map(({ linkedid, pbx }) => {
          const whose = pbx === undefined ? '' : `?pbx=${pbx}`;
          return source.get<CallAnswer>(`/v1/calls/${encodeURIComponent(linkedid)}${whose}`);
        }),
      );
      // In a fleet's ClickHouse, a call may be there a moment before its channels.
      if (whole.every(({ channels }) => channels.length > 1) || Date.now() > deadlineMs) return whole;
    } else if (Date.now() > deadlineMs) {
      throw new Error(`${placed} calls were placed, but ${source.name} remembers the end of ${ended.length} only.`);
    }
    await sleep(200);
  }
}

export async function readCalls(source: DemoSource): Promise<CallAnswer[]> {
  const calls: CallAnswer[] = [];
  let cursor: string | null = null;
  do {
    const query: string = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const page = await source.get<{ calls: CallAnswer[]; next_cursor: string | null }>(`/v1/calls?limit=100${query}`);
    calls.push(...page.calls);
    cursor = page.next_cursor;
  } while (cursor !== null);
  return calls;
}

/** The call with what the relay was told to do, phone by phone. */
export function withNetwork(call: CallAnswer): object {
  const network = Object.fromEntries(call.channels.map((channel) => [phoneOf(channel), networkOf(phoneOf(channel))]));
  return { ...call, network: inSnakeCase(network) };
}

import { describe, expect, it } from 'vitest';
import { moveMoments } from '../../../src/calls/channels/clock-step.ts';
import { type ChannelState, newChannel } from '../../../src/calls/channels/channel-state.ts';
import { DirectionState } from '../../../src/calls/directions/direction-state.ts';
import { Tally } from '../../../src/calls/directions/tally.ts';
import { HEARD_QUANTITIES, type PhoneHearing } from '../../../src/model/phones/phone-report.ts';
import { NumberRow } from '../../../src/stats/number-row.ts';
import { capturedMedia } from '../history/records.ts';
import type { PbxEvent } from '../../../src/model/event.ts';
import type { CallRecord, HistoryChange } from '../../../src/model/record.ts';
import { readGolden } from '../golden.ts';
import { Script } from './script.ts';

const HOUR_MS = 3_600_000;
const START_MS = 1_795_168_800_000;

/** By the phone's own clock, which nobody set. */
function heardSince(startAtMs: number): PhoneHearing {
  const nothing = Object.fromEntries(HEARD_QUANTITIES.map((name) => [name, 1])) as Pick<PhoneHearing, 'rLq'>;
  return { ...nothing, reports: 2, startAtMs, stopAtMs: startAtMs + 5000, userAgent: null } as PhoneHearing;
}

/** Every number in plain data, by its path; rows of numbers by their names. */
function numbersIn(data: unknown, path = ''): [path: string, value: number][] {
  if (typeof data === 'number') return [[path, data]];
  if (typeof data !== 'object' || data === null) return [];
  const names = data instanceof NumberRow ? data.names : [];
  const values = data as Readonly<Record<string, unknown>>;
  return [...names, ...Object.keys(values)].flatMap((name) => numbersIn(values[name], `${path}.${name}`));
}

/** A channel of which everything is known. Its moments, and nothing else, are this large. */
function wholeChannel(): ChannelState {
  const snapshot = { uniqueid: '1', linkedid: '1', name: 'PJSIP/alice-00000001', stateNumber: 6 };
  const channel = newChannel(snapshot, START_MS, START_MS, false);
  const phone = heardSince(START_MS);
  Object.assign(channel, {
    answeredAtMs: START_MS,
    endedAtMs: START_MS,
    lastReceivedAtMs: START_MS,
    hangupCause: 16,
    phone,
  });
  Object.assign(channel, {
    codecsAskedAtMs: START_MS,
    final: { mesPeerRx: 4, mesPeerTx: 4, mesCall: 4, atMs: START_MS },
  });
  for (const direction of [channel.rx, channel.tx]) {
    for (const name of direction.names)
      Object.assign(direction, { [name]: direction.timeNames.includes(name) ? START_MS : 5 });
    direction.captured = { closed: capturedMedia(), open: capturedMedia() };
    direction.nextSegment = { cause: 'hold', atMs: START_MS, sentBefore: { packets: 1, octets: 160 } };
    direction.segment = { ...direction.segment, tally: new Tally() };
    const flow = { fromMs: START_MS, toMs: START_MS };
    direction.pastFlow = {
      received: { ...flow, expectedPerMs: 0.05, receivedPerMs: 0.05 },
      sent: { ...flow, packetsPerMs: 0.05, audioPerMs: 1 },
    };
  }
  return channel;
}

it('moves every moment of a channel, once where it is shared, and no other number', () => {
  const channel = wholeChannel();
  const companion = wholeChannel();
  channel.bridges.leftAtMs = START_MS;
  channel.bridges.former = [{ channel: companion, partedAtMs: START_MS }];
  const call = {
    linkedid: '1',
    startedAtMs: START_MS,
    endedAtMs: null,
    channels: new Set([channel]),
    joinedInto: null,
  };
  const before = numbersIn({ channel, call });
  moveMoments([channel, companion], [call], 100);
  const after = new Map(numbersIn({ channel, call }));
  const isMoment = ([path, value]: [string, number]): boolean => value > 1e12 && !path.includes('.phone.');
  const moments = before.filter(isMoment);
  expect(moments.length).toBeGreaterThan(120);
  expect(moments.filter(([path, value]) => !Object.is(after.get(path), value + 100))).toEqual([]);
  const others = before.filter((one) => !isMoment(one));
  expect(others.length).toBeGreaterThan(300);
  expect(others.filter(([path, value]) => !Object.is(after.get(path), value))).toEqual([]);
});

it('knows the moments in a row of numbers by what they are, which their names say', () => {
  const { names, timeNames } = new DirectionState('rx', 0);
  expect([...timeNames].sort()).toEqual(names.filter((name) => /(?:At|Since)Ms$/.test(name)).sort());
  expect(timeNames.length).toBeGreaterThan(15);
});

interface Told {
  readonly changes: HistoryChange[];
  readonly writes: Script['writes'];
}

/** The recorded call, with the clock set by `stepMs` behind the event of this number. */
function tell(events: readonly PbxEvent[], stepAfter: number, stepMs: number): Told {
  const script = new Script();
  const { board, writes } = script;
  const changes: HistoryChange[] = [];
  let shiftMs = 0;
  for (const [index, event] of events.entries()) {
    board.tick(event.atMs + shiftMs);
    board.handle({ ...event, atMs: event.atMs + shiftMs });
    changes.push(...script.drain());
    if (index !== stepAfter) continue;
    board.clockStepped(stepMs);
    shiftMs = stepMs;
  }
  board.tick((events.at(-1)?.atMs ?? 0) + shiftMs + 2000);
  changes.push(...script.drain());
  return { changes, writes };
}

const withoutTimes = (changes: readonly HistoryChange[]): unknown =>
  changes.flatMap((change) => {
    if (change.kind !== 'interval') return [];
    const { atMs: _atMs, beganAtMs: _beganAtMs, ...rest } = change.interval;
    return [rest];
  });

function lastCall({ changes }: Told): CallRecord {
  const last = changes.findLast((change) => change.kind === 'call');
  if (last === undefined) throw new Error('there is no call');
  return last.call;
}

const lengthMs = ({ startedAtMs, endedAtMs }: CallRecord): number => (endedAtMs ?? Number.NaN) - startedAtMs;

describe.each([HOUR_MS, -HOUR_MS])('a clock set by %s ms', (stepMs) => {
  it.each(['22-lossy-call', '22-hold', '22-one-way', '16-lossy-call'])(
    'in the middle of %s changes no score, no interval and no verdict, and nothing that is written',
    (name) => {
      const { events } = readGolden(name);
      const steady = tell(events, -1, 0);
      for (const part of [0.3, 0.5, 0.8]) {
        const stepped = tell(events, Math.floor(events.length * part), stepMs);
        expect(withoutTimes(stepped.changes)).toEqual(withoutTimes(steady.changes));
        expect(stepped.writes).toEqual(steady.writes);
        const [was, is] = [lastCall(steady), lastCall(stepped)];
        expect([is.mes, is.verdict]).toEqual([was.mes, was.verdict]);
        expect(lengthMs(is)).toBe(lengthMs(was));
        expect(lengthMs(was)).toBeGreaterThan(1000);
      }
      expect(steady.writes.length).toBeGreaterThan(0);
    },
  );
});

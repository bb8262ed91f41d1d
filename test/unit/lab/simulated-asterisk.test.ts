import { afterEach, describe, expect, test, vi } from 'vitest';
import { AmiActions } from '../../../src/asterisk/ami/ami-actions.ts';
import { AmiEventSession } from '../../../src/asterisk/ami/ami-event-session.ts';
import type { PbxEvent } from '../../../src/model/event.ts';
import { atPace, FreshIds, isReport, readRecording, type Recording, render } from '../../lab/recording.ts';
import { SimulatedAsterisk } from '../../lab/simulated-asterisk.ts';
import { readGolden } from '../golden.ts';

const LOSSY = readRecording('22-lossy-call');

function text(recording: Recording, ids: readonly string[]): string {
  return recording.messages.map((message) => render(message, ids)).join('');
}

/** The uniqueids of all channels. */
function uniqueidsOf(message: string): Set<string> {
  return new Set([...message.matchAll(/^Uniqueid: (.*)\r$/gm)].map(([, uniqueid = '']) => uniqueid));
}

/** Waits until it no longer throws; a busy machine may need a while. */
function soon(check: () => void): Promise<void> {
  return vi.waitFor(check, { timeout: 10_000 });
}

describe('a recording said again', () => {
  test('has other channels, calls, bridges and SSRCs, and nothing else changed', () => {
    const ids = new FreshIds();
    const [one, other] = [text(LOSSY, ids.of(LOSSY)), text(LOSSY, ids.of(LOSSY))];
    expect(uniqueidsOf(one).size).toBe(2);
    expect([...uniqueidsOf(one)].filter((uniqueid) => uniqueidsOf(other).has(uniqueid))).toEqual([]);
    const [ours, theirs] = [one.split('\r\n'), other.split('\r\n')];
    expect(ours.length).toBe(theirs.length);
    const changed = ours.filter((line, index) => line !== theirs[index]).map((line) => line.split(':')[0]);
    expect([...new Set(changed)].sort((a = '', b = '') => a.localeCompare(b))).toEqual(
      ['BridgeUniqueid', 'Channel', 'DestChannel', 'DestLinkedid', 'DestUniqueid'].concat([
        'Linkedid',
        'Report0SourceSSRC',
        'SSRC',
        'Uniqueid',
      ]),
    );
  });

  test('keeps its beginning and end and takes its reports at another pace', () => {
    const paced = atPace(LOSSY, { reportEveryMs: 5000, callMs: 50_000 });
    const reports = paced.messages.filter(isReport);
    const [first] = reports;
    // Two legs, two reporters, at 5, 10 … 45 s; the recording lacks a few that the network lost.
    expect(reports.length).toBeGreaterThan(30);
    expect(reports.length).toBeLessThanOrEqual(36);
    expect(first?.atMs).toBeGreaterThan(5000);
    expect(first?.atMs).toBeLessThan(6000);
    expect(paced.messages.at(-1)?.atMs).toBeCloseTo(50_000, -2);
    const [others, recorded] = [paced, LOSSY].map(({ messages }) =>
      messages.map(({ event }) => event).filter((event) => !/^(?:RTCP|TestEvent)/.test(event)),
    );
    expect(others).toEqual(recorded);
    expect(others?.length).toBeGreaterThan(20);
  });
});

describe('the simulated Asterisk', () => {
  const closing: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).toReversed()) await close();
  });

  async function connected(): Promise<{ asterisk: SimulatedAsterisk; events: PbxEvent[]; actions: AmiActions }> {
    const asterisk = await SimulatedAsterisk.start();
    closing.push(() => asterisk.stop());
    const events: PbxEvent[] = [];
    const common = { connection: asterisk.connection, random: () => 0, onState: () => {} };
    const session = new AmiEventSession({ ...common, nowMs: () => 0, onEvent: (event) => events.push(event) });
    const actions = new AmiActions(common);
    closing.push(
      () => session.stop(),
      () => actions.stop(),
    );
    session.start();
    actions.start();
    await soon(() => expect(events[0]?.type).toBe('resync'));
    await soon(() => expect(actions.connected).toBe(true));
    return { asterisk, events, actions };
  }

  test('says everything that the real one said', async () => {
    const { asterisk, events } = await connected();
    asterisk.sayAtOnce(readRecording('22-attended-transfer'));
    const golden = readGolden('22-attended-transfer').events;
    await soon(() => expect(events.length).toBe(1 + golden.length));
    expect(events.slice(1).map(({ type }) => type)).toEqual(golden.map(({ type }) => type));
    expect(asterisk.counters).toMatchObject({ channelsUp: 0, callsBegun: 1, callsEnded: 1 });
  });

  test('lists channels that are up, takes variables for them, and refuses those that are gone', async () => {
    const { asterisk, events, actions } = await connected();
    asterisk.startCall(atPace(LOSSY, { reportEveryMs: 20, callMs: 60_000 }));
    await soon(() => expect(asterisk.counters.reports).toBeGreaterThan(0));
    const [uniqueid = ''] = asterisk.channelsUp;
    await actions.setVariables(
      uniqueid,
      new Map([
        ['MES_RX', '4.31'],
        ['CDR(mes_rx)', '4.31'],
      ]),
    );
    expect(asterisk.variablesOf(uniqueid)).toEqual(
      new Map([
        ['MES_RX', '4.31'],
        ['CDR(mes_rx)', '4.31'],
      ]),
    );
    expect(await actions.getVariable(uniqueid, 'MES_RX')).toBe('4.31');
    expect(asterisk.takeDelaysMs()).toHaveLength(1);

    asterisk.drop();
    await soon(() => expect(events.filter(({ type }) => type === 'resync')).toHaveLength(2));
    const again = events.findLast(({ type }) => type === 'resync');
    expect(again?.type === 'resync' ? again.channels.map((channel) => channel.uniqueid).sort() : []).toEqual(
      asterisk.channelsUp.sort(),
    );

    await soon(() => expect(actions.connected).toBe(true));
    asterisk.sayAtOnce(LOSSY);
    await soon(() => expect(events.filter(({ type }) => type === 'hangup')).toHaveLength(2));
    const last = events.findLast(({ type }) => type === 'hangup');
    const gone = last?.type === 'hangup' ? last.channel.uniqueid : '';
    await expect(actions.setVariables(gone, new Map([['MES', '1.00']]))).rejects.toThrow('No such channel');
  });
});

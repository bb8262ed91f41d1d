import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { AmiEventSession, type AmiEventSessionOptions } from '../../../src/asterisk/ami/ami-event-session.ts';
import { DEFAULT_AMI_TIMING, type AmiLinkTiming } from '../../../src/asterisk/ami/ami-link.ts';
import type { LinkState } from '../../../src/asterisk/link-state.ts';
import type { PbxEvent } from '../../../src/model/event.ts';
import { FakeManager, asterisk, block, channelEvent, type Answer } from '../../lab/fake-manager.ts';

const NOW_MS = 1_795_171_549_000;
const BRIDGE = ['BridgeUniqueid: b1', 'BridgeTechnology: native_rtp'];
const ends: (() => Promise<void>)[] = [];

afterEach(async () => {
  vi.useRealTimers();
  for (const end of ends.splice(0).toReversed()) await end();
});

interface Rig {
  readonly manager: FakeManager;
  readonly session: AmiEventSession;
  readonly events: PbxEvent[];
  readonly states: LinkState[];
}

async function rig(
  answer: Answer = asterisk(),
  timing: Partial<AmiLinkTiming> = {},
  more: Partial<AmiEventSessionOptions> = {},
): Promise<Rig> {
  const manager = await FakeManager.start(answer);
  const events: PbxEvent[] = [];
  const states: LinkState[] = [];
  const session = new AmiEventSession({
    connection: manager.connection,
    onEvent: (event) => events.push(event),
    onState: (state) => states.push(state),
    nowMs: () => NOW_MS,
    random: () => 0,
    timing: { ...DEFAULT_AMI_TIMING, ...timing },
    backOff: { minMs: 10, maxMs: 20 },
    ...more,
  });
  ends.push(
    () => manager.stop(),
    () => session.stop(),
  );
  session.start();
  return { manager, session, events, states };
}

const connected = async (states: readonly LinkState[], times = 1): Promise<void> => {
  await expect.poll(() => states.filter(({ status }) => status === 'connected')).toHaveLength(times);
};

describe('AmiEventSession', () => {
  it('logs in without events, then asks for no more than it needs, then lists channels and endpoints', async () => {
    const { manager, events, states, session } = await rig(
      asterisk(() => channelEvent('Status', '1.1', 'BridgeID: b1', 'Seconds: 7') + channelEvent('Status', '1.2')),
    );
    await connected(states);
    expect(manager.asked).toEqual([
      'login',
      'setvar',
      'getvar',
      'getvar',
      'getvar',
      'events',
      'status',
      'devicestatelist',
    ]);
    expect(manager.actions[0]?.get('Events')).toBe('off');
    expect(manager.actions[5]?.get('EventMask')).toBe('call,reporting,dtmf');
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({
      type: 'resync',
      atMs: NOW_MS,
      channels: [{ uniqueid: '1.1', bridgeId: 'b1', ageS: 7 }, { uniqueid: '1.2' }],
    });
    expect(session.asteriskVersion).toBe('22.10.1');
    expect(states).toEqual([{ status: 'connecting' }, { status: 'connected' }]);
  });

  it('puts the list where it stands among the events', async () => {
    const before = channelEvent('BridgeEnter', '1.1', ...BRIDGE);
    const after = channelEvent('Hangup', '1.1', 'Cause: 16');
    const plain = asterisk(() => channelEvent('Status', '1.1'));
    const { events, states } = await rig((action, socket) => {
      const text = plain(action, socket);
      return action.get('Action') === 'Status' ? `${before}${text}${after}` : text;
    });
    await connected(states);
    expect(events.map(({ type }) => type)).toEqual(['bridge-enter', 'resync', 'hangup']);
  });

  it('asks for the codecs of a channel when told to, and says what Asterisk answers in its place among the events', async () => {
    const formats = [
      'Nativeformats: (ulaw|alaw)',
      'Readformat: alaw',
      'Readtrans: ',
      'Writeformat: ulaw',
      'Writetrans: ',
    ];
    const plain = asterisk(() => channelEvent('Status', '1.1', ...formats));
    const { manager, session, events, states } = await rig((action, socket) => {
      const uniqueid = action.get('Channel');
      if (uniqueid === 'gone') return block(action, 'Response: Error', 'Message: No such channel');
      const text = plain(action, socket);
      return uniqueid === undefined ? text : `${text}${channelEvent('Newstate', '1.2')}`;
    });
    session.askCodecs('1.1');
    await connected(states);
    expect(manager.asked.filter((name) => name === 'status')).toHaveLength(1);
    session.askCodecs('gone');
    session.askCodecs('1.1');
    await expect.poll(() => events).toHaveLength(3);
    expect(manager.asked.filter((name) => name === 'status')).toHaveLength(3);
    expect(manager.actions.at(-1)?.get('Channel')).toBe('1.1');
    expect(events.map(({ type }) => type)).toEqual(['resync', 'codecs', 'channel']);
    expect(events[1]).toEqual({ type: 'codecs', atMs: NOW_MS, uniqueid: '1.1', codecs: { rx: 'alaw', tx: 'ulaw' } });
    expect(session.counters).toMatchObject({ malformed: 0, ignored: 0 });
  });

  it('counts what it cannot read and what it does not want', async () => {
    const { manager, session, states, events } = await rig();
    await connected(states);
    manager.send(
      'Event: DeviceStateChange\r\nDevice: Queue:sales_avail\r\nState: INUSE\r\n\r\n' +
        'Event: Hangup\r\nUniqueid: 1.1\r\n\r\n' +
        'what is this\r\n\r\n' +
        channelEvent('Newstate', '1.3'),
    );
    await expect.poll(() => events).toHaveLength(2);
    expect(session.counters).toEqual({ events: 2, malformed: 2, ignored: 1, reconnects: 0 });
  });

  it('comes back after a loss, with a link-lost and the list of channels that exist then', async () => {
    let rows = channelEvent('Status', '1.1');
    const { manager, session, events, states } = await rig(asterisk(() => rows));
    await connected(states);
    rows = channelEvent('Status', '1.9');
    manager.drop();
    await connected(states, 2);
    expect(events.map(({ type }) => type)).toEqual(['resync', 'link-lost', 'resync']);
    expect(events[2]).toMatchObject({ channels: [{ uniqueid: '1.9' }] });
    expect(session.counters.reconnects).toBe(1);
    expect(states[2]).toMatchObject({ status: 'waiting', problem: expect.stringContaining('closed the connection') });
  });

  it('notices an Asterisk that has gone silent', async () => {
    const plain = asterisk();
    let mute = false;
    const { states, manager } = await rig((action, socket) => (mute ? undefined : plain(action, socket)), {
      actionMs: 100,
      pingEveryMs: 20,
      silenceMs: 60,
    });
    await connected(states);
    await sleep(200);
    expect(states.map(({ status }) => status)).toEqual(['connecting', 'connected']);
    mute = true;
    await expect.poll(() => states[2]).toMatchObject({ problem: expect.stringContaining('silent') });
    mute = false;
    await connected(states, 2);
    expect(manager.connections).toBeGreaterThanOrEqual(2);
  });

  it('does not take a list that breaks off for the whole', async () => {
    const plain = asterisk();
    let broken = true;
    const { states, events } = await rig((action, socket) => {
      if (action.get('Action') !== 'Status' || !broken) return plain(action, socket);
      broken = false;
      socket.end(block(action, 'Response: Success') + channelEvent('Status', '1.1'));
      return undefined;
    });
    await connected(states);
    expect(events).toEqual([{ type: 'resync', atMs: NOW_MS, channels: [] }]);
  });

  it('gives up on a wrong secret, names user and place, and keeps the secret to itself', async () => {
    const { states, manager } = await rig((action, socket) => {
      socket.end(block(action, 'Response: Error', 'Message: Authentication failed'));
      return undefined;
    });
    await expect.poll(() => states.at(-1)?.status).toBe('failed');
    const { port } = manager.connection;
    expect(states.at(-1)).toEqual({
      status: 'failed',
      problem:
        `Asterisk's manager at 127.0.0.1:${port} refused the user "mes" (Authentication failed); ` +
        'check username and secret in [ami] against manager.conf, and permit and deny there',
    });
    expect(JSON.stringify(states)).not.toContain('top-secret');
    await sleep(60);
    expect(manager.connections).toBe(1);
  });

  it.each([
    ['reporting', 'lacks the read class call; '],
    ['call', 'lacks the read class reporting; '],
    ['system,dialplan', 'lacks the read class call and reporting; '],
    ['', 'lacks the read class call and reporting; '],
  ])('gives up on read = %s', async (read, sentence) => {
    const { states } = await rig(asterisk(() => '', read));
    await expect.poll(() => states.at(-1)?.status).toBe('failed');
    expect(states.at(-1)).toMatchObject({ problem: expect.stringContaining(sentence) });
    expect(states.at(-1)).toMatchObject({ problem: expect.stringContaining('"read = call,reporting"') });
  });

  it.each(['all', 'system, call ,reporting', 'REPORTING,CALL'])('is content with read = %s', async (read) => {
    const { states } = await rig(asterisk(() => '', read));
    await connected(states);
    expect(states.at(-1)).toEqual({ status: 'connected' });
  });

  it('gives up without write = call', async () => {
    const plain = asterisk();
    const { states } = await rig((action, socket) =>
      action.get('Action') === 'Setvar'
        ? block(action, 'Response: Error', 'Message: Permission denied')
        : plain(action, socket),
    );
    await expect.poll(() => states.at(-1)?.status).toBe('failed');
    expect(states.at(-1)).toMatchObject({ problem: expect.stringContaining('lacks the write class call; ') });
  });

  it('goes on when the classes cannot be read', async () => {
    const plain = asterisk();
    const { states } = await rig((action, socket) =>
      action.get('Action') === 'Getvar' ? block(action, 'Response: Success', 'Value: ') : plain(action, socket),
    );
    await connected(states);
    expect(states.at(-1)).toEqual({ status: 'connected' });
  });

  it('waits for an Asterisk that is not there', async () => {
    const manager = await FakeManager.start();
    const { connection } = manager;
    await manager.stop();
    const states: LinkState[] = [];
    const lonely = new AmiEventSession({
      connection,
      onEvent: () => {},
      onState: (state) => states.push(state),
      nowMs: () => NOW_MS,
      random: () => 0,
      backOff: { minMs: 5, maxMs: 5 },
    });
    lonely.start();
    await sleep(100);
    await lonely.stop();
    expect(states).toHaveLength(2);
    expect(states[1]).toMatchObject({ status: 'waiting', problem: expect.stringContaining('Nothing listens on') });
  });

  it('does not wait for ever for something that is no Asterisk', async () => {
    const { states } = await rig(() => undefined, { actionMs: 30 });
    await expect.poll(() => states[1]).toMatchObject({ problem: expect.stringContaining('did not answer Login') });
  });

  it('has a barrier behind which all earlier events have been handed on', async () => {
    const plain = asterisk();
    const { session, events, states } = await rig((action, socket) => {
      const text = plain(action, socket);
      return action.get('Action') === 'Ping' ? channelEvent('Newstate', '1.7') + text : text;
    });
    await expect(session.barrier(10)).rejects.toThrow('is not connected');
    await connected(states);
    await session.barrier(1000);
    expect(events.map(({ type }) => type)).toEqual(['resync', 'channel']);
  });

  it('lets events that follow each other wait for one read, but not a barrier', async () => {
    const { manager, session, events, states } = await rig();
    await connected(states);
    // From here on no rest between two reads ends by itself.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    manager.send(channelEvent('Hangup', '1.1'));
    while (events.length < 2) await nextTurn();
    manager.send(channelEvent('Hangup', '1.2'));
    manager.send(channelEvent('Hangup', '1.3'));
    for (let turn = 0; turn < 20; turn++) await nextTurn();
    expect(events.map(({ type }) => type)).toEqual(['resync', 'hangup']);
    await session.barrier(1000);
    const hungUp = events.flatMap((event) => (event.type === 'hangup' ? [event.channel.uniqueid] : []));
    expect(hungUp).toEqual(['1.1', '1.2', '1.3']);
  });

  it('tells of a read before its events, which all have its time', async () => {
    let nowMs = NOW_MS;
    const told: (number | 'read')[] = [];
    // Without the answer to a ping, which would be another read.
    const { manager, states } = await rig(
      undefined,
      { pingEveryMs: 600_000 },
      {
        nowMs: () => nowMs++,
        onRead: () => told.push('read'),
        onEvent: ({ atMs }) => told.push(atMs),
      },
    );
    await connected(states);
    told.length = 0;
    const firstMs = nowMs;
    manager.send(channelEvent('Newstate', '1.1') + channelEvent('Newstate', '1.2') + channelEvent('Newstate', '1.3'));
    await expect.poll(() => told).toEqual(['read', firstMs, firstMs, firstMs]);
    manager.send(channelEvent('Newstate', '1.4'));
    await expect.poll(() => told.slice(4)).toEqual(['read', firstMs + 1]);
  });

  it('ends a barrier that takes too long, or whose connection is lost', async () => {
    const plain = asterisk();
    const { session, manager, states } = await rig((action, socket) =>
      action.get('Action') === 'Ping' ? undefined : plain(action, socket),
    );
    await connected(states);
    await expect(session.barrier(20)).rejects.toThrow('did not answer Ping within 20 ms');
    const lost = session.barrier(5000).catch(String);
    manager.drop();
    expect(await lost).toContain('closed the connection');
  });

  it('stops without a word', async () => {
    const { session, events, states } = await rig();
    await connected(states);
    await session.stop();
    expect(events.map(({ type }) => type)).toEqual(['resync']);
    expect(states.at(-1)).toEqual({ status: 'connected' });
  });
});

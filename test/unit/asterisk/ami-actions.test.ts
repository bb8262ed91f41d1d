import { setTimeout as sleep } from 'node:timers/promises';
import { Socket } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { AmiActions, AmiActionError } from '../../../src/asterisk/ami/ami-actions.ts';
import { DEFAULT_AMI_TIMING, type AmiLinkTiming } from '../../../src/asterisk/ami/ami-link.ts';
import type { LinkState } from '../../../src/asterisk/link-state.ts';
import { AmiValueError } from '../../../src/wire/ami/ami.ts';
import { FakeManager, asterisk, block, type Answer } from '../../lab/fake-manager.ts';

const ends: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
  vi.restoreAllMocks();
});

interface Rig {
  readonly manager: FakeManager;
  readonly actions: AmiActions;
  readonly states: LinkState[];
}

async function rig(answer: Answer = asterisk(), timing: Partial<AmiLinkTiming> = {}): Promise<Rig> {
  const manager = await FakeManager.start(answer);
  const states: LinkState[] = [];
  const actions = new AmiActions({
    connection: manager.connection,
    onState: (state) => states.push(state),
    random: () => 0,
    timing: { ...DEFAULT_AMI_TIMING, ...timing },
    backOff: { minMs: 10, maxMs: 20 },
  });
  ends.push(
    () => manager.stop(),
    () => actions.stop(),
  );
  actions.start();
  return { manager, actions, states };
}

const connected = async (states: readonly LinkState[], times = 1): Promise<void> => {
  await expect.poll(() => states.filter(({ status }) => status === 'connected')).toHaveLength(times);
};

const problemOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'none',
    (error: unknown) => (error instanceof AmiActionError ? error.problem : error),
  );

/** Answers nothing to Getvar. */
const withoutGetvar: Answer = (action, socket) =>
  action.get('Action') === 'Getvar' ? undefined : asterisk()(action, socket);

describe('AmiActions', () => {
  it('sends the actions of one turn in one system call', async () => {
    const { manager, actions, states } = await rig();
    await connected(states);
    const written = (['_write', '_writev'] as const).map((name) => vi.spyOn(Socket.prototype, name));
    const uniqueids = ['1.1', '1.2', '1.3'];
    await Promise.all(uniqueids.map((uniqueid) => actions.setVariables(uniqueid, new Map([['MES', '4.31']]))));
    const setvars = written.flatMap(({ mock }) => mock.calls).filter(([what]) => String(what).includes('Setvar'));
    expect(setvars).toHaveLength(1);
    expect(manager.actions.slice(-3).map((action) => action.get('Channel'))).toEqual(uniqueids);
  });

  it('logs in with events off and sets many variables in one action', async () => {
    const { manager, actions, states } = await rig();
    await connected(states);
    await actions.setVariables(
      '1795171581.9',
      new Map([
        ['MES', '4.31'],
        ['CDR(mes)', '4.31'],
        ['CDR(mes_verdict)', 'good'],
      ]),
    );
    expect(manager.actions[0]?.get('Action')).toBe('login');
    expect(manager.actions[0]?.get('Events')).toBe('off');
    const setvar = manager.actions.find((action) => action.get('Channel') === '1795171581.9');
    expect(setvar?.get('Action')).toBe('Setvar');
    expect(setvar?.get('Variable')).toBe('ARRAY(MES,CDR(mes),CDR(mes_verdict))');
    expect(setvar?.get('Value')).toBe('4.31,4.31,good');
  });

  it('tells the hangup handler by the clock of Asterisk that it is alive, and that it is gone', async () => {
    const { manager, actions, states } = await rig();
    await connected(states);
    const alive = (): (string | undefined)[] =>
      manager.actions
        .filter((action) => action.get('Variable') === 'MES_ALIVE_UNTIL')
        .map((action) => action.get('Value'));
    await expect.poll(() => alive()).toHaveLength(1);
    await actions.stop();
    // The fake's clock stands at 1795171549.095112; two pings of 5 s later, rounded up.
    expect(alive()).toEqual(['1795171560', '0']);
  });

  it('gives values as they are, and undefined for none', async () => {
    const plain = asterisk();
    const { actions, states } = await rig((action, socket) => {
      if (action.get('Variable') !== 'A') return plain(action, socket);
      return block(action, 'Response: Success', 'Variable: A', 'Value: x: y=z');
    });
    await connected(states);
    expect(await actions.getVariable('1.1', 'A')).toBe('x: y=z');
    expect(await actions.getVariable('1.1', 'B')).toBeUndefined();
  });

  it.each([
    ['No such channel', 'no-such-channel'],
    ['Permission denied', 'denied'],
    ['Variable not set', 'refused'],
  ])('says why Asterisk refused: %s', async (message, problem) => {
    const plain = asterisk();
    const { actions, states } = await rig((action, socket) =>
      action.has('Channel') ? block(action, 'Response: Error', `Message: ${message}`) : plain(action, socket),
    );
    await connected(states);
    expect(await problemOf(actions.setVariables('1.1', new Map([['MES', '1.00']])))).toBe(problem);
  });

  it('finds every answer, however what is read is cut', async () => {
    const plain = asterisk();
    const { manager, actions, states } = await rig((action, socket) =>
      action.has('Channel') ? undefined : plain(action, socket),
    );
    await connected(states);
    actions.hurry();
    const asked = (): (string | undefined)[] =>
      manager.actions.filter((action) => action.has('Channel')).map((action) => action.get('ActionID'));
    const done = 'Response: Success\r\nActionID: #\r\nMessage: Variable Set\r\n\r\n';
    const gone = 'Response: Error\r\nActionID: #\r\nMessage: No such channel\r\n\r\n';
    const sent = [done, done, gone, done, gone];
    for (let cut = 1; cut < 300; cut += 13) {
      const before = asked().length;
      const set = sent.map((_, index) => problemOf(actions.setVariables(`1.${index}`, new Map([['MES', '1.00']]))));
      await expect.poll(() => asked().length, { interval: 2 }).toBe(before + sent.length);
      const ids = asked().slice(-sent.length);
      const text = sent.map((answer, index) => answer.replace('#', ids[index] ?? '')).join('');
      manager.send(text.slice(0, cut));
      await sleep(2);
      manager.send(text.slice(cut));
      expect(await Promise.all(set), `cut at ${cut}`).toEqual([
        'none',
        'none',
        'no-such-channel',
        'none',
        'no-such-channel',
      ]);
    }
  });

  it('refuses what would break out of its line, before it reaches the package', async () => {
    const { manager, actions, states } = await rig();
    await connected(states);
    await expect.poll(() => manager.asked).toContain('setvar');
    const before = manager.actions.length;
    for (const bad of ['x\r\nAction: Originate', 'x\ny', 'x\ry', 'x\0y']) {
      await expect(actions.send('Getvar', { Variable: bad })).rejects.toThrow(AmiValueError);
      await expect(actions.getVariable(bad, 'MES')).rejects.toThrow(AmiValueError);
      await expect(actions.setVariables('1.1', new Map([['MES', bad]]))).rejects.toThrow(RangeError);
    }
    await expect(actions.setVariables('1.1', new Map([['MES', '1,2']]))).rejects.toThrow(RangeError);
    await expect(actions.setVariables('1.1', new Map([['GLOBAL(X)', '1']]))).rejects.toThrow(RangeError);
    expect(manager.actions).toHaveLength(before);
  });

  it('gives each action its time', async () => {
    const { actions, states } = await rig(withoutGetvar, { actionMs: 1000 });
    await connected(states);
    expect(await problemOf(actions.getVariable('1.1', 'MES'))).toBe('timeout');
    expect(await problemOf(actions.setVariables('1.1', new Map([['MES', '1.00']])))).toBe('none');
  });

  it('rejects everything pending when the connection drops, and comes back', async () => {
    const { manager, actions, states } = await rig(withoutGetvar);
    await connected(states);
    const problems = Promise.all(['A', 'B', 'C'].map((name) => problemOf(actions.getVariable('1.1', name))));
    await expect.poll(() => manager.asked.filter((name) => name === 'getvar')).toHaveLength(3);
    manager.drop();
    expect(await problems).toEqual(['disconnected', 'disconnected', 'disconnected']);
    expect(actions.connected).toBe(false);
    expect(await problemOf(actions.getVariable('1.1', 'A'))).toBe('disconnected');
    await connected(states, 2);
    await actions.setVariables('1.1', new Map([['MES', '1.00']]));
  });

  it('notices an Asterisk that answers no more', async () => {
    const plain = asterisk();
    const { states } = await rig(
      (action, socket) => (action.get('Action') === 'Ping' ? undefined : plain(action, socket)),
      { pingEveryMs: 20, silenceMs: 40 },
    );
    await expect.poll(() => states[2]).toMatchObject({ problem: expect.stringContaining('did not answer Ping') });
  });

  it('gives up on a wrong secret, without showing it', async () => {
    const { manager, states } = await rig((action, socket) => {
      socket.end(block(action, 'Response: Error', 'Message: Authentication failed'));
      return undefined;
    });
    await expect.poll(() => states.at(-1)?.status).toBe('failed');
    expect(states.at(-1)).toMatchObject({
      problem: expect.stringContaining('refused the user "mes" (Authentication failed)'),
    });
    expect(JSON.stringify(states)).not.toContain('top-secret');
    expect(manager.connections).toBe(1);
  });

  it('is not led astray by answers with strange ActionIDs, by events or by garbage', async () => {
    const { manager, actions, states } = await rig();
    await connected(states);
    for (const id of [
      'error',
      'close',
      'connect',
      'end',
      'rawevent',
      'response',
      'asterisk',
      '__proto__',
      'mes-a-999',
    ]) {
      manager.send(`Response: Error\r\nActionID: ${id}\r\nMessage: boo\r\n\r\n`);
    }
    manager.send('Event: Error\r\nX: y\r\n\r\nEvent: FullyBooted\r\n\r\nrubbish\r\n\r\nResponse: Success\r\n\r\n');
    await actions.setVariables('1.1', new Map([['MES', '1.00']]));
    expect(actions.connected).toBe(true);
  });

  it('connects anew when a message does not end, and goes on', async () => {
    const { manager, actions, states } = await rig();
    await connected(states);
    // 10 MB in all, were it not cut off.
    for (let sent = 0; sent < 160 && manager.connections === 1; sent++) {
      manager.send('x'.repeat(65_536));
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    const isBack = (): boolean => states.filter(({ status }) => status === 'connected').length === 2;
    await expect.poll(isBack, { timeout: 10_000 }).toBe(true);
    expect(states.map((state) => ('problem' in state ? state.problem : ''))).toContainEqual(
      expect.stringContaining('sent a message without an end'),
    );
    await actions.setVariables('1.1', new Map([['MES', '1.00']]));
  });

  it('prints nothing, whatever happens', async () => {
    const spies = (['log', 'error', 'warn', 'info'] as const).map((name) => vi.spyOn(console, name));
    const { manager, actions, states } = await rig(withoutGetvar, { actionMs: 20 });
    await problemOf(actions.getVariable('1.1', 'A'));
    await connected(states);
    await problemOf(actions.getVariable('1.1', 'A'));
    manager.drop();
    await connected(states, 2);
    await manager.stop();
    await problemOf(actions.getVariable('1.1', 'A'));
    for (const spy of spies) expect(spy).not.toHaveBeenCalled();
  });
});

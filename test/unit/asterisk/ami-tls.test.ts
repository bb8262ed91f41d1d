import { readFileSync } from 'node:fs';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AmiActions } from '../../../src/asterisk/ami/ami-actions.ts';
import { AmiEventSession } from '../../../src/asterisk/ami/ami-event-session.ts';
import type { AmiConnection } from '../../../src/asterisk/ami/ami-socket.ts';
import type { LinkState } from '../../../src/asterisk/link-state.ts';
import type { PbxEvent } from '../../../src/model/event.ts';
import { FakeManager, asterisk } from '../../lab/fake-manager.ts';

const read = (name: string): string => readFileSync(new URL(`tls/${name}.pem`, import.meta.url), 'utf8');
/** For 127.0.0.1, signed by itself. */
const certificate = read('certificate');
const usual = getCACertificates('default');
const ends: (() => Promise<void>)[] = [];
let manager: FakeManager;

beforeEach(async () => {
  manager = await FakeManager.start(asterisk(), { tls: { cert: certificate, key: read('key') } });
});
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
  await manager.stop();
  setDefaultCACertificates(usual);
});

interface Started {
  readonly actions: AmiActions;
  readonly events: PbxEvent[];
  readonly actionStates: LinkState[];
  readonly eventStates: LinkState[];
}

function start(other: Partial<AmiConnection> = {}): Started {
  const connection = { ...manager.connection, ...other };
  const backOff = { minMs: 10, maxMs: 20 };
  const random = (): number => 0;
  const events: PbxEvent[] = [];
  const actionStates: LinkState[] = [];
  const eventStates: LinkState[] = [];
  const actions = new AmiActions({ connection, random, backOff, onState: (state) => actionStates.push(state) });
  const session = new AmiEventSession({
    connection,
    random,
    backOff,
    nowMs: () => 0,
    onEvent: (event) => events.push(event),
    onState: (state) => eventStates.push(state),
  });
  ends.push(
    () => actions.stop(),
    () => session.stop(),
  );
  actions.start();
  session.start();
  return { actions, events, actionStates, eventStates };
}

describe('AMI over TLS', () => {
  it('carries events and, over a bridge, the actions of a package that knows no TLS', async () => {
    setDefaultCACertificates([...usual, certificate]);
    const { actions, events, actionStates, eventStates } = start();
    await expect.poll(() => [actions.connected, events.length]).toEqual([true, 1]);
    await actions.setVariables('1.1', new Map([['MES', '4.31']]));
    expect(manager.actions.some((action) => action.get('Value') === '4.31')).toBe(true);
    manager.drop();
    const ups = (states: readonly LinkState[]): number => states.filter(({ status }) => status === 'connected').length;
    await expect.poll(() => [ups(actionStates), ups(eventStates)]).toEqual([2, 2]);
    await actions.setVariables('1.1', new Map([['MES', '4.30']]));
    expect(manager.actions.some((action) => action.get('Value') === '4.30')).toBe(true);
  });

  it('tells nothing to a server whose certificate nobody vouches for', async () => {
    const { actionStates, eventStates } = start();
    for (const states of [actionStates, eventStates]) {
      await expect
        .poll(() => states.at(-1))
        .toMatchObject({
          status: 'waiting',
          problem:
            `The certificate of Asterisk's manager at 127.0.0.1:${manager.connection.port} is not trusted ` +
            '(DEPTH_ZERO_SELF_SIGNED_CERT); start asterisk-mes with the environment variable NODE_EXTRA_CA_CERTS naming ' +
            'the file of its authority, and check that host in [ami] is the name in the certificate',
        });
    }
    expect(manager.actions).toEqual([]);
  });

  it('tells nothing to a server whose certificate is for another name', async () => {
    setDefaultCACertificates([...usual, certificate]);
    const { eventStates: states } = start({ host: 'localhost' });
    await expect.poll(() => states.at(-1)).toMatchObject({ status: 'waiting' });
    expect(states.at(-1)).toMatchObject({
      problem: expect.stringMatching(/not trusted \(ERR_TLS_CERT_ALTNAME_INVALID\)/),
    });
    expect(manager.actions).toEqual([]);
  });

  it('says so when the other side speaks no TLS', async () => {
    const plain = await FakeManager.start();
    ends.push(() => plain.stop());
    const { eventStates: states } = start({ port: plain.connection.port });
    await expect.poll(() => states.at(-1)).toMatchObject({ status: 'waiting' });
    expect(states.at(-1)).toMatchObject({ problem: expect.stringMatching(/ does not speak TLS \(E.*\); check that/) });
    expect(plain.actions).toEqual([]);
  });
});

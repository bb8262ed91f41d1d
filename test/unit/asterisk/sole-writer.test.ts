import { afterEach, describe, expect, it } from 'vitest';
import { AmiActions } from '../../../src/asterisk/ami/ami-actions.ts';
import { DEFAULT_AMI_TIMING } from '../../../src/asterisk/ami/ami-link.ts';
import { type GlobalVariables, SoleWriter, WRITER_VARIABLE } from '../../../src/asterisk/ami/sole-writer.ts';
import type { LinkState } from '../../../src/asterisk/link-state.ts';
import { asterisk, block, FakeManager, type Answer } from '../../lab/fake-manager.ts';

const START_S = 1_795_171_549;
const NEVER = new AbortController().signal;

/** Asterisk's global variables and its clock, which goes on by half a second with each look at it. */
class Globals implements GlobalVariables {
  readonly values = new Map<string, string>();
  nowS = START_S;
  looks = 0;
  /** What happens at each look. */
  onLook: () => void = () => {};

  getGlobal(name: string): Promise<string> {
    this.looks++;
    this.onLook();
    return Promise.resolve(this.values.get(name) ?? '');
  }

  setGlobal(name: string, value: string): Promise<void> {
    this.values.set(name, value);
    return Promise.resolve();
  }

  clockS(): Promise<number | undefined> {
    this.nowS += 0.5;
    return Promise.resolve(this.nowS);
  }
}

function writer(id: string, globals: Globals): SoleWriter {
  return new SoleWriter(id, globals, 0);
}

describe('the one sidecar that writes to an Asterisk', () => {
  it('is alone where nobody was, where it was itself, and where something else stands', async () => {
    const globals = new Globals();
    for (const value of ['', `a ${START_S + 10}`, 'x', 'b', 'b -1', `b c ${START_S + 10}`, `${START_S + 10}`]) {
      globals.values.set(WRITER_VARIABLE, value);
      globals.looks = 0;
      expect([value, await writer('a', globals).isAlone(NEVER), globals.looks]).toEqual([value, true, 1]);
    }
  });

  it('gives way to another as soon as that shows that it is alive', async () => {
    const globals = new Globals();
    await writer('b', globals).keep(START_S + 10);
    globals.onLook = () => {
      if (globals.looks === 5) globals.values.set(WRITER_VARIABLE, `b ${START_S + 15}`);
    };
    expect(await writer('a', globals).isAlone(NEVER)).toBe(false);
    expect(globals.looks).toBe(5);
    expect(globals.values.get(WRITER_VARIABLE)).toBe(`b ${START_S + 15}`);
  });

  it('takes the place of one that was killed, when its time has run out', async () => {
    const globals = new Globals();
    globals.values.set(WRITER_VARIABLE, `b ${START_S + 10}`);
    expect(await writer('a', globals).isAlone(NEVER)).toBe(true);
    expect(globals.nowS).toBe(START_S + 10);
    expect(await writer('a', globals).keep(START_S + 20)).toBe(true);
    expect(globals.values.get(WRITER_VARIABLE)).toBe(`a ${START_S + 20}`);
  });

  it('takes the place at once of one that has left', async () => {
    const globals = new Globals();
    const before = writer('b', globals);
    await before.keep(START_S + 10);
    await before.leave();
    globals.looks = 0;
    expect(await writer('a', globals).isAlone(NEVER)).toBe(true);
    expect(globals.looks).toBe(1);
  });

  it('is not kept out by a time that no sidecar writes: a stranger’s, or one from before the clock was set back', async () => {
    const globals = new Globals();
    for (const untilS of [999_999_999_999, START_S + 3600, START_S + 100]) {
      globals.values.set(WRITER_VARIABLE, `b ${untilS}`);
      globals.looks = 0;
      expect([await writer('a', globals).isAlone(AbortSignal.timeout(1000)), globals.looks]).toEqual([true, 1]);
      expect(await writer('a', globals).keep(START_S + 10)).toBe(true);
      expect(globals.values.get(WRITER_VARIABLE)).toBe(`a ${START_S + 10}`);
    }
  });

  it('overwrites nobody who has taken its place, nor when it leaves', async () => {
    const globals = new Globals();
    const late = writer('a', globals);
    expect(await late.keep(START_S + 10)).toBe(true);
    // It was frozen until its time had run out, and another one took over.
    globals.nowS = START_S + 20;
    globals.values.set(WRITER_VARIABLE, `b ${START_S + 30}`);
    expect(await late.keep(START_S + 31)).toBe(false);
    await late.leave();
    expect(globals.values.get(WRITER_VARIABLE)).toBe(`b ${START_S + 30}`);
  });

  it('keeps its place when a stranger writes what looks like a sidecar into it', async () => {
    const globals = new Globals();
    const held = writer('a', globals);
    expect(await held.keep(START_S + 11)).toBe(true);
    globals.nowS = START_S + 5;
    globals.values.set(WRITER_VARIABLE, `x ${START_S + 16}`);
    expect(await held.keep(START_S + 16)).toBe(true);
    expect(globals.values.get(WRITER_VARIABLE)).toBe(`a ${START_S + 16}`);
    // The same text again, as a dialplan that writes it has it, is nobody's renewal.
    globals.values.set(WRITER_VARIABLE, `x ${START_S + 16}`);
    expect(await held.keep(START_S + 17)).toBe(true);
    expect(globals.values.get(WRITER_VARIABLE)).toBe(`a ${START_S + 17}`);
  });

  it('leaves one of two that took the place in the same moment', async () => {
    const globals = new Globals();
    const [one, other] = [writer('a', globals), writer('b', globals)];
    expect(await one.keep(START_S + 11)).toBe(true);
    // The other had looked before that was written.
    globals.values.delete(WRITER_VARIABLE);
    expect(await other.keep(START_S + 11)).toBe(true);
    const kept: boolean[] = [];
    for (let beat = 1; beat <= 2; beat++) {
      const nowS = (globals.nowS = START_S + 5 * beat);
      kept.push(await one.keep(nowS + 11), await other.keep(nowS + 11));
    }
    expect(kept).toEqual([true, true, false, true]);
    expect(globals.values.get(WRITER_VARIABLE)).toMatch(/^b /);
  });

  it('is not kept out by an Asterisk that does not tell', async () => {
    const globals = new Globals();
    globals.values.set(WRITER_VARIABLE, `b ${START_S + 10}`);
    globals.onLook = () => {
      throw new Error('denied');
    };
    expect(await writer('a', globals).isAlone(NEVER)).toBe(true);
  });
});

describe('AmiActions with an id', () => {
  const ends: (() => Promise<void>)[] = [];

  afterEach(async () => {
    for (const end of ends.splice(0).toReversed()) await end();
  });

  /** Answers of an Asterisk that keeps global variables and whose clock stands still. */
  function withGlobals(values: Map<string, string>): Answer {
    const plain = asterisk();
    return (action, socket) => {
      const name = action.get('Variable') ?? '';
      if (action.get('Action') === 'Getvar' && values.has(name))
        return block(action, 'Response: Success', `Variable: ${name}`, `Value: ${values.get(name)}`);
      if (action.get('Action') === 'Setvar' && !action.has('Channel')) values.set(name, action.get('Value') ?? '');
      return plain(action, socket);
    };
  }

  function open(manager: FakeManager, writerId: string): { actions: AmiActions; states: LinkState[] } {
    const states: LinkState[] = [];
    const actions = new AmiActions({
      connection: manager.connection,
      writerId,
      onState: (state) => states.push(state),
      random: () => 0,
      timing: { ...DEFAULT_AMI_TIMING, pingEveryMs: 50 },
      backOff: { minMs: 10, maxMs: 20 },
    });
    ends.push(() => actions.stop());
    actions.start();
    return { actions, states };
  }

  it('fails for good when another is alive, in one sentence, and has written nothing', async () => {
    const values = new Map([[WRITER_VARIABLE, `b ${START_S + 10}`]]);
    const manager = await FakeManager.start(withGlobals(values));
    ends.push(() => manager.stop());
    const { actions, states } = open(manager, 'a');
    await expect.poll(() => manager.asked.includes('getvar')).toBe(true);
    values.set(WRITER_VARIABLE, `b ${START_S + 13}`);
    await expect.poll(() => states.at(-1)?.status, { timeout: 10_000 }).toBe('failed');
    expect(states.at(-1)).toEqual({
      status: 'failed',
      problem:
        `Another asterisk-mes, with a database of its own, writes scores by Asterisk's manager at 127.0.0.1:${manager.connection.port}; ` +
        'stop that one, or set variables = no and cdr = no in [writeback] of this one',
    });
    expect(actions.connected).toBe(false);
    expect([...values]).toEqual([[WRITER_VARIABLE, `b ${START_S + 13}`]]);
  });

  it('keeps its place while it is connected, stops writing when another has it, and gives it up at the end', async () => {
    const values = new Map<string, string>();
    const manager = await FakeManager.start(withGlobals(values));
    ends.push(() => manager.stop());
    const { actions, states } = open(manager, 'a');
    await expect.poll(() => values.get(WRITER_VARIABLE), { timeout: 10_000 }).toMatch(/^a 1795171550$/);
    expect(actions.connected).toBe(true);

    // What it was about to write when the other came may overwrite that once.
    let renewed = 0;
    const taken = (): LinkState | undefined => {
      values.set(WRITER_VARIABLE, `b ${START_S + 5 + (renewed++ % 8)}`);
      return states.at(-1);
    };
    await expect.poll(taken, { timeout: 10_000 }).toMatchObject({ status: 'waiting' });
    expect(states.at(-1)).toMatchObject({ problem: expect.stringMatching(/^Another asterisk-mes/) });
    expect(actions.connected).toBe(false);

    values.delete(WRITER_VARIABLE);
    await expect.poll(() => actions.connected, { timeout: 10_000 }).toBe(true);
    await actions.stop();
    expect(values.get(WRITER_VARIABLE)).toBe('a 0');
  });
});

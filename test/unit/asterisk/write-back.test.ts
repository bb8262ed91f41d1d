import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { AmiActionError, type AmiActionProblem } from '../../../src/asterisk/ami/ami-actions.ts';
import type { ChannelValues } from '../../../src/model/ports.ts';
import { WriteBack, type VariableSetter } from '../../../src/asterisk/write-back.ts';

/** Plays the AMI connection: each write stays under way until the test says how it ends. */
class Setter implements VariableSetter {
  connected = true;
  hurried = 0;
  readonly sent: { uniqueid: string; variables: Record<string, string>; end: (problem?: AmiActionProblem) => void }[] =
    [];

  hurry(): () => void {
    this.hurried++;
    return () => this.hurried--;
  }

  setVariables(uniqueid: string, variables: ReadonlyMap<string, string>): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (problem?: AmiActionProblem): void => {
        if (problem === undefined) resolve();
        else reject(new AmiActionError(problem, problem));
      };
      this.sent.push({ uniqueid, variables: Object.fromEntries(variables), end });
    });
  }
}

const answersTaken = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const NOTHING: ReadonlyMap<string, string> = new Map();
const valuesOf = (variables: Record<string, string>): ChannelValues => ({
  variables: new Map(Object.entries(variables)),
  cdrFields: NOTHING,
});
const mes = (value: string, name = 'MES'): ChannelValues => valuesOf({ [name]: value });

function rig(settings = { variables: true, cdr: false }): { setter: Setter; writeBack: WriteBack } {
  const setter = new Setter();
  return { setter, writeBack: new WriteBack({ setter, ...settings }) };
}

describe('WriteBack', () => {
  it.each([
    [true, true, { MES: '4.31', MES_PEER_RX: '', 'CDR(mes)': '4.31', 'CDR(mes_min)': '1.00' }],
    [true, false, { MES: '4.31', MES_PEER_RX: '' }],
    [false, true, { 'CDR(mes)': '4.31', 'CDR(mes_min)': '1.00' }],
  ])('honours variables = %s, cdr = %s', (variables, cdr, expected) => {
    const { setter, writeBack } = rig({ variables, cdr });
    writeBack.write('1.1', {
      variables: new Map([
        ['MES', '4.31'],
        ['MES_PEER_RX', ''],
      ]),
      cdrFields: new Map([
        ['mes', '4.31'],
        ['mes_min', '1.00'],
      ]),
    });
    expect(setter.sent.map((write) => write.variables)).toEqual([expected]);
  });

  it('tells how long values took to be carried out, since the oldest of them, a lost connection included', async () => {
    const setter = new Setter();
    const afterMs: number[] = [];
    const writeBack = new WriteBack({ setter, variables: true, cdr: false, onWritten: (ms) => afterMs.push(ms) });
    writeBack.write('1.1', mes('4.31'));
    await sleep(60);
    setter.sent[0]?.end('disconnected');
    await answersTaken();
    writeBack.write('1.1', mes('4.30'));
    setter.sent[1]?.end();
    await answersTaken();
    writeBack.write('1.2', mes('4.30'));
    setter.sent.at(-1)?.end('no-such-channel');
    await answersTaken();
    expect(afterMs).toHaveLength(1);
    expect(afterMs[0]).toBeGreaterThan(55);
    expect(afterMs[0]).toBeLessThan(10_000);
  });

  it('writes nothing when both are off, or there is nothing', () => {
    const off = rig({ variables: false, cdr: false });
    off.writeBack.write('1.1', mes('4.31'));
    const on = rig();
    on.writeBack.write('1.1', { variables: NOTHING, cdrFields: new Map([['mes', '4.31']]) });
    expect([...off.setter.sent, ...on.setter.sent]).toEqual([]);
  });

  it('has two writes under way per channel and merges what comes meanwhile, the newest winning', async () => {
    const { setter, writeBack } = rig();
    writeBack.write('1.1', mes('4.31'));
    writeBack.write('1.1', mes('4.30'));
    writeBack.write('1.1', mes('4.25'));
    writeBack.write('1.1', mes('3.90', 'MES_RX'));
    writeBack.write('1.1', mes('4.20'));
    writeBack.write('2.2', mes('1.00'));
    expect(setter.sent.map(({ uniqueid }) => uniqueid)).toEqual(['1.1', '1.1', '2.2']);
    expect(writeBack.counters.waiting).toBe(1);
    setter.sent[0]?.end();
    await answersTaken();
    expect(setter.sent[3]).toMatchObject({ uniqueid: '1.1', variables: { MES: '4.20', MES_RX: '3.90' } });
    for (const { end } of setter.sent) end();
    await answersTaken();
    expect(setter.sent).toHaveLength(4);
    expect(writeBack.counters).toEqual({ written: 4, gone: 0, failed: 0, dropped: 0, waiting: 0 });
  });

  it('takes back what was under way when the connection was lost, in its order', async () => {
    const { setter, writeBack } = rig();
    writeBack.write('1.1', valuesOf({ MES: '4.31', MES_RX: '4.40', MES_MIN: '4.00' }));
    writeBack.write('1.1', valuesOf({ MES: '4.20', MES_RX: '4.30' }));
    writeBack.write('1.1', mes('4.10'));
    setter.connected = false;
    // As AmiActions does it: the newest first.
    for (const { end } of setter.sent.toReversed()) end('disconnected');
    await answersTaken();
    setter.connected = true;
    writeBack.flush();
    expect(setter.sent).toHaveLength(3);
    expect(setter.sent[2]?.variables).toEqual({ MES: '4.10', MES_RX: '4.30', MES_MIN: '4.00' });
  });

  it('has nothing more to write to a channel that is over', async () => {
    const { setter, writeBack } = rig();
    for (const score of ['4.31', '4.30', '4.20']) writeBack.write('1.1', mes(score));
    expect(writeBack.counters.waiting).toBe(1);
    writeBack.forget('1.1');
    expect(writeBack.counters.waiting).toBe(0);
    setter.sent[0]?.end();
    setter.sent[1]?.end('no-such-channel');
    await answersTaken();
    expect(setter.sent).toHaveLength(2);
    expect(writeBack.counters).toEqual({ written: 1, gone: 1, failed: 0, dropped: 0, waiting: 0 });
  });

  it('counts channels that are gone and writes that fail apart', async () => {
    const { setter, writeBack } = rig();
    for (const problem of ['no-such-channel', 'timeout', 'refused'] as const) {
      writeBack.write(problem, mes('4.31'));
      setter.sent.at(-1)?.end(problem);
    }
    await answersTaken();
    expect(writeBack.counters).toEqual({ written: 0, gone: 1, failed: 2, dropped: 0, waiting: 0 });
  });

  it('keeps values while Asterisk is away, under those that come later', async () => {
    const { setter, writeBack } = rig();
    writeBack.write('1.1', valuesOf({ MES: '4.31', MES_RX: '4.40' }));
    setter.connected = false;
    writeBack.write('1.1', mes('2.00'));
    setter.sent[0]?.end('disconnected');
    await answersTaken();
    writeBack.write('2.2', mes('3.00'));
    expect(setter.sent).toHaveLength(1);
    setter.connected = true;
    writeBack.flush();
    expect(setter.sent.slice(1)).toMatchObject([
      { uniqueid: '1.1', variables: { MES: '2.00', MES_RX: '4.40' } },
      { uniqueid: '2.2', variables: { MES: '3.00' } },
    ]);
  });

  it('takes nothing back for a channel that was over before the connection was lost', async () => {
    const { setter, writeBack } = rig();
    writeBack.write('1.1', mes('4.31'));
    writeBack.write('1.2', mes('4.00'));
    writeBack.forget('1.1');
    for (const { end } of setter.sent.toReversed()) end('disconnected');
    await answersTaken();
    expect(setter.sent.slice(2)).toMatchObject([{ uniqueid: '1.2' }]);
    expect(writeBack.counters).toEqual({ written: 0, gone: 1, failed: 0, dropped: 0, waiting: 0 });
  });

  it('is bounded: 512 under way, 20000 channels waiting, the rest dropped and counted', async () => {
    const { setter, writeBack } = rig();
    for (let channel = 0; channel < 25_000; channel++) writeBack.write(`1.${channel}`, mes('4.31'));
    expect(setter.sent).toHaveLength(512);
    expect(writeBack.counters).toMatchObject({ waiting: 20_000, dropped: 25_000 - 20_512 });
    writeBack.write('1.24999', mes('4.30'));
    expect(writeBack.counters.dropped).toBe(25_001 - 20_512);
    setter.sent[0]?.end();
    await answersTaken();
    expect(setter.sent).toHaveLength(513);
  });

  it('writes nothing after final scores that went another way', async () => {
    const { setter, writeBack } = rig();
    for (const score of ['4.31', '4.30', '4.20']) writeBack.write('1.1', mes(score));
    let sealed = false;
    const sealing = (async (): Promise<void> => {
      await writeBack.seal('1.1');
      sealed = true;
    })();
    await answersTaken();
    expect(sealed).toBe(false);
    expect(setter.hurried).toBe(1);
    setter.sent[0]?.end();
    await answersTaken();
    expect(sealed).toBe(false);
    setter.sent[1]?.end();
    await sealing;
    expect(setter.hurried).toBe(0);
    writeBack.write('1.1', mes('4.00'));
    await answersTaken();
    expect(setter.sent).toHaveLength(2);
    await writeBack.seal('9.9');
    writeBack.write('2.2', mes('4.00'));
    expect(setter.sent).toHaveLength(3);
  });
});

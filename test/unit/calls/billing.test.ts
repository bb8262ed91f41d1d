import { describe, expect, test } from 'vitest';
import type { ChannelSnapshot } from '../../../src/model/event.ts';
import { local, remote, reportBlock, Script } from './script.ts';

const IN_CALL = { linkedid: '1' };
/** As Asterisk says of a channel that is about to be dialled. */
const MADE = { ...IN_CALL, stateNumber: 0 };

/** 250 packets, so many of them lost: what was heard of the channel (rx), and what it heard (tx). */
function heard(script: Script, uniqueid: string, lost: number, of: Partial<ChannelSnapshot> = IN_CALL): void {
  script.rtcp(uniqueid, local(reportBlock(250, lost)), of);
}
function hears(script: Script, uniqueid: string, lost: number, of: Partial<ChannelSnapshot> = IN_CALL): void {
  script.rtcp(uniqueid, remote(reportBlock(250, lost), { rttMs: 0 }), of);
}

/** Channel 1 has called 2; both are bridged and were up for 5 s. */
function bridgedCall(): Script {
  const script = new Script().up('1').ring('2', MADE).dial('1', '2').up('2', IN_CALL);
  return script.enter('b', '1').enter('b', '2', IN_CALL).wait(5);
}

/** What a row about the channel would have of it now, by all that was written to it. */
function fieldsOf(script: Script, uniqueid: string): Record<string, string> {
  const all = Object.assign(
    {},
    ...script.cdrWrites.filter((write) => write.uniqueid === uniqueid).map(({ cdrFields }) => cdrFields),
  ) as Record<string, string>;
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== ''));
}
const lastFields = (script: Script, uniqueid: string): Record<string, string> =>
  Object.fromEntries(script.board.finalWord(uniqueid, {}, script.atMs)?.cdrFields ?? []);

// G.711 without round trip: latency 10, r = 92.95 → 4.40 by hand.
const GOOD = '4.40';

describe('whose scores a billing row has', () => {
  test('only the caller has fields; the callee has its variables, and none of its values can fill a gap', () => {
    const script = bridgedCall();
    heard(script, '1', 0);
    heard(script, '2', 0);
    hears(script, '2', 20);
    script.wait(1);
    expect(fieldsOf(script, '1')).toMatchObject({ mes: GOOD, mes_rx: GOOD, mes_peer_rx: GOOD });
    expect(Number(fieldsOf(script, '1')['mes_peer_tx'])).toBeLessThan(4);
    expect(fieldsOf(script, '1')).not.toHaveProperty('mes_tx');
    expect(fieldsOf(script, '2')).toEqual({});
    expect(script.writes.filter(({ uniqueid }) => uniqueid === '2').at(-1)?.variables).toHaveProperty('MES_TX');
    script.leave('b', '2', IN_CALL);
    expect(lastFields(script, '2')).toEqual({});
    expect(lastFields(script, '1')).toEqual(fieldsOf(script, '1'));
  });

  test('the caller has the worst interval and the word of the whole call, its variables its own', () => {
    const script = bridgedCall();
    heard(script, '1', 0);
    hears(script, '1', 0);
    hears(script, '2', 100);
    script.wait(1);
    const variables = Object.assign(
      {},
      ...script.writes.filter(({ uniqueid }) => uniqueid === '1').map((w) => w.variables),
    );
    expect(variables).toMatchObject({ MES_MIN: GOOD, MES_VERDICT: 'good' });
    expect(fieldsOf(script, '1')).toMatchObject({ mes: GOOD, mes_min: '1.00' });
    expect(fieldsOf(script, '1')['mes_verdict']).not.toBe('good');
  });

  test('who was dialled and filtered out of DialBegin is known by how it was made', () => {
    const script = new Script().up('1').ring('2', MADE).up('2', IN_CALL);
    script.enter('b', '1').enter('b', '2', IN_CALL).wait(5);
    hears(script, '2', 0);
    expect(fieldsOf(script, '2')).toEqual({});
    // Originate makes a channel in a call of its own: nobody dialled it.
    const originated = new Script().ring('7', { linkedid: '7', stateNumber: 0 }).up('7').wait(5);
    hears(originated, '7', 0, {});
    expect(fieldsOf(originated, '7')).toMatchObject({ mes_tx: GOOD });
  });

  test('a callee that its caller transfers is party A of the next row, with its own scores and the new peer', () => {
    const script = bridgedCall();
    heard(script, '2', 0);
    script.leave('b', '1').leave('b', '2', IN_CALL).hangup('1');
    script.dial('2', '3', IN_CALL).ring('3', MADE).up('3', IN_CALL);
    script.enter('c', '2', IN_CALL).enter('c', '3', IN_CALL).wait(1);
    heard(script, '3', 0);
    hears(script, '3', 20);
    heard(script, '2', 0);
    expect(fieldsOf(script, '2')).toMatchObject({ mes_rx: GOOD, mes_peer_rx: GOOD });
    expect(Number(fieldsOf(script, '2')['mes_peer_tx'])).toBeLessThan(4);
    expect(fieldsOf(script, '2')).not.toHaveProperty('mes_tx');
    expect(fieldsOf(script, '3')).toEqual({});
  });

  test('who was party A and becomes party B gives its fields back at once', () => {
    const script = bridgedCall();
    heard(script, '2', 0);
    script.leave('b', '1').leave('b', '2', IN_CALL).hangup('1').wait(6);
    hears(script, '2', 0);
    expect(fieldsOf(script, '2')).toMatchObject({ mes_rx: GOOD, mes_tx: GOOD });
    // A third one comes on its own account, as when a parked call is retrieved.
    script.up('4', IN_CALL).enter('d', '4', IN_CALL).enter('d', '2', IN_CALL);
    expect(fieldsOf(script, '2')).toEqual({});
  });

  test('of two callers that are bridged, the younger keeps only what the older has', () => {
    const script = new Script().up('1').up('2').wait(5);
    heard(script, '1', 0, {});
    heard(script, '2', 20, {});
    hears(script, '2', 40, {});
    expect(fieldsOf(script, '2')).toHaveProperty('mes_tx');
    script.enter('b', '1').enter('b', '2', IN_CALL);
    expect(fieldsOf(script, '1')).not.toHaveProperty('mes_tx');
    expect(fieldsOf(script, '2')).not.toHaveProperty('mes_tx');
    expect(Number(fieldsOf(script, '2')['mes_rx'])).toBeLessThan(4);
    hears(script, '1', 0);
    script.wait(1);
    expect(fieldsOf(script, '1')).toMatchObject({ mes_tx: GOOD });
    expect(Number(fieldsOf(script, '2')['mes_tx'])).toBeLessThan(3);
  });

  test('the row of a consultation knows the call that it was joined into', () => {
    // 1 calls 2; 2 (as channel 3) consults 4 and hands 1 over to it.
    const script = bridgedCall();
    script.up('3').ring('4', { linkedid: '3', stateNumber: 0 }).dial('3', '4').up('4', { linkedid: '3' });
    script.enter('c', '3').enter('c', '4', { linkedid: '3' }).wait(5);
    hears(script, '3', 0, {});
    hears(script, '4', 100, { linkedid: '3' });
    script.wait(1).leave('b', '2', IN_CALL).leave('c', '4').enter('b', '4', IN_CALL).leave('c', '3');
    const fields = lastFields(script, '3');
    expect(fields).toMatchObject({ mes_tx: GOOD, mes_peer_tx: '1.00', mes_min: '1.00', mes_verdict: 'bad' });
    expect(fields['mes_call']).toBe('2.70');
  });

  test("a transfer to a phone that never answers has not the last peer's scores", () => {
    const script = bridgedCall();
    heard(script, '1', 0);
    heard(script, '2', 0);
    script.wait(1);
    expect(fieldsOf(script, '1')).toMatchObject({ mes_peer_rx: GOOD });
    script.leave('b', '2', IN_CALL).leave('b', '1').hangup('2', IN_CALL).ring('3', MADE).dial('1', '3');
    expect(fieldsOf(script, '1')).toMatchObject({ mes_rx: GOOD });
    expect(fieldsOf(script, '1')).not.toHaveProperty('mes_peer_rx');
    expect(script.writes.at(-1)?.variables).toEqual({ MES_PEER_RX: '' });
  });

  test('after its bridge a channel keeps its peer for its final scores, not for what it does on its own', () => {
    const after = (seconds: number): Record<string, string> => {
      const script = bridgedCall();
      heard(script, '1', 0);
      heard(script, '2', 0);
      script.wait(1).leave('b', '2', IN_CALL).leave('b', '1').hangup('2', IN_CALL).wait(seconds);
      return lastFields(script, '1');
    };
    expect(after(1)).toMatchObject({ mes_rx: GOOD, mes_peer_rx: GOOD });
    expect(after(6)).toMatchObject({ mes_rx: GOOD, mes_peer_rx: '' });
  });

  test('nobody has a peer in a conference, nor while parked with others', () => {
    const script = new Script().up('1').up('2', IN_CALL).up('3', IN_CALL);
    for (const uniqueid of ['1', '2']) script.enter('b', uniqueid, IN_CALL).wait(1);
    for (const uniqueid of ['1', '2']) heard(script, uniqueid, 0);
    script.wait(1);
    expect(fieldsOf(script, '1')).toMatchObject({ mes_peer_rx: GOOD });
    script.enter('b', '3', IN_CALL);
    expect(fieldsOf(script, '1')).not.toHaveProperty('mes_peer_rx');

    const parked = new Script().up('1').up('2');
    for (const uniqueid of ['1', '2']) parked.enter('lot', uniqueid, {}, 'holding_bridge').wait(1);
    for (const uniqueid of ['1', '2']) heard(parked, uniqueid, 0, {});
    parked.wait(1);
    expect(parked.channel('1').peerUniqueid).toBeNull();
    expect(fieldsOf(parked, '2')).toMatchObject({ mes_rx: GOOD });
    expect(fieldsOf(parked, '2')).not.toHaveProperty('mes_peer_rx');
  });

  test('after a restart what may have been written is taken back', () => {
    const script = new Script().up('1').wait(1);
    script.board.handle({
      type: 'resync',
      atMs: script.atMs,
      channels: [
        {
          uniqueid: '1',
          linkedid: '1',
          name: 'PJSIP/a-1',
          stateNumber: 6,
          bridgeId: 'b',
          codecs: { rx: null, tx: null },
        },
        {
          uniqueid: '2',
          linkedid: '1',
          name: 'PJSIP/b-2',
          stateNumber: 6,
          bridgeId: 'b',
          isDialled: true,
          codecs: { rx: null, tx: null },
        },
      ],
    });
    hears(script, '2', 0);
    const names = ['mes', 'mes_rx', 'mes_tx', 'mes_peer_rx', 'mes_peer_tx', 'mes_call', 'mes_min', 'mes_verdict'];
    expect(script.cdrWrites).toEqual([
      { uniqueid: '2', cdrFields: Object.fromEntries(names.map((name) => [name, ''])) },
    ]);
  });
});

import { describe, expect, test } from 'vitest';
import { type CallEnd, callEnd } from '../../../src/model/call-end.ts';
import type { ChannelRecord } from '../../../src/model/record.ts';
import { channelRecord, START_MS } from '../history/records.ts';
import { readGolden } from '../golden.ts';
import { Script } from './script.ts';

/** All channels as they were stored last. */
function channelsOf(script: Script): ChannelRecord[] {
  const changes = script.stored().flatMap((change) => (change.kind === 'channel' ? [change.channel] : []));
  return [...new Set(changes.map(({ uniqueid }) => uniqueid))].map((uniqueid) => script.channel(uniqueid));
}

/** Who ended the call that these channels make up. */
function endOf(script: Script, linkedid = '1'): CallEnd | null {
  const channels = channelsOf(script).filter((channel) => channel.linkedid === linkedid);
  const endedAtMs = channels.some((channel) => channel.endedAtMs === null) ? null : script.atMs;
  return callEnd({ linkedid, endedAtMs }, channels);
}

const IN_CALL = { linkedid: '1' };

/** 1 calls 2, and they talk. */
function talk(): Script {
  const script = new Script()
    .ring('1')
    .ring('2', { ...IN_CALL, stateNumber: 0 })
    .dial('1', '2')
    .wait(2);
  return script.up('2', IN_CALL).up('1').enter('b', '2', IN_CALL).enter('b', '1').wait(10);
}

describe('who hung up', () => {
  // As `test/lab/scenarios.ts` has them, and whose phone sent the BYE.
  test.each([
    ['lossy-call', 'alice', 'caller'],
    ['one-way', 'alice', 'caller'],
    ['hold', 'alice', 'caller'],
    ['transcoded-call', 'alice', 'caller'],
    ['lossy-call-g722', 'dave', 'caller'],
    ['blind-transfer', 'alice', 'caller'],
    ['baresip-blind-transfer', 'betty', 'caller'],
    ['baresip-queue', 'betty', 'caller'],
    // bob hangs up as well, once he has joined the two others.
    ['attended-transfer', 'alice', 'caller'],
    ['park', 'carol', 'callee'],
  ])('of a real %s is %s, on 16 and 22', (name, who, by) => {
    for (const release of ['16', '22']) {
      const script = new Script();
      for (const event of readGolden(`${release}-${name}`).events) {
        script.atMs = event.atMs;
        script.board.tick(event.atMs);
        script.board.handle(event);
      }
      script.wait(30);
      const channels = channelsOf(script);
      const linkedid = channels[0]?.linkedid ?? '';
      expect(channels.every((channel) => channel.linkedid === linkedid)).toBe(true);
      const end = callEnd({ linkedid, endedAtMs: script.atMs }, channels);
      const hungUp = channels.find(({ uniqueid }) => uniqueid === end?.uniqueid);
      expect([release, end?.by, hungUp?.endpoint]).toEqual([release, by, `PJSIP/${who}`]);
      const stored = script.stored().findLast((change) => change.kind === 'call');
      expect(stored).toMatchObject({ call: { linkedid, endedBy: by, endedByUniqueid: end?.uniqueid } });
    }
  });

  test('is the party whose phone says so first, whatever Asterisk does with the other leg', () => {
    const byCallee = talk().asks('party', '2', IN_CALL).leave('b', '2', IN_CALL).leave('b', '1');
    byCallee.hangup('2', IN_CALL).asks('server', '1').hangup('1');
    expect(endOf(byCallee)).toEqual({ by: 'callee', uniqueid: '2' });
    expect(byCallee.channel('1')).toMatchObject({ hangupBy: 'server', hangupEndedTalk: false });
    const byCaller = talk().asks('party', '1').leave('b', '1').asks('server', '1').leave('b', '2', IN_CALL);
    byCaller.hangup('1').hangup('2', IN_CALL);
    expect(endOf(byCaller)).toEqual({ by: 'caller', uniqueid: '1' });
    expect(byCaller.channel('1')).toMatchObject({ hangupBy: 'party', hangupEndedTalk: true });
    expect(byCaller.channel('2')).toMatchObject({ hangupBy: null, hangupAtMs: null, hangupEndedTalk: null });
  });

  test('of two at the same time is the first one', () => {
    const script = talk().asks('party', '2', IN_CALL);
    script.atMs += 3;
    script.asks('party', '1').leave('b', '2', IN_CALL).leave('b', '1').hangup('1').hangup('2', IN_CALL);
    expect(endOf(script)).toEqual({ by: 'callee', uniqueid: '2' });
  });

  test('stays who ended the talk, when the caller goes on to be asked how it was', () => {
    const script = talk().asks('party', '2', IN_CALL).leave('b', '2', IN_CALL).leave('b', '1').hangup('2', IN_CALL);
    expect(endOf(script)).toBeNull();
    script.wait(20).asks('party', '1').hangup('1');
    expect(endOf(script)).toEqual({ by: 'callee', uniqueid: '2' });
  });

  test('is this server, where an operator or a limit ends the talk', () => {
    const script = talk().asks('server', '2', IN_CALL).leave('b', '2', IN_CALL).leave('b', '1');
    script.hangup('2', IN_CALL).asks('server', '1').hangup('1');
    expect(endOf(script)).toEqual({ by: 'server', uniqueid: '2' });
  });

  test('is not known where the end was not seen, also when somebody left an earlier talk', () => {
    expect(endOf(talk().leave('b', '1').leave('b', '2', IN_CALL).hangup('1').hangup('2', IN_CALL))).toBeNull();
    const transferred = talk().asks('party', '2', IN_CALL).leave('b', '2', IN_CALL).hangup('2', IN_CALL);
    transferred.leave('b', '1').up('3', IN_CALL).enter('c', '3', IN_CALL).enter('c', '1').wait(10);
    expect(transferred.channel('2')).toMatchObject({ hangupBy: 'party', hangupEndedTalk: false });
    transferred.hangup('1').hangup('3', IN_CALL);
    expect(endOf(transferred)).toBeNull();
  });

  test('of a channel that nobody saw is no news', () => {
    const script = new Script().asks('party', '9').wait(1);
    expect(script.stored()).toEqual([]);
    expect(script.board.holds('9')).toBe(false);
    expect(talk().asks('party', '1').board.holds('1')).toBe(true);
  });

  test('survives a restart', () => {
    const before = talk().asks('party', '2', IN_CALL);
    const stored = before.stored();
    const resumable = ['1', '2'].map((uniqueid) => {
      const last = stored.findLast((change) => change.kind === 'channel' && change.channel.uniqueid === uniqueid);
      if (last?.kind !== 'channel') throw new Error('nothing stored');
      return { channel: last.channel, resume: last.resume?.state ?? null, laterIntervals: [] };
    });
    expect(resumable.every(({ resume }) => resume !== null)).toBe(true);
    for (const forgetful of [false, true]) {
      const after = new Script();
      after.atMs = before.atMs;
      // The second time as a release reads it that cannot read the state.
      after.board.restore(resumable.map((one) => (forgetful ? { ...one, resume: null } : one)));
      after.leave('b', '2', IN_CALL).leave('b', '1').hangup('2', IN_CALL).hangup('1');
      expect(endOf(after)).toEqual({ by: 'callee', uniqueid: '2' });
    }
  });

  const HOUR = { startedAtMs: START_MS, endedAtMs: START_MS + 30_000 };
  const leg = (uniqueid: string, part: Partial<ChannelRecord> = {}): ChannelRecord =>
    channelRecord(uniqueid, { linkedid: '1', endpoint: `PJSIP/p${uniqueid}`, answeredAtMs: null, ...HOUR, ...part });
  const asked = (by: 'party' | 'server', afterMs: number): Partial<ChannelRecord> => {
    return { hangupBy: by, hangupAtMs: START_MS + afterMs, hangupEndedTalk: false };
  };
  test.each<[string, ChannelRecord[], CallEnd['by'] | null]>([
    ['the caller gives up while it rings', [leg('1', asked('party', 9000)), leg('2')], 'caller'],
    ['the callee is busy', [leg('1', asked('server', 900)), leg('2', asked('party', 800))], 'callee'],
    [
      'the callee is busy, and the caller hears that for a while',
      [leg('1', asked('party', 5000)), leg('2', asked('party', 800))],
      'callee',
    ],
    ['nobody takes the call in time', [leg('1', asked('server', 25_000)), leg('2')], 'server'],
    [
      'one of two refuses, and the dialplan ends',
      [leg('1', asked('server', 25_000)), leg('2', asked('party', 800)), leg('3')],
      null,
    ],
    [
      'one of two refuses, and the caller gives up',
      [leg('1', asked('party', 9000)), leg('2', asked('party', 800)), leg('3')],
      'caller',
    ],
    ['a caller leaves an announcement', [leg('1', { ...asked('party', 9000), answeredAtMs: START_MS })], 'caller'],
    ['an announcement ends', [leg('1', { ...asked('server', 9000), answeredAtMs: START_MS })], 'server'],
    ['nothing was seen', [leg('1'), leg('2')], null],
    ['a talk, whose end was not seen', [leg('1', asked('party', 9000)), leg('2', { answeredAtMs: START_MS })], null],
    [
      'a Local channel ends the other half',
      [leg('1'), leg('2', { ...asked('party', 1), endpoint: 'Local/9@x' })],
      null,
    ],
    ['no channels are known', [], null],
  ])('before anybody spoke: %s', (_, channels, by) => {
    expect(callEnd({ linkedid: '1', endedAtMs: START_MS + 30_000 }, channels)?.by ?? null).toBe(by);
    expect(callEnd({ linkedid: '1', endedAtMs: null }, channels)).toBeNull();
  });
});

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Lab, startLab } from '../lab/lab.ts';
import { labObstacle } from '../lab/obstacle.ts';
import { SidecarProcess } from '../lab/sidecar-process.ts';
import {
  expectCauses,
  expectEightPercent,
  FAULT_AFTER_S,
  LATE_LOSS_AFTER_S,
  SCRIPTS,
} from './fixtures/defensible-calls.ts';
import type { RestStream } from './fixtures/rest.ts';
import { type PlayedCall, phonesOf, playCalls } from './fixtures/scripted-call.ts';

describe.runIf(labObstacle() === undefined)('scores that one can defend', () => {
  let lab: Lab;
  let sidecar: SidecarProcess;
  let calls = new Map<string, PlayedCall>();

  beforeAll(async () => {
    const phones = [...phonesOf(SCRIPTS), { name: 'third' }];
    lab = await startLab({ release: '22', phones, rtcpIntervalMs: 1000 });
    sidecar = await SidecarProcess.start(lab, { httpHost: lab.pbx.host, httpPort: await lab.freePort() });
    calls = await playCalls(lab, sidecar, SCRIPTS);
  });
  afterAll(async () => {
    await sidecar?.stop();
    await lab?.stop();
  });

  const played = (name: string): PlayedCall => {
    const call = calls.get(name);
    if (call === undefined) throw new Error(`no call ${name} was played`);
    return call;
  };
  describe('why', () => {
    test.each(['rx', 'tx'] as const)('a clean call is fine, and says by which numbers (%s)', (direction) => {
      const { why, verdict, mes } = played('clean').stream('caller', direction);
      const way = direction === 'rx' ? 'from' : 'to';
      expect(why).toMatch(
        new RegExp(
          `^The audio ${way} PJSIP/clean-a was fine: no loss, round trip \\d{1,2} ms, jitter \\d{1,2}\\.\\d ms\\.$`,
        ),
      );
      expect(verdict).toBe('good');
      expect(mes).toBeGreaterThan(4.3);
      expect(mes).toBeLessThan(4.41);
    });

    test.each([
      ['caller-lossy', 'caller', 'rx', /^(\d+\.\d) % of the audio from PJSIP\/caller-lossy-a was lost; delay and /],
      ['caller-lossy', 'caller', 'tx', /^(\d+\.\d) % of the audio to PJSIP\/caller-lossy-a was lost; delay and /],
      ['callee-lossy', 'callee', 'rx', /^(\d+\.\d) % of the audio from PJSIP\/callee-lossy-b was lost; delay and /],
      ['callee-lossy', 'callee', 'tx', /^(\d+\.\d) % of the audio to PJSIP\/callee-lossy-b was lost; delay and /],
    ] as const)('loss is named with its endpoint and how much it was: %s, %s %s', (name, side, direction, sentence) => {
      const stream: RestStream = played(name).stream(side, direction);
      expectEightPercent(stream.why, sentence);
      expect(Math.abs(Number(sentence.exec(stream.why ?? '')?.[1]) - Number(stream.loss_percent))).toBeLessThan(0.06);
    });

    test('delay is named with the endpoint that is far away', () => {
      const sentence = /^The round trip to PJSIP\/far-a and back took (\d+) ms; loss and jitter were fine\.$/;
      const { why, rtt_ms: rtt } = played('far').stream('caller', 'rx');
      expect(why).toMatch(sentence);
      expect(Number(sentence.exec(why ?? '')?.[1])).toBeGreaterThanOrEqual(400);
      // A busy machine adds to it.
      expect(Math.abs(Number(sentence.exec(why ?? '')?.[1]) - Number(rtt.mean))).toBeLessThanOrEqual(0.5);
    });

    test('loss in bursts says so', () => {
      const { why } = played('bursty').stream('caller', 'rx');
      expect(why).toMatch(/^\d+\.\d % of the audio from PJSIP\/bursty-a was lost, in bursts/);
      expect(played('caller-lossy').stream('caller', 'rx').why).not.toContain('bursts');
    });

    test('loss that begins in mid-call says when, in UTC', () => {
      const { answeredAtMs, stream } = played('late-loss');
      const sentence = /^\d\.\d % of the audio from PJSIP\/late-loss-a was lost, from (\d\d:\d\d:\d\d) UTC on; /;
      const { why } = stream('caller', 'rx');
      expect(why).toMatch(sentence);
      const day = new Date(answeredAtMs).toISOString().slice(0, 11);
      const namedMs = Date.parse(`${day}${sentence.exec(why ?? '')?.[1]}Z`);
      // The report interval in which it began; midnight may lie between.
      const afterAnswerMs = (namedMs - answeredAtMs + 86_400_000) % 86_400_000;
      expect(afterAnswerMs).toBeGreaterThan(LATE_LOSS_AFTER_S * 1000 - 2500);
      expect(afterAnswerMs).toBeLessThan(LATE_LOSS_AFTER_S * 1000 + 2500);
    });
  });

  describe('where', () => {
    test.each([
      ['clean', 'none', /^No stretch of the call was bad by itself\.$/],
      [
        'caller-lossy',
        'caller-network',
        /^The fault lies between PJSIP\/caller-lossy-a \(the caller\) and this server: \d+\.\d % lost from PJSIP\/caller-lossy-a, \d+\.\d % lost to PJSIP\/caller-lossy-a\.$/,
      ],
      [
        'callee-lossy',
        'callee-network',
        /^The fault lies between PJSIP\/callee-lossy-b \(the callee\) and this server: \d+\.\d % lost from PJSIP\/callee-lossy-b, \d+\.\d % lost to PJSIP\/callee-lossy-b\.$/,
      ],
      ['both-lossy', 'both-networks', /^Both parties' networks are at fault: (\d+\.\d % lost (from|to) PJSIP\/.*){4}$/],
      [
        'server-lossy',
        'this-server',
        /^Both parties suffer in the same direction only, .*: \d+\.\d % lost to PJSIP\/server-lossy-a, \d+\.\d % lost to PJSIP\/server-lossy-b\.$/,
      ],
      [
        'far',
        'caller-network',
        /^The fault lies between PJSIP\/far-a \(the caller\) and this server: a round trip of 4[0-3]\d ms to PJSIP\/far-a\.$/,
      ],
    ])('%s: %s', (name, place, sentence) => {
      const { call } = played(name);
      expect(call).toMatchObject({ fault_place: place, fault_certainty: 'sure' });
      expect(call.fault_why).toMatch(sentence);
      // Four directions of about 13 reports.
      expect(call.fault_reports).toBeGreaterThan(40);
      expect(call.fault_reports).toBeLessThan(64);
    });

    test("what a native bridge passes on shows at the callee, and is the caller's network all the same", () => {
      const { call, stream } = played('passed-on');
      const atCaller = stream('caller', 'rx');
      const atCallee = stream('callee', 'tx');
      expectEightPercent(atCaller.why, /^(\d+\.\d) % of the audio from PJSIP\/passed-on-a was lost/);
      expectEightPercent(atCallee.why, /^(\d+\.\d) % of the audio to PJSIP\/passed-on-b was lost/);
      expect(atCallee.ssrc).toBe(atCaller.ssrc);
      expect(atCallee.why).toContain(', nearly all of it on the way from PJSIP/passed-on-a to this server');
      expect(call.fault_place).toBe('caller-network');
      expect(call.fault_why).toMatch(/: \d+\.\d % lost from PJSIP\/passed-on-a\.$/);
    });
  });

  describe('what this server does to the audio', () => {
    test('gaps pass through a bridge that is not native, too', () => {
      const { call, stream } = played('passed-simple');
      const atCallee = stream('callee', 'tx');
      expectEightPercent(atCallee.why, /^(\d+\.\d) % of the audio to PJSIP\/passed-simple-b was lost/);
      // It is this server's own stream, unlike that of a native bridge.
      expect(atCallee.ssrc).not.toBe(stream('caller', 'rx').ssrc);
      expect(atCallee.why).toContain(', nearly all of it on the way from PJSIP/passed-simple-a to this server');
      expect(call).toMatchObject({ fault_place: 'caller-network', verdict: 'bad' });
      expect(call.fault_why).toMatch(/: \d+\.\d % lost from PJSIP\/passed-simple-a\.$/);
    });

    test('transcoding closes them: the callee is not told of any', () => {
      const { call, stream } = played('transcoded');
      expect(stream('callee', 'tx')).toMatchObject({ packets_lost: 0, verdict: 'good' });
      expect(call).toMatchObject({ fault_place: 'caller-network' });
    });

    test('transcoding drops what comes out of order, of which no report tells: not good all the same', async () => {
      const { call, callee, stream } = played('shuffled');
      const cameIn = (await lab.relay.truth('shuffled-a', 'rx')).passed;
      const wentOut = (await lab.relay.truth('shuffled-b', 'tx')).seen;
      expect(wentOut).toBeLessThan(0.7 * cameIn);
      const tx = stream('callee', 'tx');
      const sentence = /^This server sent on only (\d+) % of the audio that came in from PJSIP\/shuffled-a/;
      expect(tx.why).toMatch(sentence);
      expect(Math.abs(Number(sentence.exec(tx.why ?? '')?.[1]) - (100 * wentOut) / cameIn)).toBeLessThan(8);
      expect(tx.loss_percent).toBe(0);
      expect(tx.verdict).toBe('bad');
      expect([callee.verdict, call.verdict]).toEqual(['bad', 'bad']);
    });
  });

  describe('dead, one-way and idle', () => {
    test('one-way: neither leg is good, and it says who is not heard', () => {
      const { call, caller, callee, stream } = played('one-way');
      expect(call).toMatchObject({ verdict: 'one-way-tx', fault_place: 'callee-network' });
      expect(call.fault_why).toMatch(
        /nothing arrived from PJSIP\/one-way-b, so PJSIP\/one-way-a did not hear PJSIP\/one-way-b\.$/,
      );
      expect(caller.verdict).toBe('one-way-rx');
      expect(callee).toMatchObject({ verdict: 'one-way-tx', mes_rx: 1, mes_min: 1 });
      expect(stream('callee', 'rx')).toMatchObject({
        why: 'Nothing of the audio from PJSIP/one-way-b arrived, so PJSIP/one-way-a did not hear PJSIP/one-way-b.',
        verdict: 'no-media',
        loss_percent: 100,
      });
      expect(stream('caller', 'tx')).toMatchObject({
        why: 'This server had no audio to send to PJSIP/one-way-a, so PJSIP/one-way-a did not hear PJSIP/one-way-b.',
        mes: null,
      });
      expect(call.mes).toBeGreaterThan(2.5);
      expect(call.mes).toBeLessThan(3.4);
    });

    test("the far end stops receiving: dead intervals, a score that falls, and what Asterisk's own does not see", () => {
      const { call, callee, stream, intervals, answeredAtMs } = played('stops-receiving');
      const tx = stream('callee', 'tx');
      const dead = intervals('callee', 'tx').filter(({ kind }) => kind === 'dead');
      expect(dead.length).toBeGreaterThanOrEqual(4);
      expect(dead.length).toBeLessThanOrEqual(11);
      expect(Math.min(...dead.map(({ at }) => Date.parse(at)))).toBeGreaterThan(answeredAtMs + FAULT_AFTER_S * 1000);
      expect(dead.every(({ mes }) => mes === 1)).toBe(true);
      expect(tx.mes).toBeLessThan(2);
      expect(tx.why).toMatch(
        /^From \d\d:\d\d:\d\d UTC on nothing of the audio to PJSIP\/stops-receiving-b arrived any more \(\d\d\.\d % of it was lost in all\); /,
      );
      expect(tx.loss_percent).toBeGreaterThan(55);
      expect(tx.loss_percent).toBeLessThan(80);
      expect(tx.native_mes_100).toBeGreaterThan(86);
      expect(tx.native_mes_100).toBeLessThan(88.2);
      expect(tx.native_why).toMatch(/^Asterisk does not notice that nothing arrives any more: .*\(#2012\)\.$/);
      expect(callee.verdict).toBe('bad');
      expect(call.fault_place).toBe('callee-network');
    });

    test('a far end that receives nothing for a while: each packet is lost once, as many as the network took', async () => {
      const { stream, intervals } = played('stops-a-while');
      const { blocked } = await lab.relay.truth('stops-a-while-b', 'tx');
      expect(blocked).toBeGreaterThan(180);
      expect(intervals('callee', 'tx').filter(({ kind }) => kind === 'dead').length).toBeGreaterThanOrEqual(2);
      expect(Math.abs(Number(stream('callee', 'tx').packets_lost) - blocked)).toBeLessThanOrEqual(5);
    });

    test('a caller who sends nothing: nothing is lost, and the call is not good', () => {
      const { call, caller, stream, intervals } = played('silent');
      const rx = stream('caller', 'rx');
      expect(rx.packets_lost ?? 0).toBe(0);
      expect(rx.loss_percent).toBeNull();
      expect(intervals('caller', 'rx').filter(({ kind }) => kind === 'dead')).toEqual([]);
      expect(intervals('callee', 'tx').every(({ kind }) => kind === 'idle')).toBe(true);
      expect(rx.why).toMatch(/^Nothing of the audio from PJSIP\/silent-a arrived, and PJSIP\/silent-a does not say/);
      expect(caller.verdict).toBe('one-way-tx');
      expect(call).toMatchObject({ verdict: 'one-way-tx', fault_certainty: 'guess' });
    });

    test('hold is no fault, and its sessions are kept apart', () => {
      const { call, caller, callee } = played('held');
      expect(call).toMatchObject({ verdict: 'good', fault_place: 'none' });
      for (const channel of [caller, callee]) {
        expect(channel.verdict).toBe('good');
        expect(channel.mes_min).toBeGreaterThan(4);
        expectCauses(channel.segments, 'tx', ['start', 'hold', 'retrieve']);
      }
      expectCauses(caller.segments, 'rx', ['start', 'hold', 'retrieve']);
    });

    test('a transfer begins a new session for who stays', () => {
      const { call, caller } = played('transferred');
      expect(call.channels).toHaveLength(3);
      for (const direction of ['rx', 'tx'] as const) expectCauses(caller.segments, direction, ['start', 'bridge']);
      expect(caller.verdict).toBe('good');
      // Those who spoke last are compared; of too few reports nothing is said.
      expect(['No stretch of the call was bad by itself.', null]).toContain(call.fault_why);
      expect(call.fault_place).toBe(call.fault_why === null ? null : 'none');
    });

    test.each(['rx', 'tx'] as const)('shorter than one report, and it says so (%s)', (direction) => {
      const { call, stream } = played('short');
      expect(call).toMatchObject({ verdict: 'too-short', mes: null, fault_place: null });
      expect(stream('caller', direction)).toMatchObject({ why: 'The call was shorter than one report.', mes: null });
    });

    test.each(['caller', 'callee'] as const)('direct media is never good: nothing of it was seen here (%s)', (side) => {
      const { call, stream, [side]: channel } = played('direct');
      expect(call).toMatchObject({ verdict: 'no-rtcp', mes: null });
      expect(channel.verdict).toBe('no-rtcp');
      for (const direction of ['rx', 'tx'] as const) {
        expect(stream(side, direction).why).toBe(
          'The audio went past this server (direct media), so nothing of it was seen here.',
        );
      }
    });
  });
});

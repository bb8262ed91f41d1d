import { describe, expect, test } from 'vitest';
import { mesProfile } from '../../../src/score/profiles.ts';
import { readGolden } from '../golden.ts';
import { local, remote, reportBlock, Script, sender, snapshot } from './script.ts';

describe('the score of a channel', () => {
  test('comes from running means: the worked row rtt 50, jitter 10 ± 3, 1 lost in 5 s is 4.31', () => {
    const script = new Script().up('1');
    // Jitter 7 and 13 ms have mean 10 and population deviation 3; of 500 packets 2 were lost.
    script.wait(5).rtcp('1', remote(reportBlock(250, 0, { jitterTicks: 56 }), { rttMs: 40 }));
    script.wait(5).rtcp('1', remote(reportBlock(500, 2, { jitterTicks: 104 }), { rttMs: 60 }));
    const [rx, tx] = script.channel('1').streams;
    expect(tx).toMatchObject({
      reports: 2,
      lostPacketsPerReportMean: 1,
      packetsExpected: 500,
      rttKnown: true,
      clockRateSource: 'assumed',
    });
    expect(tx?.jitterMs.stdev).toBeCloseTo(3, 9);
    expect(tx?.rttMs).toMatchObject({ last: 60, mean: 50, min: 40, max: 60, count: 2 });
    expect(tx?.effectiveLatencyMs).toBeCloseTo(80, 9);
    expect(tx?.mes).toBeCloseTo(4.3059, 4);
    // Nothing is known of the other direction, and nothing good is made up for it.
    expect(rx).toMatchObject({ mes: null, reports: 0, verdict: null });
    expect(script.channel('1').mes).toBeCloseTo(4.3059, 4);
  });

  test('is the mean of both directions, and the round trip serves both', () => {
    const script = new Script().up('1');
    script.wait(5).rtcp('1', remote(reportBlock(250, 0), { rttMs: 100 }));
    script.rtcp('1', local(reportBlock(250, 8, { fractionLostQ8: 8 })));
    const channel = script.channel('1');
    // latency 110: r = 90.45, opinion 4.3499 (by hand); with 8 of 256 lost, 3.125 %, r = 70.91875, opinion 3.6398.
    expect(channel.mesTx).toBeCloseTo(4.3499, 3);
    expect(channel.mesRx).toBeCloseTo(3.6398, 3);
    expect(channel.mes).toBeCloseTo((4.3499 + 3.6398) / 2, 3);
    expect(channel.mesMin).toBeCloseTo(3.6398, 3);
  });

  test('a clock rate learnt late is right for the earlier samples too', () => {
    const script = new Script().up('1');
    const at = (n: number) => ({ rttMs: 20, sender: sender(5 * n, 250 * n, 48_000) });
    script.wait(5).rtcp('1', remote(null, at(1)));
    script.rtcp('1', local(reportBlock(250, 0, { jitterTicks: 480 })));
    expect(script.channel('1').streams[0]).toMatchObject({ clockRateHz: 8000, clockRateSource: 'assumed' });
    script.wait(5).rtcp('1', remote(null, at(2)));
    script.rtcp('1', local(reportBlock(500, 0, { jitterTicks: 960 })));
    const [rx] = script.channel('1').streams;
    expect(rx).toMatchObject({ clockRateHz: 48_000, clockRateSource: 'sr' });
    expect(rx?.jitterMs).toMatchObject({ count: 2, min: 10, max: 20, mean: 15, last: 20 });
  });

  test("the codec's clock serves until SRs show one, and its delay enters the score", () => {
    const script = new Script().up('1').wait(5);
    script.codecs('1', 'g729');
    for (let n = 1; n <= 9; n++) script.rtcp('1', remote(reportBlock(250 * n, 0), { rttMs: 40 }));
    const [, tx] = script.channel('1').streams;
    expect(tx).toMatchObject({ codec: 'g729', clockRateHz: 8000, clockRateSource: 'codec' });
    expect(tx?.effectiveLatencyMs).toBeCloseTo(65, 9);
  });

  test('each direction has the clock and the delay of its own codec', () => {
    const script = new Script().up('1').wait(5).codecs('1', 'g729', 'opus');
    for (const n of [1, 2]) {
      script.rtcp('1', remote(reportBlock(250 * n, 0, { jitterTicks: 480 }), { rttMs: 40 }));
      script.rtcp('1', local(reportBlock(250 * n, 0, { jitterTicks: 480 }))).wait(5);
    }
    const [rx, tx] = script.channel('1').streams;
    expect(rx).toMatchObject({ codec: 'g729', clockRateHz: 8000, jitterMs: { mean: 60 } });
    expect(tx).toMatchObject({ codec: 'opus', clockRateHz: 48_000, jitterMs: { mean: 10 } });
    // The jitter does not deviate: 40 ms there and back, and 25 or 10 ms for the codec.
    expect(rx?.effectiveLatencyMs).toBeCloseTo(65, 9);
    expect(tx?.effectiveLatencyMs).toBeCloseTo(50, 9);
    // Opus without loss 109 - 16, G.729 93.25 - 10.
    expect([rx?.rLq, tx?.rLq]).toEqual([expect.closeTo(83.25, 9), expect.closeTo(93, 9)]);
  });

  test('the codecs are asked for at the first report, then every few seconds, and at once after a hold', () => {
    const script = new Script().up('1');
    const askedUpTo = (n: number): number => {
      script.wait(1).rtcp('1', remote(reportBlock(50 * n, 0), { rttMs: 40 }));
      return script.codecQuestions.length;
    };
    expect([1, 2, 3, 4, 5, 6, 7, 8].map(askedUpTo)).toEqual([1, 1, 1, 1, 2, 2, 2, 2]);
    script.board.handle({ type: 'hold', atMs: script.atMs, channel: snapshot('1') });
    expect([9, 10, 11, 12, 13].map(askedUpTo)).toEqual([3, 3, 3, 3, 4]);
  });

  test('the codecs of many channels are asked for in turns, fifty a second, and after a hold at once all the same', () => {
    const script = new Script();
    const uniqueids = Array.from({ length: 1000 }, (_, index) => String(index));
    for (const uniqueid of uniqueids) script.up(uniqueid);
    const askedUpTo = (n: number): number => {
      script.wait(5);
      for (const uniqueid of uniqueids) script.rtcp(uniqueid, remote(reportBlock(250 * n, 0), { rttMs: 40 }));
      return script.codecQuestions.length;
    };
    expect([1, 2, 3, 4, 5].map(askedUpTo)).toEqual([1000, 1000, 1000, 1000, 2000]);
    script.board.handle({ type: 'hold', atMs: script.atMs, channel: snapshot('7') });
    expect(askedUpTo(6)).toBe(2001);
    expect(script.codecQuestions.at(-1)).toBe('7');
  });

  test('a steady loss seen by the far end gives a steady score', () => {
    const script = new Script(mesProfile('documented')).up('1');
    const scores: (number | null)[] = [];
    for (let n = 1; n <= 30; n++) {
      script.wait(5).rtcp('1', remote(reportBlock(256 * n, 10 * n, { fractionLostQ8: 10 }), { rttMs: 20 }));
      scores.push(script.channel('1').mesTx);
    }
    expect(Math.max(...scores.map(Number)) - Math.min(...scores.map(Number))).toBeLessThan(0.001);
    // latency 30, 10 of 256: r = 93.2 − 0.75 − 24.4141 = 68.0359, opinion 3.5035.
    expect(scores.at(-1)).toBeCloseTo(3.5035, 3);
  });

  test('the profile asterisk-22.10 drifts on the same loss, as Asterisk does', () => {
    const script = new Script(mesProfile('asterisk-22.10')).up('1');
    script.wait(1).rtcp('1', remote(reportBlock(50, 2), { rttMs: 0.2 }));
    const early = script.channel('1').mesTx ?? 0;
    for (let n = 2; n <= 13; n++) script.wait(1).rtcp('1', remote(reportBlock(50 * n, 2 * n), { rttMs: 0.2 }));
    const late = script.channel('1').mesTx ?? 0;
    expect(early * 20).toBeGreaterThan(86);
    expect(early * 20).toBeLessThan(87);
    // By hand: mean of 2, 4 … 26 is 14; r = 92.95 − 28 = 64.95 → 67.0 on Asterisk's scale, as the facts measured.
    expect(late * 20).toBeCloseTo(67, 0);
  });
});

describe('streams that stand still', () => {
  test('the far end stops receiving while we send: the interval scores 1 and all of it is lost', () => {
    const script = new Script().up('1');
    for (let n = 1; n <= 4; n++) {
      script.wait(3).rtcp('1', local(null, { sender: sender(5 * n, 250 * n) }));
      script.wait(2).rtcp('1', remote(reportBlock(Math.min(n, 2) * 250, 0), { rttMs: 20 }));
    }
    const tx = script.intervals('1', 'tx');
    expect(tx.map(({ kind, packetsLost, mes }) => ({ kind, packetsLost, mes }))).toEqual([
      { kind: 'media', packetsLost: 0, mes: expect.closeTo(4.39, 1) },
      { kind: 'media', packetsLost: 0, mes: expect.closeTo(4.39, 1) },
      // 3 of the 5 s between the two SRs came after the last report.
      { kind: 'dead', packetsLost: 150, mes: 1 },
      { kind: 'dead', packetsLost: 250, mes: 1 },
    ]);
    expect(script.channel('1').mesTx).toBe(1);
    expect(script.channel('1').mesMin).toBe(1);
  });

  test('of a stream that stops in mid-call and goes on, each packet is lost once', () => {
    // 50 packets a second from 0 s on; nothing arrives from 10 s to 20 s, that is 500 packets. SRs 2.5 s before the reports.
    const script = new Script().up('1');
    const highestAt = [250, 500, 500, 500, 1250, 1500];
    const lostAt = [0, 0, 0, 0, 500, 500];
    for (const [index, highest] of highestAt.entries()) {
      const atS = 5 * (index + 1);
      script.wait(2.5).rtcp('1', local(null, { sender: sender(atS - 2.5, 50 * (atS - 2.5)) }));
      script.wait(2.5).rtcp('1', remote(reportBlock(highest, lostAt[index] ?? 0), { rttMs: 20 }));
    }
    const tx = script.intervals('1', 'tx');
    expect(tx.map(({ kind, packetsExpected, packetsLost }) => [kind, packetsExpected, packetsLost])).toEqual([
      ['media', 250, 0],
      ['media', 250, 0],
      // The SR of 12.5 s: 125 packets since 10 s. That of 17.5 s: 250 more. The rest shows at 25 s.
      ['dead', 125, 125],
      ['dead', 250, 250],
      ['media', 375, 125],
      ['media', 250, 0],
    ]);
    expect(script.channel('1').streams[1]).toMatchObject({ packetsExpected: 1500, packetsLost: 500 });
    expect(script.channel('1').streams[1]?.lossPercent).toBeCloseTo(100 / 3, 9);
  });

  test('nothing ever arrives and nobody counts it: dead after two whole intervals, never the good half alone', () => {
    const script = new Script().up('1');
    script
      .wait(5)
      .rtcp('1', remote(reportBlock(250, 0), { rttMs: 20 }))
      .rtcp('1', local(null));
    expect(script.channel('1').verdict).toBe('good');
    script
      .wait(5)
      .rtcp('1', remote(reportBlock(500, 0), { rttMs: 20 }))
      .rtcp('1', local(null));
    const channel = script.channel('1');
    expect(channel.mesRx).toBe(1);
    expect(channel.mes).toBeCloseTo((1 + 4.3956) / 2, 2);
    expect(channel.verdict).toBe('one-way-tx');
    expect(channel.streams[0]?.why).toBe(
      'Nothing of the audio from PJSIP/phone1 arrived, and PJSIP/phone1 does not say that it sent any.',
    );
  });

  test('on hold and before the answer, silence is no fault', () => {
    const script = new Script().ring('1');
    script.wait(5).rtcp('1', local(null), { stateNumber: 4 }).wait(5).rtcp('1', local(null), { stateNumber: 4 });
    expect(script.channel('1').mesRx).toBeNull();
    const held = new Script().up('2');
    held.board.handle({ type: 'hold', atMs: held.atMs, channel: snapshot('2') });
    for (let n = 0; n < 4; n++) held.wait(5).rtcp('2', local(null));
    expect(held.channel('2')).toMatchObject({ mes: null, verdict: null, onHold: true });
    expect(held.intervals('2', 'rx').map(({ kind }) => kind)).toEqual(['idle', 'idle', 'idle', 'idle']);
  });
});

describe('a hold whose end was missed while the link was down', () => {
  /** Held at 5 s, the link is lost; from then on a report a direction every 5 s, as far as `highest` goes. */
  function held(rxHighest: readonly number[], txHighest: readonly number[]): Script {
    const script = new Script().up('1').wait(5);
    script.rtcp('1', local(reportBlock(250, 0))).rtcp('1', remote(reportBlock(250, 0), { rttMs: 40 }));
    script.board.handle({ type: 'hold', atMs: script.atMs, channel: snapshot('1') });
    script.board.handle({ type: 'link-lost', atMs: script.atMs });
    for (const [index, highest] of rxHighest.entries()) {
      const sent = sender(5 * (index + 2), 250 * (index + 2));
      script.wait(5).rtcp('1', remote(reportBlock(txHighest[index] ?? highest, 0), { rttMs: 40, sender: sent }));
      script.rtcp('1', local(reportBlock(highest, 0)));
    }
    return script;
  }

  test('is over when audio came in both directions since: then what stands still is lost again', () => {
    const script = held([500, 750, 750, 750], [500, 750, 1000, 1250]);
    expect(script.channel('1').onHold).toBe(false);
    expect(script.intervals('1', 'rx').map(({ kind }) => kind)).toEqual(['media', 'media', 'media', 'dead', 'dead']);
  });

  test('goes on while audio came in one of them only, or none since the first report, which tells of before, too', () => {
    const oneWay = held([250, 250, 250], [500, 750, 1000]);
    const before = held([500, 500, 500], [500, 500, 500]);
    for (const script of [oneWay, before]) expect(script.channel('1').onHold).toBe(true);
    expect(before.intervals('1', 'rx').map(({ kind }) => kind)).toEqual(['media', 'media', 'idle', 'idle']);
  });

  test('was begun anew when Asterisk says so: that is no doubt', () => {
    const script = held([500], [500]);
    script.board.handle({ type: 'hold', atMs: script.atMs, channel: snapshot('1') });
    for (const highest of [750, 1000]) {
      script.wait(5).rtcp('1', local(reportBlock(highest, 0)));
      script.rtcp('1', remote(reportBlock(highest, 0), { rttMs: 40 }));
    }
    expect(script.channel('1').onHold).toBe(true);
  });

  test('in a recorded hold of a real Asterisk it shows after its end, and not before', () => {
    const { events } = readGolden('22-hold');
    const script = new Script();
    const heldIds = new Set<string>();
    const duringHold: boolean[] = [];
    for (const event of events) {
      if (event.type === 'unhold') duringHold.push(script.channel(event.channel.uniqueid).onHold);
      // Nobody tells of the end.
      else script.board.handle(event);
      if (event.type !== 'hold') continue;
      heldIds.add(event.channel.uniqueid);
      script.board.handle({ type: 'link-lost', atMs: event.atMs });
    }
    expect(duringHold).toEqual([true]);
    expect([...heldIds].map((uniqueid) => script.channel(uniqueid).onHold)).toEqual([false]);
  });
});

describe('the end of a channel', () => {
  const upFor = (seconds: number, rxPackets?: number): string | null => {
    const script = new Script().up('1').wait(seconds);
    if (rxPackets !== undefined) script.board.finalWord('1', { rxPackets }, script.atMs);
    return script.hangup('1').channel('1').verdict;
  };
  test('says why there is no score', () => {
    expect(upFor(3)).toBe('too-short');
    expect(upFor(60)).toBe('no-rtcp');
    expect(upFor(60, 0)).toBe('no-media');
    expect(new Script().ring('1').wait(9).hangup('1', { stateNumber: 5 }).channel('1').verdict).toBeNull();
  });

  test('the final scores have all variables as they stay, and later reports no longer count', () => {
    const script = new Script().up('1').wait(5);
    script.rtcp('1', remote(reportBlock(250, 0), { rttMs: 40 }));
    const last = script.board.finalWord('1', { rxPackets: 250, rxLostPackets: 3 }, script.atMs);
    // latency 50: r = 91.95 → 4.38 by hand.
    expect(Object.fromEntries(last?.variables ?? [])).toEqual({
      MES: '4.38',
      MES_TX: '4.38',
      MES_CALL: '4.38',
      MES_MIN: '4.38',
      MES_VERDICT: 'good',
    });
    script
      .wait(1)
      .rtcp('1', remote(reportBlock(300, 40), { rttMs: 40 }))
      .hangup('1');
    expect(script.channel('1').mesTx).toBeCloseTo(4.3838, 3);
    expect(script.board.counters.lateReports).toBe(1);
    expect(script.channel('1').streams[0]).toMatchObject({
      packetsReceived: 250,
      packetsLost: 3,
      packetsExpected: 253,
    });
  });

  test('after the final scores neither a codec nor a second question changes the score', () => {
    const lastWord = (changes: (script: Script) => void): (number | null)[] => {
      const script = new Script().up('1').wait(5);
      script.rtcp('1', remote(reportBlock(250, 0), { rttMs: 40 }));
      changes(script);
      const { mesRx, mesTx, mesMin } = script.channel('1');
      return [mesRx, mesTx, mesMin];
    };
    const plain = lastWord(({ board, atMs }) => board.finalWord('1', {}, atMs));
    // latency 50: r = 91.95 → 4.38 by hand; G.729 takes 25 ms more, and nothing received is a dead half.
    expect(plain).toEqual([null, expect.closeTo(4.3838, 3), expect.closeTo(4.3838, 3)]);
    const [, slower] = lastWord((script) => script.codecs('1', 'g729').board.finalWord('1', {}, script.atMs));
    expect(slower).toBeLessThan(4.38);
    expect(
      lastWord((script) => {
        script.board.finalWord('1', {}, script.atMs);
        script.codecs('1', 'g729');
      }),
    ).toEqual(plain);
    const nothingCame = { rxPackets: 0, txPackets: 250 };
    expect(lastWord(({ board, atMs }) => board.finalWord('1', nothingCame, atMs))).toEqual([1, plain[1], 1]);
    expect(
      lastWord(({ board, atMs }) => {
        board.finalWord('1', {}, atMs);
        board.finalWord('1', nothingCame, atMs);
      }),
    ).toEqual(plain);
  });

  test('where the far end reported and not one packet of its own came, the good half does not stand alone', () => {
    const script = new Script().up('1').wait(2);
    script.rtcp('1', remote(reportBlock(100, 0), { rttMs: 40 }));
    script.board.finalWord('1', { rxPackets: 0, txPackets: 100 }, script.atMs);
    // 4.38 as above, and 1 for the dead half.
    const oneWay = script.hangup('1').channel('1');
    expect(oneWay.verdict).toBe('one-way-tx');
    expect(oneWay.mes).toBeCloseTo((1 + 4.3838) / 2, 3);
    expect(oneWay.mesMin).toBe(1);
    // One packet is audio, however little.
    const heard = new Script().up('2').wait(2);
    heard.rtcp('2', remote(reportBlock(100, 0), { rttMs: 40 }));
    heard.board.finalWord('2', { rxPackets: 1, txPackets: 100 }, heard.atMs);
    expect(heard.hangup('2').channel('2')).toMatchObject({ verdict: 'good', mesRx: null });
  });

  test('there is nothing to say of a channel that nobody knows or that has no RTP', () => {
    const script = new Script().up('1', { name: 'Local/100@x-00000001;1' });
    expect(script.board.finalWord('1', {}, script.atMs)).toBeUndefined();
    expect(script.board.finalWord('nobody', {}, script.atMs)).toBeUndefined();
  });
});

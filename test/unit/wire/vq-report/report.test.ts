import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readSipDatagram, sipHeader } from '../../../../src/wire/sip/message.ts';
import { readPhoneReport } from '../../../../src/wire/vq-report/report.ts';

const GOLDEN = join(import.meta.dirname, '../../../golden/publish');

/** Reads a PUBLISH of a real phone. */
function goldenReport(name: string) {
  const message = readSipDatagram(readFileSync(join(GOLDEN, name), 'utf8'));
  if (message === undefined || message === 'cut') throw new Error(`${name} is no whole SIP message`);
  return readPhoneReport(message.body, sipHeader(message, 'user-agent'));
}

function report(...lines: readonly string[]): string {
  return [...lines, ''].join('\r\n');
}

describe('reports of a real Linphone', () => {
  test('an interval of a leg through Asterisk', () => {
    const read = goldenReport('012-PUBLISH-VQIntervalReport.txt');
    expect(read).toMatchObject({
      kind: 'interval',
      callId: '698f8d39-be50-4d74-8723-e4f92caafeab',
      local: { address: '127.0.0.1', port: 42_114, ssrc: 3_999_719_016 },
      alert: null,
    });
    expect(read?.localMetrics).toMatchObject({
      startAtMs: Date.UTC(2026, 10, 30, 12, 44, 26),
      stopAtMs: Date.UTC(2026, 10, 30, 12, 45, 58),
      codec: 'pcmu',
      clockRateHz: 8000,
      mosLq: 2.7,
      mosCq: 2.6,
      networkLossPercent: null,
    });
    expect(read?.remoteMetrics).toMatchObject({ roundTripDelayMs: 124, mosLq: null });
  });

  test.each(readdirSync(GOLDEN))('%s says whose call it was, and a score that can be', (name) => {
    const read = goldenReport(name);
    expect(read?.callId).toMatch(/^[A-Za-z0-9-]{9,36}$/);
    expect(read?.localMetrics.mosLq).toBeGreaterThanOrEqual(1);
    expect(read?.localMetrics.mosLq).toBeLessThanOrEqual(5);
    expect(read?.kind).toBe(name.includes('Session') ? 'session' : 'interval');
  });
});

describe('every line of RFC 6035', () => {
  const read = readPhoneReport(
    report(
      'VQSessionReport: CallTerm',
      'CallID: 6dg37f1890463',
      'LocalID: Alice <sip:alice@example.org>',
      'RemoteID: Bill <sip:bill@example.net>',
      'LocalAddr: IP=192.0.2.10 PORT=5000 SSRC=0x1a3b5c7d',
      'RemoteAddr: IP=[2001:db8::20] PORT=5001 SSRC=0x2468abcd',
      'LocalMetrics:',
      'Timestamps: START=2004-10-10T18:23:43Z STOP=2004-10-01T18:26:02.5Z',
      'SessionDesc: PT=18 PD=G729 SR=8000 FD=20 FO=20 FPP=2 PPS=50 FMTP="annexb=no" PLC=3 SSUP=on',
      'JitterBuffer: JBA=3 JBR=2 JBN=40 JBM=80 JBX=120',
      'PacketLoss: NLR=5.0 JDR=2.5',
      'BurstGapLoss: BLD=0.5 BD=75 GLD=2.0 GD=500 GMIN=16',
      'Delay: RTD=200 ESD=140 SOWD=100 IAJ=2 MAJ=10',
      'Signal: SL=-18 NL=-50 RERL=55',
      'QualityEst: RLQ=90 RCQ=85 EXTRI=90 MOSLQ=4.2 MOSCQ=4.1 QoEEstAlg=P.564',
      'DialogID: 1890463548@alice.example.org;to-tag=8472761;from-tag=9123dh311',
    ),
  );

  test('is read with its unit', () => {
    expect(read?.local).toEqual({ address: '192.0.2.10', port: 5000, ssrc: 0x1a3b_5c7d });
    expect(read?.remote).toEqual({ address: '2001:db8::20', port: 5001, ssrc: 0x2468_abcd });
    expect(read?.remoteMetrics).toBeNull();
    expect(read?.localMetrics).toEqual({
      startAtMs: Date.UTC(2004, 9, 10, 18, 23, 43),
      stopAtMs: Date.UTC(2004, 9, 1, 18, 26, 2, 500),
      payloadType: 18,
      codec: 'g729',
      clockRateHz: 8000,
      frameDurationMs: 20,
      framesPerPacket: 2,
      packetsPerS: 50,
      plc: 3,
      jba: 3,
      jbRate: 2,
      jbNominalMs: 40,
      jbMaximumMs: 80,
      jbAbsMaxMs: 120,
      networkLossPercent: 5,
      discardPercent: 2.5,
      burstLossPercent: 0.5,
      burstDurationMs: 75,
      gapLossPercent: 2,
      gapDurationMs: 500,
      gmin: 16,
      roundTripDelayMs: 200,
      endSystemDelayMs: 140,
      oneWayDelayMs: 100,
      interarrivalJitterMs: 2,
      meanAbsoluteJitterMs: 10,
      signalLevelDbm: -18,
      noiseLevelDbm: -50,
      rerlDb: 55,
      rLq: 90,
      rCq: 85,
      extRIn: 90,
      extROut: null,
      mosLq: 4.2,
      mosCq: 4.1,
    });
  });
});

test.each(['constructor: a', '__proto__: a', 'toString: a'])('%s in front names no kind of report', (line) => {
  expect(readPhoneReport(report(line, 'LocalMetrics:', 'PacketLoss: NLR=1.0'))).toBeUndefined();
  expect(readPhoneReport(report(line, 'VQAlertReport', 'LocalMetrics:', 'PacketLoss: NLR=1.0'))?.kind).toBe('alert');
});

describe('what phones write differently', () => {
  test('a blank after IP=, a decimal SSRC, TimeStamps and OWD (Poly)', () => {
    const read = readPhoneReport(
      report(
        'VQSessionReport: CallTerm',
        'CallID: a@b',
        'LocalAddr:IP= 192.0.2.1 PORT=2226 SSRC=3872460655',
        'LocalMetrics:',
        'TimeStamps:START=2026-01-02T03:04:05Z STOP=2026-01-02T03:05:05Z',
        'Delay:RTD=12 ESD=40 OWD=6 IAJ=1',
        'QualityEst:RLQ=91 RCQ=90 MOSLQ=4.1 MOSCQ=4.1',
      ),
    );
    expect(read?.local).toEqual({ address: '192.0.2.1', port: 2226, ssrc: 3_872_460_655 });
    expect(read?.localMetrics).toMatchObject({ stopAtMs: Date.UTC(2026, 0, 2, 3, 5, 5), oneWayDelayMs: 6, rCq: 90 });
  });

  test('FromID and ToID, CallID behind the metrics, a remote part (Snom, Gigaset)', () => {
    const read = readPhoneReport(
      report(
        'VQSessionReport',
        'FromID: <sip:12@pbx>',
        'ToID: <sip:13@pbx>',
        'LocalMetrics:',
        'PacketLoss: NLR=1.0 JDR=0.0',
        'RemoteMetrics:',
        'PacketLoss: NLR=7.0 JDR=0.0',
        'CallID: 313233@192.0.2.9',
        'x-SIPmetrics: SVA=RG',
      ),
    );
    expect(read).toMatchObject({ callId: '313233@192.0.2.9', localId: '<sip:12@pbx>', remoteId: '<sip:13@pbx>' });
    expect(read?.localMetrics.networkLossPercent).toBe(1);
    expect(read?.remoteMetrics?.networkLossPercent).toBe(7);
  });

  test('65535 and 127 are not known; RCQ without RLQ; an interval at the end of the call', () => {
    const read = readPhoneReport(
      report(
        'VQIntervalReport: CallTerm',
        'CallID: x1',
        'LocalMetrics:',
        'Delay: RTD=65535 ESD=65535 IAJ=65535',
        'Signal: SL=127 NL=127 RERL=127',
        'QualityEst: RCQ=127 MOSCQ=127',
        'PacketLoss: NLR=127 JDR=127',
      ),
    );
    expect(read?.kind).toBe('session');
    expect(Object.values(read?.localMetrics ?? {}).filter((value) => value !== null)).toEqual([]);
    const known = readPhoneReport(report('VQIntervalReport', 'LocalMetrics:', 'QualityEst: RCQ=82'));
    expect(known?.localMetrics).toMatchObject({ rCq: 82, rLq: null });
  });

  test('a port behind the address; zeros for want of data (web phones)', () => {
    const read = readPhoneReport(
      report(
        'VQSessionReport: CallTerm',
        'CallID: w',
        'LocalAddr: IP=192.0.2.1:49194 SSRC=0x1',
        'LocalMetrics:',
        'Timestamps: START=0 STOP=0',
        'PacketLoss: NLR=0.0 JDR=0.0',
        'Delay: RTD=0 ESD=0 IAJ=0',
        'QualityEst: RLQ=0 RCQ=0 MOSLQ=0.0 MOSCQ=0.0',
      ),
    );
    expect(read?.local).toEqual({ address: '192.0.2.1', port: 49_194, ssrc: 1 });
    expect(read?.localMetrics).toMatchObject({ networkLossPercent: null, roundTripDelayMs: null, mosCq: null });
  });

  test('zeros over a time that was measured are zeros', () => {
    const read = readPhoneReport(
      report(
        'VQSessionReport: CallTerm',
        'LocalMetrics:',
        'Timestamps: START=2026-01-02T03:04:05Z STOP=2026-01-02T03:05:05Z',
        'PacketLoss: NLR=0.0 JDR=0.0',
      ),
    );
    expect(read?.localMetrics).toMatchObject({ networkLossPercent: 0, discardPercent: 0, mosLq: null });
  });

  describe('over a time that was covered', () => {
    const metricsOf = (...lines: readonly string[]) =>
      readPhoneReport(
        report(
          'VQSessionReport: CallTerm',
          'LocalMetrics:',
          'Timestamps: START=2026-01-02T03:04:05Z STOP=2026-01-02T03:05:05Z',
          ...lines,
        ),
      )?.localMetrics;

    test('zeros for want of data are not known, and no loss beside them is no measurement', () => {
      const metrics = metricsOf(
        'JitterBuffer: JBA=0 JBN=0 JBM=0 JBX=0',
        'PacketLoss: NLR=0.0 JDR=0.0',
        'BurstGapLoss: BLD=0.0 BD=0 GLD=0.0 GD=0 GMIN=16',
        'Delay: RTD=0 ESD=0 SOWD=0 IAJ=0 MAJ=0',
        'Signal: SL=0 NL=0 RERL=0',
        'QualityEst: RLQ=0 RCQ=0 EXTRI=0 MOSLQ=0.0 MOSCQ=0.0',
      );
      const { startAtMs, stopAtMs, gmin, ...rest } = metrics ?? {};
      expect([startAtMs, stopAtMs, gmin]).toEqual([Date.UTC(2026, 0, 2, 3, 4, 5), Date.UTC(2026, 0, 2, 3, 5, 5), 16]);
      expect(Object.values(rest).filter((value) => value !== null)).toEqual([]);
    });

    test.each([
      ['an opinion of 0', ['QualityEst: MOSLQ=0.0 MOSCQ=0']],
      ['a rating of 0', ['QualityEst: RLQ=0 RCQ=0']],
      ['a round trip of 0', ['Delay: RTD=0 IAJ=0']],
    ])('%s beside nothing but zeros', (_, lines) => {
      const metrics = metricsOf('PacketLoss: NLR=0.0 JDR=0.0', ...lines);
      expect(metrics).toMatchObject({
        networkLossPercent: null,
        discardPercent: null,
        rLq: null,
        roundTripDelayMs: null,
      });
    });

    test('beside what was measured, no loss is no loss', () => {
      expect(
        metricsOf('PacketLoss: NLR=0.0 JDR=0.0', 'Delay: RTD=0 ESD=0 IAJ=3', 'QualityEst: RLQ=0 MOSLQ=4.2'),
      ).toMatchObject({
        networkLossPercent: 0,
        discardPercent: 0,
        roundTripDelayMs: null,
        endSystemDelayMs: null,
        interarrivalJitterMs: 3,
        rLq: null,
        mosLq: 4.2,
      });
      expect(metricsOf('Signal: SL=0 NL=-60 RERL=30')).toMatchObject({ signalLevelDbm: 0, noiseLevelDbm: -60 });
    });

    test('the worst that can be is not taken for want of data', () => {
      expect(metricsOf('PacketLoss: NLR=60.0 JDR=0.0', 'QualityEst: RLQ=0 RCQ=0')).toMatchObject({
        networkLossPercent: 60,
        rLq: 0,
        rCq: 0,
      });
      expect(metricsOf('QualityEst: RLQ=0 RCQ=0 MOSLQ=1.0 MOSCQ=1.0')).toMatchObject({ rLq: 0, rCq: 0, mosLq: 1 });
    });
  });

  test('no Call-ID after a renegotiation, and fractions of 256 (Linphone)', () => {
    const lines = [
      'VQIntervalReport',
      'CallID: (null)',
      'LocalMetrics:',
      'PacketLoss: NLR=64.000000 JDR=12.8',
    ] as const;
    const byExtension = readPhoneReport(report(...lines, 'LinphoneExt: UA="Linphonec/5.1.65"'));
    const byUserAgent = readPhoneReport(report(...lines), 'Linphonec/5.1.65');
    const another = readPhoneReport(report(...lines), 'Yealink SIP-T46S 66.86.0.15');
    expect(byExtension).toMatchObject({ callId: null, localMetrics: { networkLossPercent: 25, discardPercent: 5 } });
    expect(byUserAgent?.localMetrics.networkLossPercent).toBe(25);
    expect(another?.localMetrics.networkLossPercent).toBe(64);
  });

  test('41 for 4.1, and R of a wideband codec', () => {
    const read = readPhoneReport(report('VQSessionReport', 'LocalMetrics:', 'QualityEst: RLQ=107 MOSLQ=41 MOSCQ=5.1'));
    expect(read?.localMetrics).toMatchObject({ rLq: 107, mosLq: 4.1, mosCq: null });
  });

  test('an alert names its metric', () => {
    const read = readPhoneReport(
      report('VQAlertReport: Type=NLR Severity=Critical Dir=local', 'LocalMetrics:', 'PacketLoss: NLR=12.5 JDR=1'),
    );
    expect(read?.alert).toEqual({ metric: 'nlr', severity: 'critical', direction: 'local' });
    expect(read?.localMetrics.networkLossPercent).toBe(12.5);
  });
});

describe('what is no report', () => {
  test.each([
    ['nothing', ''],
    ['another text', 'Hello: world\r\nLocalMetrics:\r\nPacketLoss: NLR=1\r\n'],
    ['one cut off before its metrics', report('VQSessionReport: CallTerm', 'CallID: x', 'LocalAddr: IP=192.0.2.1')],
  ])('%s', (_, text) => {
    expect(readPhoneReport(text)).toBeUndefined();
  });

  test('control characters do not come through', () => {
    const read = readPhoneReport(
      report('VQSessionReport', 'LocalID: a\u001b[2Jb', 'LocalMetrics:', 'PacketLoss: NLR=1'),
    );
    expect(read?.localId).toBeNull();
    expect(read?.localMetrics.networkLossPercent).toBe(1);
  });

  test('a report that is cut anywhere gives what it has, or nothing, and no value out of range', () => {
    const whole =
      readFileSync(join(GOLDEN, '024-PUBLISH-VQSessionReportCallTerm.txt'), 'utf8').split('\r\n\r\n')[1] ?? '';
    fc.assert(
      fc.property(fc.nat(whole.length), fc.string({ unit: 'binary', maxLength: 40 }), (end, junk) => {
        const read = readPhoneReport(whole.slice(0, end) + junk);
        const mos = read?.localMetrics.mosLq ?? 1;
        expect(mos).toBeGreaterThanOrEqual(1);
        expect(mos).toBeLessThanOrEqual(5);
      }),
    );
  });
});

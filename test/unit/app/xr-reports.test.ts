import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { CompanionContext } from '../../../src/app/companions/companion.ts';
import { phoneReports } from '../../../src/app/companions/phone-reports.ts';
import { xrReports } from '../../../src/app/companions/xr-reports.ts';
import { createLog } from '../../../src/app/state/log.ts';
import type { XrReport } from '../../../src/app/capture/xr-report-source.ts';
import { loadSettings } from '../../../src/config/settings.ts';
import { openHistory } from '../../../src/history/history.ts';
import { decodeXrBlocks } from '../../../src/wire/rtcp/rtcp-xr.ts';
import { byeReport, readRtpStat } from '../../../src/wire/sip/rtp-stat.ts';
import { xrPhoneReport } from '../../../src/wire/rtcp/xr-phone-report.ts';
import { local, remote, reportBlock, Script } from '../calls/script.ts';
import { routeRequest } from '../api/route-request.ts';

const YEAR_MS = 365 * 86_400_000;
const CALL = { name: 'PJSIP/alice-00000001', linkedid: '1' } as const;

/** RFC 3611 §4.7's block by hand: lost 1/256, thrown away `discardQ8` of 256, R 60, MOS-LQ 3.1. */
function report(discardQ8: number, stopAtMs: number, startAtMs: number): XrReport {
  const digits = `070000080000000a01${discardQ8.toString(16).padStart(2, '0')}000000000000003c00007f7f7f103c7f1f1f2000003c00780078`;
  const bytes = Buffer.from(digits, 'hex');
  const [block] = decodeXrBlocks(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0, bytes.length) ?? [];
  if (block?.kind !== 'voip-metrics') throw new Error('the bytes are not what they should be');
  const measured = { startAtMs, stopAtMs, payloadType: 0, codec: 'ulaw' };
  const received = {
    report: xrPhoneReport(block, measured),
    atMs: stopAtMs,
    fromAddress: '192.0.2.1',
    userAgent: null,
  };
  return { type: 'xr-report', atMs: stopAtMs, uniqueid: '1', received };
}

test('what a phone says in RTCP XR is another witness: the latest is kept, and names the phone as the place of the fault', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'mes-xr-'));
  const clock = { nowMs: () => Date.now() };
  const history = await openHistory({
    path: join(folder, 'mes.sqlite'),
    keepIntervalsMs: YEAR_MS,
    keepCallsMs: YEAR_MS,
    clock,
  });
  const settings = loadSettings('[ami]\nusername = m\nsecret = s\n[capture]\nenabled = yes\n', 'mes.conf', {});
  const script = new Script();
  const { board } = script;
  const context = { settings, log: createLog('silent'), clock, history, calls: history, live: board };
  const companion = xrReports(context as unknown as CompanionContext);
  try {
    script.atMs = Date.now();
    const startAtMs = script.atMs;
    script.up('1', CALL).codecs('1', 'ulaw');
    for (let n = 1; n <= 4; n++) {
      script.wait(5);
      script.rtcp('1', local(reportBlock(n * 250, 0, { sourceSsrc: 0xa1 }), { senderSsrc: 0x0a }), CALL);
      script.rtcp('1', remote(reportBlock(n * 250, 0, { sourceSsrc: 0x0a }), { rttMs: 20 }), CALL);
      for (const event of [report(n * 3, script.atMs, startAtMs)]) {
        board.handle(event);
        companion?.take?.(event);
      }
    }
    expect(companion?.counters?.()).toEqual({ taken: 4, notKept: 0, waiting: 1 });
    const said = readRtpStat('PR=980;PS=1000;PL=20,0;JI=2.0,4.0;DE=PCMU/8000|');
    if (said === undefined) throw new Error('the header says nothing');
    companion.take?.(byeReport('1', said, script.atMs));
    script.hangup('1', CALL);
    for (const change of script.drain()) history.record(change);
    await companion?.stop?.();

    const [shown] = phoneReports(context as unknown as CompanionContext).routes ?? [];
    // Stored within a quarter of a second.
    const ended = async (): Promise<boolean> => ((await history.channel('1'))?.endedAtMs ?? null) !== null;
    while (!(await ended())) await new Promise((resolve) => setTimeout(resolve, 5));
    const answer = shown?.answer.parse(await shown.handle(routeRequest({}, '1')));
    expect(answer).toMatchObject({
      uniqueid: '1',
      phone: { reports: 4, mos_lq: 3.1 },
      reports: [
        {
          kind: 'xr',
          joined_by: 'rtcp',
          from_phone: true,
          from_address: '192.0.2.1',
          tx: {
            ssrc: '0x0000000a',
            loss_rate: 0.003906,
            discard_rate: 0.046875,
            r_factor: 60,
            round_trip_delay_ms: 60,
          },
        },
        { kind: 'bye', joined_by: 'bye', from_phone: true, tx: { loss_rate: 0.02, interarrival_jitter_ms: 2 } },
      ],
    });
    const channel = await history.channel('1');
    const tx = channel?.streams.find(({ direction }) => direction === 'tx');
    expect(tx?.verdict).toBe('good');
    // 12 of 256 are 4.7 %.
    expect(tx?.why).toMatch(/threw away 4\.7 %/);
    expect(tx?.why).not.toMatch(/The audio to PJSIP\/alice was fine/);
  } finally {
    await history.close();
    rmSync(folder, { recursive: true });
  }
});

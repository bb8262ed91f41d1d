import { describe, expect, test } from 'vitest';
import { newChannel } from '../../../src/calls/channels/channel-state.ts';
import { readResume, RESUME_FIELDS, writeResume } from '../../../src/calls/again/resume.ts';
import { Tally } from '../../../src/calls/directions/tally.ts';
import type { ResumableChannel } from '../../../src/model/ports.ts';
import { local, remote, reportBlock, Script } from './script.ts';

const SNAPSHOT = { uniqueid: '1', linkedid: '1', name: 'PJSIP/a-1', stateNumber: 6 };

/** Of a channel with eight reports of each direction, the row and the reports, and a state that is not read. */
function interrupted(resume: string | null) {
  const before = new Script().up('1').codecs('1', 'ulaw');
  for (let n = 1; n <= 8; n++) {
    before.wait(5).rtcp('1', local(reportBlock(250 * n, 5 * n, { jitterTicks: 80 })));
    before.rtcp('1', remote(reportBlock(250 * n, 10 * n), { rttMs: 40 }));
  }
  const intervals = before.stored().flatMap((change) => (change.kind === 'interval' ? [change.interval] : []));
  const resumable: ResumableChannel = { channel: before.channel('1'), resume, laterIntervals: intervals };
  const after = new Script();
  after.atMs = before.atMs;
  after.board.restore([resumable]);
  return { before, after };
}

describe('the state to go on from', () => {
  test('names every field of a state, also those of its rows of numbers', () => {
    const state = newChannel(SNAPSHOT, 0, 0, false);
    const inText = JSON.parse(writeResume(state).state) as { state: Record<string, object> };
    const { state: stored } = inText;
    const rx = stored['rx'] as Record<string, object>;
    const names = [stored, rx, rx['segment'] ?? {}, rx['total'] ?? {}].flatMap((part) => Object.keys(part));
    const ofRows = [...state.rx.names, ...state.rx.total.names, ...Object.keys(Tally.places)];
    expect(ofRows.length).toBeGreaterThan(30);
    const missing = [...names, ...ofRows].filter((name) => name !== 'values' && !RESUME_FIELDS.includes(name));
    expect(missing).toEqual([]);
    expect(RESUME_FIELDS).not.toContain('published');
  });

  test('of other fields, or broken, is not read', () => {
    const { state } = writeResume(newChannel(SNAPSHOT, 0, 0, false));
    expect(readResume(state, '1')?.name).toBe('PJSIP/a-1');
    const { format } = JSON.parse(state) as { format: string };
    expect(format).toMatch(/^[0-9a-f]{1,8}$/);
    expect(readResume(state.replace(format, '13'), '1')).toBeUndefined();
    expect(readResume(state.slice(0, -5), '1')).toBeUndefined();
    expect(readResume(state, '2')).toBeUndefined();
  });

  test.each([null, '{"format":11,"state":{}}', 'not JSON'])(
    '%j instead: the channel is made up from its row and its reports, and goes on behind them',
    (resume) => {
      const { before, after } = interrupted(resume);
      const [was, is] = [before, after].map((script) => script.board.current.channelNow('1'));
      expect(is?.streams.map(({ reports }) => reports)).toEqual([8, 8]);
      for (const name of ['name', 'callerNumber', 'startedAtMs', 'answeredAtMs', 'mes', 'mesRx', 'mesTx'] as const) {
        expect(is?.[name]).toEqual(was?.[name]);
      }
      expect(is?.streams.map(({ packetsLost }) => packetsLost)).toEqual(
        was?.streams.map(({ packetsLost }) => packetsLost),
      );
      after.wait(5).rtcp('1', local(reportBlock(2250, 45)));
      expect(after.intervals('1', 'rx').map(({ reportNumber }) => reportNumber)).toEqual([9]);
      expect(after.board.current.channelNow('1')?.streams[0]?.reports).toBe(9);
    },
  );

  test('no report is stored before the channel that it is of; once that is, reports go at once', () => {
    const atOnce: number[] = [];
    const script = new Script(undefined, ({ reportNumber }) => atOnce.push(reportNumber)).up('1');
    script.wait(1).rtcp('1', local(reportBlock(50, 0)));
    script.wait(1).rtcp('1', local(reportBlock(100, 0)));
    expect(atOnce).toEqual([]);
    const changes = script.board.drain(script.atMs);
    const kinds = changes.map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind === 'interval')).toHaveLength(2);
    expect(kinds.indexOf('channel')).toBeGreaterThanOrEqual(0);
    expect(kinds.indexOf('channel')).toBeLessThan(kinds.indexOf('interval'));
    script.wait(1).rtcp('1', local(reportBlock(150, 0)));
    expect(atOnce).toEqual([3]);
    expect(script.board.drain(script.atMs).map(({ kind }) => kind)).not.toContain('interval');
  });
});

import { expect, test, vi } from 'vitest';
import { LiveCapture, type LiveCaptureState } from '../../../src/capture/live-capture.ts';

// More in one argument than the system takes: such as ENOMEM, this is thrown and comes by no event.
const TOO_LONG = 'x'.repeat(200_000);

test.each([
  ['that is not there', ['tcpdump-that-is-not-here'], 'there is no program tcpdump; install the package of that name'],
  [
    'that may not be run',
    ['/dev/null'],
    'tcpdump cannot be started (EACCES); see that the user of asterisk-mes may run it',
  ],
  ['that the system refuses at once', ['echo', TOO_LONG], 'tcpdump cannot be started (E2BIG); see that'],
] as const)('a tcpdump %s: one sentence, said once, and it is tried again', async (_, command, sentence) => {
  const states: LiveCaptureState[] = [];
  const live = new LiveCapture({
    interface: 'lo',
    ports: { from: 39_300, to: 39_301 },
    take: () => undefined,
    onState: (state) => states.push(state),
    random: () => 0,
    command,
    backOffMinMs: 2,
  });
  live.start();
  await vi.waitFor(() => expect(live.restarts).toBeGreaterThanOrEqual(2), { timeout: 10_000 });
  await live.stop();
  expect(states).toEqual([{ status: 'waiting', problem: expect.stringContaining(sentence) }]);
  expect(states).toEqual([{ status: 'waiting', problem: expect.stringMatching(/^Packets are not captured: .*\.$/) }]);
});

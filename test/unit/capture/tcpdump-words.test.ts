import { expect, test } from 'vitest';
import { droppedByKernel, isListening, packetsCaptured, tcpdumpProblem } from '../../../src/capture/tcpdump-words.ts';

/** As tcpdump 4.99.3 prints them. */
const LISTENING = 'tcpdump: listening on lo, link-type EN10MB (Ethernet), snapshot length 128 bytes\n';
const ASKED = 'tcpdump: 3 packets captured, 6 packets received by filter, 1 packet dropped by kernel\n';
const LAST = '3 packets captured\n6 packets received by filter\n17 packets dropped by kernel\n';

test('packets that the kernel dropped: the latest count', () => {
  expect(droppedByKernel(LISTENING)).toBeUndefined();
  expect(droppedByKernel(LISTENING + ASKED)).toBe(1);
  expect(droppedByKernel(LISTENING + ASKED + LAST)).toBe(17);
});

test('packets that it has captured: the latest count', () => {
  expect(packetsCaptured(LISTENING)).toBeUndefined();
  expect(packetsCaptured(LISTENING + ASKED + LAST.replace('3', '41'))).toBe(41);
});

test('whether it captures', () => {
  expect([isListening(''), isListening(LISTENING)]).toEqual([false, true]);
});

test('each trouble in one sentence that says what to do', () => {
  const forbidden = `tcpdump: any: You don't have permission to perform this capture on that device\n(socket: Operation not permitted)\n`;
  expect(tcpdumpProblem(forbidden, 'any', 1)).toMatch(
    /^Packets are not captured: .* run "setcap cap_net_raw,cap_net_admin=eip .* group\.$/,
  );
  expect(tcpdumpProblem('tcpdump: eth9: No such device exists\n(No such device exists)\n', 'eth9', 1)).toBe(
    'Packets are not captured: there is no interface eth9; name one in [capture] interface, or any.',
  );
  expect(tcpdumpProblem(`${LISTENING}tcpdump: pcap_loop: The interface disappeared\n${LAST}`, 'ppp0', 1)).toBe(
    'Packets are not captured: tcpdump ended with 1 (tcpdump: pcap_loop: The interface disappeared).',
  );
  expect(tcpdumpProblem(LISTENING, 'any', 'SIGKILL')).toBe('Packets are not captured: tcpdump ended with SIGKILL.');
  expect(tcpdumpProblem('', 'any', null)).toBe('Packets are not captured: tcpdump ended with no status.');
});

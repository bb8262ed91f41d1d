import { expect, test } from 'vitest';
import { deviceText } from '../../../src/model/phones/device.ts';
import { readUserAgent } from '../../../src/wire/user-agent.ts';

test.each([
  ['Yealink SIP-T54W 96.86.0.100', 'Yealink', 'SIP-T54W', '96.86.0.100'],
  ['Yealink SIP-T46S 66.86.0.15 001565aabbcc', 'Yealink', 'SIP-T46S', '66.86.0.15'],
  ['Grandstream GXP2160 1.0.11.6', 'Grandstream', 'GXP2160', '1.0.11.6'],
  ['Fanvil X4U 2.12.1.7', 'Fanvil', 'X4U', '2.12.1.7'],
  ['PolycomVVX-VVX_411-UA/5.9.0.9373', 'Poly', 'VVX 411', '5.9.0.9373'],
  ['PolyEdge-Edge_E320-UA/8.0.1.12345', 'Poly', 'Edge E320', '8.0.1.12345'],
  ['snomD785/10.1.73.16', 'Snom', 'D785', '10.1.73.16'],
  ['Cisco/SPA504G-7.6.2', 'Cisco', 'SPA504G', '7.6.2'],
  ['Cisco-CP-8841-3PCC/11.3.1', 'Cisco', 'CP-8841-3PCC', '11.3.1'],
  ['Gigaset N510 IP PRO/42.250.00', 'Gigaset', 'N510 IP PRO', '42.250.00'],
  ['Panasonic_KX-HDV230/08.104', 'Panasonic', 'KX-HDV230', '08.104'],
  ['Linphonec/5.1.65', 'Linphonec', null, '5.1.65'],
  ['baresip v1.0.0 (x86_64/linux)', 'baresip', null, '1.0.0'],
  ['MicroSIP/3.21.3', 'MicroSIP', null, '3.21.3'],
  ['Asterisk PBX 22.10.1+dfsg', 'Asterisk', 'PBX', '22.10.1+dfsg'],
  ['friendly-scanner', 'friendly-scanner', null, null],
  ['<script>alert(1)</script>', null, null, null],
  ['', null, null, null],
])('%s', (text, make, model, firmware) => {
  expect(readUserAgent(text)).toEqual({ make, model, firmware });
});

test('no part is longer than a screen has room for, and hostile text takes no time', () => {
  const long = readUserAgent(`${'a'.repeat(5000)}/${'1'.repeat(5000)}`);
  expect([long.make?.length, long.firmware?.length]).toEqual([40, 40]);
  const before = process.threadCpuUsage();
  for (const text of [
    'Poly'.repeat(3000),
    'A '.repeat(5000),
    `Cisco-${'CP-'.repeat(3000)}`,
    `Yealink ${'A '.repeat(4000)}`,
  ])
    readUserAgent(text);
  expect(process.threadCpuUsage(before).user / 1000).toBeLessThan(500);
});

test('a device is named in one line, and one that says nothing not at all', () => {
  expect(deviceText({ make: 'Yealink', model: 'SIP-T54W', firmware: '96.86.0.100' })).toBe(
    'Yealink SIP-T54W 96.86.0.100',
  );
  expect(deviceText({ make: 'Linphonec', model: null, firmware: '5.1.65' })).toBe('Linphonec 5.1.65');
  expect(deviceText({ make: null, model: null, firmware: null })).toBeNull();
});

import { expect, test } from 'vitest';
import { withStoredEndpoints } from '../../../src/app/settings/stored-endpoints.ts';
import { loadSettings, type Settings } from '../../../src/config/settings.ts';

function settingsWith(numbers: string): Settings {
  return loadSettings(
    `[ami]
username = m
secret = s
[history]
numbers = ${numbers}
[measurements]
endpoints = PJSIP/+4930555101, PJSIP/alice
[alert:loss]
endpoint = PJSIP/4930555101, PJSIP/4930555101*, PJSIP/carrier*, *
[endpoint:PJSIP/4930555101]
advantage = 10
[endpoint:PJSIP/mobile*]
advantage = 5
[endpoint:device:Yealink SIP-T54W 96860*]
advantage = 3
`,
    'mes.conf',
    {},
  );
}

const used = ({ alerts, measurements, endpoints }: Settings) => ({
  alert: alerts.rules.find(({ name }) => name === 'loss')?.endpoints,
  measured: measurements.endpoints,
  advantages: endpoints.map(({ pattern, advantage }) => [pattern, advantage]),
});

test('endpoints of mes.conf are looked for as they are stored, where numbers are masked', () => {
  expect(used(withStoredEndpoints(settingsWith('masked')))).toEqual({
    alert: ['PJSIP/*******101', 'PJSIP/*******101*', 'PJSIP/carrier*', '*'],
    measured: ['PJSIP/********101', 'PJSIP/alice'],
    advantages: [
      ['PJSIP/*******101', 10],
      ['PJSIP/mobile*', 5],
      ['device:Yealink SIP-T54W 96860*', 3],
    ],
  });
});

test('they stay as they are, where numbers are', () => {
  const settings = settingsWith('clear');
  expect(withStoredEndpoints(settings)).toEqual(settings);
});

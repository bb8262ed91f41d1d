import { expect, test } from 'vitest';
import { CallCapture } from '../../../src/app/call-capture.ts';
import { snapshot } from '../calls/script.ts';

test('a new channel is asked for its addresses and codecs once; after a reconnect the codecs are known', () => {
  const asked: string[] = [];
  const capture = new CallCapture({
    settings: { enabled: true, interface: 'any', ports: { lowest: 10_000, highest: 20_000 } },
    onCaptured: () => {},
    askAddresses: (uniqueid) => asked.push(`${uniqueid} addresses`),
    askCodecs: (uniqueid) => asked.push(`${uniqueid} codecs`),
    onState: () => {},
    nowMs: () => 0,
    random: () => 0,
  });
  const newChannel = { type: 'channel', atMs: 0, channel: snapshot('1') } as const;
  capture.take(newChannel);
  capture.take(newChannel);
  expect(asked.splice(0)).toEqual(['1 addresses', '1 codecs']);
  const channels = [
    { ...snapshot('1'), codecs: { rx: 'opus', tx: 'opus' } },
    { ...snapshot('2', { stateNumber: 5 }), codecs: { rx: null, tx: null } },
  ];
  capture.take({ type: 'resync', atMs: 0, channels });
  capture.take(newChannel);
  expect(asked.splice(0)).toEqual(['1 addresses']);
  capture.take({ type: 'channel', atMs: 0, channel: snapshot('2') });
  expect(asked).toEqual(['2 addresses', '2 codecs']);
});

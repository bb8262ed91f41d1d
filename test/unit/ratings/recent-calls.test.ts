import { expect, test } from 'vitest';
import type { ExistingChannel } from '../../../src/model/event.ts';
import { RecentCalls } from '../../../src/ratings/recent-calls.ts';
import { channelRecord, START_MS } from '../history/records.ts';

const NOBODY = { liveCount: 0, liveUniqueids: () => [], liveChannel: () => null, liveMedia: () => null };
const UP = 6;
const RINGING = 5;

function channel(uniqueid: string, stateNumber = UP): ExistingChannel {
  return {
    uniqueid,
    linkedid: uniqueid,
    name: `PJSIP/alice-0000${uniqueid}`,
    stateNumber,
    callerNumber: '101',
    callerName: '',
    connectedNumber: '',
    connectedName: '',
    exten: '200',
    codecs: { rx: null, tx: null },
  };
}

test('the last call is known as soon as it is hung up, if it was answered', () => {
  const recent = new RecentCalls(NOBODY);
  const end = (uniqueid: string, atMs: number): void =>
    recent.take({ type: 'hangup', atMs, channel: channel(uniqueid) });
  recent.take({ type: 'channel', atMs: START_MS, channel: channel('1', RINGING) });
  end('1', START_MS + 1000);
  expect(recent.lastOf('PJSIP/alice', START_MS + 1000)).toBeUndefined();
  recent.take({ type: 'channel', atMs: START_MS, channel: channel('2') });
  expect(recent.lastOf('PJSIP/alice', START_MS + 1000)).toBeUndefined();
  end('2', START_MS + 2000);
  const second = { linkedid: '2', uniqueid: '2', endedAtMs: START_MS + 2000 };
  expect(recent.lastOf('PJSIP/alice', START_MS + 2000)).toEqual(second);
  expect(recent.lastOf('PJSIP/alice', START_MS + 602_000)).toEqual(second);
  expect(recent.lastOf('PJSIP/alice', START_MS + 602_001)).toBeUndefined();
  expect(recent.lastOf('PJSIP/bob', START_MS + 2000)).toBeUndefined();
});

test('an older call that is told of once more is not the last, nor is one that only rated another', () => {
  const recent = new RecentCalls(NOBODY);
  recent.take({ type: 'resync', atMs: START_MS, channels: [channel('2'), channel('3')] });
  recent.take({ type: 'hangup', atMs: START_MS + 2000, channel: channel('2') });
  const first = { endedAtMs: START_MS + 1000, answeredAtMs: START_MS };
  recent.channelEnded(channelRecord('1', first));
  recent.leaveOut('3');
  recent.take({ type: 'hangup', atMs: START_MS + 3000, channel: channel('3') });
  recent.channelEnded(channelRecord('3', { ...first, endedAtMs: START_MS + 3000 }));
  expect(recent.lastOf('PJSIP/alice', START_MS + 4000)).toMatchObject({ uniqueid: '2' });
  recent.channelEnded(channelRecord('4', { endedAtMs: START_MS + 3000, answeredAtMs: null }));
  expect(recent.lastOf('PJSIP/alice', START_MS + 4000)).toMatchObject({ uniqueid: '2' });
  recent.channelEnded(channelRecord('5', { ...first, endedAtMs: START_MS + 3500 }));
  expect(recent.lastOf('PJSIP/alice', START_MS + 4000)).toMatchObject({ uniqueid: '5' });
});

import { describe, expect, test } from 'vitest';
import { type OnVideo, VideoFilter } from '../../../src/calls/media/video-filter.ts';
import type { PbxEvent } from '../../../src/model/event.ts';
import { local, remote, reportBlock, snapshot } from './script.ts';

/** Ports of a call with audio and H.264 on 22.10.1, whose video reported first. */
const AUDIO = '127.0.0.1:20048';
const AUDIO_RTCP = '127.0.0.1:20049';
const VIDEO = '127.0.0.1:20000';
const VIDEO_RTCP = '127.0.0.1:20001';

const channel = snapshot('1', { name: 'PJSIP/alice-00000001' });
const up: PbxEvent = { type: 'channel', atMs: 0, channel };
const end: PbxEvent = { type: 'hangup', atMs: 0, channel };

function report(ownAddress: string | undefined, isLocal = true): PbxEvent {
  const told = isLocal ? local(reportBlock(250, 0)) : remote(reportBlock(250, 0));
  const addresses = { protocol: 'rtcp', local: ownAddress, remote: '127.0.0.2:25079' } as const;
  return { type: 'rtcp', atMs: 0, channel, report: told, addresses };
}

function filter(): { filter: VideoFilter; asked: string[]; answer: OnVideo } {
  const asked: string[] = [];
  let latest: OnVideo | undefined;
  const video = new VideoFilter((uniqueid, onVideo) => {
    asked.push(uniqueid);
    latest = onVideo;
  });
  return { filter: video, asked, answer: (...addresses) => latest?.(...addresses) };
}

describe('reports about video', () => {
  test('are set aside and counted, also when they come first; those about audio are not', () => {
    const { filter: video, asked, answer } = filter();
    expect(video.admits(up)).toBe(true);
    expect(asked).toEqual(['1']);
    answer(AUDIO, VIDEO);
    const events = [report(VIDEO_RTCP, false), report(AUDIO_RTCP, false), report(VIDEO_RTCP), report(AUDIO_RTCP)];
    expect(events.map((event) => video.admits(event))).toEqual([false, true, false, true]);
    expect(video.counters).toEqual({ reportsSetAside: 2 });
  });

  test('that are multiplexed with the video itself are known, too', () => {
    const { filter: video, answer } = filter();
    video.admits(up);
    answer(AUDIO, VIDEO);
    expect([report(VIDEO), report(AUDIO)].map((event) => video.admits(event))).toEqual([false, true]);
  });

  test.each([
    ['there is none', AUDIO, undefined],
    ['it shares the port of the audio', AUDIO, AUDIO],
    ['Asterisk cannot tell', undefined, undefined],
    ['the answer is none', AUDIO, 'nowhere'],
  ])('are none where %s', (_what, audio, video) => {
    const { filter: none, answer } = filter();
    none.admits(up);
    answer(audio, video);
    expect([AUDIO_RTCP, AUDIO, VIDEO_RTCP, undefined].map((own) => none.admits(report(own)))).toEqual([
      true,
      true,
      true,
      true,
    ]);
    expect(none.counters.reportsSetAside).toBe(0);
  });

  test('are asked for once more when reports come by another port, and no more after that', () => {
    const { filter: video, asked, answer } = filter();
    video.admits(up);
    for (let n = 0; n < 3; n++) video.admits(report(AUDIO_RTCP));
    expect(asked).toEqual(['1']);
    for (let n = 0; n < 3; n++) video.admits(report(VIDEO_RTCP));
    expect(asked).toEqual(['1', '1']);
    answer(AUDIO, VIDEO);
    expect(video.admits(report(VIDEO_RTCP))).toBe(false);
  });

  test('of a channel that was up before we came are asked for, of one that has ended no more', () => {
    const { filter: video, asked, answer } = filter();
    const ringing = snapshot('2', { name: 'PJSIP/bob-00000002', stateNumber: 5 });
    const bend = snapshot('3', { name: 'Local/7@x-00000001;1' });
    const codecs = { rx: null, tx: null };
    const channels = [channel, ringing, bend].map((each) => ({ ...each, codecs }));
    expect(video.admits({ type: 'resync', atMs: 0, channels })).toBe(true);
    expect(asked).toEqual(['1']);
    expect(video.admits(end)).toBe(true);
    answer(AUDIO, VIDEO);
    expect(video.admits(report(VIDEO_RTCP))).toBe(true);
    expect(asked).toEqual(['1', '1']);
  });
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ChannelQuestions } from '../../../src/app/asterisk/channel-questions.ts';
import type { CompanionContext } from '../../../src/app/companions/companion.ts';
import { Companions } from '../../../src/app/companions/companions.ts';
import { createLog } from '../../../src/app/state/log.ts';
import { VideoFilter } from '../../../src/calls/media/video-filter.ts';
import { loadSettings } from '../../../src/config/settings.ts';
import type { PbxEvent } from '../../../src/model/event.ts';
import { AmiParser } from '../../../src/wire/ami/ami.ts';
import { readPbxEvent } from '../../../src/wire/ami/ami-event.ts';
import { RTCP_EVENT } from '../../../src/wire/ami/ami-rtcp.ts';
import { messagesIn } from '../../lab/ami-messages.ts';
import { collectGarbage } from '../../lab/collect-garbage.ts';
import { Script } from '../calls/script.ts';

const CALLS = 200;
/** About what one read of a socket brings. */
const READ_CHARACTERS = 128 * 1024;
/** Some 20 KB for each call; to keep what was read with it would be 26 MB. */
const MOST_KEPT_MB = 10;

const RECORDED = readFileSync(join(import.meta.dirname, '../../golden/ami/22-lossy-call.txt'), 'utf8');
const REPORTS = 12;
/** From the first channel to some reports, without the hang-ups: what is kept of a channel is kept while it is up. */
const BEGINNING = RECORDED.slice(RECORDED.indexOf('Event: Newchannel'))
  .split('Event: RTCP', REPORTS)
  .join('Event: RTCP');

/** The events of one call, cut from texts as long as a read. V8 copies texts of up to 12 characters: these ids have a `systemname`. */
function eventsOf(call: number): PbxEvent[] {
  const own = BEGINNING.replaceAll('1795172529.', `pbx1-${1_800_000_000 + call}.`);
  const other = `Event: Other\r\nPadding: ${'x'.repeat(1000)}\r\n\r\n`;
  const read = own + other.repeat((READ_CHARACTERS - own.length) / other.length);
  const events = messagesIn(read, new AmiParser(RTCP_EVENT)).map((message) => readPbxEvent(message, Date.now()));
  return events.filter((event) => event !== undefined && event !== 'malformed');
}

function usedMb(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed / 1e6;
}

const silent = createLog('silent');
const nowMs = (): number => Date.now();
/** Every value that Asterisk answers with. */
const getVariable = async (): Promise<string> => '192.0.2.1:5060';

function companions(): (event: PbxEvent) => void {
  const settings = loadSettings(
    '[ami]\nusername = mes\nsecret = secret\n[ratings]\nenabled = yes\n[phone_reports]\nbind = 127.0.0.1:15060\n[fleet]\nurl = http://127.0.0.1:1\ntoken = t\n',
    'mes.conf',
    {},
  );
  const { board } = new Script();
  const features = { read: async () => null, write: async () => [] };
  const all = new Companions({
    settings,
    log: silent,
    clock: { nowMs },
    history: { features },
    calls: {},
    live: board,
    actions: { connected: true, getVariable, send: async () => ({}) },
    asteriskVersion: () => '22.10.1',
  } as unknown as CompanionContext);
  return (event) => {
    all.take(event);
    all.tick(nowMs());
  };
}

function questions(): (event: PbxEvent) => void {
  const asking = new ChannelQuestions({
    actions: { connected: true, getVariable },
    events: { askCodecs: () => {} },
    ari: { connected: true, rtpStatistics: async () => undefined },
    onAnswer: () => {},
    nowMs,
  });
  return (event) => {
    if (!('channel' in event)) return;
    asking.askCounters(event.channel.uniqueid);
    asking.askVideo(event.channel.uniqueid, () => {});
  };
}

const TAKERS: Readonly<Record<string, () => (event: PbxEvent) => void>> = {
  calls: () => {
    const { board } = new Script();
    return (event) => board.handle(event);
  },
  'video filter': () => {
    const video = new VideoFilter(() => {});
    return (event) => void video.admits(event);
  },
  companions,
  questions,
};

test.each(Object.entries(TAKERS))(
  '%s: of an event no text is kept that keeps all that was read with it',
  async (_, make) => {
    const take = make();
    for (const event of eventsOf(CALLS)) take(event);
    await new Promise((resolve) => setTimeout(resolve, 5));
    const beforeMb = usedMb();
    let events = 0;
    for (let call = 0; call < CALLS; call++) {
      for (const event of eventsOf(call)) {
        take(event);
        events++;
      }
      if (call % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    const keptMb = usedMb() - beforeMb;
    expect(events).toBeGreaterThan(20 * CALLS);
    expect(keptMb).toBeLessThan(MOST_KEPT_MB);
    // What took them is in use until here.
    for (const event of eventsOf(CALLS)) take(event);
  },
);

import { expect, test } from 'vitest';
import { ChannelQuestions } from '../../../src/app/asterisk/channel-questions.ts';
import type { PbxEvent } from '../../../src/model/event.ts';

/** Under way at the same time, over all channels. */
const MOST_AT_ONCE = 50;

/** An Asterisk that answers when told to. */
class SlowAsterisk {
  readonly connected = true;
  readonly asked: string[] = [];
  readonly #answers: ((value: string | undefined) => void)[] = [];

  getVariable(uniqueid: string, name: string): Promise<string | undefined> {
    this.asked.push(`${uniqueid} ${name}`);
    return new Promise((resolve) => this.#answers.push(resolve));
  }

  askCodecs(uniqueid: string): void {
    this.asked.push(`${uniqueid} codecs`);
  }

  rtpStatistics(uniqueid: string): Promise<undefined> {
    this.asked.push(`${uniqueid} counters`);
    return Promise.resolve(undefined);
  }

  /** Empty: the variable is not set. */
  answerAll(value = '198.51.100.1:12000'): void {
    for (const answer of this.#answers.splice(0)) answer(value === '' ? undefined : value);
  }
}

/** Until a channel's video is asked for. */
function tick(questions: ChannelQuestions, ticks = 3): void {
  for (let count = 0; count < ticks; count++) questions.tick();
}

function makeQuestions(asterisk: SlowAsterisk, answers: PbxEvent[]): ChannelQuestions {
  return new ChannelQuestions({
    actions: asterisk,
    events: asterisk,
    ari: asterisk,
    nowMs: () => 1_790_000_000_000,
    onAnswer: (event) => answers.push(event),
  });
}

test('what is asked only once waits for its turn; counters are asked for again at a later report', async () => {
  const asterisk = new SlowAsterisk();
  const [answers, videos]: [PbxEvent[], string[]] = [[], []];
  const questions = makeQuestions(asterisk, answers);
  for (let n = 1; n <= MOST_AT_ONCE + 10; n++) questions.askAddresses(`a${n}`);
  questions.askVideo('v', () => videos.push('v'));
  tick(questions);
  questions.askCounters('c');
  expect(asterisk.asked).toHaveLength(2 * MOST_AT_ONCE);
  expect(asterisk.asked).not.toContain('c counters');
  asterisk.answerAll();
  await expect.poll(() => asterisk.asked).toHaveLength(2 * (MOST_AT_ONCE + 10) + 1);
  asterisk.answerAll();
  await expect.poll(() => asterisk.asked.slice(-1)).toEqual(['v CHANNEL(rtp,src,video)']);
  asterisk.answerAll();
  await expect.poll(() => asterisk.asked.slice(-1)).toEqual(['v CHANNEL(rtp,src,audio)']);
  asterisk.answerAll();
  await expect.poll(() => videos).toEqual(['v']);
  await expect.poll(() => answers).toHaveLength(MOST_AT_ONCE + 10);
  expect(new Set(answers.map((event) => 'uniqueid' in event && event.uniqueid)).size).toBe(MOST_AT_ONCE + 10);
  questions.askCounters('c');
  expect(asterisk.asked.at(-1)).toBe('c counters');
});

test('a channel is asked for its video when it is up for a moment, and for nothing more when it has none', async () => {
  const asterisk = new SlowAsterisk();
  const videos: string[] = [];
  const questions = makeQuestions(asterisk, []);
  questions.askVideo('v', () => videos.push('v'));
  questions.askVideo('short', () => videos.push('short'));
  tick(questions, 2);
  questions.forget('short');
  expect(asterisk.asked).toEqual([]);
  questions.tick();
  expect(asterisk.asked).toEqual(['v CHANNEL(videonativeformat)']);
  // As Asterisk writes that there are none: asked for the address it would log two warnings.
  asterisk.answerAll('(nothing)');
  await expect.poll(() => videos).toEqual(['v']);
  expect(asterisk.asked).toHaveLength(1);
});

test('of a channel that ended before its turn nothing is asked', async () => {
  const asterisk = new SlowAsterisk();
  const answers: PbxEvent[] = [];
  const questions = makeQuestions(asterisk, answers);
  for (let n = 1; n <= MOST_AT_ONCE + 3; n++) questions.askAddresses(`a${n}`);
  questions.askVideo(`a${MOST_AT_ONCE + 1}`, () => {});
  tick(questions);
  questions.forget(`a${MOST_AT_ONCE + 1}`);
  asterisk.answerAll();
  await expect.poll(() => answers).toHaveLength(MOST_AT_ONCE);
  asterisk.answerAll();
  await expect.poll(() => answers).toHaveLength(MOST_AT_ONCE + 2);
  const asked = asterisk.asked.map((question) => question.split(' ')[0]);
  expect(asked).toContain(`a${MOST_AT_ONCE + 3}`);
  expect(asked).not.toContain(`a${MOST_AT_ONCE + 1}`);
});

test('codecs are asked for at every third tick, all that came together, and once', () => {
  const asterisk = new SlowAsterisk();
  const questions = makeQuestions(asterisk, []);
  questions.askCodecs('a');
  questions.tick();
  questions.askCodecs('b');
  questions.tick();
  expect(asterisk.asked).toEqual([]);
  questions.tick();
  expect(asterisk.asked).toEqual(['a codecs', 'b codecs']);
  for (let count = 0; count < 3; count++) questions.tick();
  expect(asterisk.asked).toEqual(['a codecs', 'b codecs']);
});

test('counters come over AMI where ARI is not used, if AMI serves as well', async () => {
  const asterisk = new SlowAsterisk();
  const answers: PbxEvent[] = [];
  const options = {
    actions: asterisk,
    events: asterisk,
    ari: null,
    nowMs: () => 5,
    onAnswer: (event: PbxEvent) => answers.push(event),
  };
  const questions = new ChannelQuestions(options);
  questions.askCounters('a');
  expect(asterisk.asked).toEqual([]);
  questions.askCounters('a', 'ari or ami');
  questions.askCounters('a', 'ari or ami');
  expect(asterisk.asked).toEqual(['a CHANNEL(rtcp,all)']);
  asterisk.answerAll('ssrc=5;themssrc=7;lp=2;rxjitter=0;rxcount=251;txjitter=0;txcount=0;rlp=0;rtt=0');
  await expect
    .poll(() => answers)
    .toMatchObject([
      { type: 'counters', uniqueid: 'a', atMs: 5, counters: { rxPackets: 251, rxLostPackets: 2, txPackets: 0 } },
    ]);
});

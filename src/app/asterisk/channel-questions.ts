import type { AmiActions } from '../../asterisk/ami/ami-actions.ts';
import type { AmiEventSession } from '../../asterisk/ami/ami-event-session.ts';
import type { Ari, VariableSet } from '../../asterisk/ari.ts';
import type { OnVideo } from '../../calls/media/video-filter.ts';
import { flatCopy } from '../../units/flat-copy.ts';
import type { PbxEvent } from '../../model/event.ts';
import { parseRtcpAll } from '../../wire/rtcp/rtcp-all.ts';

/** Least time between two questions for a channel's counters, which only complete the reports. */
const COUNTERS_EVERY_MS = 10_000;
/** Questions under way at the same time, over all channels. */
const MAX_IN_FLIGHT = 50;
/** Bound on waiting questions, in case Asterisk does not answer. */
const MAX_WAITING = 10_000;
/**
 * Ticks between the answer of a channel and the question for its video. No report comes before 500 ms, and a call that is over
 * by then needs no question.
 */
const VIDEO_AFTER_TICKS = 3;
/** Questions for codecs are gathered over so many ticks. */
const CODECS_EVERY_TICKS = 3;
/** As Asterisk prints an empty list of formats. */
const NO_FORMATS = '(nothing)';
/** Questions that are asked once per channel. */
const ASKED_ONCE = ['addresses', 'video'] as const;
/** Bound on remembered questions: about as many channels as can be up. */
const MAX_REMEMBERED = 50_000;
/** Where Asterisk leaves a channel's last counters at hang-up. */
const QUALITY_VARIABLE = 'RTPAUDIOQOS';

export interface ChannelQuestionsOptions {
  readonly actions: Pick<AmiActions, 'connected' | 'getVariable'>;
  readonly events: Pick<AmiEventSession, 'askCodecs'>;
  /** Null when ARI is not used. */
  readonly ari: Pick<Ari, 'connected' | 'rtpStatistics'> | null;
  readonly onAnswer: (event: PbxEvent) => void;
  readonly nowMs: () => number;
}

type Question = () => Promise<PbxEvent | undefined>;

/** Asks Asterisk what no event says: a channel's codecs, addresses and RTP counters. Never waits, never throws. */
export class ChannelQuestions {
  readonly #options: ChannelQuestionsOptions;
  readonly #askedAtMs = new Map<string, number>();
  /** Channels whose codecs will be asked for. */
  #codecless: string[] = [];
  /** Channels whose video will be asked for: after how many ticks, and where the answer goes. */
  readonly #videoAfterTicks = new Map<string, { ticks: number; readonly onVideo: OnVideo }>();
  /** Questions that wait or are answered, by question and channel, the oldest first. None is asked twice. */
  readonly #waiting = new Map<string, Question>();
  #inFlight = 0;
  #ticks = 0;

  constructor(options: ChannelQuestionsOptions) {
    this.#options = options;
  }

  /** Asks for a channel's codecs at one of the next ticks, many channels in one write. */
  askCodecs(uniqueid: string): void {
    this.#codecless.push(uniqueid);
  }

  /** Call it several times a second. */
  tick(): void {
    if (++this.#ticks % CODECS_EVERY_TICKS === 0) {
      for (const uniqueid of this.#codecless) this.#options.events.askCodecs(uniqueid);
      this.#codecless = [];
    }
    for (const [uniqueid, waiting] of this.#videoAfterTicks) {
      if (--waiting.ticks === 0) this.#askVideoNow(uniqueid, waiting.onVideo);
    }
  }

  /** Asks for a channel's RTP addresses; only PJSIP tells both ends. */
  askAddresses(uniqueid: string): void {
    const { actions, nowMs } = this.#options;
    if (!actions.connected) return;
    this.#askOnce('addresses', uniqueid, async () => {
      const [local, remote] = await Promise.all(
        ['CHANNEL(rtp,src)', 'CHANNEL(rtp,dest)'].map((name) => actions.getVariable(uniqueid, name)),
      );
      return { type: 'addresses', atMs: nowMs(), uniqueid, addresses: { protocol: 'rtp', local, remote } };
    });
  }

  /** Asks some ticks later for Asterisk's own addresses of a channel's audio and video. Only PJSIP tells them. */
  askVideo(uniqueid: string, onVideo: OnVideo): void {
    this.#videoAfterTicks.set(flatCopy(uniqueid), { ticks: VIDEO_AFTER_TICKS, onVideo });
  }

  /** Asks ARI for a channel's counters, or AMI where there is no ARI and that `serves` too; at most every `COUNTERS_EVERY_MS`. */
  askCounters(uniqueid: string, serves: 'ari' | 'ari or ami' = 'ari'): void {
    const { actions, ari, nowMs } = this.#options;
    const byAri = ari?.connected === true ? ari : null;
    if (this.#isBusy || (byAri === null && (serves === 'ari' || !actions.connected))) return;
    const lastMs = this.#askedAtMs.get(uniqueid);
    if (lastMs !== undefined && Math.abs(nowMs() - lastMs) < COUNTERS_EVERY_MS) return;
    if (this.#askedAtMs.size >= MAX_REMEMBERED) this.#askedAtMs.clear();
    this.#askedAtMs.set(flatCopy(uniqueid), nowMs());
    void this.#ask(async () => {
      const counters =
        byAri === null
          ? parseRtcpAll((await actions.getVariable(uniqueid, 'CHANNEL(rtcp,all)')) ?? '')
          : await byAri.rtpStatistics(uniqueid);
      return counters === undefined ? undefined : { type: 'counters', atMs: nowMs(), uniqueid, counters };
    });
  }

  /** Forgets an ended channel. */
  forget(uniqueid: string): void {
    this.#askedAtMs.delete(uniqueid);
    this.#videoAfterTicks.delete(uniqueid);
    for (const about of ASKED_ONCE) this.#waiting.delete(`${about} ${uniqueid}`);
  }

  /** Takes the last counters, which Asterisk sets as a variable at hang-up. They serve channels without our hangup handler. */
  takeVariable({ uniqueid, name, value }: VariableSet): void {
    if (uniqueid === undefined || name !== QUALITY_VARIABLE) return;
    const counters = parseRtcpAll(value);
    if (counters !== undefined) {
      this.#options.onAnswer({ type: 'counters', atMs: this.#options.nowMs(), uniqueid, counters });
    }
  }

  get #isBusy(): boolean {
    return this.#inFlight >= MAX_IN_FLIGHT;
  }

  #askVideoNow(uniqueid: string, onVideo: OnVideo): void {
    this.#videoAfterTicks.delete(uniqueid);
    const { actions } = this.#options;
    if (!actions.connected) return;
    this.#askOnce('video', uniqueid, async () => {
      // Most calls have no video, and Asterisk logs two warnings when it is asked for the address of video that is not there.
      const formats = await actions.getVariable(uniqueid, 'CHANNEL(videonativeformat)');
      const hasVideo = formats !== undefined && formats !== NO_FORMATS;
      const video = hasVideo ? await actions.getVariable(uniqueid, 'CHANNEL(rtp,src,video)') : undefined;
      const audio = video === undefined ? undefined : await actions.getVariable(uniqueid, 'CHANNEL(rtp,src,audio)');
      onVideo(audio, video);
      return undefined;
    });
  }

  #askOnce(about: (typeof ASKED_ONCE)[number], uniqueid: string, question: Question): void {
    if (!this.#isBusy) void this.#ask(question);
    else if (this.#waiting.size < MAX_WAITING) this.#waiting.set(`${about} ${uniqueid}`, question);
  }

  async #ask(question: Question): Promise<void> {
    this.#inFlight++;
    try {
      const answer = await question();
      if (answer !== undefined) this.#options.onAnswer(answer);
    } catch {
      // The channel is gone, or the link is down. When it is back, addresses are asked for again, and counters with the next
      // reports.
    } finally {
      this.#inFlight--;
      const [next] = this.#waiting;
      if (next !== undefined) {
        this.#waiting.delete(next[0]);
        void this.#ask(next[1]);
      }
    }
  }
}

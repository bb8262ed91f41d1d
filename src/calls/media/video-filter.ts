import { CHANNEL_STATE_UP } from '../../model/channel.ts';
import type { ChannelSnapshot, PbxEvent } from '../../model/event.ts';
import { portOf } from '../../wire/ip-address.ts';
import { flatCopy } from '../../units/flat-copy.ts';

/** Only PJSIP channels can be asked for the address of their video. */
const PJSIP = 'PJSIP/';

interface Media {
  /** Asterisk's own RTCP ports by which reports came: one, or two with video. */
  ports: readonly number[];
  /** Asterisk's own RTP port for the video; null: none is known. */
  videoPort: number | null;
}

/** Asterisk's own addresses for a channel's audio and video, as it prints them; undefined: there is none. */
export type OnVideo = (audio: string | undefined, video: string | undefined) => void;

/**
 * Keeps reports about a channel's video away from its audio. Asterisk prints both as the same events of the same channel, and
 * only its own port tells them apart. The video's port is asked for when a channel is up, before its first report, and again when
 * reports come by another port, since video may be added later. Where audio and video share a port (BUNDLE), nothing is kept
 * away.
 */
export class VideoFilter {
  readonly counters = { reportsSetAside: 0 };
  readonly #media = new Map<string, Media>();
  readonly #ask: (uniqueid: string, onVideo: OnVideo) => void;

  /** `ask` calls `onVideo` some time later, if Asterisk answers. */
  constructor(ask: (uniqueid: string, onVideo: OnVideo) => void) {
    this.#ask = ask;
  }

  /** Whether to pass an event on; false: it is a report about video. */
  admits(event: PbxEvent): boolean {
    switch (event.type) {
      case 'channel':
        this.#meet(event.channel);
        return true;
      case 'resync':
        this.#media.clear();
        for (const channel of event.channels) this.#meet(channel);
        return true;
      case 'hangup':
        this.#media.delete(event.channel.uniqueid);
        return true;
      case 'rtcp':
        return this.#admitsReport(event);
      default:
        return true;
    }
  }

  /**
   * What is known of the channel. A channel that can be asked for its video is kept from now on; undefined: it cannot be asked.
   */
  #meet({ uniqueid, name, stateNumber }: ChannelSnapshot): Media | undefined {
    const known = this.#media.get(uniqueid);
    if (known !== undefined || stateNumber !== CHANNEL_STATE_UP || !name.startsWith(PJSIP)) return known;
    const media: Media = { ports: [], videoPort: null };
    this.#media.set(flatCopy(uniqueid), media);
    this.#askVideo(uniqueid);
    return media;
  }

  #noteVideo(uniqueid: string, audio: string | undefined, video: string | undefined): void {
    const media = this.#media.get(uniqueid);
    if (media === undefined) return;
    const port = video === undefined ? null : portOf(video);
    media.videoPort = audio !== undefined && port === portOf(audio) ? null : port;
  }

  #askVideo(uniqueid: string): void {
    const own = flatCopy(uniqueid);
    this.#ask(own, (audio, video) => this.#noteVideo(own, audio, video));
  }

  #admitsReport({ channel, addresses }: Extract<PbxEvent, { type: 'rtcp' }>): boolean {
    const media = this.#meet(channel);
    if (media === undefined || addresses?.local === undefined) return true;
    const port = portOf(addresses.local);
    if (port === null) return true;
    if (!media.ports.includes(port)) {
      if (media.ports.length > 0) this.#askVideo(channel.uniqueid);
      media.ports = media.ports.concat(port);
    }
    // RTCP has the next port, or the same one where it is multiplexed (RFC 5761).
    const isVideo = media.videoPort !== null && (port === media.videoPort + 1 || port === media.videoPort);
    if (isVideo) this.counters.reportsSetAside++;
    return !isVideo;
  }
}

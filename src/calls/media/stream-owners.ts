import type { MediaAddresses } from '../../model/event.ts';
import type { SeenStream } from '../../model/capture.ts';
import type { Direction } from '../../model/report.ts';
import { parseAddressAndPort, portOf } from '../../wire/ip-address.ts';
import { flatCopy } from '../../units/flat-copy.ts';

/** A stream whose first packet is older than its channel by more than this belonged to the port's previous user. */
const OLDER_THAN_CHANNEL_MS = 1000;

/** Whose audio a stream is. */
export interface StreamOwner {
  readonly uniqueid: string;
  readonly direction: Direction;
}

/** What is known of one channel's RTP. */
interface ChannelMedia {
  readonly uniqueid: string;
  startedAtMs: number;
  /** `address:port` of Asterisk's RTP, and its port; undefined until known. */
  local: string | undefined;
  localPort: number | undefined;
  /** `address:port` of the far end's RTP as Asterisk names it, and guesses from that of its RTCP. */
  remote: string | undefined;
  remoteGuesses: readonly string[];
  readonly ssrc: Record<Direction, number | undefined>;
}

/**
 * Tells whose audio a captured stream is. Asterisk's own port belongs to one channel at a time, so the end of a stream
 * that is Asterisk's tells the channel and the direction, also in a native bridge, where both legs have one SSRC. The
 * address at that end may differ from what Asterisk says (more than one network card, a NAT of its own): then the far
 * end's must fit. Where Asterisk names no address at all, only a wildcard, the far end's must fit, or the SSRC.
 */
export class StreamOwners {
  readonly #channels = new Map<string, ChannelMedia>();
  readonly #byPort = new Map<number, Set<ChannelMedia>>();

  /** A channel came into being; `startedAtMs` in epoch milliseconds, minus infinity when that is not known. */
  begin(uniqueid: string, startedAtMs: number): void {
    if (this.#channels.has(uniqueid)) return;
    const ssrc = { rx: undefined, tx: undefined };
    const unknown = { local: undefined, localPort: undefined, remote: undefined, remoteGuesses: [] };
    const own = flatCopy(uniqueid);
    this.#channels.set(own, { uniqueid: own, startedAtMs, ...unknown, ssrc });
  }

  has(uniqueid: string): boolean {
    return this.#channels.has(uniqueid);
  }

  channels(): IterableIterator<string> {
    return this.#channels.keys();
  }

  /** Takes in what Asterisk said of a channel's addresses; of a channel that never began nothing is kept. */
  noteAddresses(uniqueid: string, { protocol, local, remote }: MediaAddresses): void {
    const channel = this.#channels.get(uniqueid);
    if (channel === undefined) return;
    const own = local === undefined ? undefined : parseAddressAndPort(local);
    // Asterisk's own RTP ports are even, and RTCP is on the next one or the same (RFC 5761).
    if (own !== undefined) this.#place(channel, own.host, protocol === 'rtcp' ? own.port & ~1 : own.port);
    const far = remote === undefined ? undefined : parseAddressAndPort(remote);
    if (far === undefined) return;
    if (protocol === 'rtp') channel.remote = `${far.host}:${far.port}`;
    else channel.remoteGuesses = [`${far.host}:${far.port - 1}`, `${far.host}:${far.port}`];
  }

  noteSsrc(uniqueid: string, direction: Direction, ssrc: number): void {
    const channel = this.#channels.get(uniqueid);
    if (channel !== undefined) channel.ssrc[direction] = ssrc;
  }

  /** The clock was set by `byMs`, and the times of streams moved with it. */
  clockStepped(byMs: number): void {
    for (const channel of this.#channels.values()) channel.startedAtMs += byMs;
  }

  forget(uniqueid: string): void {
    const channel = this.#channels.get(uniqueid);
    if (channel === undefined) return;
    this.#unplace(channel);
    this.#channels.delete(uniqueid);
  }

  /** Two where both ends are Asterisk's own: what one channel sends the other receives. Empty while there is none. */
  ownersOf(stream: SeenStream): StreamOwner[] {
    const received = this.#find(stream, 'rx', stream.destination, stream.source);
    const sent = this.#find(stream, 'tx', stream.source, stream.destination);
    return [...received, ...sent];
  }

  /**
   * Whether not only Asterisk's port, to which anybody may send, but also the far end's address or the SSRC is that of a
   * channel.
   */
  isSureOf(stream: SeenStream, { uniqueid, direction }: StreamOwner): boolean {
    const channel = this.#channels.get(uniqueid);
    if (channel === undefined) return false;
    const far = direction === 'rx' ? stream.source : stream.destination;
    return channel.remote === far || channel.remoteGuesses.includes(far) || channel.ssrc[direction] === stream.ssrc;
  }

  #find(stream: SeenStream, direction: Direction, near: string, far: string): StreamOwner[] {
    const candidates = [...(this.#byPort.get(portOf(near) ?? 0) ?? [])].filter(
      ({ startedAtMs }) => stream.firstAtMs >= startedAtMs - OLDER_THAN_CHANNEL_MS,
    );
    const owner =
      candidates.find(({ local }) => local === near) ??
      candidates.find(
        ({ local, remote, remoteGuesses, ssrc }) =>
          remote === far || remoteGuesses.includes(far) || (isWildcard(local) && ssrc[direction] === stream.ssrc),
      );
    return owner === undefined ? [] : [{ uniqueid: owner.uniqueid, direction }];
  }

  #place(channel: ChannelMedia, host: string, port: number): void {
    const local = `${host}:${port}`;
    if (channel.local === local) return;
    this.#unplace(channel);
    const there = this.#byPort.get(port) ?? new Set();
    // A channel that took over another one's media (a masquerade): the port is with the newer word.
    for (const other of there) if (other.local === local) this.#unplace(other);
    channel.local = local;
    channel.localPort = port;
    this.#byPort.set(port, there.add(channel));
  }

  #unplace(channel: ChannelMedia): void {
    const { localPort } = channel;
    if (localPort === undefined) return;
    const there = this.#byPort.get(localPort);
    there?.delete(channel);
    if (there?.size === 0) this.#byPort.delete(localPort);
    channel.local = undefined;
    channel.localPort = undefined;
  }
}

function isWildcard(local: string | undefined): boolean {
  return local !== undefined && /^(?:0\.0\.0\.0|\[::\]):/.test(local);
}

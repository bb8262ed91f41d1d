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

/** What is known about the RTP of one channel. */
interface ChannelMedia {
  readonly uniqueid: string;
  startedAtMs: number;
  /** `address:port` of Asterisk's RTP, and the port alone; undefined: not known yet. */
  local: string | undefined;
  localPort: number | undefined;
  /** `address:port` of the far end's RTP as Asterisk names it, and guesses from the address of its RTCP. */
  remote: string | undefined;
  remoteGuesses: readonly string[];
  readonly ssrc: Record<Direction, number | undefined>;
}

/**
 * Tells whose audio a captured stream is. Asterisk's own port belongs to one channel at a time. So Asterisk's end of a stream
 * tells the channel and the direction, even in a native bridge, where both legs have one SSRC. If the address at that end differs
 * from what Asterisk says (several network cards, a NAT), the far end's address must fit. If Asterisk names only a wildcard
 * address, the far end's address or the SSRC must fit.
 */
export class StreamOwners {
  readonly #channels = new Map<string, ChannelMedia>();
  readonly #byPort = new Map<number, Set<ChannelMedia>>();

  /** A channel began; `startedAtMs` in epoch milliseconds, minus infinity when not known. */
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

  /** Takes what Asterisk says of a channel's addresses. Nothing is kept about a channel that never began. */
  noteAddresses(uniqueid: string, { protocol, local, remote }: MediaAddresses): void {
    const channel = this.#channels.get(uniqueid);
    if (channel === undefined) return;
    const own = local === undefined ? undefined : parseAddressAndPort(local);
    // Asterisk's own RTP ports are even, and RTCP has the next port or the same one (RFC 5761).
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

  /** Somebody set the clock by `byMs`, and the times of streams moved with it. */
  clockStepped(byMs: number): void {
    for (const channel of this.#channels.values()) channel.startedAtMs += byMs;
  }

  forget(uniqueid: string): void {
    const channel = this.#channels.get(uniqueid);
    if (channel === undefined) return;
    this.#unplace(channel);
    this.#channels.delete(uniqueid);
  }

  /**
   * The channels whose audio the stream is: two where both ends are Asterisk's own, so that one channel sends what the other
   * receives; none while nobody knows.
   */
  ownersOf(stream: SeenStream): StreamOwner[] {
    const received = this.#find(stream, 'rx', stream.destination, stream.source);
    const sent = this.#find(stream, 'tx', stream.source, stream.destination);
    return [...received, ...sent];
  }

  /** Whether the far end's address or the SSRC is the channel's, and not only Asterisk's port, to which anybody may send. */
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
    // A channel took over another one's media (a masquerade), so the port belongs to the channel that named it last.
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

import type { FleetLiveAnswer } from '../fleet/answers.ts';
import { IS_FLEET } from '../fleet/scope.ts';
import type { Channel, LiveAnswer, LiveMessage } from '../rest/answers.ts';
import { get, Refused, socketProtocols } from '../rest/rest.ts';

const STREAM_PATH = '/v1/live/stream';
/** The pause after a failure grows by half each time, up to the longest. */
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 5000;
const READY_POLL_MS = 10_000;
/** Time between two polls of a fleet, which is as often as its PBXs report. */
const FLEET_POLL_MS = 5000;
export const MOST_OF_FLEET = 500;
const FLEET_PATH = `/v1/live?sort=mes&limit=${MOST_OF_FLEET}`;
/** The sidecar sends something every 5 s. A socket that is silent for longer is dead, even if the network has not noticed. */
const SILENCE_MS = 12_000;

/** The state of the feed. */
export interface FeedState {
  /** When the shown channels were read; null before the first answer. */
  readonly freshAtMs: number | null;
  /** Why no new data comes, in one sentence; null when it does. */
  readonly problem: string | null;
  /** Why the sidecar itself gets no data, in one sentence; null when it does. */
  readonly sidecarProblem: string | null;
  /** Of a fleet, what comes with the channels; null before the first answer, and on one PBX. */
  readonly fleet: Pick<FleetLiveAnswer, 'matching' | 'pbxs'> | null;
}

/**
 * Delivers the channels that are up: pushed over a web socket, or polled where a proxy lets no web socket through. It
 * reconnects by itself after any failure.
 */
export class LiveFeed {
  readonly #onChannels: (channels: readonly Channel[]) => void;
  readonly #stopped = new AbortController();
  readonly #channels = new Map<string, Channel>();
  #state: FeedState = { freshAtMs: null, problem: null, sidecarProblem: null, fleet: null };
  #wake: () => void = () => {};

  constructor(onChannels: (channels: readonly Channel[]) => void) {
    this.#onChannels = onChannels;
    const { signal } = this.#stopped;
    // The browser slows a background tab down: on return, ask at once.
    document.addEventListener('visibilitychange', () => this.#wake(), { signal });
    window.addEventListener('online', () => this.#wake(), { signal });
    void this.#follow();
    void this.#watchSidecar();
  }

  get state(): FeedState {
    return this.#state;
  }

  stop(): void {
    this.#stopped.abort();
    this.#wake();
  }

  async #follow(): Promise<void> {
    const { signal } = this.#stopped;
    let pauseMs = FIRST_PAUSE_MS;
    while (!signal.aborted) {
      const wasOpen = !IS_FLEET && (await this.#listen());
      if (signal.aborted) return;
      // A web socket never says why it failed. A request does: a token is needed, or nobody answers.
      try {
        const channels = IS_FLEET ? await this.#ofFleet() : (await get<LiveAnswer>('/v1/live', signal)).channels;
        this.#take({ type: 'full', channels });
        pauseMs = IS_FLEET ? FLEET_POLL_MS : FIRST_PAUSE_MS;
      } catch (error) {
        if (signal.aborted) return;
        this.#state = { ...this.#state, problem: error instanceof Error ? error.message : String(error) };
        pauseMs = wasOpen ? FIRST_PAUSE_MS : Math.min(LONGEST_PAUSE_MS, pauseMs * 1.5);
      }
      await this.#pause(pauseMs);
    }
  }

  async #ofFleet(): Promise<readonly Channel[]> {
    const { channels, ...fleet } = await get<FleetLiveAnswer>(FLEET_PATH, this.#stopped.signal);
    this.#state = { ...this.#state, fleet };
    return channels;
  }

  /** Listens until the socket ends; false when it never opened. */
  async #listen(): Promise<boolean> {
    const { signal } = this.#stopped;
    const socket = new WebSocket(STREAM_PATH, socketProtocols());
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    const close = (): void => {
      socket.close();
      end();
    };
    let wasOpen = false;
    let silence = setTimeout(close, SILENCE_MS);
    signal.addEventListener('abort', close);
    socket.addEventListener('open', () => {
      wasOpen = true;
    });
    socket.addEventListener('close', () => end());
    socket.addEventListener('message', ({ data }: MessageEvent<string>) => {
      clearTimeout(silence);
      silence = setTimeout(close, SILENCE_MS);
      if (!signal.aborted) this.#take(JSON.parse(data) as LiveMessage);
    });
    await ended;
    clearTimeout(silence);
    signal.removeEventListener('abort', close);
    return wasOpen;
  }

  #take(message: LiveMessage): void {
    this.#state = { ...this.#state, freshAtMs: Date.now(), problem: null };
    if (message.type === 'full') this.#channels.clear();
    for (const channel of 'channels' in message ? message.channels : []) {
      const key = `${channel.pbx ?? ''} ${channel.uniqueid}`;
      if (channel.ended_at === null) this.#channels.set(key, channel);
      else this.#channels.delete(key);
    }
    this.#onChannels([...this.#channels.values()]);
  }

  async #watchSidecar(): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      let sidecarProblem: string | null = null;
      try {
        await get('/readyz', signal);
      } catch (error) {
        if (error instanceof Refused && error.status === 503) sidecarProblem = error.message;
      }
      this.#state = { ...this.#state, sidecarProblem };
      await new Promise((resolve) => setTimeout(resolve, READY_POLL_MS));
    }
  }

  /** Resolves after the time, or earlier when something wakes it. */
  async #pause(milliseconds: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

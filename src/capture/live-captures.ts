import { LiveCapture, type LiveCaptureOptions, type LiveCaptureState } from './live-capture.ts';

/**
 * All captures together. RTP's headers without audio and whole RTCP packets take two tcpdumps, because each cuts all its packets
 * alike. With audio one is enough.
 */
export class LiveCaptures {
  readonly #parts: readonly LiveCapture[];
  readonly #states = new Map<number, LiveCaptureState>();
  readonly #onState: (state: LiveCaptureState) => void;
  #shown: string | undefined;

  constructor({ audio, onState, ...options }: Omit<LiveCaptureOptions, 'what'> & { readonly audio: boolean }) {
    this.#onState = onState;
    const parts = audio ? (['whole'] as const) : (['headers', 'rtcp'] as const);
    this.#parts = parts.map(
      (what, index) => new LiveCapture({ ...options, what, onState: (state) => this.#note(index, state) }),
    );
  }

  /** Packets since the start that the kernel dropped because nobody took them in time. */
  get droppedByKernel(): number {
    return this.#parts.reduce((sum, part) => sum + part.droppedByKernel, 0);
  }

  /** How often a tcpdump had to be started again. */
  get restarts(): number {
    return this.#parts.reduce((sum, part) => sum + part.restarts, 0);
  }

  start(): void {
    for (const part of this.#parts) part.start();
  }

  async stop(): Promise<void> {
    await Promise.all(this.#parts.map(async (part) => part.stop()));
  }

  /** It captures when all parts do. While a part waits, its reason counts for all. */
  #note(index: number, state: LiveCaptureState): void {
    this.#states.set(index, state);
    const states = [...this.#states.values()];
    const waiting = states.find(({ status }) => status === 'waiting');
    if (waiting === undefined && states.length < this.#parts.length) return;
    const whole = waiting ?? state;
    const text = whole.status === 'waiting' ? whole.problem : whole.status;
    if (text === this.#shown) return;
    this.#shown = text;
    this.#onState(whole);
  }
}

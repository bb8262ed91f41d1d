import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Readable } from 'node:stream';
import type { PacketCursor } from '../wire/packets/packet-cursor.ts';
import { endsWithUs } from './ends-with-us.ts';
import { PacedPackets, withoutReadingAhead } from './paced-packets.ts';
import { Muteness } from './muteness.ts';
import { PushedCapture } from './pushed-capture.ts';
import { droppedByKernel, isListening, packetsCaptured, startProblem, tcpdumpProblem } from './tcpdump-words.ts';

/** Bytes of each packet that are kept: every header up to RTP's, over IPv6 with VLAN tags. */
const SNAP_BYTES = 128;
/** More bytes than any packet of audio has. */
const WHOLE_PACKET_BYTES = 2048;
/** The kernel's own buffer, KiB: half a second of 100,000 packets/s, for a machine that is too busy to run tcpdump. */
const KERNEL_BUFFER_KIB = 16_384;
/** RTCP by its second byte (RFC 5761 §4), over IPv4 and IPv6. tcpdump's `udp[…]` knows only IPv4. */
const RTCP = '((udp[9] >= 192 and udp[9] <= 223) or (ip6[6] = 17 and ip6[49] >= 192 and ip6[49] <= 223))';
const FILTERS = { headers: ['and', 'not', RTCP], rtcp: ['and', RTCP], whole: [] } as const;
/**
 * How often tcpdump is asked (SIGUSR1) how many packets the kernel dropped, but only after its output was read. A signal that
 * interrupts a write into a full pipe is an error to tcpdump, and libpcap 1.10 writes nothing more after it. For the same reason
 * tcpdump is not asked by SIGUSR2 to write what it holds; it writes each packet at once (`-U`).
 */
const STATISTICS_EVERY_MS = 5000;
const BACK_OFF_MIN_MS = 1000;
const BACK_OFF_MAX_MS = 60_000;
/** A tcpdump that captured for this long has worked, so its next problem is a new one. */
const WORKED_AFTER_MS = 10_000;
const KILL_AFTER_MS = 1000;
const KEPT_WORDS = 4096;

/** `waiting`: it does not capture, for a reason in one plain sentence, and tries again. */
export type LiveCaptureState =
  | { readonly status: 'capturing' }
  | { readonly status: 'waiting'; readonly problem: string };

export interface LiveCaptureOptions {
  /** `any` for all. */
  readonly interface: string;
  readonly ports: { readonly from: number; readonly to: number };
  /** `headers`: only the headers of RTP. `rtcp`: only RTCP, whole. `whole`: both, whole. */
  readonly what?: 'headers' | 'rtcp' | 'whole';
  /** Called for each packet, in the order of capture. */
  readonly take: (packet: PacketCursor) => void;
  /** Called once for each change. */
  readonly onState: (state: LiveCaptureState) => void;
  /** 0 up to 1, for the back-off. */
  readonly random: () => number;
  /** Epoch milliseconds of the clock that stamps packets. */
  readonly nowMs: () => number;
  /** The command that runs tcpdump; absent: `tcpdump`. */
  readonly command?: readonly [string, ...string[]];
  readonly backOffMinMs?: number;
}

/**
 * Captures RTP and RTCP with a tcpdump of its own, which is started again with back-off whenever it ends. Never throws. If this
 * process is killed, tcpdump ends, too.
 */
export class LiveCapture {
  readonly #options: LiveCaptureOptions;
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;
  #child: ChildProcess | undefined;
  #shown = '';
  #droppedEarlier = 0;
  #dropped = 0;
  #restarts = 0;

  constructor(options: LiveCaptureOptions) {
    this.#options = options;
  }

  /** Packets since the start that the kernel dropped because nobody took them in time. */
  get droppedByKernel(): number {
    return this.#droppedEarlier + this.#dropped;
  }

  /** How often tcpdump had to be started again. */
  get restarts(): number {
    return this.#restarts;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Ends tcpdump. Resolves when it is gone and everything that it captured was taken. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    const child = this.#child;
    child?.kill('SIGINT');
    const kill = setTimeout(() => child?.kill('SIGKILL'), KILL_AFTER_MS);
    await this.#running;
    clearTimeout(kill);
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    for (let attempt = 0; !signal.aborted; attempt += 1) {
      const startMs = performance.now();
      const problem = await this.#captureOnce().catch(startProblem);
      if (signal.aborted) return;
      if (performance.now() - startMs > WORKED_AFTER_MS) attempt = 0;
      this.#show({ status: 'waiting', problem });
      const { random, backOffMinMs = BACK_OFF_MIN_MS } = this.#options;
      const backOffMs = Math.min(BACK_OFF_MAX_MS, backOffMinMs * 2 ** Math.min(attempt, 16));
      await sleep(backOffMs / 2 + (backOffMs / 2) * random(), undefined, { signal }).catch(() => undefined);
      this.#restarts += 1;
    }
  }

  /** Resolves with the reason when tcpdump has ended. Rejects when it cannot be started. */
  async #captureOnce(): Promise<string> {
    const [command, ...words] = this.#options.command ?? ['tcpdump'];
    const child = withoutReadingAhead(() =>
      spawn(command, [...words, ...this.#arguments()], {
        stdio: ['ignore', 'pipe', 'pipe'],
        // We look for words in English.
        env: { ...process.env, LC_ALL: 'C' },
        // A session of its own, so that Ctrl-C reaches only us. We then stop tcpdump in good order.
        detached: true,
      }),
    );
    // With too many open files it has no streams either.
    if (child.pid === undefined) {
      const [error]: unknown[] = await once(child, 'error');
      return startProblem(error);
    }
    this.#child = child;
    // For example a signal could not be sent; the capture goes on.
    child.on('error', () => undefined);
    // Left alone it might run for ever: after one failed write it captures and writes nothing.
    const unwatch = endsWithUs(child.pid);
    const ended = new Promise<string>((resolve) => {
      child.once('close', (status, signal) => {
        unwatch();
        resolve(tcpdumpProblem(lastWords(), this.#options.interface, status ?? signal));
      });
    });
    const source = new PushedCapture(this.#options.take);
    const muteness = new Muteness();
    let pieces = 0;
    let trouble: string | undefined;
    const giveUp = (what: string): void => {
      trouble = `Packets are not captured: ${what}.`;
      child.stdout.destroy();
      child.kill('SIGKILL');
    };
    const take = (piece: Uint8Array): number => {
      pieces += 1;
      source.push(piece);
      if (source.damage !== undefined) giveUp('what tcpdump wrote made no sense');
      return source.newestAtMs;
    };
    const lastWords = this.#listen(child, new PacedPackets(child.stdout, take, this.#options.nowMs), (captured) => {
      if (muteness.isMute(captured, pieces)) giveUp('tcpdump captured and wrote nothing any more');
    });
    const reason = await ended;
    this.#child = undefined;
    this.#droppedEarlier += this.#dropped;
    this.#dropped = 0;
    return trouble ?? reason;
  }

  #arguments(): string[] {
    const { ports, interface: networkInterface, what = 'headers' } = this.#options;
    const sizes = ['-B', String(KERNEL_BUFFER_KIB), '-s', String(what === 'headers' ? SNAP_BYTES : WHOLE_PACKET_BYTES)];
    const filter = ['udp', 'portrange', `${ports.from}-${ports.to}`, ...FILTERS[what]];
    return ['-i', networkInterface, '-n', '-U', '--immediate-mode', ...sizes, '-w', '-', ...filter];
  }

  /** Reads what tcpdump prints, including its answers. Returns a function that returns its latest lines. */
  #listen(
    child: ChildProcess & { readonly stderr: Readable },
    packets: PacedPackets,
    onAnswer: (captured: number) => void,
  ): () => string {
    let text = '';
    let timer: NodeJS.Timeout | undefined;
    child.stderr.setEncoding('utf8').on('data', (more: string) => {
      text = (text + more).slice(-KEPT_WORDS);
      this.#dropped = droppedByKernel(text) ?? this.#dropped;
      const captured = packetsCaptured(more);
      if (captured !== undefined) onAnswer(captured);
      if (timer !== undefined || !isListening(text)) return;
      this.#show({ status: 'capturing' });
      if (this.#stopping.signal.aborted) child.kill('SIGINT');
      timer = setInterval(() => {
        void packets.drain().then(() => child.kill('SIGUSR1'));
      }, STATISTICS_EVERY_MS);
    });
    child.once('close', () => clearInterval(timer));
    return () => text;
  }

  #show(state: LiveCaptureState): void {
    const text = state.status === 'waiting' ? state.problem : state.status;
    if (text === this.#shown) return;
    this.#shown = text;
    this.#options.onState(state);
  }
}

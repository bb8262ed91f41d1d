import { connect } from 'node:net';
import { ASTERISK_LOOK_MS, type AsteriskInside } from '../../model/machine.ts';
import { readTaskProcessors } from '../../wire/task-processors.ts';

/** Where Asterisk's command line connects to (`astrundir`, unless asterisk.conf says otherwise). */
const CONTROL_SOCKET = '/var/run/asterisk/asterisk.ctl';
/** As `asterisk -rx` asks. */
const QUESTION = 'cli quit after core show taskprocessors\0';
const TIMEOUT_MS = 2000;
/** A row has a hundred characters or so. */
const MOST_CHARACTERS = 4_000_000;

/** By the priority that Asterisk gives them: it takes the first that is loaded. */
const TIMING_SOURCES = ['timerfd', 'kqueue', 'dahdi', 'pthread'] as const;

export interface AsteriskInsideOptions {
  /** Whether Asterisk runs on this machine. */
  readonly isHere: boolean;
  /** A global variable or function of the dialplan. Rejects without an answer. */
  readonly getGlobal: (name: string) => Promise<string | undefined>;
  readonly socketPath?: string;
}

/**
 * Asks Asterisk what keeps its threads waiting. The timing source by AMI; task processors over the socket of its command line, where
 * we may open it: who may can do everything there, so nobody is told to allow it.
 */
export class AsteriskInsideMeter {
  readonly #options: AsteriskInsideOptions;
  #before: ReadonlyMap<string, number> | null = null;
  #timingSource: string | null = null;
  #lookedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: AsteriskInsideOptions) {
    this.#options = options;
  }

  /** Asks once a minute. In between the queues are not known. Never rejects. */
  async look(nowMs: number): Promise<AsteriskInside> {
    if (Math.abs(nowMs - this.#lookedAtMs) < ASTERISK_LOOK_MS) {
      return { timingSource: this.#timingSource, taskQueueMost: null, taskQueuesOver: null };
    }
    this.#lookedAtMs = nowMs;
    const [timingSource, text] = await Promise.all([this.#askTimingSource(), this.#taskProcessors()]);
    this.#timingSource = timingSource;
    return { timingSource, ...this.#queues(text) };
  }

  async #askTimingSource(): Promise<string | null> {
    try {
      for (const name of TIMING_SOURCES) {
        const isLoaded = await this.#options.getGlobal(`IFMODULE(res_timing_${name}.so)`);
        if (isLoaded === '1') return name;
        if (isLoaded !== '0') return null;
      }
      return 'none';
    } catch {
      return null;
    }
  }

  /** How much waited at most since the last look: a maximum that rose in between tells of a moment that nobody saw. */
  #queues(text: string | null): Pick<AsteriskInside, 'taskQueueMost' | 'taskQueuesOver'> {
    const processors = text === null ? undefined : readTaskProcessors(text);
    const before = this.#before;
    this.#before =
      processors === undefined ? null : new Map(processors.map(({ name, mostWaited }) => [name, mostWaited]));
    if (processors === undefined) return { taskQueueMost: null, taskQueuesOver: null };
    let [taskQueueMost, taskQueuesOver] = [0, 0];
    for (const { name, waiting, mostWaited, highWater } of processors) {
      const most = mostWaited > (before?.get(name) ?? mostWaited) ? mostWaited : waiting;
      taskQueueMost = Math.max(taskQueueMost, most);
      taskQueuesOver += Number(most >= highWater && highWater > 0);
    }
    return { taskQueueMost, taskQueuesOver };
  }

  /** Null: Asterisk is elsewhere, the socket may not be opened, or nothing came in time. */
  #taskProcessors(): Promise<string | null> {
    const { isHere, socketPath = CONTROL_SOCKET } = this.#options;
    if (!isHere) return Promise.resolve(null);
    return new Promise((resolve) => {
      let text = '';
      const socket = connect(socketPath);
      const end = (answer: string | null): void => {
        socket.destroy();
        resolve(answer);
      };
      socket.setEncoding('utf8').setTimeout(TIMEOUT_MS, () => end(null));
      socket.on('connect', () => socket.write(QUESTION));
      socket.on('data', (part: string) => {
        text += part;
        if (text.length > MOST_CHARACTERS) end(null);
      });
      socket.on('error', () => end(null));
      socket.on('close', () => end(text));
    });
  }
}

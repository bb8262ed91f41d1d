/** What tcpdump says on stderr, for people and for us. */
import { errorCode } from '../model/errors/error-code.ts';

const DROPPED = /(\d+) packets? dropped by kernel/g;
const CAPTURED = /(\d+) packets? captured/g;
const NO_PERMISSION = /permission to|Operation not permitted|Permission denied/;
const NO_DEVICE = /No such device|No such network interface/;

/** The last "packets dropped by kernel" that a text names; undefined when it names none. */
export function droppedByKernel(text: string): number | undefined {
  return lastCount(text, DROPPED);
}

/** The last "packets captured" that a text names; undefined when it names none. */
export function packetsCaptured(text: string): number | undefined {
  return lastCount(text, CAPTURED);
}

function lastCount(text: string, pattern: RegExp): number | undefined {
  const last = [...text.matchAll(pattern)].at(-1)?.[1];
  return last === undefined ? undefined : Number(last);
}

/** Whether it has begun to capture. */
export function isListening(text: string): boolean {
  return text.includes('listening on ');
}

/** Why tcpdump ended, as one plain sentence that says what to do. */
export function tcpdumpProblem(stderr: string, networkInterface: string, status: number | string | null): string {
  if (NO_PERMISSION.test(stderr)) {
    return (
      'Packets are not captured: tcpdump may not open the network; run "setcap cap_net_raw,cap_net_admin=eip ' +
      '$(command -v tcpdump)", and where only a group may run it, add the user of asterisk-mes to that group.'
    );
  }
  if (NO_DEVICE.test(stderr)) {
    return `Packets are not captured: there is no interface ${networkInterface}; name one in [capture] interface, or any.`;
  }
  const [line = ''] = stderr.split('\n').filter((words) => words.startsWith('tcpdump: ') && !isListening(words));
  return `Packets are not captured: tcpdump ended with ${status ?? 'no status'}${line === '' ? '' : ` (${line})`}.`;
}

/** Why tcpdump could not be started, as one plain sentence that says what to do. */
export function startProblem(error: unknown): string {
  const code = errorCode(error);
  const advice =
    code === 'ENOENT'
      ? 'there is no program tcpdump; install the package of that name'
      : `tcpdump cannot be started (${code}); see that the user of asterisk-mes may run it and has files, processes and memory left`;
  return `Packets are not captured: ${advice}, or set [capture] enabled = no.`;
}

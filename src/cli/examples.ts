import type { Command } from 'commander';

/** Examples at the end of a command's --help; a command that is not here has its name for one. */
export const EXAMPLES: Readonly<Record<string, readonly string[]>> = {
  run: ['asterisk-mes run', 'asterisk-mes run --config /etc/asterisk/mes-branch.conf --log-level warn'],
  score: [
    'asterisk-mes score --rtt-ms 150 --jitter-ms 20 --jitter-stdev-ms 5 --lost-packets 0',
    'asterisk-mes score --codec g722 --loss-percent 3 --rtt-ms 150 --json',
  ],
  analyze: [
    'asterisk-mes analyze calls.pcap',
    'asterisk-mes analyze calls.pcap --codec 107=opus/48000 --json',
    'tcpdump -i any -s 200 -w - udp portrange 10000-20000 | asterisk-mes analyze -',
  ],
  alerts: ['asterisk-mes alerts test bad-calls'],
  'alerts test': ['asterisk-mes alerts test bad-calls', 'asterisk-mes alerts test gone --from -60d --json'],
  measurements: ['asterisk-mes measurements status'],
  'measurements export': ['asterisk-mes measurements export /media/usb'],
  open: ['asterisk-mes open --identity key.txt --database study.sqlite /srv/collected'],
  study: ['asterisk-mes study study.sqlite'],
  'fleet add-reader': ['asterisk-mes fleet add-reader acme --pbxs "acme-*"'],
  'fleet add-pbx': ['asterisk-mes fleet add-pbx office-berlin --site Berlin'],
  xr: ['asterisk-mes xr decode 80cf0004037e3e820400000283aa7e8000000000'],
  'xr decode': ['asterisk-mes xr decode 80cf0004037e3e820400000283aa7e8000000000', 'asterisk-mes xr decode report.bin'],
  'xr encode': ['asterisk-mes xr decode report.bin > report.json && asterisk-mes xr encode report.json'],
  rescore: [
    'asterisk-mes rescore --profile informed --from -30d',
    'asterisk-mes rescore --profile documented --from 2026-11-01 --to 2026-12-01',
  ],
  version: ['asterisk-mes version', 'asterisk-mes version --json'],
};

/** These say more than lines of examples. */
const WITH_OWN: ReadonlySet<string> = new Set(['live', 'calls', 'call', 'setup', 'doctor', 'fleet']);

/** Ends each help text with examples. */
export function withExamples(program: Command): void {
  for (const command of program.commands) {
    addExamples(command, command.name());
    for (const inner of command.commands) addExamples(inner, `${command.name()} ${inner.name()}`);
  }
}

function addExamples(command: Command, name: string): void {
  if (WITH_OWN.has(name)) return;
  const examples = EXAMPLES[name] ?? [`asterisk-mes ${name}`];
  command.addHelpText('after', `\nExamples:\n${examples.map((line) => `  ${line}`).join('\n')}`);
}

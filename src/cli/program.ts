import { Command } from 'commander';
import { VERSION } from '../app/version.ts';
import { withExamples } from './examples.ts';

/** Adds one command; `finish` takes its exit status. */
type AddCommand = (program: Command, finish: (status: number) => void) => void;

/** Loaded when asked for: reading the sources of all takes longer than many a command. */
const COMMANDS: Readonly<Record<string, () => Promise<AddCommand>>> = {
  run: async () => (await import('./run.ts')).addRun,
  doctor: async () => (await import('./doctor/doctor.ts')).addDoctor,
  setup: async () => (await import('./setup/command.ts')).addSetup,
  live: async () => (await import('./calls/live.ts')).addLive,
  calls: async () => (await import('./calls/calls.ts')).addCalls,
  call: async () => (await import('./calls/call.ts')).addCall,
  mcp: async () => (await import('./mcp.ts')).addMcp,
  score: async () => (await import('./score.ts')).addScore,
  analyze: async () => (await import('./packets/analyze.ts')).addAnalyze,
  xr: async () => (await import('./packets/xr.ts')).addXr,
  calibrate: async () => (await import('./calibrate.ts')).addCalibrate,
  measurements: async () => (await import('./measurements/measurements.ts')).addMeasurements,
  collect: async () => (await import('./measurements/collect.ts')).addCollect,
  open: async () => (await import('./measurements/open.ts')).addOpen,
  study: async () => (await import('./measurements/study.ts')).addStudy,
  rescore: async () => (await import('./rescore.ts')).addRescore,
  fleet: async () => (await import('./fleet.ts')).addFleet,
  alerts: async () => (await import('./calls/alerts.ts')).addAlerts,
  version: async () => (await import('./version.ts')).addVersion,
};

/** The program with the command named `word`, or, where there is none of that name, with all of them. */
export async function programFor(word: string, finish: (status: number) => void): Promise<Command> {
  const program = new Command('asterisk-mes')
    .description('Scores the media of every call on an Asterisk server as it happens.')
    .version(VERSION);
  const named = Object.hasOwn(COMMANDS, word) ? COMMANDS[word] : undefined;
  // The list of commands, and the hint at a misspelt one, need them all.
  for (const load of named === undefined ? Object.values(COMMANDS) : [named]) (await load())(program, finish);
  withExamples(program);
  return program;
}

/** The program with all its commands, to be described and not to be run. */
export function wholeProgram(): Promise<Command> {
  return programFor('', () => {});
}

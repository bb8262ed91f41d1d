import { type Command, InvalidArgumentError, Option } from 'commander';
import {
  type MesProfile,
  type MesScore,
  PROFILE_NAMES,
  type ProfileName,
  type VerdictThresholds,
} from '../model/score.ts';
import { computeEModel, type EModelScore } from '../score/e-model.ts';
import { computeMes } from '../score/mes.ts';
import { formatOpinion } from '../score/opinion.ts';
import { mesProfile } from '../score/profiles.ts';
import { DEFAULT_THRESHOLDS, verdictOf } from '../score/verdict.ts';
import { DONE, WORK_FAILED, WRONG_USAGE } from './exit-status.ts';

interface ScoreOptions {
  readonly rttMs?: number;
  readonly jitterMs?: number;
  readonly jitterStdevMs?: number;
  readonly lostPackets?: number;
  readonly lossPercent?: number;
  readonly codec?: string;
  readonly profile?: ProfileName;
  readonly config?: string;
  readonly json?: true;
}

/** What the numbers given are scored by. */
interface Formula {
  readonly profile: MesProfile;
  readonly thresholds: VerdictThresholds;
  /** The codec's own delay; undefined when it has none. */
  readonly codecDelayMs: number | undefined;
}

const MAX_PERCENT = 100;

export function addScore(program: Command, finish: (status: number) => void): void {
  program
    .command('score')
    .description('the calculator: what a score would be')
    .option('--rtt-ms <ms>', 'mean round trip; without it the score counts 0 and says so', amount)
    .option('--jitter-ms <ms>', 'mean interarrival jitter (default: 0)', amount)
    .option('--jitter-stdev-ms <ms>', 'its standard deviation (default: 0)', amount)
    .option('--lost-packets <n>', 'mean lost packets per report', amount)
    .option('--loss-percent <n>', 'lost packets of those expected', percent)
    .option('--codec <name>', 'codec by its Asterisk name, such as ulaw')
    .addOption(new Option('--profile <name>', 'formula (default: documented)').choices(PROFILE_NAMES))
    .option('--config <file>', 'settings with the numbers of [profile:custom] and [codec:NAME] (default: none)')
    .option('--json', 'one JSON document')
    .action(async (options: ScoreOptions) => finish(await score(options)));
}

async function score(options: ScoreOptions): Promise<number> {
  const { rttMs, jitterMs, lostPackets, lossPercent, codec } = options;
  if ([rttMs, jitterMs, lostPackets, lossPercent, codec].every((value) => value === undefined)) {
    const words = '--rtt-ms, --jitter-ms, --lost-packets, --loss-percent and --codec';
    process.stderr.write(`asterisk-mes: there is nothing to score; give at least one of ${words}\n`);
    return WRONG_USAGE;
  }
  let formula: Formula;
  try {
    formula = await formulaFor(options);
  } catch (error) {
    process.stderr.write(`asterisk-mes: ${error instanceof Error ? error.message : String(error)}\n`);
    return WORK_FAILED;
  }
  const computed = compute(options, formula);
  const eModel = computeEModelOf(options);
  process.stdout.write(
    options.json === true
      ? `${JSON.stringify(asJson(options, formula, computed, eModel))}\n`
      : asText(options, formula, computed, eModel),
  );
  return DONE;
}

/** Without a file the numbers of `custom` are those of `documented`. */
async function formulaFor({ profile, config, codec }: ScoreOptions): Promise<Formula> {
  if (config === undefined) {
    return {
      profile: mesProfile(profile ?? 'documented'),
      thresholds: DEFAULT_THRESHOLDS,
      codecDelayMs: undefined,
    };
  }
  const { readSettings } = await import('../config/read-settings.ts');
  const { general, customProfile, codecDelaysMs } = await readSettings(config, process.env);
  return {
    profile: mesProfile(profile ?? general.profile, customProfile),
    thresholds: general.thresholds,
    codecDelayMs: codec === undefined ? undefined : codecDelaysMs.get(codec.toLowerCase()),
  };
}

/**
 * Null when loss is given in the unit that the profile does not take: how many packets a percent is depends on the
 * report interval, and a score that ignored the loss would be a good one for want of data.
 */
function compute(options: ScoreOptions, { profile, codecDelayMs }: Formula): MesScore | null {
  const { lostPackets, lossPercent } = options;
  const [taken, other] = profile.lossUnit === 'packets' ? [lostPackets, lossPercent] : [lossPercent, lostPackets];
  if (taken === undefined && other !== undefined && other > 0) return null;
  return computeMes(profile, {
    direction: 'rx',
    rttMeanMs: options.rttMs,
    jitterMeanMs: options.jitterMs ?? 0,
    jitterLastMs: options.jitterMs ?? 0,
    jitterStdevMs: options.jitterStdevMs ?? 0,
    lostPacketsMean: lostPackets ?? 0,
    cumulativeLostMean: lostPackets ?? 0,
    lossPercent: lossPercent ?? 0,
    codecDelayMs,
  });
}

/** Undefined without a codec that it knows, and when some loss is given but not in percent. No loss given is none, as for the MES. */
function computeEModelOf(options: ScoreOptions): EModelScore | undefined {
  const { codec, rttMs } = options;
  const lossPercent = knownLossPercent(options);
  return codec === undefined || lossPercent === undefined ? undefined : computeEModel({ codec, lossPercent, rttMs });
}

function knownLossPercent({ lossPercent, lostPackets = 0 }: ScoreOptions): number | undefined {
  return lossPercent ?? (lostPackets === 0 ? 0 : undefined);
}

function asJson(
  options: ScoreOptions,
  formula: Formula,
  computed: MesScore | null,
  eModel: EModelScore | undefined,
): object {
  return {
    effective_latency_ms: round(computed?.effectiveLatencyMs, 4),
    r_value: round(computed?.rValue, 4),
    mes: computed === null ? null : round(computed.mes, 4),
    mes_100: round(computed?.mes100, 3),
    rtt_known: options.rttMs !== undefined,
    r_lq: round(eModel?.rLq, 4),
    r_cq: round(eModel?.rCq, 4),
    mos_lq: round(eModel?.mosLq, 4),
    mos_cq: round(eModel?.mosCq, 4),
    profile: formula.profile.name,
  };
}

function asText(
  options: ScoreOptions,
  { profile, thresholds }: Formula,
  computed: MesScore | null,
  eModel: EModelScore | undefined,
): string {
  const lines = computed === null ? [missingLoss(profile)] : mesLines(computed, thresholds);
  if (eModel !== undefined) {
    lines.push(
      `E-model            R(LQ) ${eModel.rLq.toFixed(1)}, R(CQ) ${eModel.rCq.toFixed(1)}, MOS-LQ ${eModel.mosLq.toFixed(2)}, MOS-CQ ${eModel.mosCq.toFixed(2)}`,
    );
  } else if (options.codec !== undefined) {
    lines.push(
      knownLossPercent(options) === undefined
        ? 'For the E-model, give --loss-percent too.'
        : `The codec ${options.codec} has no impairment factors, so there is no E-model score.`,
    );
  }
  return `${lines.join('\n')}\n`;
}

function mesLines(computed: MesScore, thresholds: VerdictThresholds): string[] {
  const verdict = verdictOf(computed.mes, thresholds);
  const lines = [
    `MES                ${formatOpinion(computed.mes)} of 4.50 (${verdict}), ${computed.mes100.toFixed(1)} of 100`,
    `R                  ${computed.rValue.toFixed(2)}`,
    `effective latency  ${computed.effectiveLatencyMs.toFixed(1)} ms`,
    `profile            ${computed.profile}`,
  ];
  if (!computed.rttKnown) lines.push('The round trip is not known and counts as 0.');
  return lines;
}

function missingLoss({ name, lossUnit }: MesProfile): string {
  const option = lossUnit === 'packets' ? '--lost-packets' : '--loss-percent';
  return `The profile ${name} counts lost ${lossUnit === 'packets' ? 'packets per report' : 'packets in percent'}: give ${option} for a MES.`;
}

function round(value: number | undefined, decimals: number): number | null {
  return value === undefined ? null : Number(value.toFixed(decimals));
}

function amount(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value < 0)
    throw new InvalidArgumentError('Give a number of 0 or more.');
  return value;
}

function percent(text: string): number {
  const value = amount(text);
  if (value > MAX_PERCENT) throw new InvalidArgumentError('Give a number from 0 to 100.');
  return value;
}

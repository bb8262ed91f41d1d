import { type Command, InvalidArgumentError, Option } from 'commander';
import {
  type CodecTable,
  type MesProfile,
  type MesScore,
  PROFILE_NAMES,
  type ProfileName,
  type QualityWord,
  type VerdictThresholds,
} from '../model/score.ts';
import { codecImpairment, codecSettings } from '../score/codec-impairment.ts';
import { computeEModel, type EModelScore } from '../score/e-model.ts';
import { computeMes, percentIn5S } from '../score/mes.ts';
import { formatOpinion } from '../score/opinion.ts';
import { mesProfile } from '../score/profiles.ts';
import { DEFAULT_THRESHOLDS, verdictOf, worseOpinion } from '../score/verdict.ts';
import { DONE, WRONG_USAGE, fail } from './exit-status.ts';

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
  /** What the settings say of codecs. */
  readonly codecs: CodecTable;
}

const NO_SETTINGS: CodecTable = new Map();
const MAX_PERCENT = 100;

export function addScore(program: Command, finish: (status: number) => void): void {
  program
    .command('score')
    .description('the calculator: what a score would be')
    .option('--rtt-ms <ms>', 'mean round trip; without it the score counts 0 and says so', amount)
    .option('--jitter-ms <ms>', 'mean interarrival jitter (default: 0)', amount)
    .option('--jitter-stdev-ms <ms>', 'its standard deviation (default: 0)', amount)
    .option(
      '--lost-packets <n>',
      'mean lost packets in 5 s of audio, or per report where the profile counts so',
      amount,
    )
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
    return fail(`there is nothing to score; give at least one of ${words}`, WRONG_USAGE);
  }
  let formula: Formula;
  try {
    formula = await formulaFor(options);
  } catch (error) {
    return fail(error);
  }
  const computed = compute(options, formula);
  const eModel = computeEModelOf(options, formula);
  process.stdout.write(
    options.json === true
      ? `${JSON.stringify(asJson(options, formula, computed, eModel))}\n`
      : asText(options, formula, computed, eModel),
  );
  return DONE;
}

/** Without a file the numbers of `custom` are those of `documented`. */
async function formulaFor({ profile, config }: ScoreOptions): Promise<Formula> {
  if (config === undefined) {
    return {
      profile: mesProfile(profile ?? 'documented'),
      thresholds: DEFAULT_THRESHOLDS,
      codecs: NO_SETTINGS,
    };
  }
  const { readOfflineSettings } = await import('../config/read-settings.ts');
  const { general, customProfile, codecs } = await readOfflineSettings(config, process.env);
  return {
    profile: mesProfile(profile ?? general.profile, customProfile),
    thresholds: general.thresholds,
    codecs,
  };
}

/** Whether the profile computes with percent, and not with packets. */
function takesPercent({ lossUnit, usesCodecImpairment }: MesProfile): boolean {
  return lossUnit === 'percent' || usesCodecImpairment;
}

/**
 * Of 5 s of audio, packets and percent tell the same; of a report nobody knows how many packets a percent is. Null when the
 * loss is given in a unit that the profile cannot take: a score that ignored it would be good for want of data.
 */
function compute(options: ScoreOptions, { profile, codecs }: Formula): MesScore | null {
  const { codec, lostPackets } = options;
  const isIn5S = profile.lossSample === '5s';
  const ofPackets = isIn5S && lostPackets !== undefined ? percentIn5S(lostPackets) : undefined;
  // Where both are given, the profile's own unit counts.
  const lossPercent = takesPercent(profile) ? (options.lossPercent ?? ofPackets) : (ofPackets ?? options.lossPercent);
  const [taken, other] =
    isIn5S || takesPercent(profile) ? [lossPercent, lostPackets] : [lostPackets, options.lossPercent];
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
    codecDelayMs: codec === undefined ? undefined : codecSettings(codec, codecs)?.delayMs,
    codec: codec === undefined ? undefined : codecImpairment(codec, codecs),
  });
}

/** Undefined without a codec that it knows, and when some loss is given but not in percent. No loss given is none, as for the MES. */
function computeEModelOf(options: ScoreOptions, { codecs }: Formula): EModelScore | undefined {
  const lossPercent = knownLossPercent(options);
  const codec = options.codec === undefined ? undefined : codecImpairment(options.codec, codecs);
  if (codec === undefined || lossPercent === undefined) return undefined;
  return computeEModel({ codec, lossPercent, rttMs: options.rttMs });
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
  const word = computed === null ? null : wordOf(computed, profile, eModel, thresholds);
  const lines = computed === null || word === null ? [missingLoss(profile)] : mesLines(computed, word);
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
  // Without this line the word would seem to contradict the MES that it stands beside.
  if (computed !== null && word !== verdictOf(computed.mes, thresholds))
    lines.push(`The word "${word}" is for MOS-CQ, which is lower than the MES.`);
  return `${lines.join('\n')}\n`;
}

/** The word for the worse of MES and MOS-CQ, as calls get it. */
function wordOf(
  { mes }: MesScore,
  { usesCodecImpairment }: MesProfile,
  eModel: EModelScore | undefined,
  thresholds: VerdictThresholds,
): QualityWord {
  const mosCq = usesCodecImpairment ? null : (eModel?.mosCq ?? null);
  return verdictOf(worseOpinion(mes, mosCq) ?? mes, thresholds);
}

function mesLines(computed: MesScore, verdict: QualityWord): string[] {
  const lines = [
    `MES                ${formatOpinion(computed.mes)} of 4.50 (${verdict}), ${computed.mes100.toFixed(1)} of 100`,
    `R                  ${computed.rValue.toFixed(2)}`,
    `effective latency  ${computed.effectiveLatencyMs.toFixed(1)} ms`,
    `profile            ${computed.profile}`,
  ];
  if (!computed.rttKnown) lines.push('The round trip is not known and counts as 0.');
  return lines;
}

function missingLoss(profile: MesProfile): string {
  const isPercent = takesPercent(profile);
  const option = isPercent ? '--loss-percent' : '--lost-packets';
  return `The profile ${profile.name} counts lost ${isPercent ? 'packets in percent' : 'packets per report'}: give ${option} for a MES.`;
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

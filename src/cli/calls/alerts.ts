import type { Command } from 'commander';
import { DEFAULT_SETTINGS_PATH } from '../../config/read-settings.ts';
import type { Alert, AlertRule } from '../../model/alert.ts';
import { DONE, WRONG_USAGE, fail } from '../exit-status.ts';

interface TestWords {
  readonly from: string;
  readonly to?: string;
  readonly json?: boolean;
  readonly config?: string;
}

export function addAlerts(program: Command, finish: (status: number) => void): void {
  const alerts = program.command('alerts').description('alerts: tries their rules');
  alerts
    .command('test')
    .argument('<rule>', 'NAME of [alert:NAME], or a rule that is there, such as bad-calls')
    .description('when a rule would have raised an alert over the calls of the history')
    .option('--from <time>', 'calls that ended then or later: ISO 8601, or -30d', '-30d')
    .option('--to <time>', 'calls that ended before; now when not given')
    .option('--json', 'one JSON document')
    .option('--config <file>', `settings (default: ${DEFAULT_SETTINGS_PATH})`)
    .action(async (name: string, words: TestWords) => finish(await testRule(name, words)));
}

async function testRule(name: string, words: TestWords): Promise<number> {
  // Loaded when needed, as the other commands do.
  const [
    { momentMs, parseMoment },
    { readOfflineSettings },
    { testAlertRule },
    { alertJson, amountText },
    { withStoredEndpoints },
  ] = await Promise.all([
    import('../../units/moment.ts'),
    import('../../config/read-settings.ts'),
    import('../../app/alert-test.ts'),
    import('../../alerting/messages/words.ts'),
    import('../../app/settings/stored-endpoints.ts'),
  ]);
  const nowMs = Date.now();
  const from = parseMoment(words.from);
  const to = words.to === undefined ? { atMs: nowMs } : parseMoment(words.to);
  if (from === undefined || to === undefined) {
    const which = from === undefined ? '--from' : '--to';
    return fail(`${which}: give an ISO 8601 time such as 2026-11-20T10:00:00Z, or -30d, -12h, -30m, -45s`, WRONG_USAGE);
  }
  const fromMs = momentMs(from, nowMs);
  const toMs = momentMs(to, nowMs);
  if (fromMs > toMs) return fail('--from is later than --to; give an earlier time', WRONG_USAGE);
  try {
    const settings = withStoredEndpoints(await readOfflineSettings(words.config, process.env));
    const rule = settings.alerts.rules.find((known) => known.name === name);
    if (rule === undefined) {
      const names = settings.alerts.rules.map((known) => known.name).join(', ');
      return fail(`there is no rule "${name}"; known are ${names}`, WRONG_USAGE);
    }
    if (rule.what === 'bad-live' || rule.what === 'unreachable' || rule.what === 'ami') {
      return fail(
        `a rule about ${rule.what} cannot be tried: the history does not say how calls that have ended once looked, nor when Asterisk or an endpoint could not be reached; try bad-calls`,
        WRONG_USAGE,
      );
    }
    const outcome = testAlertRule({ path: settings.history.path, rule, fromMs, toMs });
    process.stdout.write(
      words.json === true
        ? `${JSON.stringify({ rule: name, from: iso(fromMs), to: iso(toMs), channels: outcome.channels, alerts: outcome.alerts.map((alert) => alertJson(alert)) })}\n`
        : textOf((value) => amountText(rule.what, value), rule, outcome.alerts, outcome.channels, fromMs, toMs),
    );
    return DONE;
  } catch (error) {
    return fail(error);
  }
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

/** `2026-11-20 10:00` in UTC. */
function minute(ms: number): string {
  return iso(ms).slice(0, 16).replace('T', ' ');
}

function textOf(
  amountOf: (value: number) => string,
  rule: AlertRule,
  alerts: readonly Alert[],
  channels: number,
  fromMs: number,
  toMs: number,
): string {
  const span = `from ${minute(fromMs)} to ${minute(toMs)} UTC (${channels} channels)`;
  const thresholds = `It raises at ${amountOf(rule.raise)} and is over at ${amountOf(rule.clear)}, from ${rule.calls === 1 ? '1 call' : `${rule.calls} calls`} on.`;
  if (alerts.length === 0) return `${rule.name} would have raised no alert ${span}. ${thresholds}\n`;
  const count = alerts.length === 1 ? 'one alert' : `${alerts.length} alerts`;
  const rows = alerts.map((alert) => [
    minute(alert.raisedAtMs),
    alert.clearedAtMs === null ? 'goes on' : minute(alert.clearedAtMs),
    amountOf(alert.worst),
    String(alert.calls),
    alert.subject,
  ]);
  const heads = ['raised', 'over', 'worst', 'calls', 'endpoint'];
  const widths = heads.map((head, column) => Math.max(head.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return `${[`${rule.name} would have raised ${count} ${span}.`, thresholds, '', line(heads), ...rows.map(line)].join('\n')}\n`;
}

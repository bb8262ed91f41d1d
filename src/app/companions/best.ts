import { endedSample } from '../../alerting/rules/recent-media.ts';
import { isJudged } from '../../alerting/rules/rule-value.ts';
import { TrunkChoice } from '../../alerting/trunk-choice.ts';
import { trunkRoutes } from '../../api/alerts/trunks.ts';
import type { AgiScript } from '../../asterisk/fast-agi.ts';
import { encodeSetVariable } from '../../wire/agi.ts';
import type { Companion, CompanionContext } from './companion.ts';
import { endpointSearcher } from '../numbers/hidden-text.ts';
import { coded } from '../state/log.ts';

const HOUR_MS = 3_600_000;
const MOST_LEGS = 20_000;
const TIDY_EVERY_MS = 600_000;
/** Bound on remembered channels. The end of a channel may come more than once and must count once. */
const MOST_COUNTED = 50_000;
/** Bound on the trunks that one call may choose from. */
const MOST_NAMES = 20;
/** An endpoint's name with or without technology, and nothing that the dialplan would evaluate. */
const NAME = /^(?:[A-Za-z0-9]+\/)?[\w.@+-]{1,80}$/;

/** Chooses the trunk whose recent calls were best: `agi://…/best` for the dialplan, `GET /v1/trunks` for people. */
export function bestCompanion({ settings, clock, history, log }: CompanionContext): Companion {
  const stored = endpointSearcher(settings.history);
  const trunks = new TrunkChoice((endpoint) => stored(endpoint) ?? endpoint);
  const counted = new Set<string>();
  let asked = 0;
  let tidyAtMs = 0;
  let isRestored = false;

  const best: AgiScript = async (conversation, { words }) => {
    const names = words.map((word) => word.trim()).filter((word) => NAME.test(word));
    const chosen = trunks.choose(names.slice(0, MOST_NAMES), clock.nowMs());
    if (chosen === undefined) return;
    asked++;
    await conversation.command(encodeSetVariable('MES_BEST', chosen));
  };

  /** Reads the last hour's calls after a restart. */
  const restore = async (): Promise<void> => {
    const nowMs = clock.nowMs();
    const legs = await history.features.read('alerts', 'legs', {
      fromMs: nowMs - HOUR_MS,
      toMs: nowMs,
      limit: MOST_LEGS,
    });
    for (const leg of legs) {
      if (counted.has(leg.uniqueid)) continue;
      counted.add(leg.uniqueid);
      trunks.take(leg);
    }
  };

  return {
    routes: trunkRoutes(trunks, clock),
    agiScripts: { best },
    counters: () => ({ asked }),
    channelEnded(channel) {
      if (counted.has(channel.uniqueid) || !isJudged(channel.verdict)) return;
      if (counted.size >= MOST_COUNTED) counted.clear();
      counted.add(channel.uniqueid);
      trunks.take(endedSample(channel));
    },
    tick(nowMs) {
      if (!isRestored) {
        isRestored = true;
        restore().catch((error: unknown) =>
          log.warn(coded('MES_ERR_ALERT'), `trunks: the last hour cannot be read: ${String(error)}`),
        );
      }
      if (nowMs < tidyAtMs && nowMs > tidyAtMs - TIDY_EVERY_MS) return;
      tidyAtMs = nowMs + TIDY_EVERY_MS;
      trunks.tidy(nowMs);
    },
  };
}

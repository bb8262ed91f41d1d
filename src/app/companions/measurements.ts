import { measurementRoutes } from '../../api/measurements.ts';
import { MeasurementSender } from '../../measurements/sender.ts';
import type { Companion, CompanionContext } from './companion.ts';
import { coded } from '../state/log.ts';
import { VERSION } from '../version.ts';

/** Anonymous measurements of calls for those who are to have them: see `src/measurements/README.md`. */
export function measurementsCompanion(context: CompanionContext): Companion | null {
  const { settings, log, clock, history, live, asteriskVersion } = context;
  if (!settings.measurements.enabled) return null;
  const sender = new MeasurementSender({
    settings: settings.measurements,
    release: VERSION,
    asteriskVersion,
    live,
    nowMs: () => clock.nowMs(),
    ratingsSince: async (fromMs, limit) =>
      (await history.features.read('ratings', 'list', { filter: { fromMs }, limit, cursor: null })).ratings,
    onProblem: (sentence) => log.warn(coded('MES_ERR_MEASUREMENTS'), sentence),
    onInfo: (sentence) => log.info(sentence),
  });
  return {
    routes: measurementRoutes(() => sender.lastDocuments),
    counters: () => sender.counters,
    start: () => sender.start(),
    stop: () => sender.stop(),
    channelEnded: (channel) => sender.channelEnded(channel),
    tick: (nowMs) => sender.tick(nowMs),
  };
}

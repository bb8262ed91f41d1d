import { measurementRoutes } from '../../api/measurements.ts';
import type { Route } from '../../api/route.ts';
import { fieldRows } from '../../measurements/format/fields.ts';
import { MeasurementSender } from '../../measurements/sender.ts';
import { forgetMeasurements, resetInstallation, spoolState } from '../../measurements/spool-visit.ts';
import type { Companion, CompanionContext } from './companion.ts';
import { coded } from '../state/log.ts';
import { VERSION } from '../version.ts';

/** Anonymous measurements of calls: see `src/measurements/README.md`. */
export function measurementsCompanion(context: CompanionContext): Companion {
  const sender = context.settings.measurements.enabled ? senderOf(context) : null;
  const routes = routesOf(context, sender);
  if (sender === null) return { routes };
  return {
    routes,
    counters: () => sender.counters,
    start: () => sender.start(),
    stop: () => sender.stop(),
    channelEnded: (channel) => sender.channelEnded(channel),
    tick: (nowMs) => sender.tick(nowMs),
  };
}

function senderOf({ settings, log, clock, history, live, asteriskVersion }: CompanionContext): MeasurementSender {
  return new MeasurementSender({
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
}

function routesOf({ settings, clock }: CompanionContext, sender: MeasurementSender | null): readonly Route[] {
  const { enabled, include, recipients, collector, uploadTo, endpoints, spool, spoolMaxBytes } = settings.measurements;
  return measurementRoutes({
    lastDocuments: () => sender?.lastDocuments ?? [],
    async status() {
      const { waitingFiles, waitingBytes } = await spoolState(spool);
      const counters = sender?.counters ?? {};
      return {
        enabled,
        include: [...include],
        recipients: [...recipients],
        collector,
        upload_to: uploadTo,
        endpoints: [...endpoints],
        spool,
        spool_max_bytes: spoolMaxBytes,
        waiting_files: waitingFiles,
        waiting_bytes: waitingBytes,
        sent: counters['sent'] ?? 0,
        refused: counters['refused'] ?? 0,
        dropped: counters['dropped'] ?? 0,
        problem: sender?.problem ?? null,
        fields: fieldRows(),
      };
    },
    reset: () => resetInstallation(spool, clock.nowMs()),
    forget: () => forgetMeasurements(spool, collector, clock.nowMs()),
  });
}

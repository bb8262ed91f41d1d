import { LiveShipper } from '../../fleet/live/live-shipper.ts';
import { FleetShipper } from '../../fleet/shipper.ts';
import type { Companion, CompanionContext } from './companion.ts';
import { coded } from '../state/log.ts';
import { VERSION } from '../version.ts';

/** Ships calls to the fleet's gateway; null when `[fleet]` names none. */
export function fleetCompanion({
  settings,
  history,
  calls,
  clock,
  live,
  log,
  asteriskVersion,
}: CompanionContext): Companion | null {
  if (settings.fleet === null) return null;
  const shipper = new FleetShipper({
    ...settings.fleet,
    history,
    calls,
    clock,
    random: () => Math.random(),
    heartbeat: () => {
      const version = asteriskVersion();
      const problem = version === null ? 'there is no connection to Asterisk (AMI)' : history.stats().problem;
      return { release: VERSION, asterisk_version: version, calls_up: live.liveCount, problem };
    },
    onProblem: (sentence) => log.warn(coded('MES_ERR_FLEET_GATEWAY'), sentence),
  });
  const liveShipper = new LiveShipper({ ...settings.fleet, live });
  return {
    counters: () => ({ ...shipper.counters, ...liveShipper.counters }),
    start: () => shipper.start(),
    stop: async () => {
      await Promise.all([shipper.stop(), liveShipper.stop()]);
    },
    channelEnded: (channel) => {
      shipper.channelEnded(channel);
      liveShipper.channelEnded(channel);
    },
    tick: (nowMs) => {
      shipper.tick(nowMs);
      liveShipper.tick(nowMs);
    },
  };
}

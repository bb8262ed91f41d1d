import type { OfflineSettings } from '../../config/settings.ts';
import { textHider } from '../numbers/hidden-text.ts';

/**
 * The settings with endpoints as they are stored: where numbers are hidden, `PJSIP/4915550100` of mes.conf would fit no endpoint, and
 * stand in clear in /metrics and REST. Of a beginning (`PJSIP/4915550100*`) only a whole number can be found.
 */
export function withStoredEndpoints<Some extends OfflineSettings>(settings: Some): Some {
  if (settings.history.numbers === 'clear') return settings;
  const { channelName } = textHider(settings.history);
  const stored = (pattern: string): string =>
    pattern.endsWith('*') ? `${channelName(pattern.slice(0, -1))}*` : channelName(pattern);
  const { alerts, measurements, endpoints } = settings;
  return {
    ...settings,
    alerts: { ...alerts, rules: alerts.rules.map((rule) => ({ ...rule, endpoints: rule.endpoints.map(stored) })) },
    measurements: { ...measurements, endpoints: measurements.endpoints.map(stored) },
    endpoints: endpoints.map((one) => ({ ...one, pattern: stored(one.pattern) })),
  };
}

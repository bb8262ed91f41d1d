import type { OfflineSettings } from '../../config/settings.ts';
import { textHider } from '../numbers/hidden-text.ts';

/** What advantages may be of beside endpoints. */
const NO_ENDPOINT = /^(?:device|site|network):/;

/**
 * The settings with endpoints in their stored form. Where numbers are hidden, `PJSIP/4915550100` of mes.conf would fit no
 * endpoint, and would stand in clear in /metrics and REST. A beginning such as `PJSIP/4915550100*` can be changed only if it
 * holds a whole number.
 */
export function withStoredEndpoints<Some extends OfflineSettings>(settings: Some): Some {
  if (settings.history.numbers === 'clear') return settings;
  const { endpoint } = textHider(settings.history);
  const stored = (pattern: string): string =>
    pattern.endsWith('*') ? `${endpoint(pattern.slice(0, -1))}*` : endpoint(pattern);
  const { alerts, measurements, endpoints } = settings;
  return {
    ...settings,
    alerts: { ...alerts, rules: alerts.rules.map((rule) => ({ ...rule, endpoints: rule.endpoints.map(stored) })) },
    measurements: { ...measurements, endpoints: measurements.endpoints.map(stored) },
    endpoints: endpoints.map((one) => (NO_ENDPOINT.test(one.pattern) ? one : { ...one, pattern: stored(one.pattern) })),
  };
}

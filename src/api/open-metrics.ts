import { type OpenMetricsContentType, Registry } from 'prom-client';
import { mediaRanges, quality } from './gate/accept.ts';
import { nextTurn } from './gate/turns.ts';

export const OPEN_METRICS_TYPE = Registry.OPENMETRICS_CONTENT_TYPE;

const MEDIA_TYPE = 'application/openmetrics-text';
const VERSION = 'version=1.0.0';

/** Whether a client's Accept header names OpenMetrics 1.0 and does not prefer Prometheus' own text format. */
export function prefersOpenMetrics(accept: string | undefined): boolean {
  if (accept === undefined) return false;
  const weights = mediaRanges(accept)
    .filter(({ type, parameters }) => {
      const versions = parameters.filter((parameter) => parameter.startsWith('version='));
      return type === MEDIA_TYPE && versions.every((version) => version === VERSION);
    })
    .map(({ weight }) => weight);
  const wanted = Math.max(0, ...weights);
  return wanted > 0 && wanted >= quality(accept, ['text/plain', 'text/*', '*/*']);
}

/** A registry whose metrics may have exemplars. */
export function registryWithExemplars(): Registry<OpenMetricsContentType> {
  const registry = new Registry<OpenMetricsContentType>();
  registry.setContentType(OPEN_METRICS_TYPE);
  return registry;
}

/** Its metrics in Prometheus' own text format, without the exemplars. */
export async function textOf(registry: Registry<OpenMetricsContentType>): Promise<string> {
  const texts = await textsOf(registry.getMetricsAsArray(), () => new Registry());
  return texts.join('\n');
}

const LAST_LINE = '# EOF\n';

/**
 * Its metrics as OpenMetrics. prom-client renames counters for good when it writes them as OpenMetrics, and then Prometheus' own
 * format has wrong names: it gets copies.
 */
export async function openMetricsOf(registry: Registry<OpenMetricsContentType>): Promise<string> {
  const copies = registry.getMetricsAsArray().map(
    (metric): object =>
      Object.create(metric, {
        name: { value: metric.name, writable: true },
        // OpenMetrics wants quotes escaped here, and prom-client leaves them as they are.
        help: { value: metric.help.replaceAll('"', "'") },
      }) as object,
  );
  const texts = await textsOf(copies, registryWithExemplars);
  return `${texts.map((text) => text.slice(0, -LAST_LINE.length)).join('')}${LAST_LINE}`;
}

type AnyRegistry = Pick<Registry, 'registerMetric' | 'metrics'>;

/** The text of each metric, in a turn of the event loop for each: all together would hold a hang-up for too long. */
async function textsOf(metrics: readonly object[], makeRegistry: () => AnyRegistry): Promise<string[]> {
  const texts: string[] = [];
  for (const metric of metrics) {
    const registry = makeRegistry();
    // `metric` is one of those that prom-client calls objects, or has one as its prototype.
    registry.registerMetric(metric as Parameters<Registry['registerMetric']>[0]);
    texts.push(await registry.metrics());
    await nextTurn();
  }
  return texts;
}

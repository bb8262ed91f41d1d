import { z } from 'zod';
import {
  CALL,
  CALLS_ANSWER,
  CHANNEL,
  HEALTH_ANSWER,
  INTERVAL,
  INTERVALS_ANSWER,
  LIVE_ANSWER,
  LIVE_SUMMARY_ANSWER,
  PROBLEM,
  READY_ANSWER,
  SEGMENT,
  STREAM,
} from './answers.ts';
import { AUDIO_STATISTICS } from './audio-statistics.ts';
import { CAPTURE, VOIP_METRICS, VOIP_METRICS_ANSWER } from './captured.ts';
import { LIVE_MESSAGE } from './live-stream.ts';
import { PROBLEM_TYPE } from './problem.ts';
import {
  BUCKET_QUALITY,
  ENDPOINT_QUALITY,
  ENDPOINT_TREND,
  ENDPOINTS_ANSWER,
  HALF_QUALITY,
  SUMMARY_ANSWER,
} from './quality.ts';

/** What of a route is told. */
export interface DescribedRoute {
  readonly path: string;
  readonly summary: string;
  readonly method: string;
  readonly access: string;
  readonly query: z.ZodObject;
  readonly body: z.ZodType | null;
  readonly status: number;
  readonly answer: z.ZodType;
  readonly csv?: unknown;
  readonly type?: string | undefined;
}

/** Schemas that have a name in the document; any other answer is described in its place. */
const NAMED = {
  Call: CALL,
  Channel: CHANNEL,
  Stream: STREAM,
  Segment: SEGMENT,
  Interval: INTERVAL,
  Calls: CALLS_ANSWER,
  Intervals: INTERVALS_ANSWER,
  AudioStatistics: AUDIO_STATISTICS,
  VoipMetrics: VOIP_METRICS,
  Capture: CAPTURE,
  VoipMetricsOfChannel: VOIP_METRICS_ANSWER,
  Live: LIVE_ANSWER,
  LiveSummary: LIVE_SUMMARY_ANSWER,
  LiveMessage: LIVE_MESSAGE,
  EndpointQuality: ENDPOINT_QUALITY,
  EndpointTrend: ENDPOINT_TREND,
  HalfQuality: HALF_QUALITY,
  Endpoints: ENDPOINTS_ANSWER,
  BucketQuality: BUCKET_QUALITY,
  Summary: SUMMARY_ANSWER,
  Health: HEALTH_ANSWER,
  Ready: READY_ANSWER,
  Problem: PROBLEM,
} as const satisfies Record<string, z.ZodType>;

type Json = Record<string, unknown>;

function reference(name: string): Json {
  return { $ref: `#/components/schemas/${name}` };
}

/** `$schema` and `$id` are for schemas that stand alone. */
function inDocument(schema: object): Json {
  return Object.fromEntries(Object.entries(schema).filter(([key]) => key !== '$schema' && key !== '$id'));
}

function components(): Json {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(NAMED)) registry.add(schema, { id });
  const { schemas } = z.toJSONSchema(registry, { uri: (id) => `#/components/schemas/${id}` });
  return Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, inDocument(schema)]));
}

function answerSchema(answer: z.ZodType): Json {
  if (answer instanceof z.ZodUnion) return { anyOf: answer.options.map((one) => answerSchema(one as z.ZodType)) };
  const name = Object.entries(NAMED).find(([, schema]) => schema === answer)?.[0];
  return name === undefined ? inDocument(z.toJSONSchema(answer)) : reference(name);
}

function parameters({ path, query }: DescribedRoute): Json[] {
  const ofPath = [...path.matchAll(/:(\w+)/g)].map(([, name = '']) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
  // As clients send them: text. What the text must be like is in the description.
  const ofQuery = Object.entries<z.ZodType>(query.shape).map(([name, schema]) => {
    const { description, ...type } = inDocument(z.toJSONSchema(schema, { io: 'input' }));
    return { name, in: 'query', required: false, description, schema: type };
  });
  return [...ofPath, ...ofQuery];
}

function operation(route: DescribedRoute): Json {
  const content = {
    [route.type ?? 'application/json']: { schema: answerSchema(route.answer) },
    ...(route.csv === undefined ? {} : { 'text/csv': { schema: { type: 'string' } } }),
  };
  return {
    summary: route.summary,
    ...(route.access === 'usual' ? {} : { security: route.access === 'open' ? [] : [{ token: [] }] }),
    parameters: parameters(route),
    ...(route.body === null ? {} : { requestBody: requestBody(route.body) }),
    responses: {
      [route.status]: { description: 'The answer.', content },
      default: {
        description: 'What went wrong, and what to do (RFC 9457).',
        content: { [PROBLEM_TYPE]: { schema: reference('Problem') } },
      },
    },
  };
}

function requestBody(body: z.ZodType): Json {
  const schema = inDocument(z.toJSONSchema(body, { io: 'input' }));
  return { required: true, content: { 'application/json': { schema } } };
}

/** The OpenAPI 3.1 document of the routes, made from the schemas that check requests and answers. */
export function openApi(routes: readonly DescribedRoute[]): Json {
  const paths = [...Map.groupBy(routes, ({ path }) => path)].map(([path, methods]) => [
    path.replaceAll(/:(\w+)/g, '{$1}'),
    Object.fromEntries(methods.map((route) => [route.method.toLowerCase(), operation(route)])),
  ]);
  return {
    openapi: '3.1.0',
    info: {
      title: 'asterisk-mes',
      version: '1',
      description:
        'Scores of the calls of an Asterisk server. Null is "not known". A token is needed when [http] has one.',
    },
    security: [{}, { token: [] }],
    paths: Object.fromEntries(paths),
    components: { schemas: components(), securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
  };
}

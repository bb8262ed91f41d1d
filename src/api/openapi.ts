import { z } from 'zod';
import {
  CALL,
  CALL_SUMMARY,
  CALLS_ANSWER,
  CALLS_SUMMARY_ANSWER,
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
} from './answers/answers.ts';
import { AUDIO_STATISTICS } from './answers/audio-statistics.ts';
import { CAPTURE, VOIP_METRICS, VOIP_METRICS_ANSWER } from './answers/captured.ts';
import { withWords } from './answers/field-words.ts';
import { LIVE_MESSAGE, LIVE_STREAM_PATH } from './live-stream.ts';
import { CALL_WITH_RATINGS, MOMENT, RATING } from './ratings/ratings.ts';
import { NOTE, TAG } from './remarks.ts';
import { PROBLEM_TYPE } from './problem.ts';
import {
  BUCKET_QUALITY,
  ENDPOINT_QUALITY,
  ENDPOINT_TREND,
  ENDPOINTS_ANSWER,
  GROUP_QUALITY,
  GROUPS_ANSWER,
  HALF_QUALITY,
  SUMMARY_ANSWER,
} from './answers/quality.ts';

/** What the description shows of a route. */
export interface DescribedRoute {
  readonly path: string;
  readonly summary: string;
  readonly method: string;
  readonly access: string;
  readonly isPage: boolean;
  readonly query: z.ZodObject;
  readonly body: z.ZodType | null;
  readonly status: number;
  readonly answer: z.ZodType;
  readonly csv?: unknown;
  readonly type?: string | undefined;
  readonly otherType?: { readonly type: string } | undefined;
  readonly isFinal?: unknown;
}

/** Schemas that have a name in the document; any other answer is described in its place. */
const NAMED = {
  Call: CALL,
  CallWithRatings: CALL_WITH_RATINGS,
  Rating: RATING,
  Moment: MOMENT,
  Note: NOTE,
  Tag: TAG,
  Channel: CHANNEL,
  Stream: STREAM,
  Segment: SEGMENT,
  Interval: INTERVAL,
  CallSummary: CALL_SUMMARY,
  Calls: CALLS_ANSWER,
  CallsSummary: CALLS_SUMMARY_ANSWER,
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
  GroupQuality: GROUP_QUALITY,
  Groups: GROUPS_ANSWER,
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
  return Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, withWords(inDocument(schema))]));
}

function answerSchema(answer: z.ZodType): Json {
  if (answer instanceof z.ZodUnion) return { anyOf: answer.options.map((one) => answerSchema(one as z.ZodType)) };
  const name = Object.entries(NAMED).find(([, schema]) => schema === answer)?.[0];
  return name === undefined ? (withWords(inDocument(z.toJSONSchema(answer))) as Json) : reference(name);
}

function parameters({ path, query }: DescribedRoute): Json[] {
  const ofPath = [...path.matchAll(/:(\w+)/g)].map(([, name = '']) => ({
    name,
    in: 'path',
    required: true,
    description: PATH_PARAMETERS[name] ?? name,
    schema: { type: 'string' },
  }));
  const ofQuery = Object.entries<z.ZodType>(query.shape).map(([name, schema]) => {
    const { description, wire, ...type } = inDocument(z.toJSONSchema(schema, { io: 'input' }));
    // What the text must be like is in the description; `wire` has what a schema of texts cannot tell.
    return { name, in: 'query', required: false, description, schema: wire ?? type };
  });
  return [...ofPath, ...ofQuery];
}

const PATH_PARAMETERS: Readonly<Record<string, string>> = {
  linkedid: "Asterisk's linkedid of the call, or one that was joined to it",
  uniqueid: "Asterisk's uniqueid of the channel",
  endpoint: 'name of the trunk or phone, such as PJSIP/carrier1; the slash as it is or as %2F',
  id: 'its id, as the list has it',
  token: 'the last part of a link that somebody was given',
};

/** `/v1/channels/:uniqueid/intervals` is `getChannelsIntervals`: the method, and the words of the path. */
function operationId({ method, path }: DescribedRoute): string {
  const words = path.split('/').flatMap((part) => {
    if (part === '' || part === 'v1') return [];
    return part.startsWith(':') ? [`by-${part.slice(1)}`] : part.split(/\W/);
  });
  const upper = words.join('-').replaceAll(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase());
  return method.toLowerCase() + upper.replaceAll(/\W/g, '');
}

/** What a client has to expect of this address beside its answer. */
function refusals({ path, access, query, body }: DescribedRoute): Json {
  const statuses = [
    ...(Object.keys(query.shape).length > 0 || body !== null ? [400] : []),
    ...(access === 'open' ? [] : [401]),
    ...(access === 'token' || access === 'usual' ? [403] : []),
    ...(path.includes(':') ? [404] : []),
    ...(path === LIVE_STREAM_PATH ? [426] : []),
    ...(path === '/readyz' ? [503] : []),
    429,
  ];
  return Object.fromEntries(statuses.map((status) => [status, problem(REFUSALS[status] ?? 'Refused.')]));
}

/** What comes over the web socket; OpenAPI 3.1 has no words of its own for that. */
const MESSAGES: Json = {
  description: 'The web socket is open. Each of its messages is a JSON text as described here.',
  content: { 'application/json': { schema: reference('LiveMessage') } },
};

const REFUSALS: Readonly<Record<number, string>> = {
  400: 'A parameter or the body is not allowed; the answer names it and says what is.',
  401: 'A token is needed, and none or a wrong one came.',
  403: 'A request from elsewhere while no token is set.',
  404: 'Nothing of this id is known.',
  426: 'This address is a web socket.',
  429: 'Too many requests came from one address.',
  503: 'Calls are not scored or not remembered; the answer says why.',
};

function problem(description: string): Json {
  return { description, content: { [PROBLEM_TYPE]: { schema: reference('Problem') } } };
}

function operation(route: DescribedRoute): Json {
  const content = {
    [route.type ?? 'application/json']: { schema: answerSchema(route.answer) },
    ...(route.otherType === undefined ? {} : { [route.otherType.type]: { schema: { type: 'string' } } }),
    ...(route.csv === undefined ? {} : { 'text/csv': { schema: { type: 'string' } } }),
  };
  return {
    operationId: operationId(route),
    summary: route.summary,
    ...(route.access === 'usual' ? {} : { security: route.access === 'open' ? [] : [{ token: [] }] }),
    parameters: parameters(route),
    ...(route.body === null ? {} : { requestBody: requestBody(route) }),
    responses: {
      [route.status]: { description: 'The answer.', content },
      ...(route.path === LIVE_STREAM_PATH ? { 101: MESSAGES } : {}),
      ...(route.isFinal === undefined ? {} : { 304: { description: 'The client has this answer, by its ETag.' } }),
      ...refusals(route),
      default: problem('What went wrong, and what to do (RFC 9457).'),
    },
  };
}

/** A page's form sends its own type. */
function requestBody({ body, isPage }: DescribedRoute): Json {
  const schema = body === null ? {} : withWords(inDocument(z.toJSONSchema(body, { io: 'input' })));
  const type = isPage ? 'application/x-www-form-urlencoded' : 'application/json';
  return { required: true, content: { [type]: { schema } } };
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
      license: { name: 'MIT', identifier: 'MIT' },
      version: '1',
      description:
        'Scores of the calls of an Asterisk server. Null is "not known". A token is needed when [http] has one.',
    },
    servers: [{ url: '/', description: 'where this document was read' }],
    security: [{}, { token: [] }],
    paths: Object.fromEntries(paths),
    components: { schemas: components(), securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
  };
}

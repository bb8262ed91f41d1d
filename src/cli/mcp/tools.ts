import { z } from 'zod';
import { CALLS_QUERY, ENDPOINTS_QUERY, LIVE_QUERY, SUMMARY_QUERY } from '../../api/parameters.ts';
import type { RestClient } from '../terminal/rest-client.ts';
import { type Explained, explanationOf } from './why.ts';

type Arguments = Readonly<Record<string, unknown>>;

/** A question that an assistant can ask. All of them only read. */
export interface Tool {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly inputSchema: object;
  /** Rejects with one sentence. */
  ask(rest: RestClient, given: Arguments): Promise<unknown>;
}

/** Calls and channels in one answer unless more are asked for: an assistant reads every line. */
const USUAL_LIMIT = '20';

/** JSON Schema of parameters of REST, by the table that REST itself checks them with. */
function schemaOf(query: z.ZodObject, left: readonly string[] = []): object {
  const properties = Object.entries<z.ZodType>(query.shape).flatMap(([name, schema]) => {
    if (left.includes(name)) return [];
    const { description, wire = { type: 'string' } } = z.toJSONSchema(schema, { io: 'input' });
    return [[name, { description, ...(wire as object) }]];
  });
  return { type: 'object', properties: Object.fromEntries(properties), additionalProperties: false };
}

/** As REST takes them: several values as several parameters. */
function queryOf(given: Arguments, preset: Readonly<Record<string, string>>): string {
  const query = new URLSearchParams(preset);
  for (const [name, value] of Object.entries(given)) {
    query.delete(name);
    for (const one of [value].flat()) query.append(name, typeof one === 'string' ? one : JSON.stringify(one));
  }
  return query.toString();
}

function listing(
  path: string,
  query: z.ZodObject,
  preset: Readonly<Record<string, string>>,
): Pick<Tool, 'inputSchema' | 'ask'> {
  // What is preset is not for the assistant to choose, but for how many it wants.
  const left = Object.keys(preset).filter((name) => name !== 'limit');
  return {
    inputSchema: schemaOf(query, left),
    ask: async (rest, given) => {
      const refused = Object.keys(given).find((name) => left.includes(name));
      if (refused !== undefined) throw new Error(`${refused} is not an argument of this tool`);
      return rest.get(`${path}?${queryOf(given, preset)}`);
    },
  };
}

function ofCall(answer: (rest: RestClient, linkedid: string) => Promise<unknown>): Pick<Tool, 'inputSchema' | 'ask'> {
  return {
    inputSchema: {
      type: 'object',
      properties: { linkedid: { type: 'string', description: "Asterisk's linkedid of the call, as `calls` gives it" } },
      required: ['linkedid'],
      additionalProperties: false,
    },
    ask: async (rest, { linkedid, ...others }) => {
      const [strange] = Object.keys(others);
      if (strange !== undefined) throw new Error(`${strange} is not an argument of this tool`);
      if (typeof linkedid !== 'string' || linkedid === '') throw new Error('give linkedid, as the tool calls shows it');
      return answer(rest, linkedid);
    },
  };
}

export const TOOLS: readonly Tool[] = [
  {
    name: 'calls',
    title: 'Find calls',
    description:
      'Calls of the past and those that are up, newest first, each with score (mes, 1-4.5), verdict and where the fault lies. party=214 finds an extension or number; verdict=bad-or-worse counts silent and one-way calls as bad, verdict=bad does not. With sort=mes the worst come first. matching says how many fit.',
    ...listing('/v1/calls', CALLS_QUERY, { fields: 'summary', count: 'yes', limit: USUAL_LIMIT }),
  },
  {
    name: 'call',
    title: 'One call, whole',
    description: 'All that is stored of one call: its channels, both directions of each, and their RTP sessions.',
    ...ofCall((rest, linkedid) => rest.get(`/v1/calls/${encodeURIComponent(linkedid)}`)),
  },
  {
    name: 'why',
    title: 'Why a call was as it was',
    description:
      'In sentences and the few numbers behind them: who did not hear whom, where the fault lies and how sure that is. null is not known; it is never good.',
    ...ofCall(async (rest, linkedid) =>
      explanationOf(await rest.get<Explained>(`/v1/calls/${encodeURIComponent(linkedid)}`)),
    ),
  },
  {
    name: 'endpoints',
    title: 'Compare endpoints and trunks',
    description:
      'Endpoints and trunks, the worst 5th percentile first; of the last day unless from is given. With endpoint (PJSIP/carrier1, or PJSIP/*) also the trend of each: later half of the time against the earlier.',
    ...listing('/v1/endpoints', ENDPOINTS_QUERY, { limit: USUAL_LIMIT }),
  },
  {
    name: 'trends',
    title: 'Quality over time',
    description: 'Calls, scores and share of bad calls by stretches of time, of all calls or of one endpoint.',
    ...listing('/v1/summary', SUMMARY_QUERY, {}),
  },
  {
    name: 'live',
    title: 'What is up now',
    description: 'Channels that are up now, the worst first, with their scores so far; matching says how many fit.',
    ...listing('/v1/live', LIVE_QUERY, { fields: 'summary', sort: 'mes', limit: USUAL_LIMIT }),
  },
];

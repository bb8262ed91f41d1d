import { z } from 'zod';
import { CHANNEL, CHANNEL_SUMMARY } from '../../api/answers/answers.ts';
import { presentChannel, presentChannelSummary } from '../../api/answers/present.ts';
import { LIVE_STREAM_PATH } from '../../api/live-stream.ts';
import { LIVE_QUERY, limit, NO_QUERY } from '../../api/parameters.ts';
import { Problem } from '../../api/problem.ts';
import { type Route, route } from '../../api/route.ts';
import { askLive } from '../read/live.ts';
import { Question } from '../read/question.ts';
import { isWithin } from '../read/scope.ts';
import { type FleetRoutesOptions, inWords, type ScopeOf, WHOSE } from './asked.ts';
import { SHARDS } from './pbx-list.ts';

/** Nobody looks at more of a hundred thousand channels. */
const USUAL_LIMIT = 500;
const MOST_LIMIT = 2000;

const TIME = z.iso.datetime({ precision: 3 });
const COUNT = z.int().nonnegative();
const AS_OF = TIME.describe('when its PBX told of it last; what happened since is not known');

const PBX = z.strictObject({
  pbx: z.string(),
  site: z.string(),
  state: z
    .enum(['live', 'stale', 'none'])
    .describe(
      'stale: nothing came for 20 s, and channels are shown for a minute more; none: nothing for ten minutes, it is silent or of a release that does not send what is up',
    ),
  as_of: TIME.nullable().describe('when it told of its channels last'),
  channels_up: COUNT.nullable().describe(
    'as it counts them; channels has fewer where a PBX has more than some 5,000 up; null unless live',
  ),
});
const MORE = {
  matching: COUNT.describe('how many fit the question'),
  pbxs: z.array(PBX),
  shards: SHARDS.nullable(),
};
const PBX_NAME = z.string().describe('the PBX that it is of');
const ANSWERS = z.union([
  z.strictObject({ channels: z.array(CHANNEL.extend({ as_of: AS_OF })), ...MORE }),
  z.strictObject({ channels: z.array(CHANNEL_SUMMARY.extend({ pbx: PBX_NAME, as_of: AS_OF })), ...MORE }),
]);

const iso = (ms: number): string => new Date(ms).toISOString();

/** The live channels of all PBXs, as these last sent them. */
export function liveRoutes(options: FleetRoutesOptions, scopeOf: ScopeOf): readonly Route[] {
  const { store, database, clock } = options;
  return [
    route({
      path: '/v1/live',
      summary: 'The channels that are up on the PBXs of the fleet, each as its PBX told last; by name of the PBX.',
      query: z.strictObject({ ...LIVE_QUERY.shape, limit: limit(MOST_LIMIT), ...WHOSE }),
      answer: ANSWERS,
      handle: ({ query: { pbx, site, limit: most = USUAL_LIMIT, fields, ...query }, reader }) =>
        inWords(async () => {
          const scope = scopeOf({ pbx, site }, reader);
          const question = new Question(store, database, scope);
          const known = options.known().pbxs.filter((one) => isWithin(scope, one));
          const { channels, matching, pbxs } = await askLive(question, query, most, known, clock.nowMs());
          const more = {
            matching,
            pbxs: pbxs.map(({ asOfMs, channelsUp, ...one }) => ({
              ...one,
              as_of: asOfMs === null ? null : iso(asOfMs),
              channels_up: channelsUp,
            })),
            shards: question.shards,
          };
          if (fields === 'summary') {
            return {
              channels: channels.map(({ channel, saidAtMs, asOfMs }) => ({
                ...presentChannelSummary(channel, saidAtMs),
                pbx: channel.pbx,
                as_of: iso(asOfMs),
              })),
              ...more,
            };
          }
          return {
            channels: channels.map(({ channel, saidAtMs, asOfMs }) => ({
              ...presentChannel(channel, saidAtMs),
              as_of: iso(asOfMs),
            })),
            ...more,
          };
        }),
    }),
    route({
      path: LIVE_STREAM_PATH,
      summary: 'Not on a fleet: what is up comes every five seconds from its PBXs, so ask /v1/live as often.',
      query: NO_QUERY,
      answer: z.strictObject({}),
      handle: () => {
        throw new Problem(
          'MES_ERR_NO_SUCH_ADDRESS',
          'a fleet pushes nothing; ask /v1/live, where news comes every five seconds',
        );
      },
    }),
  ];
}

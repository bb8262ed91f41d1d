import { randomBytes, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { Page } from '../../api/page.ts';
import { NO_QUERY } from '../../api/parameters.ts';
import { ratingRoutes } from '../../api/ratings/ratings.ts';
import { type Route, route } from '../../api/route.ts';
import { endpointOf } from '../../model/channel.ts';
import { hostAndPortText, isLoopback } from '../../config/value-types.ts';
import type { PbxEvent } from '../../model/event.ts';
import type { Question, Rating } from '../../model/people/rating.ts';
import { FetchedQuestions } from '../../ratings/fetched-questions.ts';
import { RatingLinks } from '../../ratings/rating-links.ts';
import { PAGE_HEADERS } from '../../ratings/link-page.ts';
import { linkLanguage } from '../../ratings/link-words.ts';
import { OWN_QUESTIONS, questionsOf, readQuestions } from '../../ratings/questions.ts';
import { RatingIntake, type RatingTables, sideOf } from '../../ratings/rating-intake.ts';
import { flatCopy } from '../../units/flat-copy.ts';
import { RecentCalls } from '../../ratings/recent-calls.ts';
import { summaryRoute } from '../../api/ratings/summary.ts';
import { Voice } from '../../ratings/voice.ts';
import type { Companion, CompanionContext } from './companion.ts';
import { textHider } from '../numbers/hidden-text.ts';
import { coded } from '../state/log.ts';
import { errorText } from '../../units/error-text.ts';

const KEY_BYTES = 32;
/** Asterisk's state of a channel that was answered. */
const UP = 6;
/** The channel variable with the link. */
const LINK_VARIABLE = 'MES_RATE_URL';

/** Ratings: over REST always, by voice, code, link and key as `[ratings]` says. */
export function ratingsCompanion(context: CompanionContext): Companion {
  const { settings, clock, history, calls, live, tellLive, actions, log } = context;
  const { enabled, askPercent, never, questions: file, linkBase, linkLifetimeMs, prompts } = settings.ratings;
  const fetched = fetchedQuestions(context);
  const { features } = history;
  const hide = textHider(settings.history);
  const recent = new RecentCalls(live);
  const questions = file === null ? OWN_QUESTIONS : questionsIn(file);
  const currentQuestions = (): readonly Question[] => questionsOf(fetched?.questions ?? questions, clock.nowMs());
  let key = randomBytes(KEY_BYTES).toString('hex');
  let hasToldOfRight = false;

  const tables: RatingTables = {
    rate: (rating) => features.write('ratings', 'rate', rating),
    ask: (request) => features.write('ratings', 'ask', request),
    mark: (moment) => features.write('ratings', 'mark', moment),
    list: (input) => features.read('ratings', 'list', input),
    answered: (input) => features.read('ratings', 'answered', input),
    summary: (input) => features.read('ratings', 'summary', input),
    lastAsked: (sinceMs) => features.read('ratings', 'lastAsked', sinceMs),
    lastEnded: (input) => features.read('ratings', 'lastEnded', input),
  };
  const onLost = (error: unknown): void =>
    log.warn(coded('MES_ERR_RATING_LOST'), `a rating could not be stored: ${sentenceOf(error)}`);
  const intake = new RatingIntake({
    tables,
    calls,
    live,
    recent,
    clock,
    // `never` must fit numbers as they are stored, and in clear as Asterisk gives them.
    rules: { askPercent, never: never.flatMap((name) => [name, hide.exten(name)]) },
    random: () => Math.random(),
    hideText: hide.text,
    onRated: announce,
    onLost,
  });
  const base = linkBase ?? `http://${hostAndPortText(settings.http.bind)}`;
  const links = new RatingLinks({
    intake,
    calls,
    exists: (id) => features.read('ratings', 'exists', id),
    questions: currentQuestions,
    clock,
    key: () => key,
    base,
    lifetimeMs: linkLifetimeMs,
  });
  const voice = new Voice(
    {
      ask: (uniqueid, numbers) => intake.ask(uniqueid, numbers),
      questions: currentQuestions,
      lastCall: (uniqueid, channelName) => {
        recent.leaveOut(uniqueid);
        return intake.lastOf(endpointOf(hide.channelName(channelName))).catch(() => undefined);
      },
      note: async ({ call, request, given, isFirst, id }) => {
        try {
          const way = {
            source: request === undefined ? 'code' : 'ivr',
            id,
            probability: request?.probability,
          } as const;
          const rating = await intake.rate(call, given, way);
          if (isFirst && typeof rating !== 'string') intake.count(rating);
        } catch (error) {
          onLost(error);
        }
      },
    },
    prompts,
    () => randomUUID(),
  );

  /** Publishes a rating in Asterisk: as an event, on the live channel, and in its CDR. */
  function announce(rating: Rating): void {
    tellLive({ rating });
    const { linkedid, uniqueid, side, score, source, issues, endpoint } = rating;
    actions
      .send('UserEvent', {
        UserEvent: 'MESRating',
        Linkedid: linkedid,
        ...(uniqueid === null ? {} : { Uniqueid: uniqueid }),
        ...(endpoint === null ? {} : { Endpoint: endpoint }),
        Side: side,
        Score: String(score),
        Source: source,
        Issues: issues.join(','),
        ...(uniqueid === null || !enabled ? {} : { RateURL: links.linkOf(linkedid, uniqueid, side) }),
      })
      .catch((error: unknown) => {
        if (hasToldOfRight) return;
        hasToldOfRight = true;
        log.info(`ratings: no UserEvent(MESRating) is sent: ${sentenceOf(error)}`);
      });
    if (uniqueid === null || live.liveChannel(uniqueid) === null) return;
    const { variables, cdr } = settings.writeback;
    const values = new Map<string, string>();
    if (variables) values.set('MES_RATING', String(score));
    // A CDR belongs to its caller, so the callee's rating does not go into it.
    if (cdr && side === 'caller') values.set('CDR(mes_rating)', String(score));
    actions.setVariables(uniqueid, values).catch(() => {});
  }

  function giveLink(event: PbxEvent): void {
    if (event.type !== 'channel' || event.channel.stateNumber !== UP) return;
    const { uniqueid, linkedid, name } = event.channel;
    if (linked.has(uniqueid) || name.startsWith('Local/')) return;
    linked.add(flatCopy(uniqueid));
    const Value = links.linkOf(linkedid, uniqueid, sideOf(event.channel));
    actions.send('Setvar', { Channel: uniqueid, Variable: LINK_VARIABLE, Value }).catch(() => {});
  }
  /** Channels that have got their link. */
  const linked = new Set<string>();

  return {
    routes: [...ratingRoutes(intake, clock), summaryRoute(intake, clock), ...(enabled ? linkRoutes(links) : [])],
    ...(enabled ? { agiScripts: { rate: (conversation, caller) => voice.rate(conversation, caller) } } : {}),
    labelledCounters: () => [intake.byScore],
    counters: () => ({ ...intake.counters, ...fetched?.counters }),
    start: async () => {
      await features.write('ratings', 'keep', key).catch(onLost);
      key = (await features.read('ratings', 'key', undefined).catch(() => null)) ?? key;
      await intake.start();
      if (enabled && linkBase === null && isLoopback(settings.http.bind.host))
        log.info(
          `ratings: links to rate a call lead to ${base}, which only this machine reaches; set link_base in [ratings]`,
        );
      await fetched?.start();
    },
    stop: async () => fetched?.stop(),
    take: (event) => {
      recent.take(event);
      if (!enabled) return;
      giveLink(event);
      if (event.type === 'hangup') linked.delete(event.channel.uniqueid);
      if (event.type === 'resync') keepOnly(linked, new Set(event.channels.map(({ uniqueid }) => uniqueid)));
      if (event.type !== 'mark') return;
      const moment = intake.mark(event.channel.uniqueid, event.atMs);
      if (moment !== undefined) tellLive({ moment });
    },
    channelEnded: (channel) => recent.channelEnded(channel),
  };
}

/** Null: no questions are fetched. */
function fetchedQuestions({ settings, history, clock, log }: CompanionContext): FetchedQuestions | null {
  const { enabled, questionsUrl: url, questionsKey: key } = settings.ratings;
  if (!enabled || url === null) return null;
  return new FetchedQuestions({
    url,
    key,
    kept: () => history.features.read('ratings', 'keptQuestions', undefined),
    keep: (questions) => history.features.write('ratings', 'keepQuestions', questions),
    clock,
    random: () => Math.random(),
    onProblem: (sentence) => {
      if (sentence === null) log.info('ratings: the questions of questions_url were fetched again');
      else log.warn(coded('MES_ERR_QUESTIONS'), `ratings: ${sentence}; the questions before stay`);
    },
    onTrusted: (first) =>
      log.info(`ratings: from now on questions have to be signed with questions_key = ${first}, as the first ones are`),
  });
}

/** Routes of the page behind a link: no login, no JavaScript. */
function linkRoutes(links: RatingLinks): Route[] {
  const shared = {
    path: '/r/:token',
    access: 'open',
    isPage: true,
    query: NO_QUERY,
    answer: z.string(),
    type: 'text/html; charset=utf-8',
  } as const;
  const pageOf = async (answer: Promise<{ readonly html: string; readonly status: number }>): Promise<Page> => {
    const { html, status } = await answer;
    return new Page(html, status, PAGE_HEADERS);
  };
  return [
    route({
      ...shared,
      summary: 'The page on which a person rates a call; the link is its own right, for one rating.',
      handle: ({ id: token, languages }) => pageOf(links.show(token, linkLanguage(languages))),
    }),
    route({
      ...shared,
      method: 'POST',
      summary: "Takes that page's form.",
      body: z.record(z.string(), z.string()),
      handle: ({ id: token, body: fields, languages }) => pageOf(links.take(token, fields, linkLanguage(languages))),
    }),
  ];
}

/** Reads the questions in a file. Throws an Error of one sentence. */
function questionsIn(file: string): readonly Question[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new Error(`the questions in ${file} cannot be read (${sentenceOf(error)}); correct questions in [ratings]`, {
      cause: error,
    });
  }
  return readQuestions(file, text);
}

function keepOnly(set: Set<string>, kept: ReadonlySet<string>): void {
  for (const one of set) if (!kept.has(one)) set.delete(one);
}

function sentenceOf(error: unknown): string {
  return errorText(error);
}

import type { Route } from '../../api/route.ts';
import type { AmiActions } from '../../asterisk/ami/ami-actions.ts';
import type { AgiScript } from '../../asterisk/fast-agi.ts';
import type { Settings } from '../../config/settings.ts';
import type { History } from '../../history/history.ts';
import type { PbxEvent } from '../../model/event.ts';
import type { LiveNews } from '../../model/people/rating.ts';
import type { Clock, HistoryReader, LabelledCounter, LiveView } from '../../model/ports.ts';
import type { ChannelRecord } from '../../model/record.ts';
import type { Logger } from '../state/log.ts';

/** The live channels, and a way to add events about them that do not come from AMI. */
export interface LiveChannels extends LiveView {
  /** Takes an event about a channel that `holds` knows. Numbers in it must be hidden already. */
  handle(event: PbxEvent): void;
  /** Whether events about the channel are still taken: it is up, or has just ended. */
  holds(uniqueid: string): boolean;
}

/** What a companion gets to work with. */
export interface CompanionContext {
  readonly settings: Settings;
  readonly log: Logger;
  readonly clock: Clock;
  /** The history; its `features` has the companion's own tables. */
  readonly history: History;
  /** Calls as REST shows them: stored rows, and the present state of live calls. */
  readonly calls: HistoryReader;
  /** The live channels. */
  readonly live: LiveChannels;
  /** Sends news to the clients of the live feed. Never waits. */
  readonly tellLive: (news: LiveNews) => void;
  readonly actions: AmiActions;
  /** Asterisk's version; null while there is no connection. */
  readonly asteriskVersion: () => string | null;
}

/**
 * A capability beside the scoring of calls, such as ratings or alerts. It may have routes, AGI scripts and ports, and gets all
 * events. Its methods must not wait or throw, so that no call is delayed.
 */
export interface Companion {
  readonly routes?: readonly Route[];
  /** FastAGI scripts by name; the dialplan calls `agi://…/NAME/SECRET`. */
  readonly agiScripts?: Readonly<Record<string, AgiScript>>;
  /** Counters for `/healthz` and `/metrics`, under the companion's name. */
  counters?(): Readonly<Record<string, number>>;
  /** Counters with labels, for `/metrics` only. */
  labelledCounters?(): readonly LabelledCounter[];
  /** Opens its ports. Rejects with an Error of one sentence that says what to change. */
  start?(): Promise<void>;
  /** Stores everything and frees all resources, within half a second. */
  stop?(): Promise<void>;
  /** Takes an event after the calls have taken it. Numbers are hidden as `[history] numbers` says. */
  take?(event: PbxEvent): void;
  /** Takes an ended channel with its final scores. May be called more than once for a channel. */
  channelEnded?(channel: ChannelRecord): void;
  /** Called some ten times a second. */
  tick?(nowMs: number): void;
}

/** Makes a companion; null: it is switched off. */
export type MakeCompanion = (context: CompanionContext) => Companion | null;

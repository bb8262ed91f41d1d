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

/** Channels that are up, and the way to tell of them what is learnt beside Asterisk's events. */
export interface LiveChannels extends LiveView {
  /** Nothing of channels that `holds` does not know. Numbers in it must be hidden. */
  handle(event: PbxEvent): void;
  /** The channel is up, or ended so lately that what is told of it is taken in. */
  holds(uniqueid: string): boolean;
}

/** What a capability beside the scoring of calls is given. */
export interface CompanionContext {
  readonly settings: Settings;
  readonly log: Logger;
  readonly clock: Clock;
  /** For its own tables: `history.features`. */
  readonly history: History;
  /** Calls as REST shows them: stored ones, with the live ones laid over them. */
  readonly calls: HistoryReader;
  /** Channels that are up. */
  readonly live: LiveChannels;
  /** Tells whoever watches the live feed; never waits. */
  readonly tellLive: (news: LiveNews) => void;
  readonly actions: AmiActions;
  /** As Asterisk calls itself; null while there is no connection. */
  readonly asteriskVersion: () => string | null;
}

/**
 * A capability beside the scoring of calls, such as ratings or alerts: addresses, scripts and ports of its own, told of what
 * happens. Nothing of it may wait or throw where it is told; a call is never held up by one.
 */
export interface Companion {
  readonly routes?: readonly Route[];
  /** Asked for by the dialplan as `agi://…/NAME/SECRET`. */
  readonly agiScripts?: Readonly<Record<string, AgiScript>>;
  /** In `/healthz` and `/metrics`, under the companion's name. */
  counters?(): Readonly<Record<string, number>>;
  /** In `/metrics` only. */
  labelledCounters?(): readonly LabelledCounter[];
  /** Opens its ports. Rejects with an Error of one sentence that says what to change. */
  start?(): Promise<void>;
  /** Stores what there is and lets go of everything, within half a second. */
  stop?(): Promise<void>;
  /** Something happened to a channel; the calls have taken it in. Numbers are hidden as set. */
  take?(event: PbxEvent): void;
  /** A channel has ended, with its final scores; of one perhaps more than once. */
  channelEnded?(channel: ChannelRecord): void;
  /** Some ten times a second. */
  tick?(nowMs: number): void;
}

/** Null: it is switched off. */
export type MakeCompanion = (context: CompanionContext) => Companion | null;

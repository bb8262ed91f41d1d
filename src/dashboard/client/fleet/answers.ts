/** What REST answers of the PBXs of a fleet. */
import type { LiveAnswer } from '../rest/answers.ts';

export interface Share {
  readonly calls: number;
  readonly judged_calls: number;
  readonly bad_percent: number | null;
  readonly mes_mean: number | null;
}

export interface Pbx {
  readonly pbx: string;
  readonly site: string;
  readonly state: 'up' | 'silent' | 'never';
  readonly last_heard_at: string | null;
  readonly silent_since: string | null;
  readonly release: string | null;
  readonly asterisk_version: string | null;
  readonly calls_up: number | null;
  readonly outbox_rows: number | null;
  readonly outbox_dropped: number | null;
  readonly lag_s: number | null;
  readonly problem: string | null;
  readonly last_day: Share;
  readonly week_before: Share;
}

export interface Shards {
  readonly answered: number;
  readonly of: number;
}

export interface PbxsAnswer {
  readonly pbxs: readonly Pbx[];
  readonly shards: Shards | null;
}

/** How far what is shown of one PBX can be relied on. */
export interface LivePbx {
  readonly pbx: string;
  readonly site: string;
  readonly state: 'live' | 'stale' | 'none';
  readonly as_of: string | null;
  readonly channels_up: number | null;
}

export interface FleetLiveAnswer extends LiveAnswer {
  readonly matching: number;
  readonly pbxs: readonly LivePbx[];
}

/** What only many PBXs together show. */
export interface FleetFault {
  readonly kind: 'silent-pbx' | 'trunk' | 'release' | 'asterisk' | 'device';
  readonly subject: string;
  readonly why: string;
}

export interface FaultsAnswer {
  readonly faults: readonly FleetFault[];
  readonly shards: Shards | null;
}

/**
 * The tables that the history began with, schema 1 to 7: one step each. They never change. Columns are named as in
 * `model/record.ts`, in snake case; one that is missing here is added from `rows.ts`.
 */
export const NUMBERED_STEPS: readonly string[] = [
  `
  CREATE TABLE calls (
    linkedid TEXT PRIMARY KEY,
    started_at_ms INTEGER NOT NULL,
    ended_at_ms INTEGER,
    mes REAL,
    mes_min REAL,
    verdict TEXT,
    profile TEXT NOT NULL,
    version TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX calls_by_start ON calls (started_at_ms, linkedid);
  CREATE INDEX calls_by_end ON calls (ended_at_ms) WHERE ended_at_ms IS NOT NULL;

  -- Joined calls: whoever asks for the old linkedid finds the new one. Always one step, never a chain.
  CREATE TABLE call_aliases (
    from_linkedid TEXT PRIMARY KEY,
    into_linkedid TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX call_aliases_by_target ON call_aliases (into_linkedid);

  CREATE TABLE channels (
    uniqueid TEXT PRIMARY KEY,
    linkedid TEXT NOT NULL REFERENCES calls (linkedid) ON DELETE CASCADE,
    name TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    caller_number TEXT,
    caller_name TEXT,
    connected_number TEXT,
    connected_name TEXT,
    exten TEXT,
    codec TEXT,
    started_at_ms INTEGER NOT NULL,
    answered_at_ms INTEGER,
    ended_at_ms INTEGER,
    end_reason TEXT,
    hangup_cause INTEGER,
    hangup_cause_text TEXT,
    bridge_id TEXT,
    bridge_technology TEXT,
    peer_uniqueid TEXT,
    on_hold INTEGER NOT NULL,
    mes REAL,
    mes_rx REAL,
    mes_tx REAL,
    mes_peer_rx REAL,
    mes_peer_tx REAL,
    mes_call REAL,
    mes_min REAL,
    verdict TEXT,
    profile TEXT NOT NULL,
    version TEXT NOT NULL,
    resume TEXT
  ) STRICT;
  -- None by endpoint, nor by a stream's codec: SQLite would start a search for calls there and sort all that it finds,
  -- seconds for a busy endpoint, where going back from the newest call takes milliseconds.
  CREATE INDEX channels_by_call ON channels (linkedid);
  CREATE INDEX channels_up ON channels (uniqueid) WHERE ended_at_ms IS NULL;

  CREATE TABLE streams (
    uniqueid TEXT NOT NULL REFERENCES channels (uniqueid) ON DELETE CASCADE,
    direction TEXT NOT NULL,
    reporter TEXT NOT NULL,
    ssrc INTEGER,
    codec TEXT,
    clock_rate_hz INTEGER NOT NULL,
    clock_rate_source TEXT NOT NULL,
    reports INTEGER NOT NULL,
    idle_reports INTEGER NOT NULL,
    dead_reports INTEGER NOT NULL,
    packets_expected INTEGER,
    packets_received INTEGER,
    packets_lost INTEGER,
    duplicates INTEGER NOT NULL,
    loss_percent REAL,
    lost_packets_per_report_mean REAL,
    rtt_last_ms REAL,
    rtt_mean_ms REAL,
    rtt_min_ms REAL,
    rtt_max_ms REAL,
    rtt_stdev_ms REAL,
    rtt_count INTEGER NOT NULL,
    jitter_last_ms REAL,
    jitter_mean_ms REAL,
    jitter_min_ms REAL,
    jitter_max_ms REAL,
    jitter_stdev_ms REAL,
    jitter_count INTEGER NOT NULL,
    rtt_known INTEGER NOT NULL,
    effective_latency_ms REAL,
    r_value REAL,
    mes REAL,
    mes_100 REAL,
    mes_min REAL,
    profile TEXT NOT NULL,
    native_mes_100 REAL,
    verdict TEXT,
    why TEXT,
    PRIMARY KEY (uniqueid, direction)
  ) STRICT, WITHOUT ROWID;

  -- No foreign key: a report may be written before its channel is, and must not be lost for it.
  CREATE TABLE intervals (
    uniqueid TEXT NOT NULL,
    direction TEXT NOT NULL,
    reporter TEXT NOT NULL,
    report_number INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    kind TEXT NOT NULL,
    ssrc INTEGER,
    fraction_lost_q8 INTEGER,
    cumulative_lost_packets INTEGER,
    extended_highest_sequence INTEGER,
    jitter_ticks REAL,
    clock_rate_hz INTEGER NOT NULL,
    lsr_ntp32 INTEGER,
    dlsr_s REAL,
    sender_packets INTEGER,
    rtt_ms REAL,
    jitter_ms REAL,
    packets_expected INTEGER,
    packets_lost INTEGER,
    duplicates INTEGER NOT NULL,
    loss_percent REAL,
    covers_reports INTEGER NOT NULL,
    effective_latency_ms REAL,
    r_value REAL,
    mes REAL,
    mes_running REAL,
    native_mes_100 REAL,
    profile TEXT NOT NULL,
    PRIMARY KEY (uniqueid, direction, report_number)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX intervals_by_time ON intervals (at_ms);
  `,
  `
  ALTER TABLE streams ADD COLUMN r_lq REAL;
  ALTER TABLE streams ADD COLUMN r_cq REAL;
  ALTER TABLE streams ADD COLUMN mos_lq REAL;
  ALTER TABLE streams ADD COLUMN mos_cq REAL;
  ALTER TABLE streams ADD COLUMN mos_lq_interval REAL;
  ALTER TABLE streams ADD COLUMN mos_cq_interval REAL;
  ALTER TABLE streams ADD COLUMN sender_packets INTEGER;
  ALTER TABLE streams ADD COLUMN sender_octets INTEGER;
  ALTER TABLE streams ADD COLUMN packet_jitter_mean_ms REAL;
  ALTER TABLE streams ADD COLUMN packet_jitter_stdev_ms REAL;
  ALTER TABLE streams ADD COLUMN fraction_lost_q8 INTEGER;
  ALTER TABLE streams ADD COLUMN jitter_ticks REAL;
  ALTER TABLE streams ADD COLUMN native_why TEXT;
  ALTER TABLE channels ADD COLUMN last_received_at_ms INTEGER;
  ALTER TABLE channels ADD COLUMN final_at_ms INTEGER;
  ALTER TABLE intervals ADD COLUMN channel_report_number INTEGER;
  ALTER TABLE intervals ADD COLUMN began_at_ms INTEGER;
  ALTER TABLE intervals ADD COLUMN codec TEXT;
  ALTER TABLE intervals ADD COLUMN clock_rate_source TEXT;
  ALTER TABLE calls ADD COLUMN fault_place TEXT;
  ALTER TABLE calls ADD COLUMN fault_certainty TEXT;
  ALTER TABLE calls ADD COLUMN fault_reports INTEGER;
  ALTER TABLE calls ADD COLUMN fault_why TEXT;

  -- One row an RTP session of a direction. No foreign key, for the reason that intervals have none.
  CREATE TABLE segments (
    uniqueid TEXT NOT NULL,
    segment_number INTEGER NOT NULL,
    opened_by TEXT NOT NULL,
    started_at_ms INTEGER NOT NULL,
    ended_at_ms INTEGER NOT NULL,
    sender_packets INTEGER,
    sender_octets INTEGER,
    direction TEXT NOT NULL,
    reporter TEXT NOT NULL,
    ssrc INTEGER,
    codec TEXT,
    clock_rate_hz INTEGER NOT NULL,
    clock_rate_source TEXT NOT NULL,
    reports INTEGER NOT NULL,
    idle_reports INTEGER NOT NULL,
    dead_reports INTEGER NOT NULL,
    packets_expected INTEGER,
    packets_received INTEGER,
    packets_lost INTEGER,
    duplicates INTEGER NOT NULL,
    loss_percent REAL,
    lost_packets_per_report_mean REAL,
    rtt_last_ms REAL,
    rtt_mean_ms REAL,
    rtt_min_ms REAL,
    rtt_max_ms REAL,
    rtt_stdev_ms REAL,
    rtt_count INTEGER NOT NULL,
    jitter_last_ms REAL,
    jitter_mean_ms REAL,
    jitter_min_ms REAL,
    jitter_max_ms REAL,
    jitter_stdev_ms REAL,
    jitter_count INTEGER NOT NULL,
    rtt_known INTEGER NOT NULL,
    effective_latency_ms REAL,
    r_value REAL,
    mes REAL,
    mes_100 REAL,
    mes_min REAL,
    profile TEXT NOT NULL,
    native_mes_100 REAL,
    r_lq REAL,
    r_cq REAL,
    mos_lq REAL,
    mos_cq REAL,
    PRIMARY KEY (uniqueid, direction, segment_number)
  ) STRICT, WITHOUT ROWID;

  -- The one run of asterisk-mes rescore that is not finished, if any, and how far it has come.
  CREATE TABLE rescoring (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    -- Options and rules, so that only the same run goes on where it stopped.
    request TEXT NOT NULL,
    from_ms INTEGER,
    to_ms INTEGER,
    -- The last call done.
    started_at_ms INTEGER NOT NULL,
    linkedid TEXT NOT NULL,
    rescored INTEGER NOT NULL,
    expired INTEGER NOT NULL
  ) STRICT;
  `,
  `
  -- What captured packets told of the direction (model/capture.ts), as JSON; NULL where none was captured.
  ALTER TABLE streams ADD COLUMN capture TEXT;
  `,
  `
  -- 1: counted in call_sums and call_terms. Those of older releases are settled in the background.
  ALTER TABLE calls ADD COLUMN is_settled INTEGER NOT NULL DEFAULT 0;
  CREATE INDEX calls_unsettled ON calls (started_at_ms, linkedid) WHERE is_settled = 0;
  CREATE INDEX calls_to_settle ON calls (started_at_ms) WHERE is_settled = 0 AND ended_at_ms IS NOT NULL;

  -- Sums over the settled calls that began within an hour or a day (UTC), by scope: see contribution.ts.
  CREATE TABLE call_sums (
    span_ms INTEGER NOT NULL,
    starts_at_ms INTEGER NOT NULL,
    kind TEXT NOT NULL,
    scope TEXT NOT NULL,
    calls INTEGER NOT NULL,
    judged INTEGER NOT NULL,
    bad INTEGER NOT NULL,
    mes_micro INTEGER NOT NULL,
    packets_lost INTEGER NOT NULL,
    packets_expected INTEGER NOT NULL,
    jitter_us INTEGER NOT NULL,
    jitter_reports INTEGER NOT NULL,
    rtt_us INTEGER NOT NULL,
    rtt_reports INTEGER NOT NULL,
    -- Calls by score, see score-sums.ts.
    scores BLOB NOT NULL,
    PRIMARY KEY (span_ms, starts_at_ms, kind, scope)
  ) STRICT, WITHOUT ROWID;

  -- What settled calls are found by, in the order in which they are listed: see terms.ts.
  CREATE TABLE call_terms (
    field TEXT NOT NULL,
    value TEXT NOT NULL,
    started_at_ms INTEGER NOT NULL,
    linkedid TEXT NOT NULL,
    PRIMARY KEY (field, value, started_at_ms, linkedid)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- The sender part of the report, so that a channel's state can be made up from its reports.
  ALTER TABLE intervals ADD COLUMN sent_ntp_s REAL;
  ALTER TABLE intervals ADD COLUMN sent_rtp_ticks INTEGER;
  ALTER TABLE intervals ADD COLUMN sent_packets INTEGER;
  ALTER TABLE intervals ADD COLUMN sent_octets INTEGER;
  `,
  `
  -- Reports that are stored but not yet spread over the rows of intervals, many in one row: see interval-journal.ts.
  CREATE TABLE interval_journal (
    -- None is given twice: one who still has a row in hand sees that another has taken it.
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    intervals INTEGER NOT NULL,
    texts TEXT NOT NULL,
    layout TEXT NOT NULL,
    cells BLOB NOT NULL
  ) STRICT;
  `,
  `
  -- Changes besides reports that came in a flood and are not yet in the tables, many in one row: see operation-journal.ts.
  CREATE TABLE operation_journal (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    operations INTEGER NOT NULL,
    texts TEXT NOT NULL,
    layout TEXT NOT NULL,
    cells BLOB NOT NULL
  ) STRICT;
  `,
];

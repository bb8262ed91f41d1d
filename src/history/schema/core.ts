/**
 * What was done to the tables of the core after schema 7, by name: `core 1`, `core 2` … A step never changes once it is released:
 * append another one.
 */
export const CORE_STEPS: readonly string[] = [
  `
  -- What was not taken of a report, and which of our streams the far end can have reported about;
  -- NULL where an older release stored the row.
  ALTER TABLE streams ADD COLUMN unused_reports INTEGER;
  ALTER TABLE streams ADD COLUMN sequence_restarts INTEGER;
  ALTER TABLE streams ADD COLUMN jitter_resets INTEGER;
  ALTER TABLE streams ADD COLUMN unknown_since_ms INTEGER;
  ALTER TABLE segments ADD COLUMN unused_reports INTEGER;
  ALTER TABLE segments ADD COLUMN sequence_restarts INTEGER;
  ALTER TABLE segments ADD COLUMN jitter_resets INTEGER;
  ALTER TABLE intervals ADD COLUMN late_packets INTEGER;
  ALTER TABLE intervals ADD COLUMN sent_ssrc INTEGER;
  `,
  `
  -- Reports of the last seconds as they come, in no order; report-writer.ts moves them. Columns in the order of stored_intervals.
  ALTER TABLE intervals RENAME TO stored_intervals;
  CREATE TABLE recent_intervals (
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
    channel_report_number INTEGER,
    began_at_ms INTEGER,
    codec TEXT,
    clock_rate_source TEXT,
    sent_ntp_s REAL,
    sent_rtp_ticks INTEGER,
    sent_packets INTEGER,
    sent_octets INTEGER,
    late_packets INTEGER,
    sent_ssrc INTEGER
  ) STRICT;
  -- All reports, for whoever asks.
  CREATE VIEW intervals AS SELECT * FROM stored_intervals UNION ALL SELECT * FROM recent_intervals;

  -- Of channels of calls that are up: the state to go on from after a restart, and how many reports it counts.
  CREATE TABLE resumes (
    uniqueid TEXT PRIMARY KEY,
    state TEXT NOT NULL,
    rx_reports INTEGER NOT NULL,
    tx_reports INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  INSERT INTO resumes SELECT uniqueid, resume,
      ifnull((SELECT reports FROM streams WHERE streams.uniqueid = channels.uniqueid AND direction = 'rx'), 0),
      ifnull((SELECT reports FROM streams WHERE streams.uniqueid = channels.uniqueid AND direction = 'tx'), 0)
    FROM channels WHERE resume IS NOT NULL;
  ALTER TABLE channels DROP COLUMN resume;
  `,
  `
  -- Calls by where their fault is, newest first.
  CREATE INDEX calls_by_fault_place ON calls (fault_place, started_at_ms, linkedid) WHERE fault_place IS NOT NULL;
  `,
  `
  -- A call that ended is counted in call_sums and call_terms: see counted-calls.ts. (The indexes follow, but for their names.)
  ALTER TABLE calls RENAME COLUMN is_settled TO is_counted;
  `,
  `
  -- Counted calls by how long they were.
  CREATE INDEX calls_by_length ON calls (ended_at_ms - started_at_ms, started_at_ms, linkedid)
    WHERE is_counted = 1 AND ended_at_ms IS NOT NULL;
  `,
  `
  -- Whose fault calls were, and sums by device, site and codec. All calls are counted anew in the background.
  ALTER TABLE call_sums ADD COLUMN own_faults INTEGER NOT NULL DEFAULT 0;
  DELETE FROM call_sums;
  DELETE FROM call_terms;
  UPDATE calls SET is_counted = 0 WHERE is_counted = 1;
  `,
  `
  -- Who hung up, and calls by that, newest first.
  ALTER TABLE calls ADD COLUMN ended_by TEXT;
  CREATE INDEX calls_by_ender ON calls (ended_by, started_at_ms, linkedid) WHERE ended_by IS NOT NULL;
  `,
];

import type {
  JoinedPhoneReport,
  PhoneHearing,
  PhoneReport,
  PhoneReportJoin,
  ReceivedPhoneReport,
  SipLeg,
} from '../../model/phones/phone-report.ts';
import type { FaultRecord } from '../../model/record.ts';
import { CountedCalls } from '../sums/counted-calls.ts';
import type { Feature } from '../schema/feature.ts';
import type { Statements } from '../schema/statements.ts';

/** Bound on reports without a known channel; the oldest are dropped first. */
const MOST_UNJOINED = 20_000;
/** Bound on the reports of one channel: at 5 s each, seven hours. */
const MOST_OF_A_CHANNEL = 5000;
/** Bound on the legs of one Call-ID. There are two when this server called itself. */
const MOST_CANDIDATES = 10;

/** A report, and whether its address alone shows that it comes from one of our phones (`peers`). */
export interface ReportToKeep extends ReceivedPhoneReport {
  readonly isFromPeer: boolean;
}

export interface KeptReports {
  readonly joined: readonly JoinedPhoneReport[];
  /** Reports that came again. */
  readonly repeated: number;
  readonly unjoined: number;
  /** Reports dropped because of a bound. */
  readonly dropped: number;
}

/** New values for the records of an ended call. */
export interface Amendment {
  readonly linkedid: string;
  readonly uniqueid: string;
  readonly phone: PhoneHearing;
  readonly fault: FaultRecord;
  /** Of tx. */
  readonly why: string | null;
}

type LegRow = Omit<SipLeg, 'sipCallId'>;

interface ReportRow {
  readonly id: number;
  readonly atMs: number;
  readonly fromAddress: string;
  readonly isFromPeer: number;
  readonly userAgent: string | null;
  readonly joinedBy: PhoneReportJoin | null;
  readonly isFromPhone: number | null;
  readonly report: string;
}

const LEG_CELLS = `uniqueid, signalling_address AS signallingAddress, local_media AS localMedia, remote_media AS remoteMedia,
  rx_ssrc AS rxSsrc, tx_ssrc AS txSsrc`;
const REPORT_CELLS = `id, at_ms AS atMs, from_address AS fromAddress, is_from_peer AS isFromPeer, user_agent AS userAgent,
  joined_by AS joinedBy, is_from_phone AS isFromPhone, report`;

/** Phone reports, and the legs that they can be joined to. */
export const PHONE_REPORTS = {
  steps: [
    `CREATE TABLE phone_legs (
      uniqueid TEXT PRIMARY KEY,
      sip_call_id TEXT,
      signalling_address TEXT,
      local_media TEXT,
      remote_media TEXT,
      rx_ssrc INTEGER,
      tx_ssrc INTEGER,
      seen_at_ms INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX phone_legs_by_call_id ON phone_legs (sip_call_id);
    CREATE INDEX phone_legs_by_rx ON phone_legs (rx_ssrc);
    CREATE INDEX phone_legs_by_tx ON phone_legs (tx_ssrc);
    CREATE INDEX phone_legs_by_age ON phone_legs (seen_at_ms);
    CREATE TABLE phone_reports (
      id INTEGER PRIMARY KEY,
      report_key TEXT NOT NULL UNIQUE,
      uniqueid TEXT,
      joined_by TEXT,
      is_from_phone INTEGER,
      sip_call_id TEXT,
      local_ssrc INTEGER,
      remote_ssrc INTEGER,
      at_ms INTEGER NOT NULL,
      from_address TEXT NOT NULL,
      is_from_peer INTEGER NOT NULL,
      user_agent TEXT,
      report TEXT NOT NULL
    ) STRICT;
    CREATE INDEX phone_reports_by_channel ON phone_reports (uniqueid, at_ms) WHERE uniqueid IS NOT NULL;
    CREATE INDEX phone_reports_by_age ON phone_reports (at_ms) WHERE uniqueid IS NULL;
    CREATE INDEX phone_reports_by_call_id ON phone_reports (sip_call_id) WHERE uniqueid IS NULL;
    CREATE INDEX phone_reports_by_local ON phone_reports (local_ssrc) WHERE uniqueid IS NULL;
    CREATE INDEX phone_reports_by_remote ON phone_reports (remote_ssrc) WHERE uniqueid IS NULL`,
  ],
  writes: {
    /** Stores new reports, and returns the channels that they were joined to. */
    keep(statements: Statements, reports: readonly ReportToKeep[]): KeptReports {
      const joined: JoinedPhoneReport[] = [];
      const counts = { repeated: 0, unjoined: 0, dropped: 0 };
      for (const received of reports) {
        const found = legOf(statements, received.report);
        if (found !== undefined && countOf(statements, found.leg.uniqueid) >= MOST_OF_A_CHANNEL) counts.dropped++;
        else if (!insert(statements, received, found)) counts.repeated++;
        else if (found === undefined) counts.unjoined++;
        else joined.push(joinedReport(received, found));
      }
      if (counts.unjoined > 0) counts.dropped += dropOldest(statements);
      return { joined, ...counts };
    },
    /** Stores what a phone says in RTCP XR and in its BYE, of each channel the latest, which covers those before it. */
    keepXr(
      statements: Statements,
      reports: readonly { readonly uniqueid: string; readonly received: ReceivedPhoneReport }[],
    ): void {
      for (const { uniqueid, received } of reports) {
        statements.run(
          `INSERT OR REPLACE INTO phone_reports
            (report_key, uniqueid, joined_by, is_from_phone, remote_ssrc, at_ms, from_address, is_from_peer, user_agent, report)
            VALUES (?, ?, ?, 1, ?, ?, ?, 0, ?, ?)`,
          JSON.stringify([received.report.kind, uniqueid, received.report.remote.ssrc]),
          uniqueid,
          received.report.kind === 'bye' ? 'bye' : 'rtcp',
          received.report.remote.ssrc,
          Math.round(received.atMs),
          received.fromAddress,
          received.userAgent,
          JSON.stringify(received.report),
        );
      }
    },
    /** Stores what is known of a leg, and returns earlier reports that can now be joined to it. */
    noteLeg(statements: Statements, { leg, atMs }: { leg: SipLeg; atMs: number }): JoinedPhoneReport[] {
      statements.run(
        'INSERT OR REPLACE INTO phone_legs VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
        leg.uniqueid,
        leg.sipCallId,
        leg.signallingAddress,
        leg.localMedia,
        leg.remoteMedia,
        leg.rxSsrc,
        leg.txSsrc,
        Math.round(atMs),
      );
      return waitingFor(statements, leg).flatMap((row) => {
        const received = receivedOf(row);
        const found = legOf(statements, received.report);
        if (found === undefined) return [];
        const joined = joinedReport(received, found);
        statements.run(
          'UPDATE phone_reports SET uniqueid = ?, joined_by = ?, is_from_phone = ? WHERE id = ?',
          joined.uniqueid,
          joined.joinedBy,
          joined.isFromPhone ? 1 : 0,
          row.id,
        );
        return [joined];
      });
    },
    /** Changes the records of an ended call, but no score. */
    amend(statements: Statements, { linkedid, uniqueid, phone, fault, why }: Amendment): void {
      // The sums count whose fault a call was.
      new CountedCalls(statements.database).reopen(linkedid);
      statements.run('UPDATE channels SET phone = ? WHERE uniqueid = ?', JSON.stringify(phone), uniqueid);
      statements.run("UPDATE streams SET why = ? WHERE uniqueid = ? AND direction = 'tx'", why, uniqueid);
      statements.run(
        'UPDATE calls SET fault_place = ?, fault_certainty = ?, fault_reports = ?, fault_why = ? WHERE linkedid = ?',
        fault.faultPlace,
        fault.faultCertainty,
        fault.faultReports,
        fault.faultWhy,
        linkedid,
      );
    },
    /**
     * Deletes legs that ended and unjoined reports that came before `beforeMs`. `up`: the live channels. Returns the number of
     * reports given up.
     */
    expire(
      statements: Statements,
      { up, beforeMs, nowMs }: { up: readonly string[]; beforeMs: number; nowMs: number },
    ): number {
      statements.run(
        'UPDATE phone_legs SET seen_at_ms = ? WHERE uniqueid IN (SELECT value FROM json_each(?))',
        Math.round(nowMs),
        JSON.stringify(up),
      );
      statements.run('DELETE FROM phone_legs WHERE seen_at_ms < ?', Math.round(beforeMs));
      return statements.run('DELETE FROM phone_reports WHERE uniqueid IS NULL AND at_ms < ?', Math.round(beforeMs));
    },
  },
  reads: {
    /** The reports of a channel, the oldest first. */
    ofChannel(statements: Statements, uniqueid: string): JoinedPhoneReport[] {
      const rows = statements
        .prepared(`SELECT ${REPORT_CELLS} FROM phone_reports WHERE uniqueid = ? ORDER BY at_ms, id`)
        .all(uniqueid) as ReportRow[];
      return rows.map((row) => {
        const { report, atMs, fromAddress, userAgent } = receivedOf(row);
        const joinedBy = row.joinedBy ?? 'call-id';
        return { report, atMs, fromAddress, userAgent, uniqueid, joinedBy, isFromPhone: row.isFromPhone === 1 };
      });
    },
    unjoined(statements: Statements): number {
      return unjoinedCount(statements);
    },
  },
  forget(statements: Statements, linkedids: readonly string[]): void {
    const channels = 'SELECT uniqueid FROM channels WHERE linkedid IN (SELECT value FROM json_each(?))';
    for (const table of ['phone_reports', 'phone_legs']) {
      statements.run(`DELETE FROM ${table} WHERE uniqueid IN (${channels})`, JSON.stringify(linkedids));
    }
  },
} as const satisfies Feature;

interface FoundLeg {
  readonly leg: LegRow;
  readonly joinedBy: PhoneReportJoin;
}

/**
 * The leg of a report, never guessed: of several legs of one Call-ID the one with the same media addresses or SSRCs; otherwise
 * none.
 */
function legOf(statements: Statements, report: PhoneReport): FoundLeg | undefined {
  if (report.callId !== null) {
    const legs = statements
      .prepared(`SELECT ${LEG_CELLS} FROM phone_legs WHERE sip_call_id = ? LIMIT ${MOST_CANDIDATES}`)
      .all(report.callId) as LegRow[];
    const fitting =
      legs.length === 1 ? legs : legs.filter((leg) => hasSsrcOf(leg, report) || hasAddressOf(leg, report));
    const [leg, ...others] = fitting;
    if (leg !== undefined && others.length === 0) return { leg, joinedBy: 'call-id' };
    if (legs.length > 0) return undefined;
  }
  const legs = statements
    .prepared(
      `SELECT ${LEG_CELLS} FROM phone_legs WHERE rx_ssrc = ? UNION SELECT ${LEG_CELLS} FROM phone_legs WHERE tx_ssrc = ?
      LIMIT ${MOST_CANDIDATES}`,
    )
    .all(report.local.ssrc, report.remote.ssrc) as LegRow[];
  const [leg, ...others] = legs.filter((candidate) => hasAddressOf(candidate, report));
  return leg === undefined || others.length > 0 ? undefined : { leg, joinedBy: 'address' };
}

/** Compares crosswise: what the phone sends is what we receive. */
function hasSsrcOf({ rxSsrc, txSsrc }: LegRow, { local, remote }: PhoneReport): boolean {
  return (rxSsrc !== null && rxSsrc === local.ssrc) || (txSsrc !== null && txSsrc === remote.ssrc);
}

/** Behind a NAT the phone's own address is unknown to us, but the address of its far end is ours. */
function hasAddressOf({ localMedia, remoteMedia }: LegRow, { local, remote }: PhoneReport): boolean {
  const is = (media: string | null, { address, port }: PhoneReport['local']): boolean =>
    media !== null && address !== null && port !== null && media === withPort(address, port);
  return is(remoteMedia, local) || is(localMedia, remote);
}

function withPort(address: string, port: number): string {
  return address.includes(':') ? `[${address.toLowerCase()}]:${port}` : `${address}:${port}`;
}

/** Unjoined reports with the leg's Call-ID or an SSRC of it. */
function waitingFor(statements: Statements, { sipCallId, rxSsrc, txSsrc }: SipLeg): ReportRow[] {
  const waiting = `SELECT ${REPORT_CELLS} FROM phone_reports WHERE uniqueid IS NULL`;
  return statements
    .prepared(
      `${waiting} AND sip_call_id = ? UNION ${waiting} AND local_ssrc = ? UNION ${waiting} AND remote_ssrc = ?
      ORDER BY id LIMIT ${MOST_OF_A_CHANNEL}`,
    )
    .all(sipCallId, rxSsrc, txSsrc) as ReportRow[];
}

function joinedReport(received: ReportToKeep, { leg, joinedBy }: FoundLeg): JoinedPhoneReport {
  const { report, atMs, fromAddress, userAgent } = received;
  const isFromPhone = isOfPhone(received, leg);
  return { report, atMs, fromAddress, userAgent, uniqueid: leg.uniqueid, joinedBy, isFromPhone };
}

function isOfPhone({ isFromPeer, fromAddress }: ReportToKeep, { signallingAddress, remoteMedia }: LegRow): boolean {
  const mediaAddress = remoteMedia?.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
  return isFromPeer || fromAddress === signallingAddress || fromAddress === mediaAddress;
}

/** Inserts a report; false: it is there already. */
function insert(statements: Statements, received: ReportToKeep, found: FoundLeg | undefined): boolean {
  const { report, atMs, fromAddress, isFromPeer, userAgent } = received;
  const rows = statements.run(
    `INSERT OR IGNORE INTO phone_reports
      (report_key, uniqueid, joined_by, is_from_phone, sip_call_id, local_ssrc, remote_ssrc, at_ms, from_address,
      is_from_peer, user_agent, report) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    keyOf(report, fromAddress),
    found?.leg.uniqueid ?? null,
    found?.joinedBy ?? null,
    found === undefined ? null : Number(isOfPhone(received, found.leg)),
    report.callId,
    report.local.ssrc,
    report.remote.ssrc,
    Math.round(atMs),
    fromAddress,
    isFromPeer ? 1 : 0,
    userAgent,
    JSON.stringify(report),
  );
  return rows > 0;
}

/**
 * The key of a report: call, span, stream and kind. Phones send a report again when they missed the answer. Without a span,
 * only equal numbers make it the same report.
 */
function keyOf({ kind, callId, local, remote, localMetrics, alert }: PhoneReport, fromAddress: string): string {
  const { startAtMs, stopAtMs } = localMetrics;
  const hasSpan = startAtMs !== null && stopAtMs !== null;
  const stream = [callId, startAtMs, stopAtMs, local.ssrc, remote.ssrc, kind, alert?.metric ?? null];
  // With the sender's address, so that somebody else who knows the Call-ID cannot replace the phone's report.
  return JSON.stringify([...stream, fromAddress, hasSpan ? null : localMetrics]);
}

function receivedOf(row: ReportRow): ReportToKeep {
  const { atMs, fromAddress, userAgent } = row;
  const report = JSON.parse(row.report) as PhoneReport;
  return { report, atMs, fromAddress, userAgent, isFromPeer: row.isFromPeer === 1 };
}

function countOf(statements: Statements, uniqueid: string): number {
  const sql = 'SELECT count(*) FROM phone_reports WHERE uniqueid = ?';
  return statements.prepared(sql).pluck().get(uniqueid) as number;
}

function unjoinedCount(statements: Statements): number {
  const sql = 'SELECT count(*) FROM phone_reports WHERE uniqueid IS NULL';
  return statements.prepared(sql).pluck().get() as number;
}

/** Drops the oldest reports above the bound; returns their number. */
function dropOldest(statements: Statements): number {
  const above = unjoinedCount(statements) - MOST_UNJOINED;
  if (above <= 0) return 0;
  return statements.run(
    `DELETE FROM phone_reports WHERE id IN (
      SELECT id FROM phone_reports WHERE uniqueid IS NULL ORDER BY at_ms, id LIMIT ?)`,
    above,
  );
}

import type { Database } from 'better-sqlite3';
import type { FaultPlace } from '../../model/fault.ts';
import type { Verdict } from '../../model/score.ts';
import type { CallFacts, LegFacts, StreamFacts } from './contribution.ts';
import type { Cell } from '../schema/rows.ts';

/** Which calls: a condition on `calls` and its parameters. */
export interface CallCondition {
  readonly sql: string;
  readonly parameters: Readonly<Record<string, Cell>>;
}

const CALL_COLUMNS = 'calls.linkedid, calls.started_at_ms, calls.mes, calls.verdict, calls.fault_place, calls.findings';
const LEG_COLUMNS = `channels.uniqueid, channels.endpoint, channels.mes, channels.verdict, channels.caller_number,
  channels.connected_number, channels.device, channels.site, streams.direction, streams.codec, streams.packets_lost, streams.packets_expected,
  streams.jitter_mean_ms, streams.jitter_count, streams.rtt_mean_ms, streams.rtt_count`;
/** Left joins, so that SQLite begins with the calls. */
const LEGS = `LEFT JOIN channels ON channels.linkedid = calls.linkedid
  LEFT JOIN streams ON streams.uniqueid = channels.uniqueid`;

type CallCells = [
  linkedid: string,
  startedAtMs: number,
  mes: number | null,
  verdict: Verdict | null,
  faultPlace: FaultPlace | null,
  findings: string | null,
];
type LegCells = [
  uniqueid: string | null,
  endpoint: string,
  mes: number | null,
  verdict: Verdict | null,
  callerNumber: string | null,
  connectedNumber: string | null,
  device: string | null,
  site: string | null,
];
type StreamCells = [
  direction: string | null,
  codec: string | null,
  packetsLost: number | null,
  packetsExpected: number | null,
  jitterMeanMs: number | null,
  jitterReports: number,
  rttMeanMs: number | null,
  rttReports: number,
];

/** What calls count for, without their legs: faster where only calls as a whole are asked for. */
export function factsOfCalls(database: Database, { sql, parameters }: CallCondition): CallFacts[] {
  const rows = database.prepare<unknown[], CallCells>(`SELECT ${CALL_COLUMNS} FROM calls WHERE ${sql}`).raw();
  return rows.all(parameters).map(([linkedid, startedAtMs, mes, verdict, faultPlace, findings]) => ({
    linkedid,
    startedAtMs,
    mes,
    verdict,
    faultPlace,
    findings,
    legs: [],
  }));
}

/** The same facts, with those of the legs. */
export function factsWithLegs(database: Database, { sql, parameters }: CallCondition): CallFacts[] {
  const rows = database
    .prepare<unknown[], [...CallCells, ...LegCells, ...StreamCells]>(
      `SELECT ${CALL_COLUMNS}, ${LEG_COLUMNS} FROM calls ${LEGS} WHERE ${sql}`,
    )
    .raw();
  const calls = new Map<string, CallFacts & { readonly legs: LegFacts[] }>();
  const streamsOf = new Map<string, StreamFacts[]>();
  for (const row of rows.iterate(parameters)) {
    const [linkedid, startedAtMs, mes, verdict, faultPlace, findings, uniqueid, endpoint, legMes, legVerdict, ...rest] =
      row;
    const [callerNumber, connectedNumber, device, site, direction, codec, packetsLost, packetsExpected, ...means] =
      rest;
    const [jitterMeanMs, jitterReports, rttMeanMs, rttReports] = means;
    let call = calls.get(linkedid);
    if (call === undefined) {
      calls.set(linkedid, (call = { linkedid, startedAtMs, mes, verdict, faultPlace, findings, legs: [] }));
    }
    if (uniqueid === null) continue;
    let streams = streamsOf.get(uniqueid);
    if (streams === undefined) {
      streamsOf.set(uniqueid, (streams = []));
      call.legs.push({
        endpoint,
        isCaller: uniqueid === linkedid,
        mes: legMes,
        verdict: legVerdict,
        callerNumber,
        connectedNumber,
        device,
        site,
        streams,
      });
    }
    if (direction === null) continue;
    streams.push({ codec, packetsLost, packetsExpected, jitterMeanMs, jitterReports, rttMeanMs, rttReports });
  }
  return [...calls.values()];
}

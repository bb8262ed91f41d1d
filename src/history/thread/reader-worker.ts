import { workerData } from 'node:worker_threads';
import type { Database } from 'better-sqlite3';
import { openForReading } from '../schema/database.ts';
import type { ReaderMethods } from './protocol.ts';
import { Queries } from '../read/queries.ts';
import { Rankings } from '../sums/rankings.ts';
import { callFeature } from '../schema/feature.ts';
import { FEATURES } from '../schema/features.ts';
import { Statements } from '../schema/statements.ts';
import { serve } from './serve.ts';

const path = String(workerData);
let database: Database | undefined;
let queries: Queries | undefined;
let rankings: Rankings | undefined;
let statements: Statements | undefined;

function opened(): Queries {
  database ??= openForReading(path);
  queries ??= new Queries(database);
  return queries;
}

function openedRankings(): Rankings {
  database ??= openForReading(path);
  rankings ??= new Rankings(database);
  return rankings;
}

function openedStatements(): Statements {
  database ??= openForReading(path);
  statements ??= new Statements(database);
  return statements;
}

serve<ReaderMethods>(
  {
    calls: (query) => opened().calls(query),
    call: (linkedid) => opened().call(linkedid),
    channel: (uniqueid) => opened().channel(uniqueid),
    segments: (uniqueid) => opened().segments(uniqueid),
    intervals: (uniqueid) => opened().intervals(uniqueid),
    endpoints: (range) => openedRankings().endpoints(range),
    groups: ({ range, by }) => openedRankings().groups(range, by),
    trends: (query) => openedRankings().trends(query),
    summary: (query) => openedRankings().summary(query),
    feature: (call) => callFeature(FEATURES, 'reads', openedStatements(), call),
  },
  () => database?.close(),
);

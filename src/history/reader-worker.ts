import { workerData } from 'node:worker_threads';
import type { Database } from 'better-sqlite3';
import { openForReading } from './database.ts';
import type { ReaderMethods } from './protocol.ts';
import { Queries } from './queries.ts';
import { Rankings } from './rankings.ts';
import { serve } from './serve.ts';

const path = String(workerData);
let database: Database | undefined;
let queries: Queries | undefined;
let rankings: Rankings | undefined;

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

serve<ReaderMethods>(
  {
    calls: (query) => opened().calls(query),
    call: (linkedid) => opened().call(linkedid),
    channel: (uniqueid) => opened().channel(uniqueid),
    segments: (uniqueid) => opened().segments(uniqueid),
    intervals: (uniqueid) => opened().intervals(uniqueid),
    endpoints: (range) => openedRankings().endpoints(range),
    trends: (query) => openedRankings().trends(query),
    summary: (query) => openedRankings().summary(query),
  },
  () => database?.close(),
);

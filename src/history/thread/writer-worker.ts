import { workerData } from 'node:worker_threads';
import type { Database } from 'better-sqlite3';
import { collectGarbage } from './collect-garbage.ts';
import { openForWriting } from '../schema/database.ts';
import type { WriterMethods } from './protocol.ts';
import { Queries } from '../read/queries.ts';
import { callFeature } from '../schema/feature.ts';
import { FEATURES } from '../schema/features.ts';
import { Statements } from '../schema/statements.ts';
import { serve } from './serve.ts';
import { Writer } from '../write/writer.ts';

const path = String(workerData);
let database: Database | undefined;
let writer: Writer | undefined;
let statements: Statements | undefined;

// Opened when first needed: a thread that had to be started anew goes on where the last one stopped.
function openedDatabase(): Database {
  database ??= openForWriting(path);
  return database;
}

function opened(): Writer {
  writer ??= new Writer(openedDatabase());
  return writer;
}

function openedStatements(): Statements {
  statements ??= new Statements(openedDatabase());
  return statements;
}

serve<WriterMethods>(
  {
    open: () => opened().journaled,
    commit: ({ batch, mayDefer }) => opened().commit(batch, mayDefer),
    apply: () => opened().apply(),
    fold: () => opened().fold(),
    purge: (limits) => opened().purge(limits),
    settle: () => opened().settle(),
    collect: () => {
      collectGarbage();
      return null;
    },
    resumable: () => new Queries(openedDatabase()).resumable(),
    feature: (call) => callFeature(FEATURES, 'writes', openedStatements(), call),
  },
  () => database?.close(),
);

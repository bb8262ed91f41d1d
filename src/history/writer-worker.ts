import { workerData } from 'node:worker_threads';
import type { Database } from 'better-sqlite3';
import { collectGarbage } from './collect-garbage.ts';
import { openForWriting } from './database.ts';
import type { WriterMethods } from './protocol.ts';
import { Queries } from './queries.ts';
import { serve } from './serve.ts';
import { Writer } from './writer.ts';

const path = String(workerData);
let database: Database | undefined;
let writer: Writer | undefined;

// Opened when first needed: a thread that had to be started anew goes on where the last one stopped.
function openedDatabase(): Database {
  database ??= openForWriting(path);
  return database;
}

function opened(): Writer {
  writer ??= new Writer(openedDatabase());
  return writer;
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
  },
  () => database?.close(),
);

import { workerData } from 'node:worker_threads';
import type { Database } from 'better-sqlite3';
import { Queries } from '../read/queries.ts';
import { lockHistory, openForWriting } from '../schema/database.ts';
import { callFeature } from '../schema/feature.ts';
import { FEATURES } from '../schema/features.ts';
import { Statements } from '../schema/statements.ts';
import { Chores } from '../write/chores.ts';
import { Writer } from '../write/writer.ts';
import type { CommitAnswer, CommitRequest, WriterMethods } from './protocol.ts';
import { serve } from './serve.ts';

interface Opened {
  readonly database: Database;
  readonly writer: Writer;
  readonly chores: Chores;
  readonly statements: Statements;
}

const path = String(workerData);
let open: Opened | undefined;
let lock: Database | undefined;
/** Why the last commit failed; undefined when it did not. */
let failure: unknown;

// Opened when first needed: a thread that had to be started anew goes on where the last one stopped.
function opened(): Opened {
  if (open !== undefined) return open;
  lock ??= lockHistory(path);
  const database = openForWriting(path);
  const writer = new Writer(database);
  open = { database, writer, chores: new Chores(writer, path), statements: new Statements(database) };
  return open;
}

function commit({ isAhead, ...batch }: CommitRequest): CommitAnswer {
  if (isAhead && failure !== undefined) throw failure;
  try {
    const { writer, chores } = opened();
    const result = writer.commit(batch);
    failure = undefined;
    chores.noteCommit({ reports: batch.intervals.length, states: batch.states.length });
    return { ...result, choreProblem: chores.problem };
  } catch (error) {
    failure = error;
    throw error;
  }
}

function close(): void {
  open?.chores.stop();
  open?.database.close();
  open = undefined;
}

serve<WriterMethods>(
  {
    open: () => {
      opened();
      return null;
    },
    commit,
    retain: (limits) => {
      opened().chores.retain(limits);
      return null;
    },
    tidy: ({ withinMs }) => {
      opened().chores.tidy(withinMs);
      return null;
    },
    resumable: (unreadable) => {
      const { database, writer } = opened();
      if (unreadable.length > 0) writer.forgetResumes(unreadable);
      return new Queries(database).resumable();
    },
    endLost: (known) => opened().writer.endLost(known),
    reopen: () => {
      close();
      opened();
      return null;
    },
    feature: (call) => callFeature(FEATURES, 'writes', opened().statements, call),
  },
  () => {
    close();
    lock?.close();
  },
);

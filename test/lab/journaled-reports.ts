import type { Database } from 'better-sqlite3';

interface JournalRow {
  readonly texts: string;
  readonly layout: string;
  readonly cells: Buffer;
}

/**
 * Lets this connection's SQL see in `intervals` all reports that the history has, those of its journal too. Read by the
 * layout that stands beside them, not through the product.
 */
export function showJournaled(database: Database): void {
  // Of tens of thousands, each by itself would keep the thread for seconds from all that it times beside this.
  database.transaction(() => copyJournaled(database))();
}

function copyJournaled(database: Database): void {
  database.exec(`CREATE TEMP TABLE intervals AS SELECT * FROM main.intervals;
    CREATE UNIQUE INDEX temp.interval_key ON intervals (uniqueid, direction, report_number)`);
  const rows = database.prepare<[], JournalRow>('SELECT * FROM interval_journal ORDER BY id').all();
  for (const row of rows) {
    const layout = JSON.parse(row.layout) as { readonly columns: string[]; readonly texts: string[] };
    const texts = JSON.parse(row.texts) as string[];
    const put = database.prepare(
      `INSERT OR REPLACE INTO temp.intervals (${layout.columns.join(', ')}) VALUES (${layout.columns.map(() => '?').join(', ')})`,
    );
    for (let start = 0; start < row.cells.length; start += 8 * layout.columns.length) {
      const cells = layout.columns.map((column, index) => {
        const number = row.cells.readDoubleLE(start + 8 * index);
        if (Number.isNaN(number)) return null;
        return layout.texts.includes(column) ? texts[number] : number;
      });
      put.run(cells);
    }
  }
}

/** Inserts a row, or overwrites all columns of the one with the same key. By position: names cost SQLite twice the time. */
export function upsert(table: string, keys: readonly string[], columns: readonly string[]): string {
  const updates = columns.filter((column) => !keys.includes(column)).map((column) => `${column} = excluded.${column}`);
  return `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})
    ON CONFLICT (${keys.join(', ')}) DO UPDATE SET ${updates.join(', ')}`;
}

/** Overwrites columns of the row with these keys, if there is one. The parameters are the other columns in their order, then the keys. */
export function update(table: string, keys: readonly string[], columns: readonly string[]): string {
  const isPlace = (names: readonly string[]): string[] => names.map((name) => `${name} = ?`);
  const others = columns.filter((column) => !keys.includes(column));
  return `UPDATE ${table} SET ${isPlace(others).join(', ')} WHERE ${isPlace(keys).join(' AND ')}`;
}

/** Node's, SQLite's or OpenSSL's code of an error, such as ENOENT; `otherwise`, or the error's own words, when it has none. */
export function errorCode(error: unknown, otherwise = String(error)): string {
  return error instanceof Error && 'code' in error ? String(error.code) : otherwise;
}

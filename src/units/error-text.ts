/** What was thrown, as one text for people: an error's message, or the thing itself. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

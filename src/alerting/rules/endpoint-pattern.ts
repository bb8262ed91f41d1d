/** Whether a pattern, a name or its beginning and `*`, stands for the endpoint. */
export function fits(endpoint: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) =>
    pattern.endsWith('*') ? endpoint.startsWith(pattern.slice(0, -1)) : endpoint === pattern,
  );
}

/**
 * The wait that a Retry-After header asks for, in ms, at most `longestMs`. 0: there is no header, or it gives a date instead of
 * seconds (RFC 9110 §10.2.3 allows both).
 */
export function retryAfterMs(header: string | null, longestMs: number): number {
  return header !== null && /^[0-9]{1,9}$/.test(header) ? Math.min(longestMs, Number(header) * 1000) : 0;
}

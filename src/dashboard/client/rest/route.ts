/** The page that the address asks for, after `#/`. */
export interface Route {
  readonly name: string;
  /** What follows the name, decoded; empty when nothing does. */
  readonly id: string;
  readonly query: URLSearchParams;
}

/** A page that is on the screen. */
export interface Page {
  readonly title: string;
  readonly element: HTMLElement;
  /** Stops its timers and requests. */
  leave(): void;
}

/** Reads `#/call/1700.1?x=y` as name `call`, id `1700.1`. Anything unreadable is the first page. */
export function parseRoute(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#?\/?/, '').split('?', 2);
  const slash = path.indexOf('/');
  const name = slash < 0 ? path : path.slice(0, slash);
  try {
    return { name, id: slash < 0 ? '' : decodeURIComponent(path.slice(slash + 1)), query: new URLSearchParams(query) };
  } catch {
    return { name: '', id: '', query: new URLSearchParams() };
  }
}

/** The address of a call's page; `pbx` on a fleet, where two PBXs may have calls of the same linkedid. */
export function callAddress(linkedid: string, pbx?: string): string {
  return `#/call/${encodeURIComponent(linkedid)}${pbx === undefined ? '' : `?${new URLSearchParams({ pbx })}`}`;
}

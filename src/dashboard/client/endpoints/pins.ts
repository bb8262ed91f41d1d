const KEY = 'asterisk-mes-pins';

/** Endpoints that this browser lists apart from the others, such as trunks: a name does not tell a trunk from a phone. */
export function pinned(): ReadonlySet<string> {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? '[]');
    return new Set(Array.isArray(kept) ? kept.filter((name): name is string => typeof name === 'string') : []);
  } catch {
    return new Set();
  }
}

export function togglePin(endpoint: string): void {
  const pins = new Set(pinned());
  if (!pins.delete(endpoint)) pins.add(endpoint);
  localStorage.setItem(KEY, JSON.stringify([...pins]));
}

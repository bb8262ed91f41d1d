import { el } from './dom.ts';

/** The browser reads the file soon after the click. After this time its memory is released. */
const KEPT_MS = 10_000;

/** Lets the viewer save something under a name. */
export function offerFile(content: Blob, name: string): void {
  const address = URL.createObjectURL(content);
  el('a', { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), KEPT_MS);
}

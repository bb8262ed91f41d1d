/** A message was not taken; the text is one sentence. It is tried again. */
export class DeliveryError extends Error {
  override readonly name = 'DeliveryError';
  /** Whether it was this message that was refused, and not the way that is out of order: others may go meanwhile. */
  readonly isRefused: boolean;

  constructor(message: string, options: ErrorOptions & { readonly isRefused?: boolean } = {}) {
    super(message, options);
    this.isRefused = options.isRefused === true;
  }
}

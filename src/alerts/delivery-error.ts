/** Thrown when a message was not taken, with one sentence why. It is tried again later. */
export class DeliveryError extends Error {
  override readonly name = 'DeliveryError';
  /** True: this message was refused, and others may be taken. False: the server cannot be used now. */
  readonly isRefused: boolean;

  constructor(message: string, options: ErrorOptions & { readonly isRefused?: boolean } = {}) {
    super(message, options);
    this.isRefused = options.isRefused === true;
  }
}

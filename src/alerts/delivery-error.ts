/** A message was not taken; the text is one sentence. It is tried again. */
export class DeliveryError extends Error {
  override readonly name = 'DeliveryError';
}

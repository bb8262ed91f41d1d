/** The messages between the main thread and the thread of `ari-client`. */

export interface AriWorkerData {
  readonly url: string;
  readonly username: string;
  readonly password: string;
  readonly app: string;
}

export type AriRequest =
  /** Close the web socket properly, and end. */
  { readonly kind: 'stop' } | AriCall;

export interface AriCall {
  readonly id: number;
  readonly kind: 'rtp-statistics';
  readonly uniqueid: string;
}

export type AriMessage =
  /** The web socket is open and the application is subscribed. */
  | { readonly kind: 'up' }
  | { readonly kind: 'answer'; readonly id: number; readonly body: unknown }
  | { readonly kind: 'refusal'; readonly id: number; readonly message: string }
  /** `uniqueid` is undefined for a global variable. */
  | {
      readonly kind: 'variable-set';
      readonly uniqueid: string | undefined;
      readonly name: string;
      readonly value: string;
    };

/** What we use of the npm package `ari-client` 2.2.0, which has no types of its own. */
declare module 'ari-client' {
  import type { EventEmitter } from 'node:events';

  export interface Client {
    on: EventEmitter['on'];
    readonly channels: {
      rtpstatistics(parameters: { channelId: string }): PromiseLike<unknown>;
    };
    readonly applications: {
      filter(parameters: { applicationName: string; filter: object }): PromiseLike<unknown>;
    };
    start(app: string, subscribeAll: boolean): PromiseLike<unknown>;
    ping(): void;
    stop(): void;
  }

  const ari: {
    connect(url: string, username: string, password: string): PromiseLike<Client>;
  };
  export default ari;
}

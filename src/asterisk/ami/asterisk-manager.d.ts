/** What we use of the npm package `asterisk-manager` 0.2.0, which has no types of its own. */
declare module 'asterisk-manager' {
  import type { EventEmitter } from 'node:events';
  import type { TcpNetConnectOpts } from 'node:net';

  namespace Manager {
    /** Header names in lower case; a header that came twice is an array. */
    type Answer = Readonly<Record<string, unknown>>;
    type Callback = (error: Answer | undefined, answer?: Answer) => void;

    interface Client {
      on: EventEmitter['on'];
      emit: EventEmitter['emit'];
      removeAllListeners: EventEmitter['removeAllListeners'];
      /** `port` goes to `net.createConnection` as it is, so its options object (with an AbortSignal) does too. */
      connect(port: TcpNetConnectOpts, host: undefined, callback: () => void): void;
      /** The callback gets the refusal, or nothing on success. */
      login(callback: (error?: Answer) => void): void;
      /** Own property: the package calls it itself to log in. */
      action(action: Record<string, string>, callback: Callback): string;
    }
  }

  /** With no port it does not connect by itself. */
  function Manager(port: undefined, host: string, username: string, password: string, events: boolean): Manager.Client;
  export = Manager;
}

import { setTimeout as sleep } from 'node:timers/promises';
import { HOLD_APP } from './farm-config.ts';

/** Lets phones put calls on hold and take them back, by the farm's ARI: a real re-INVITE with `sendonly`. */
export class HoldControl {
  readonly #url: string;
  readonly #authorization: string;
  readonly #socket: WebSocket;

  static async open(address: string, port: number, secret: string): Promise<HoldControl> {
    const socket = new WebSocket(`ws://${address}:${port}/ari/events?app=${HOLD_APP}&api_key=lab:${secret}`);
    await new Promise<void>((resolve, reject) => {
      socket.addEventListener('open', () => resolve());
      socket.addEventListener('error', () => reject(new Error("The phones' ARI did not accept the connection.")));
    });
    return new HoldControl(`http://${address}:${port}/ari/channels`, secret, socket);
  }

  private constructor(url: string, secret: string, socket: WebSocket) {
    this.#url = url;
    this.#authorization = `Basic ${Buffer.from(`lab:${secret}`).toString('base64')}`;
    this.#socket = socket;
  }

  /** The channel is on its way into the application. */
  async hold(channelId: string): Promise<void> {
    for (let attempt = 0; attempt < 40; attempt += 1) {
      if (await this.#request('POST', `${channelId}/hold`)) return;
      await sleep(25);
    }
    throw new Error(`The phone's channel ${channelId} could not be put on hold.`);
  }

  async unhold(channelId: string): Promise<void> {
    await this.#request('DELETE', `${channelId}/hold`);
    await this.#request('POST', `${channelId}/continue?context=talk&extension=speech&priority=1`);
  }

  close(): void {
    this.#socket.close();
  }

  async #request(method: 'POST' | 'DELETE', path: string): Promise<boolean> {
    const headers = { authorization: this.#authorization };
    const answer = await fetch(`${this.#url}/${path}`, { method, headers, signal: AbortSignal.timeout(30_000) });
    return answer.ok;
  }
}

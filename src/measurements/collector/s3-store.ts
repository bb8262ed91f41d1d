import { AwsClient, AwsV4Signer } from 'aws4fetch';
import type { PresignedPut, PutContent, Store, StoredFile } from './store.ts';

const REQUEST_TIMEOUT_MS = 20_000;
const RETRIES = 2;
/** Validity of a signed address: clocks differ, and a line may be slow. */
const PRESIGNED_FOR_S = 300;
const MOST_PAGES = 100_000;

export interface S3Place {
  readonly bucket: string;
  readonly prefix: string;
  readonly s3: {
    readonly endpoint: string;
    readonly region: string;
    readonly accessKey: string;
    readonly secretKey: string;
  };
}

/** A bucket of any S3 server. Requests are signed (AWS Signature Version 4), addresses are path style. */
export class S3Store implements Store {
  readonly #client: AwsClient;
  readonly #place: S3Place;
  readonly #bucketUrl: string;
  readonly #prefix: string;

  constructor(place: S3Place) {
    const { bucket, prefix, s3 } = place;
    this.#place = place;
    this.#client = new AwsClient({
      accessKeyId: s3.accessKey,
      secretAccessKey: s3.secretKey,
      service: 's3',
      region: s3.region,
      retries: RETRIES,
    });
    this.#bucketUrl = `${s3.endpoint}/${bucket}`;
    this.#prefix = prefix === '' ? '' : `${prefix}/`;
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    await this.#ask('PUT', this.#urlOf(key), new Uint8Array(bytes));
  }

  async *list(): AsyncIterable<StoredFile> {
    let token: string | null = null;
    for (let page = 0; page < MOST_PAGES; page += 1) {
      const query = new URLSearchParams({ 'list-type': '2', prefix: this.#prefix, 'encoding-type': 'url' });
      if (token !== null) query.set('continuation-token', token);
      const text = await (await this.#ask('GET', `${this.#bucketUrl}?${query.toString()}`)).text();
      for (const [, contents = ''] of text.matchAll(/<Contents>(.*?)<\/Contents>/gs)) {
        const key = decodeURIComponent(textOf(contents, 'Key') ?? '');
        if (key.startsWith(this.#prefix)) {
          yield { key: key.slice(this.#prefix.length), bytes: Number(textOf(contents, 'Size') ?? '0') };
        }
      }
      token = textOf(text, 'NextContinuationToken');
      if (token === null) return;
    }
  }

  async get(key: string): Promise<Buffer> {
    return Buffer.from(await (await this.#ask('GET', this.#urlOf(key))).arrayBuffer());
  }

  async presignedPut(key: string, { bytes, sha256 }: PutContent): Promise<PresignedPut> {
    const { accessKey, secretKey, region } = this.#place.s3;
    const address = new URL(this.#urlOf(key));
    address.searchParams.set('X-Amz-Expires', String(PRESIGNED_FOR_S));
    const signer = new AwsV4Signer({
      method: 'PUT',
      url: address.toString(),
      // Sign size and hash as well, so that the address takes exactly these bytes.
      headers: { 'content-length': String(bytes), 'x-amz-content-sha256': sha256 },
      accessKeyId: accessKey,
      secretAccessKey: secretKey,
      service: 's3',
      region,
      signQuery: true,
      allHeaders: true,
    });
    const { url } = await signer.sign();
    return { url: url.toString(), headers: { 'x-amz-content-sha256': sha256 } };
  }

  async remove(key: string): Promise<void> {
    await this.#ask('DELETE', this.#urlOf(key));
  }

  #urlOf(key: string): string {
    return `${this.#bucketUrl}/${`${this.#prefix}${key}`.split('/').map(encodeURIComponent).join('/')}`;
  }

  async #ask(method: string, url: string, body?: Uint8Array<ArrayBuffer>): Promise<Response> {
    let response: Response;
    try {
      response = await this.#client.fetch(url, {
        method,
        redirect: 'error',
        signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
        ...(body === undefined ? {} : { body }),
      });
    } catch (error) {
      throw new Error(`the S3 server at ${new URL(url).host} cannot be reached; check endpoint`, { cause: error });
    }
    if (response.ok) return response;
    const code = textOf(await response.text(), 'Code') ?? 'no reason';
    throw new Error(
      `the S3 server refused a request with ${response.status} (${code.slice(0, 60)}); check bucket, access_key and secret_key`,
    );
  }
}

function textOf(xml: string, element: string): string | null {
  const found = new RegExp(`<${element}>([^<]*)</${element}>`).exec(xml)?.[1];
  return found === undefined ? null : found.replaceAll('&amp;', '&').replaceAll('&quot;', '"');
}

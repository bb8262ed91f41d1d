import { readFile } from 'node:fs/promises';
import { errorCode } from '../model/errors/error-code.ts';
import { parseConf } from './conf-file.ts';
import { type Environment, environmentName, SettingReader, suggestion } from './setting-reader.ts';
import { SettingsError } from './settings-error.ts';
import type { Setting } from './settings-table.ts';
import {
  BIND,
  choice,
  type HostAndPort,
  HTTP_URL,
  matching,
  optional,
  type ValueType,
  wholeNumber,
} from './value-types.ts';

function setting<T>(type: ValueType<T>, defaultText: string, doc: string): Setting<T> {
  return { type, defaultText, whenAbsent: 'refuse', doc };
}

const TEXT = matching('text without control characters', /^\P{Cc}+$/u);
const SECRET_TEXT = matching('text without control characters', /^\P{Cc}+$/u, {
  secret: true,
  outlastsEmptyVariable: true,
});

/** Sections and keys of a collection server's file. */
export const COLLECT_SETTINGS = {
  collector: {
    bind: setting(BIND, '127.0.0.1:8095', 'where it listens'),
    tls_cert: setting(optional(TEXT), '', 'certificate (PEM file); empty: without TLS, for a proxy in front'),
    tls_key: setting(optional(TEXT), '', 'its private key (PEM file)'),
    recipients: setting(wholeNumber(1, 20), '1', 'for how many recipients each file has to be encrypted'),
    per_minute: setting(wholeNumber(1, 100_000), '300', 'files a minute that one address may send'),
    store: setting(TEXT, '/var/lib/asterisk-mes-collector', 'directory, or s3://bucket/prefix'),
    uploads: setting(
      choice('through', 'presigned'),
      'through',
      'through: files pass through here, and their form is looked at; presigned: senders put them into S3 themselves',
    ),
    questions: setting(optional(TEXT), '', 'JSON file with the questions for ratings; empty: none'),
    signing_key: setting(optional(TEXT), '', 'private Ed25519 key (PEM file) that signs them'),
  },
  s3: {
    endpoint: setting(optional(HTTP_URL), '', 'address of the S3 server'),
    region: setting(matching('letters, digits and dashes', /^[a-z0-9-]{1,40}$/), 'us-east-1', 'its region'),
    access_key: setting(optional(SECRET_TEXT), '', 'who signs the requests'),
    secret_key: setting(optional(SECRET_TEXT), '', 'with what'),
  },
} as const;

export interface S3Settings {
  readonly endpoint: string;
  readonly region: string;
  readonly accessKey: string;
  readonly secretKey: string;
}

/** Where files are kept: a directory, or a bucket and the beginning of the names there. */
export type StorePlace =
  | { readonly kind: 'directory'; readonly path: string }
  | { readonly kind: 's3'; readonly bucket: string; readonly prefix: string; readonly s3: S3Settings };

export interface CollectSettings {
  readonly bind: HostAndPort;
  readonly tls: { readonly certFile: string; readonly keyFile: string } | null;
  readonly recipients: number;
  readonly perMinute: number;
  readonly place: StorePlace;
  readonly isPresigning: boolean;
  readonly questions: { readonly file: string; readonly signingKeyFile: string } | null;
}

const S3_ADDRESS = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/([\w./-]*))?$/;

/** Reads a place as people write it. `s3`: what the file says about the S3 server. Throws SettingsError with one sentence. */
export function storePlace(
  text: string,
  s3: { readonly [Key in keyof S3Settings]: S3Settings[Key] | null },
): StorePlace {
  if (!text.startsWith('s3:')) return { kind: 'directory', path: text };
  const address = S3_ADDRESS.exec(text);
  if (address === null) throw new SettingsError([`${text} is no place in S3; give s3://bucket/prefix`]);
  const { endpoint, region, accessKey, secretKey } = s3;
  if (endpoint === null || region === null || accessKey === null || secretKey === null) {
    throw new SettingsError([
      `${text} needs endpoint, access_key and secret_key of the S3 server; set them in [s3], or as MES_S3_ENDPOINT, MES_S3_ACCESS_KEY and MES_S3_SECRET_KEY`,
    ]);
  }
  const prefix = (address[2] ?? '').replaceAll(/^\/+|\/+$/g, '');
  return { kind: 's3', bucket: address[1] ?? '', prefix, s3: { endpoint, region, accessKey, secretKey } };
}

/** Reads a collection server's settings; path `undefined`: from the environment alone. Throws SettingsError with all problems. */
export async function readCollectSettings(path: string | undefined, env: Environment): Promise<CollectSettings> {
  let text = '';
  try {
    if (path !== undefined) text = await readFile(path, 'utf8');
  } catch (error) {
    throw new SettingsError([`${path} cannot be read (${errorCode(error, 'unknown')}); name another with --config`]);
  }
  return collectSettings(text, path ?? 'collect.conf', env);
}

export function collectSettings(text: string, fileName: string, env: Environment): CollectSettings {
  const file = parseConf(text);
  const reader = new SettingReader(file, fileName, env);
  for (const { name, line } of file.sections) {
    if (!Object.hasOwn(COLLECT_SETTINGS, name)) {
      reader.refuseLine(line, `unknown section "${name}"${suggestion(name, Object.keys(COLLECT_SETTINGS))}`);
    }
  }
  const sectionOf = (name: string) => file.sections.find((section) => section.name === name);
  const own = reader.section('collector', COLLECT_SETTINGS.collector, sectionOf('collector'));
  const s3 = reader.section('s3', COLLECT_SETTINGS.s3, sectionOf('s3'));
  const problems = reader.problems.map(({ sentence }) => sentence);
  if (problems.length > 0) throw new SettingsError(problems);
  if ((own.tls_cert === null) !== (own.tls_key === null)) {
    problems.push(`[collector] tls_cert and tls_key of ${fileName} belong together; set both, or neither`);
  }
  if (own.questions !== null && own.signing_key === null) {
    problems.push(
      `[collector] questions need a key that signs them; set signing_key in [collector] of ${fileName} or ${environmentName('collector', 'signing_key')}`,
    );
  }
  if (own.uploads === 'presigned' && !own.store.startsWith('s3:')) {
    problems.push(
      `[collector] uploads = presigned needs S3; set store = s3://bucket/prefix in ${fileName}, or uploads = through`,
    );
  }
  if (problems.length > 0) throw new SettingsError(problems);
  return {
    bind: own.bind,
    tls: own.tls_cert === null || own.tls_key === null ? null : { certFile: own.tls_cert, keyFile: own.tls_key },
    recipients: own.recipients,
    perMinute: own.per_minute,
    isPresigning: own.uploads === 'presigned',
    place: storePlace(own.store, {
      endpoint: s3.endpoint,
      region: s3.region,
      accessKey: s3.access_key,
      secretKey: s3.secret_key,
    }),
    questions:
      own.questions === null || own.signing_key === null
        ? null
        : { file: own.questions, signingKeyFile: own.signing_key },
  };
}

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { REPOSITORY } from './paths.ts';

export const DOCKER = join(REPOSITORY, 'docker');

/** One service of docker/compose.yaml. */
export interface Service {
  readonly image: string;
  readonly build?: { readonly context: string; readonly dockerfile: string };
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
  readonly tmpfs?: readonly string[];
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly read_only?: boolean;
  readonly networks?: readonly string[];
  readonly ports?: readonly string[];
  readonly secrets?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly restart?: string;
}

export interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly networks: Readonly<Record<string, unknown>>;
  readonly volumes: Readonly<Record<string, unknown>>;
  readonly secrets: Readonly<Record<string, { readonly environment: string }>>;
}

/** A YAML file below docker/. */
export function readYaml(name: string): unknown {
  return parse(readFileSync(join(DOCKER, name), 'utf8'), { merge: true });
}

export function readCompose(): Compose {
  return readYaml('compose.yaml') as Compose;
}

/** Keys of a service that the container room handles in its own way: one network, no restarts, explicit waiting. */
const DONE_OTHERWISE = new Set(['image', 'build', 'networks', 'ports', 'depends_on', 'restart', 'command']);

/** The arguments of `podman run` for a service. Throws for keys that it cannot translate, so that no key stays untested. */
export function runWords(service: Service, environment: Readonly<Record<string, string>>): string[] {
  const { cap_drop = [], security_opt = [], tmpfs = [], volumes = [], read_only = false, ...rest } = service;
  const unknown = Object.keys(rest).find((key) => !DONE_OTHERWISE.has(key) && key !== 'environment');
  if (unknown !== undefined) throw new Error(`The lab cannot do what compose.yaml says with ${unknown}.`);
  return [
    ...Object.entries(environmentOf(service, environment)).flatMap(([name, value]) => ['--env', `${name}=${value}`]),
    ...cap_drop.flatMap((name) => ['--cap-drop', name]),
    ...security_opt.flatMap((option) => ['--security-opt', option]),
    ...tmpfs.flatMap((path) => ['--tmpfs', path]),
    ...volumes.flatMap((volume) => ['--volume', volume]),
    `--read-only=${read_only}`,
    service.image,
    ...(service.command ?? []),
  ];
}

/** A service's environment. Throws when a variable that it must have is not set. */
export function environmentOf(
  { environment = {} }: Service,
  given: Readonly<Record<string, string>>,
): Record<string, string> {
  return Object.fromEntries(Object.entries(environment).map(([name, text]) => [name, interpolate(text, given)]));
}

/** `${NAME:?why}` and `${NAME:-default}`, as the Compose specification has them. */
function interpolate(text: string, environment: Readonly<Record<string, string>>): string {
  return text.replaceAll(/\$\{(\w+):([?-])([^}]*)\}/g, (_whole, name: string, kind: string, rest: string) => {
    const value = environment[name];
    if (value !== undefined && value !== '') return value;
    if (kind === '?') throw new Error(`${name} is not set: ${rest}`);
    return rest;
  });
}

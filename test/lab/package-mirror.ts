import { readdirSync, readFileSync } from 'node:fs';

/** Names that stand for a release of Debian's main archive, whatever its age. */
const ROLLING_SUITES = ['oldoldstable', 'oldstable', 'stable', 'testing', 'unstable', 'sid'];

interface AptSource {
  readonly uri: string;
  readonly suites: readonly string[];
  readonly components: readonly string[];
}

/**
 * Finds the mirror of Debian's main archive among the machine's own apt sources.
 *
 * `codename` is the machine's release (`bookworm`). Returns undefined when no source carries it.
 */
export function findDebianMirror(sources: readonly AptSource[], codename: string): string | undefined {
  const wanted = new Set([codename, ...ROLLING_SUITES]);
  return sources.find(
    (source) => source.components.includes('main') && source.suites.some((suite) => wanted.has(suite)),
  )?.uri;
}

/** Reads classic `deb …` lines and deb822 stanzas (sources.list(5)); disabled stanzas and `deb-src` are left out. */
export function parseAptSources(text: string, format: 'list' | 'deb822'): AptSource[] {
  return format === 'list' ? text.split('\n').flatMap(parseListLine) : text.split(/\n\s*\n/).flatMap(parseStanza);
}

/** The mirror that this machine's apt uses for Debian itself, or undefined where there is none. */
export function machineDebianMirror(): string | undefined {
  const sources = readIfThere('/etc/apt/sources.list', 'list');
  for (const name of listIfThere('/etc/apt/sources.list.d')) {
    if (name.endsWith('.list')) sources.push(...readIfThere(`/etc/apt/sources.list.d/${name}`, 'list'));
    if (name.endsWith('.sources')) sources.push(...readIfThere(`/etc/apt/sources.list.d/${name}`, 'deb822'));
  }
  return findDebianMirror(sources, machineCodename());
}

function machineCodename(): string {
  try {
    return /^VERSION_CODENAME="?([a-z]+)"?$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'sid';
  } catch {
    return 'sid';
  }
}

function parseListLine(line: string): AptSource[] {
  const match = /^\s*deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)((?:\s+[^\s#]+)*)/.exec(line);
  const [, uri, suite, components] = match ?? [];
  if (uri === undefined || suite === undefined) return [];
  return [{ uri, suites: [suite], components: (components ?? '').split(/\s+/).filter((word) => word !== '') }];
}

function parseStanza(stanza: string): AptSource[] {
  const fields = new Map<string, string[]>();
  let name = '';
  for (const line of stanza.split('\n')) {
    if (line.startsWith('#') || line.trim() === '') continue;
    const [, key, rest] = /^([A-Za-z-]+):(.*)$/.exec(line) ?? [];
    if (key !== undefined) name = key.toLowerCase();
    const words = (key === undefined ? line : (rest ?? '')).split(/\s+/).filter((word) => word !== '');
    fields.set(name, [...(fields.get(name) ?? []), ...words]);
  }
  if (fields.get('enabled')?.[0]?.toLowerCase() === 'no' || !fields.get('types')?.includes('deb')) return [];
  const suites = fields.get('suites') ?? [];
  const components = fields.get('components') ?? [];
  return (fields.get('uris') ?? []).map((uri) => ({ uri, suites, components }));
}

function readIfThere(path: string, format: 'list' | 'deb822'): AptSource[] {
  try {
    return parseAptSources(readFileSync(path, 'utf8'), format);
  } catch {
    return [];
  }
}

function listIfThere(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

import { PROFILE_NAMES } from '../../src/model/score.ts';
import { mesProfile } from '../../src/score/profiles.ts';

/** The table of profiles in `src/score/README.md`: a row for each number, by the names in `score/profiles.ts`. */
export function profilesTable(): string {
  const fixed = PROFILE_NAMES.filter((name) => name !== 'custom').map((name) => mesProfile(name));
  const names = Object.keys(mesProfile('documented')).filter((name) => name !== 'name');
  const rows = names.map((name) => [
    `\`${name}\``,
    ...fixed.map((profile) => Object.entries(profile).find(([property]) => property === name)?.[1]),
  ]);
  const head = ['number', ...fixed.map(({ name }) => `\`${name}\``)];
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

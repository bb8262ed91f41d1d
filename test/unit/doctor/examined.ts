import { examine } from '../../../src/doctor/examine.ts';
import type { ConfigFileName, DoctorFacts } from '../../../src/doctor/facts.ts';
import type { CheckId, Finding } from '../../../src/doctor/finding.ts';
import { filesFrom, WELL } from './installation.ts';

/** The finding of one check, where `facts` are otherwise than well. */
export function find(id: CheckId, facts: Partial<DoctorFacts>): Finding {
  const found = examine({ ...WELL, ...facts }).find((finding) => finding.id === id);
  if (found === undefined) throw new Error(`there is no finding ${id}`);
  return found;
}

export function withFiles(texts: Readonly<Partial<Record<ConfigFileName, string>>>): Pick<DoctorFacts, 'files'> {
  return { files: filesFrom(texts) };
}

/** What is to be changed, as short as it can be said. */
export function edits({ changes }: Finding): string[] {
  return changes.map(({ file, line, action, section, lines }) =>
    [action, `${file}:${line}`, `[${section}]`, ...lines].join(' '),
  );
}

import type { Change, Finding } from './finding.ts';

/**
 * FreePBX overwrites most of Asterisk's files and includes others that it leaves to people. Changes go into those, as additions
 * to the same section, where the last line counts. (From FreePBX's documentation; none of our machines runs it.)
 */
export function leaveToFreePbx(findings: readonly Finding[]): Finding[] {
  return findings.map((finding) => ({ ...finding, changes: finding.changes.map(inCustomFile) }));
}

/** The file for peers' sections; [general] has a file of its own. */
const SIP_PEERS = 'sip_custom_post.conf';
const CUSTOM_FILE: Readonly<Record<string, string>> = {
  'manager.conf': 'manager_custom.conf',
  'manager_additional.conf': 'manager_custom.conf',
  'extensions.conf': 'extensions_custom.conf',
  'extensions_additional.conf': 'extensions_custom.conf',
  'rtp.conf': 'rtp_custom.conf',
  'rtp_additional.conf': 'rtp_custom.conf',
  'pjsip.conf': 'pjsip.endpoint_custom_post.conf',
  'pjsip.endpoint.conf': 'pjsip.endpoint_custom_post.conf',
  'sip.conf': 'sip_general_custom.conf',
  'sip_general_additional.conf': 'sip_general_custom.conf',
  'sip_additional.conf': SIP_PEERS,
};

/** A line can only be removed from the file that has it. */
function inCustomFile(change: Change): Change {
  const { file, section, action, lines } = change;
  const slash = (file ?? '').lastIndexOf('/') + 1;
  const own = (file ?? '').slice(slash);
  const custom = own === 'sip.conf' && section !== 'general' ? SIP_PEERS : CUSTOM_FILE[own];
  if (file === null || custom === undefined || action === 'remove') return change;
  // FreePBX includes this file of chan_sip inside [general].
  const isInside = section === null || custom === 'sip_general_custom.conf';
  return {
    ...change,
    file: `${file.slice(0, slash)}${custom}`,
    section: null,
    action: 'add',
    line: null,
    was: null,
    lines: isInside ? lines : [`[${section}](+)`, ...lines],
  };
}

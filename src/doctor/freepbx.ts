import type { Change, Finding } from './finding.ts';

/**
 * FreePBX overwrites most of Asterisk's files, and includes others that people may edit. This moves each change into such a file,
 * as an addition to the same section, where the last line counts. (By FreePBX's documentation; no FreePBX was tried.)
 */
export function leaveToFreePbx(findings: readonly Finding[]): Finding[] {
  return findings.map((finding) => ({ ...finding, changes: finding.changes.map(inCustomFile) }));
}

/** The file for sections of chan_sip's peers. [general] has another. */
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

/** A line can be removed only from the file that has it. */
function inCustomFile(change: Change): Change {
  const { file, section, action, lines } = change;
  const slash = (file ?? '').lastIndexOf('/') + 1;
  const own = (file ?? '').slice(slash);
  const custom = own === 'sip.conf' && section !== 'general' ? SIP_PEERS : CUSTOM_FILE[own];
  if (file === null || custom === undefined || action === 'remove') return change;
  // FreePBX includes this file inside [general] of sip.conf.
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

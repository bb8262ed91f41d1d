import type { LabPlan, PlannedPhone } from './lab-plan.ts';
import { type ConfigFiles, sharedConfig } from './shared-config.ts';

/** How a phone behaves when it is called or has called. */
export type PhoneMode = 'speech' | 'silent' | 'busy' | 'no-answer';

/** The Stasis application in which phones put a call on hold. */
export const HOLD_APP = 'hold';

/** Configuration of the Asterisk that plays all the phones. */
export function farmConfig(plan: LabPlan, modulesDirectory: string): ConfigFiles {
  const files = sharedConfig({
    modulesDirectory,
    address: plan.farmAddress,
    amiPort: plan.farmAmiPort,
    httpPort: plan.farmHttpPort,
    rtpPorts: plan.farmPorts,
    rtcpIntervalMs: plan.rtcpIntervalMs,
    labSecret: plan.labSecret,
    extraRtp: '',
    extraManager: '',
  });
  files.set('ari.conf', `[general]\nenabled = yes\n[lab]\ntype = user\nread_only = no\npassword = ${plan.labSecret}\n`);
  files.set('pjsip.conf', pjsipConf(plan));
  files.set('extensions.conf', extensionsConf(plan));
  files.set('cdr.conf', '[general]\nenable = no\n');
  return files;
}

function pjsipConf(plan: LabPlan): string {
  return `[global]
type = global
endpoint_identifier_order = header

[lab]
type = transport
protocol = udp
bind = ${plan.farmAddress}:${plan.farmSipPort}
${farmPhones(plan).map(phoneEndpoint).join('')}`;
}

/** Those that are channels of this Asterisk. */
function farmPhones(plan: LabPlan): PlannedPhone[] {
  return plan.phones.filter(({ client }) => client === null);
}

/** All calls come from the same PBX, so a phone is known by whom they are for. */
function phoneEndpoint(phone: PlannedPhone): string {
  return `
[${phone.name}]
type = endpoint
context = phones
transport = lab
disallow = all
allow = ${phone.codecs.join(',')}
asymmetric_rtp_codec = ${phone.asymmetric ? 'yes' : 'no'}
direct_media = no
timers = no
${phone.srtp ? 'media_encryption = sdes\n' : ''}${phone.directMedia ? '' : `media_address = ${phone.phoneFront}\n`}from_user = ${phone.name}
moh_passthrough = yes

[${phone.name}]
type = identify
endpoint = ${phone.name}
match_header = To: /sip:${phone.name}@/
`;
}

/** A phone that is called does as its global variable says (see `Lab.setPhone`). */
function extensionsConf(plan: LabPlan): string {
  const phones = farmPhones(plan).map(
    ({ name }) => `exten => ${name},1,Goto(answer-\${IF($["\${MODE_${name}}" = ""]?speech:\${MODE_${name}})},1)\n`,
  );
  return `[phones]
${phones.join('')}exten => answer-speech,1,Ringing()
 same => n,Wait(0.1)
 same => n,Answer()
 same => n,Goto(talk,speech,1)
exten => answer-silent,1,Answer()
 same => n,Goto(talk,silent,1)
exten => answer-busy,1,Busy()
exten => answer-no-answer,1,Ringing()
 same => n,Wait(86400)

[talk]
exten => speech,1,MusicOnHold()
 same => n,Goto(speech,1)
exten => silent,1,Wait(86400)
; With REFER; the address is \${TRANSFER_TO}.
exten => transfer,1,Transfer(PJSIP/\${TRANSFER_TO})
 same => n,Wait(86400)
exten => hold,1,Stasis(${HOLD_APP})
 same => n,Goto(speech,1)
`;
}

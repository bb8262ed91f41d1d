import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CLIENT_SIP_PORT, type LabPlan, type PlannedPhone } from './lab-plan.ts';
import { REPOSITORY } from './paths.ts';
import { type ConfigFiles, sharedConfig } from './shared-config.ts';

/** The columns of `cdr-custom/Master.csv`, in order. */
export const CDR_COLUMNS = [
  'uniqueid',
  'linkedid',
  'sequence',
  'channel',
  'dstchannel',
  'clid',
  'src',
  'dst',
  'dcontext',
  'lastapp',
  'lastdata',
  'start',
  'answer',
  'end',
  'duration',
  'billsec',
  'disposition',
  'mes',
  'mes_rx',
  'mes_tx',
  'mes_peer_rx',
  'mes_peer_tx',
  'mes_call',
  'mes_min',
  'mes_verdict',
  'mes_rating',
  'userfield',
] as const;

/** Configuration of the PBX under test. */
export function pbxConfig(plan: LabPlan, modulesDirectory: string): ConfigFiles {
  const files = sharedConfig({
    modulesDirectory,
    address: plan.pbxAddress,
    amiPort: plan.pbxAmiPort,
    httpPort: plan.pbxHttpPort,
    rtpPorts: plan.pbxPorts,
    rtcpIntervalMs: plan.rtcpIntervalMs,
    labSecret: plan.labSecret,
    extraRtp: plan.extra.rtp ?? '',
    extraManager: `
[mes]
secret = ${plan.mesSecret}
read = ${plan.mesRead}
write = ${plan.mesWrite}
${plan.extra.manager ?? ''}`,
  });
  files.set('ari.conf', ariConf(plan));
  files.set('pjsip.conf', pjsipConf(plan));
  files.set('extensions_mes.conf', mesDialplan(plan));
  files.set('extensions.conf', extensionsConf(plan));
  files.set('cdr.conf', `[general]\nenable = yes\n${plan.extra.cdr ?? ''}`);
  const fields = CDR_COLUMNS.map((column) => `\${CSV_QUOTE(\${CDR(${column})})}`);
  files.set('cdr_custom.conf', `[mappings]\nMaster.csv => ${fields.join(',')}\n`);
  for (const [name, text] of Object.entries(plan.extra.files ?? {})) files.set(name, text);
  return files;
}

/** The product's own user, and that of another application. */
function ariConf({ mesSecret, labSecret }: LabPlan): string {
  const shipped = readFileSync(join(REPOSITORY, 'asterisk-conf/ari_mes.conf'), 'utf8');
  return `[general]
enabled = yes
${shipped.replace(/^password = .*$/m, `password = ${mesSecret}`)}
[crm]
type = user
read_only = yes
password = ${labSecret}
`;
}

function pjsipConf(plan: LabPlan): string {
  return `[global]
type = global
endpoint_identifier_order = username

[lab]
type = transport
protocol = udp
bind = ${plan.pbxAddress}:${plan.pbxSipPort}
${plan.phones.map((phone) => phoneEndpoint(plan, phone)).join('')}`;
}

function phoneEndpoint(plan: LabPlan, phone: PlannedPhone): string {
  // Without `transport` the RTP socket is bound to every address and takes the relay's ports away.
  return `
[${phone.name}]
type = endpoint
context = from-phones
transport = lab
disallow = all
allow = ${(phone.asymmetric ? phone.codecs.toReversed() : phone.codecs).join(',')}
asymmetric_rtp_codec = ${phone.asymmetric ? 'yes' : 'no'}
direct_media = ${phone.directMedia ? 'yes' : 'no'}
timers = no
${phone.srtp ? 'media_encryption = sdes\n' : ''}${phone.directMedia ? '' : `media_address = ${phone.pbxFront}\n`}callerid = ${displayName(phone.name)} <${phone.number}>
${plan.extra.endpoints ?? ''}${phone.endpoint}aors = ${phone.name}
${phone.client === 'baresip' || phone.client === 'linphone' ? ownRegistration(plan, phone) : ''}
[${phone.name}]
type = aor
${contactOf(plan, phone)}
`;
}

function contactOf(plan: LabPlan, { name, client, sipAddress }: PlannedPhone): string {
  if (client === 'baresip' || client === 'linphone') return 'max_contacts = 1\nremove_existing = yes';
  const address = client === 'sipp' ? `${sipAddress}:${CLIENT_SIP_PORT}` : `${plan.farmAddress}:${plan.farmSipPort}`;
  return `contact = sip:${name}@${address}`;
}

/** A program of its own registers with its password, and is known by where its packets come from. */
function ownRegistration(plan: LabPlan, { name, encryption }: PlannedPhone): string {
  const media = {
    sdes: 'media_encryption = sdes\n',
    dtls: 'media_encryption = dtls\ndtls_auto_generate_cert = yes\nuse_avpf = yes\ndtls_setup = actpass\ndtls_verify = no\n',
  };
  return `auth = ${name}
rewrite_contact = yes
${encryption === null ? '' : media[encryption]}
[${name}]
type = auth
auth_type = userpass
username = ${name}
password = ${plan.labSecret}
`;
}

function extensionsConf(plan: LabPlan): string {
  return `#include extensions_mes.conf

[from-phones]
${plan.phones.map(phoneExtensions).join('')}exten => 600,1,Gosub(mes,s,1)
 same => n,Answer()
 same => n,Echo()
exten => 601,1,Gosub(mes,s,1)
 same => n,Answer()
 same => n,MusicOnHold()
exten => 800,1,Gosub(mes,s,1)
 same => n,Answer()
 same => n,ConfBridge(800)
exten => _7XX,1,Gosub(mes,s,1)
 same => n,ParkedCall(default,\${EXTEN})
${plan.extra.extensions ?? ''}`;
}

/** By number or by name; a 2 for the first digit lets both sides transfer with DTMF, which also rules out native bridging. */
function phoneExtensions(phone: PlannedPhone): string {
  return `exten => ${phone.number},1,Gosub(mes,s,1)
 same => n,Dial(PJSIP/${phone.name},30,b(mes^s^1))
 same => n,Hangup()
exten => ${transferableNumber(phone)},1,Gosub(mes,s,1)
 same => n,Dial(PJSIP/${phone.name},30,tTb(mes^s^1))
 same => n,Hangup()
exten => ${phone.name},1,Goto(${phone.number},1)
`;
}

/** The extension that rings a phone with transfers allowed: 101 → 201. */
export function transferableNumber(phone: { readonly number: string }): string {
  return `2${phone.number.slice(1)}`;
}

/** The product's own dialplan, which asks this lab's sidecar at hang-up. */
function mesDialplan(plan: LabPlan): string {
  const shipped = join(REPOSITORY, 'asterisk-conf/extensions_mes.conf');
  const text = existsSync(shipped)
    ? readFileSync(shipped, 'utf8')
    : `[mes]
exten => s,1,Set(CHANNEL(hangup_handler_push)=mes-hangup,s,1)
 same => n,Return()

[mes-hangup]
exten => s,1,AGI(agi://127.0.0.1:4573/hangup)
 same => n,Return()
`;
  return text.replaceAll('127.0.0.1:4573', `${plan.pbxAddress}:${plan.agiPort}`);
}

function displayName(name: string): string {
  return name.slice(0, 1).toUpperCase() + name.slice(1);
}

import type { PortRange } from './relay-protocol.ts';

/** Configuration files by name, as they go into `etc/`. */
export type ConfigFiles = ReadonlyMap<string, string>;

/** Speech that every phone has, long enough to be worth listening to. */
export const SPEECH_DIRECTORY = '/mnt/speech';

/** Modules that open ports of their own, want outside services, or only slow the start down. */
const UNWANTED_MODULES = [
  'app_adsiprog',
  'app_agent_pool',
  'app_alarmreceiver',
  'app_festival',
  'app_followme',
  'app_getcpeid',
  'app_jack',
  'app_minivm',
  'app_voicemail',
  'app_voicemail_imap',
  'app_voicemail_odbc',
  'cdr_adaptive_odbc',
  'cdr_odbc',
  'cdr_pgsql',
  'cdr_radius',
  'cdr_tds',
  'cel_odbc',
  'cel_pgsql',
  'cel_radius',
  'cel_tds',
  'chan_console',
  'chan_dahdi',
  'chan_iax2',
  'chan_mgcp',
  'chan_motif',
  'chan_ooh323',
  'chan_oss',
  'chan_alsa',
  'chan_sip',
  'chan_skinny',
  'chan_unistim',
  'chan_websocket',
  'pbx_ael',
  'pbx_dundi',
  'pbx_lua',
  'res_adsi',
  'res_calendar',
  'res_calendar_caldav',
  'res_calendar_ews',
  'res_calendar_exchange',
  'res_calendar_icalendar',
  'res_config_ldap',
  'res_config_odbc',
  'res_config_pgsql',
  'res_fax',
  'res_fax_spandsp',
  'res_hep',
  'res_hep_pjsip',
  'res_hep_rtcp',
  'res_odbc',
  'res_phoneprov',
  'res_pjsip_phoneprov_provider',
  'res_prometheus',
  'res_snmp',
  'res_stun_monitor',
  'res_xmpp',
];

/** The files that the PBX and the phones have alike. */
export function sharedConfig(side: {
  readonly modulesDirectory: string;
  readonly address: string;
  readonly amiPort: number;
  readonly httpPort: number;
  readonly rtpPorts: PortRange;
  readonly rtcpIntervalMs: number;
  readonly labSecret: string;
  readonly extraRtp: string;
  readonly extraManager: string;
}): Map<string, string> {
  return new Map([
    ['asterisk.conf', asteriskConf(side.modulesDirectory)],
    ['modules.conf', `[modules]\nautoload = yes\n${UNWANTED_MODULES.map((name) => `noload = ${name}.so\n`).join('')}`],
    ['logger.conf', '[general]\n[logfiles]\nfull => notice,warning,error\n'],
    [
      'manager.conf',
      `[general]
enabled = yes
bindaddr = ${side.address}
port = ${side.amiPort}
displayconnects = no

[lab]
secret = ${side.labSecret}
read = all
write = all
writetimeout = 5000
${side.extraManager}`,
    ],
    ['http.conf', `[general]\nenabled = yes\nbindaddr = ${side.address}\nbindport = ${side.httpPort}\n`],
    [
      'rtp.conf',
      `[general]
rtpstart = ${side.rtpPorts.start}
rtpend = ${side.rtpPorts.start + side.rtpPorts.count - 1}
icesupport = no
rtcpinterval = ${side.rtcpIntervalMs}
${side.extraRtp}`,
    ],
    ['musiconhold.conf', `[default]\nmode = files\ndirectory = ${SPEECH_DIRECTORY}\n`],
    ['confbridge.conf', '[general]\n[default_user]\ntype = user\nquiet = yes\n[default_bridge]\ntype = bridge\n'],
    ['features.conf', '[general]\ntransferdigittimeout = 3\n[featuremap]\nblindxfer = #1\natxfer = *2\n'],
    [
      'res_parking.conf',
      '[general]\n[default]\nparkext = 700\nparkpos = 701-720\ncontext = parkedcalls\nparkingtime = 120\n',
    ],
  ]);
}

function asteriskConf(modulesDirectory: string): string {
  return `[directories]
astetcdir => /mnt/etc
astmoddir => ${modulesDirectory}
astvarlibdir => /mnt/lib
astdbdir => /mnt/lib
astkeydir => /mnt/lib
astdatadir => /usr/share/asterisk
astagidir => /usr/share/asterisk/agi-bin
astspooldir => /mnt/spool
astcachedir => /mnt/cache
astrundir => /mnt/run
astlogdir => /mnt/log
`;
}

/** How a test runs each shell command of the documents: `readme.test.ts` runs PRINTS and WRITES as a user would. */

/** What a command has to print. */
export const PRINTS: Readonly<Record<string, RegExp>> = {
  "asterisk -rx 'core show channel PJSIP/alice-00000001' | grep MES": /^MES_VERDICT=\w+$/m,
  "curl -s 'http://127.0.0.1:8090/v1/calls?verdict=bad&from=-1h'": /"verdict":"bad"/,
  "curl -s 'http://127.0.0.1:8090/v1/calls?endpoint=PJSIP/alice&max_mes=3.5&limit=20'": /"endpoint":"PJSIP\/alice"/,
  "curl -s 'http://127.0.0.1:8090/v1/calls?party=alice&verdict=bad-or-worse&from=-2d'": /"endpoint":"PJSIP\/alice"/,
  "curl -s 'http://127.0.0.1:8090/v1/calls/1795176306.3'": /"fault_place":"callee-network"/,
  "curl -s 'http://127.0.0.1:8090/v1/channels/1795176306.3/intervals'": /"report_number":3,/,
  "curl -s 'http://127.0.0.1:8090/v1/endpoints?from=-7d'": /"endpoint":"PJSIP\/carrier1","calls":2,/,
  "curl -s 'http://127.0.0.1:8090/v1/endpoints?from=-30d&bucket=1d&endpoint=PJSIP/carrier1'":
    /"endpoint":"PJSIP\/carrier1","calls":2,.*"trend":\{"course":null,"earlier":\{"calls":0,/,
  "curl -s 'http://127.0.0.1:8090/v1/summary?from=-1d&bucket=1h'": /"bucket_s":3600,/,
  "curl -s 'http://127.0.0.1:8090/v1/live'": /"state":"up"|"name":"PJSIP\/alice-/,
  [`curl -s 'http://127.0.0.1:8090/v1/calls/1795176306.3' | grep -o '"fault_why":"[^"]*"\\|"why":"[^"]*"'`]:
    /^"fault_why":"The fault lies between .*PJSIP\/carrier1/m,
  'asterisk-mes live --search alice': /^1 call is up: 1 \w[\w-]*\.\n.*\n\w[\w-]* +alice/,
  'asterisk-mes calls --from -1h --verdict bad': /^began +time .*\n.* bad +\d\.\d\d +alice/,
  'asterisk-mes call 1795176306.3': /^\S+ {2}bad {2}MES \d\.\d\d[\s\S]*^from carrier1 .* %/m,
  'asterisk-mes alerts test bad-calls --from -30d': /^bad-calls would have raised /,
  'asterisk-mes score --rtt-ms 150 --jitter-ms 20 --jitter-stdev-ms 5 --lost-packets 0':
    /^MES +4\.12 of 4\.50 \(good\)/,
  'asterisk-mes score --codec g722 --loss-percent 3 --rtt-ms 150 --json': /"mos_lq":3\.1783,"mos_cq":3\.1705/,
  'asterisk-mes analyze calls.pcap': /ulaw, 409 packets\n +9\.1 % lost \(41 packets\)/,
  'asterisk-mes analyze calls.pcap --codec 107=opus/48000 --codec 101=telephone-event/8000':
    /ulaw, 409 packets\n +9\.1 % lost \(41 packets\)/,
  'asterisk-mes xr decode 80cf000a037e3e82070000087492416e1700760200ea0398003d00007f7f7f10277f14142000003c00780078':
    /"blocks":\[\{"block_type":7,"ssrc":"0x7492416e"/,
  // Of a copy of its own.
  'setcap cap_net_raw,cap_net_admin=eip "$(command -v tcpdump)"': /^$/,
};

/** What a command has to write into a file. */
export const WRITES: Readonly<Record<string, readonly [file: string, text: RegExp]>> = {
  "curl -s -H 'Accept: text/csv' 'http://127.0.0.1:8090/v1/calls?from=-1d' > calls.csv": [
    'calls.csv',
    /linkedid.*\r?\n.*PJSIP\/carrier/,
  ],
  "printf 'MES_AMI_SECRET=%s\\nMES_HTTP_TOKEN=%s\\n' $(openssl rand -hex 20) $(openssl rand -hex 20) > docker/.env": [
    'docker/.env',
    /^MES_AMI_SECRET=[0-9a-f]{40}\nMES_HTTP_TOKEN=[0-9a-f]{40}\n$/,
  ],
};

/** Commands that other tests run, by the words of theirs that show it. */
export const RUN_ELSEWHERE: Readonly<Record<string, readonly [file: string, words: string]>> = {
  'sh docker/fleet-secrets.sh > docker/.env': ['test/unit/compose-fleet.test.ts', 'fleet-secrets.sh'],
  'docker compose --file docker/compose.fleet.yaml up --build': [
    'test/unit/compose-fleet.test.ts',
    'compose.fleet.yaml',
  ],
  'asterisk-mes fleet --config fleet.conf add-pbx office-berlin --site Berlin': [
    'test/integration/fleet-command.test.ts',
    "'add-pbx'",
  ],
  'asterisk-mes fleet --config fleet.conf add-reader acme --pbxs "acme-*"': [
    'test/integration/fleet-command.test.ts',
    "'add-reader', 'acme'",
  ],
  'asterisk-mes fleet --config fleet.conf': ['test/integration/fleet-command.test.ts', "'fleet', '--config'"],
  'npm ci && npm run demo': ['test/integration/demo.test.ts', 'demo.ts'],
  'npm ci && npm run demo -- --fleet': ['test/integration/demo.test.ts', "startDemo('--fleet'"],
  'npm ci && npm test': ['.ci/run', 'npm ci && npm test'],
  'asterisk-mes setup': ['test/integration/setup.test.ts', '&& asterisk-mes setup`'],
  'asterisk-mes setup --remove': ['test/integration/setup.test.ts', "'setup', '--remove'"],
  'apt purge asterisk-mes': ['test/integration/deb.test.ts', 'apt-get purge'],
  'npm ci && npm run deb': ['docker/release/release.ts', 'buildDeb('],
  'apt install ./asterisk-mes_1.0.0~rc.1_amd64.deb': ['test/integration/deb.test.ts', 'apt-get install'],
  'npm ci && npm pack': ['test/integration/package.test.ts', "'pack'"],
  'npm install --global ./asterisk-mes-1.0.0-rc.1.tgz': ['test/integration/package.test.ts', "'install'"],
  'asterisk-mes run --config /etc/asterisk/mes.conf': ['test/lab/sidecar-process.ts', "'run', '--config'"],
  'docker build --file docker/sidecar/Dockerfile --tag asterisk-mes .': [
    'docker/compose.yaml',
    'docker/sidecar/Dockerfile',
  ],
  'docker run --detach --network host --read-only --cap-drop ALL --volume mes:/var/lib/asterisk-mes --env MES_AMI_USERNAME=mes --env MES_AMI_SECRET asterisk-mes':
    ['docker/compose.yaml', 'read_only: true'],
  'docker compose --file docker/compose.yaml up --build': ['test/integration/containers.test.ts', 'readCompose'],
  'MES_FUZZ_SEED=$RANDOM MES_FUZZ_RUNS=20000 npm test -- --project unit fuzz': [
    'test/unit/fuzz-corpus.ts',
    "process.env['MES_FUZZ_RUNS']",
  ],
  'tcpdump -i any -s 200 -w calls.pcap udp portrange 10000-20000': ['test/lab/recorders.ts', "'tcpdump'"],
};

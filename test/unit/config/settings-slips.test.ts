import { describe, expect, it } from 'vitest';
import { load, LOGIN, problems } from './loaded-settings.ts';

describe('a slip in the settings', () => {
  it.each([
    ['[ami]\nsercet = x', 'mes.conf line 2: unknown key "sercet" in [ami]; did you mean "secret"?'],
    [
      '[alert:mine]\nraise = 3',
      'mes.conf line 1: [alert:mine] the key "what" is missing; give one of bad-live, bad-calls, p5, one-way, loss, jitter, rtt, no-reports, gone, unreachable, ami',
    ],
    [
      '[alert:loss]\nraise = 3\nclear = 4',
      'mes.conf line 1: [alert:loss] clear = 4 is worse than raise = 3, so that it would begin and end at once; give a better one',
    ],
    [
      '[alert:a b]',
      'mes.conf line 1: [alert:a b] is not allowed; name a rule with letters, digits, dots, dashes and underscores',
    ],
    ['[alerts]\nsmtp = smtp://127.0.0.1', '[alerts] smtp is set but from is missing; set both in [alerts]'],
    ['[alerts]\ndigest = daily', '[alerts] digest = daily needs a mail server; set smtp, from and to in [alerts]'],
    [
      '[alerts]\nwebhook_secret = short',
      'mes.conf line 2: [alerts] webhook_secret is not allowed; give at least 16 printable ASCII characters without spaces',
    ],
    ['[am]', 'mes.conf line 1: unknown section "am"; did you mean "ami"?'],
    ['[profile:costum]', 'mes.conf line 1: unknown section "profile:costum"; did you mean "profile:custom"?'],
    ['[agi]\nzzzzzzz = x', 'mes.conf line 2: unknown key "zzzzzzz" in [agi]; known are bind, secret, peers'],
    ['[ami]\nport = abc', 'mes.conf line 2: [ami] port = "abc" is not allowed; give a whole number from 1 to 65535'],
    [
      '[ami]\nport = 65536',
      'mes.conf line 2: [ami] port = "65536" is not allowed; give a whole number from 1 to 65535',
    ],
    ['[ami]\nport =', 'mes.conf line 2: [ami] port = "" is not allowed; give a whole number from 1 to 65535'],
    ['[general]\ngood = 4.6', 'mes.conf line 2: [general] good = "4.6" is not allowed; give a number from 1 to 4.5'],
    [
      '[general]\nprofile = best',
      'mes.conf line 2: [general] profile = "best" is not allowed; give one of documented, documented-per-report, informed, asterisk-22.10, asterisk-2026.09, custom',
    ],
    ['[writeback]\ncdr = maybe', 'mes.conf line 2: [writeback] cdr = "maybe" is not allowed; give yes or no'],
    [
      '[history]\nkeep_calls = 30',
      'mes.conf line 2: [history] keep_calls = "30" is not allowed; give a whole number with its unit, such as 30d, 12h, 90m or 45s',
    ],
    [
      '[history]\nkeep_calls = 0d',
      'mes.conf line 2: [history] keep_calls = "0d" is not allowed; give a whole number with its unit, such as 30d, 12h, 90m or 45s',
    ],
    [
      '[doctor]\naccept = Direct Media',
      'mes.conf line 2: [doctor] accept = "Direct Media" is not allowed; give names with commas in between, such as direct-media, ami-clients',
    ],
    [
      '[capture]\nports = 20000-10000',
      'mes.conf line 2: [capture] ports = "20000-10000" is not allowed; give a range of ports, such as 10000-20000',
    ],
    [
      '[capture]\ninterface = -w/etc/passwd',
      'mes.conf line 2: [capture] interface = "-w/etc/passwd" is not allowed; give the name of a network interface, or any',
    ],
    [
      '[agi]\nbind = 127.0.0.1',
      'mes.conf line 2: [agi] bind = "127.0.0.1" is not allowed; give an address and a port, such as 127.0.0.1:8090 or [::1]:8090',
    ],
    [
      '[agi]\nbind = 999.0.0.1:80',
      'mes.conf line 2: [agi] bind = "999.0.0.1:80" is not allowed; give an address and a port, such as 127.0.0.1:8090 or [::1]:8090',
    ],
    [
      '[ari]\nurl = http://root:hunter2@pbx:8088',
      'mes.conf line 2: [ari] url is not allowed; give an address such as http://127.0.0.1:8088, without user name, password or query in it',
    ],
    ...['127.0.0.1/33', 'pbx', '127.0.0.1,', '::1/129', '1.2.3.4/8/8', '1.2.3.4/-1', ''].map((peers) => [
      `[agi]\npeers = ${peers}`,
      `mes.conf line 2: [agi] peers = "${peers}" is not allowed; give IP addresses or networks with commas in between, such as 127.0.0.1, 192.0.2.0/24`,
    ]),
    [
      '[history]\nnumbers = hidden',
      'mes.conf line 2: [history] numbers = "hidden" is not allowed; give one of clear, masked, hashed',
    ],
    [
      '[history]\nnumbers = hashed\nnumbers_key = hunter2',
      'mes.conf line 3: [history] numbers_key is not allowed; give at least 16 characters, none of them a control character',
    ],
    [
      '[history]\nnumbers = hashed',
      '[history] numbers = hashed needs a key; set numbers_key in [history] or MES_HISTORY_NUMBERS_KEY to a random text that you keep',
    ],
    ['[http]\ntoken = two words', 'mes.conf line 2: [http] token is not allowed; give printable ASCII without spaces'],
    [
      '[profile:custom]\nlatency_divisor_below = 0',
      'mes.conf line 2: [profile:custom] latency_divisor_below = "0" is not allowed; give a number from 0.001 to 1000000',
    ],
    ['[codec:g729]\ndelay = 25', 'mes.conf line 2: unknown key "delay" in [codec:g729]; did you mean "delay_ms"?'],
    [
      '[codec:g729]\n[codec:G729]',
      'mes.conf line 2: [codec:G729] is the same as [codec:g729] in line 1; write one of them',
    ],
    [
      '[endpoint:PJSIP/*mobile]',
      'mes.conf line 1: [endpoint:PJSIP/*mobile] is not allowed; give an endpoint such as PJSIP/alice, device:Yealink, site:Lyon or network:mobile, or its beginning and one * at its end',
    ],
    [
      '[endpoint:network:moblie]',
      'mes.conf line 1: [endpoint:network:moblie] is not allowed; give a kind of network: wired, wifi, mobile, vpn, carrier',
    ],
    [
      '[network:Berlin]\nsite = Berlin',
      'mes.conf line 1: [network:Berlin] is not allowed; give a network such as 192.0.2.0/24',
    ],
    [
      '[general]\ngood = 3.0',
      '[general] good = 3, fair = 3.6, poor = 3.1 are out of order; give good the highest and poor the lowest',
    ],
    [
      '[http]\nbind = 0.0.0.0:8090',
      '[http] bind = 0.0.0.0 can be reached from other machines and needs a token; set token in [http] or MES_HTTP_TOKEN, or bind to 127.0.0.1',
    ],
    [
      '[ari]\nurl = http://127.0.0.1:8088\nusername = mes',
      '[ari] url is set but password is missing; set username and password in [ari] of mes.conf, or MES_ARI_USERNAME and MES_ARI_PASSWORD',
    ],
  ])('%j is answered with one sentence', (text, sentence) => {
    expect(problems(text)).toEqual([sentence]);
  });

  it.each([
    [{ MES_AMI_SERCET: 'hunter2' }, 'unknown environment variable MES_AMI_SERCET; did you mean "MES_AMI_SECRET"?'],
    [
      { MES_AMI_PORT: '0' },
      'environment variable MES_AMI_PORT = "0" is not allowed; give a whole number from 1 to 65535',
    ],
    [
      { MES_HTTP_TOKEN: 'a\nb' },
      'environment variable MES_HTTP_TOKEN is not allowed; give printable ASCII without spaces',
    ],
    [
      { MES_ENDPOINT_ALICE_ADVANTAGE: '5' },
      'environment variable MES_ENDPOINT_ALICE_ADVANTAGE is not known; endpoints are set in the file, in [endpoint:PATTERN], and a variable changes a key of one that is there',
    ],
    [
      { MES_MEASUREMENTS_ENDPOINTS: 'PJSIP/alice\u001b[2J' },
      'environment variable MES_MEASUREMENTS_ENDPOINTS is not allowed: there is a control character in it; remove it',
    ],
    [
      { MES_ALERTS_WEBHOOK: 'https://example.com/\u0007hooks' },
      'environment variable MES_ALERTS_WEBHOOK is not allowed; give an address such as https://example.com/hooks/mes',
    ],
    [
      { MES_ALERTS_SMTP: 'smtp://mail\n.example.com' },
      'environment variable MES_ALERTS_SMTP is not allowed; give smtp',
    ],
    [{ MES_CODEC_G729_DELAY: '5' }, 'unknown environment variable MES_CODEC_G729_DELAY; known are'],
  ])('in the environment %j is answered with one sentence', (env, sentence) => {
    const found = problems('', { ...LOGIN, ...env });
    expect(found).toHaveLength(1);
    expect(found[0]?.slice(0, sentence.length)).toBe(sentence);
  });

  it.each(['MES_ARI_URL', 'MES_ALERTS_URL', 'MES_FLEET_URL', 'MES_RATINGS_QUESTIONS_URL'])(
    'is a line end in the address %s, too',
    (name) => {
      const found = problems('', { ...LOGIN, [name]: 'http://pbx\n.example.com' });
      expect(found).toHaveLength(1);
      expect(found[0]).toContain(`environment variable ${name} is not allowed; give an address such as http`);
    },
  );

  it('is reported together with all others, the file in its order, and without the secret', () => {
    const found = problems('[ami]\nport = x\nsecret = hunter2\u0007\nuser = y\n[htp]', {});
    expect(found).toEqual([
      'mes.conf line 2: [ami] port = "x" is not allowed; give a whole number from 1 to 65535',
      'mes.conf line 3: there is a control character in this line; remove it',
      'mes.conf line 4: unknown key "user" in [ami]; did you mean "username"?',
      'mes.conf line 5: unknown section "htp"; did you mean "http"?',
      '[ami] username is missing; set username in [ami] of mes.conf, or the environment variable MES_AMI_USERNAME',
      '[ami] secret is missing; set secret in [ami] of mes.conf, or the environment variable MES_AMI_SECRET',
    ]);
  });

  it('is not told a thousand times when the file is none of ours', () => {
    let message = '';
    try {
      load('what is this\n'.repeat(1000));
    } catch (error) {
      message = String(error);
    }
    const lines = message.split('\n');
    expect(lines).toHaveLength(21);
    expect(lines.at(-1)).toBe('and 980 more like these');
  });

  it.each(['127.0.0.1:1', '127.9.9.9:1', 'localhost:1', '[::1]:1', '[0:0:0:0:0:0:0:1]:1'])(
    'loopback is %s and needs no token',
    (bind) => {
      expect(problems(`[http]\nbind = ${bind}`)).toEqual([]);
    },
  );

  it.each(['192.0.2.1:1', '[::]:1', 'pbx:1'])('%s is not loopback and needs one', (bind) => {
    expect(problems(`[http]\nbind = ${bind}`)).toHaveLength(1);
    expect(problems(`[http]\nbind = ${bind}\ntoken = t`)).toEqual([]);
  });

  it('is a fleet named without its token', () => {
    const fleet = '[fleet]\nurl = https://gateway.example.org\ntoken = abc\nsite = Berlin\nsend = intervals\n';
    expect(load(fleet, LOGIN).fleet).toEqual({
      url: 'https://gateway.example.org',
      token: 'abc',
      site: 'Berlin',
      send: 'intervals',
    });
    expect(() => load('[fleet]\nurl = https://gateway.example.org\n', LOGIN)).toThrow(
      '[fleet] url is set but token is missing',
    );
  });
});

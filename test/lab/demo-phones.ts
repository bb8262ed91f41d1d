import type { LabCodec, PhoneOptions } from './lab-plan.ts';
import type { NetworkProfile } from './network-profile.ts';

/** A network with a name that people understand. */
export interface NamedNetwork {
  readonly name: string;
  readonly rx: Partial<NetworkProfile>;
  readonly tx: Partial<NetworkProfile>;
}

export interface DemoPhone extends PhoneOptions {
  readonly network: NamedNetwork;
}

const both = (name: string, profile: Partial<NetworkProfile>): NamedNetwork => ({ name, rx: profile, tx: profile });

const GOOD = both('good', { delayMs: 4, jitterMs: 2 });
const LOSSY = both('lossy', { delayMs: 20, jitterMs: 4, lossRatio: 0.05, duplicateRatio: 0.002 });
const JITTERY = both('jittery', { delayMs: 30, jitterMs: 120, lossRatio: 0.005, reorderRatio: 0.01 });
const FAR_AWAY = both('far away', { delayMs: 150, jitterMs: 3, lossRatio: 0.002 });
/** Bursts of 10 packets on average, about 4 % of all. */
const BURSTY = both('bursty', {
  delayMs: 15,
  jitterMs: 5,
  burst: { goodToBad: 0.005, badToGood: 0.1, goodLossRatio: 0, badLossRatio: 0.85 },
});
/** A firewall that lets the phone hear, but nobody hears the phone. */
const ONE_WAY: NamedNetwork = {
  name: 'one-way',
  rx: { delayMs: 10, blocked: true, rtcp: 'delay' },
  tx: { delayMs: 10, jitterMs: 2 },
};

const phone = (name: string, network: NamedNetwork, ...codecs: LabCodec[]): DemoPhone => {
  return { name, network, codecs, rx: network.rx, tx: network.tx };
};

export const DEMO_PHONES: readonly DemoPhone[] = [
  phone('alice', GOOD, 'ulaw'),
  phone('bob', GOOD, 'ulaw'),
  phone('carol', GOOD, 'g722'),
  phone('dave', GOOD, 'alaw'),
  phone('erin', GOOD, 'ulaw'),
  phone('frank', GOOD, 'ulaw'),
  phone('grace', GOOD, 'g722'),
  phone('heidi', LOSSY, 'ulaw'),
  phone('ivan', JITTERY, 'g722'),
  phone('judy', FAR_AWAY, 'ulaw'),
  phone('karl', BURSTY, 'alaw'),
  phone('lena', ONE_WAY, 'g722'),
  { ...phone('betty', GOOD, 'ulaw'), client: 'baresip' },
  { ...phone('boris', LOSSY, 'ulaw'), client: 'baresip' },
];

/** Who calls whom, wave after wave; every network is in the first. Programs of their own call each other. */
export const WAVES: readonly (readonly (readonly [from: string, to: string])[])[] = [
  [
    ['alice', 'bob'],
    ['carol', 'ivan'],
    ['karl', 'dave'],
    ['erin', 'heidi'],
    ['judy', 'frank'],
    ['grace', 'lena'],
    ['betty', 'boris'],
  ],
  [
    ['heidi', 'alice'],
    ['bob', 'judy'],
    ['dave', 'karl'],
    ['ivan', 'grace'],
    ['lena', 'carol'],
    ['frank', 'erin'],
    ['boris', 'betty'],
  ],
  [
    ['carol', 'grace'],
    ['ivan', 'alice'],
    ['judy', 'heidi'],
    ['bob', 'karl'],
    ['frank', 'dave'],
    ['betty', 'boris'],
  ],
];

/** The PBXs of the demo's fleet: who is there, and who calls whom. The second one's calls are worse. */
export const DEMO_PBXS = [
  {
    name: 'office-berlin',
    site: 'Berlin',
    phones: phonesOf('alice', 'bob', 'carol', 'grace', 'dave', 'heidi'),
    waves: [
      [
        ['alice', 'bob'],
        ['carol', 'grace'],
        ['dave', 'heidi'],
      ],
    ],
  },
  {
    name: 'office-bonn',
    site: 'Bonn',
    phones: phonesOf('erin', 'karl', 'frank', 'judy', 'ivan', 'lena'),
    waves: [
      [
        ['erin', 'karl'],
        ['frank', 'judy'],
        ['ivan', 'lena'],
      ],
    ],
  },
] as const satisfies readonly {
  readonly name: string;
  readonly site: string;
  readonly phones: readonly DemoPhone[];
  readonly waves: typeof WAVES;
}[];

function phonesOf(...names: readonly string[]): DemoPhone[] {
  return DEMO_PHONES.filter(({ name }) => names.includes(name));
}

/** The network that a phone was given. Throws for a phone that is not of the demo. */
export function networkOf(name: string): NamedNetwork {
  const found = DEMO_PHONES.find((candidate) => candidate.name === name);
  if (found === undefined) throw new Error(`The demo has no phone ${name}.`);
  return found.network;
}

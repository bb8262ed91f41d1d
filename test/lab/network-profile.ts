/** What a network does to one direction of one phone's packets. Pure: time and chance come in as arguments. */
export interface NetworkProfile {
  readonly delayMs: number;
  /** Added to the delay: uniform from 0 to this, or normal with this standard deviation. */
  readonly jitterMs: number;
  readonly jitterShape: 'uniform' | 'normal';
  /** Random loss, 0-1. */
  readonly lossRatio: number;
  /** Loss in bursts, on top of `lossRatio`; null for none. */
  readonly burst: BurstLoss | null;
  /** Part of the packets held back so that later ones overtake them, 0-1. */
  readonly reorderRatio: number;
  readonly reorderByMs: number;
  /** Part of the packets that arrive twice, 0-1. */
  readonly duplicateRatio: number;
  /** Nothing passes: the other half of a one-way call. */
  readonly blocked: boolean;
  /** What RTCP suffers: the same, only delay and jitter, nothing, or it never arrives. */
  readonly rtcp: 'same' | 'delay' | 'untouched' | 'blocked';
}

/** Gilbert-Elliott: two states, the chance of changing over at each packet, and the loss in each. All 0-1. */
export interface BurstLoss {
  readonly goodToBad: number;
  readonly badToGood: number;
  readonly goodLossRatio: number;
  readonly badLossRatio: number;
}

/** A network that does nothing. */
export const CLEAN: NetworkProfile = {
  delayMs: 0,
  jitterMs: 0,
  jitterShape: 'uniform',
  lossRatio: 0,
  burst: null,
  reorderRatio: 0,
  reorderByMs: 30,
  duplicateRatio: 0,
  blocked: false,
  rtcp: 'same',
};

export type PacketKind = 'rtp' | 'rtcp';

/** The fate of a packet: when each copy goes on (none when it is lost), and why it is lost. */
export interface Fate {
  readonly outcome: 'passed' | 'lost' | 'blocked';
  /** In the time of `arrivalMs`. */
  readonly departuresMs: readonly number[];
}

/** The memory of one stream through a network. */
export interface NetworkState {
  readonly random: () => number;
  inBadState: boolean;
  /** Packets do not overtake each other by jitter alone, as in a queue. */
  lastDepartureMs: number;
}

export function newNetworkState(seed: number): NetworkState {
  return { random: seededRandom(seed), inBadState: false, lastDepartureMs: 0 };
}

/** Decides what the network does to a packet that arrived at `arrivalMs`. */
export function decideFate(profile: NetworkProfile, state: NetworkState, kind: PacketKind, arrivalMs: number): Fate {
  if (kind === 'rtcp' && profile.rtcp === 'untouched') return { outcome: 'passed', departuresMs: [arrivalMs] };
  if (kind === 'rtcp' && profile.rtcp === 'blocked') return { outcome: 'blocked', departuresMs: [] };
  const harmless = kind === 'rtcp' && profile.rtcp === 'delay';
  if (!harmless) {
    if (profile.blocked) return { outcome: 'blocked', departuresMs: [] };
    if (isLost(profile, state)) return { outcome: 'lost', departuresMs: [] };
  }
  const dueMs = arrivalMs + Math.max(0, profile.delayMs + drawJitter(profile, state));
  const departureMs = Math.max(dueMs, state.lastDepartureMs);
  if (!harmless && state.random() < profile.reorderRatio) {
    return { outcome: 'passed', departuresMs: [departureMs + profile.reorderByMs] };
  }
  state.lastDepartureMs = departureMs;
  const twice = !harmless && state.random() < profile.duplicateRatio;
  return { outcome: 'passed', departuresMs: twice ? [departureMs, departureMs] : [departureMs] };
}

function isLost(profile: NetworkProfile, state: NetworkState): boolean {
  const lostAtRandom = state.random() < profile.lossRatio;
  const { burst } = profile;
  if (burst === null) return lostAtRandom;
  const change = state.inBadState ? burst.badToGood : burst.goodToBad;
  if (state.random() < change) state.inBadState = !state.inBadState;
  const lostInBurst = state.random() < (state.inBadState ? burst.badLossRatio : burst.goodLossRatio);
  return lostAtRandom || lostInBurst;
}

function drawJitter(profile: NetworkProfile, state: NetworkState): number {
  if (profile.jitterMs === 0) return 0;
  if (profile.jitterShape === 'uniform') return state.random() * profile.jitterMs;
  // Box-Muller; 1 - random() is never 0.
  return profile.jitterMs * Math.sqrt(-2 * Math.log(1 - state.random())) * Math.cos(2 * Math.PI * state.random());
}

/** Mulberry32: the same seed gives the same numbers, from 0 up to but not including 1. */
export function seededRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** A seed for each named stream (FNV-1a), so that streams are random independently of each other. */
export function seedFor(seed: number, name: string): number {
  let hash = 0x811c9dc5 ^ seed;
  for (const character of name) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193);
  return hash;
}

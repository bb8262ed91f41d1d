import type { FaultRecord } from '../model/record.ts';
import type { PhoneHearing } from '../model/phones/phone-report.ts';

/**
 * From this percentage on, discarded packets get a sentence. They are as bad as lost ones (RFC 3611 §4.7), and 2 % lost takes
 * G.711's MOS-LQ below 4 (G.107).
 */
const NOTICEABLE_DISCARD_PERCENT = 2;
/** With more jitter than this, the network made packets late. */
const NOTICEABLE_JITTER_MS = 20;

/** A party of a call, what RTCP says of the network to its phone, and what the phone itself says. */
export interface HeardParty {
  readonly endpoint: string;
  readonly isCaller: boolean;
  /** Null: RTCP does not tell. */
  readonly lossPercent: number | null;
  readonly jitterMeanMs: number | null;
  readonly phone: PhoneHearing | null;
}

/** How much of the audio a phone discarded, percent, by its own report; null: not known, or too little to mention. */
export function thrownAwayPercent(phone: PhoneHearing | null): number | null {
  const percent = phone?.discardPercent ?? null;
  return percent !== null && percent >= NOTICEABLE_DISCARD_PERCENT ? percent : null;
}

/** A second sentence about a direction to a phone; empty: the phone discarded next to nothing, or does not tell. */
export function phoneSentence(phone: PhoneHearing | null): string {
  const percent = thrownAwayPercent(phone);
  return percent === null
    ? ''
    : ` By its own report the phone threw away ${percent.toFixed(1)} % of it, which came too late for its jitter buffer.`;
}

/**
 * A call's fault, with what the phones report. A phone is believed when it says that it discarded audio, and never when it says
 * that all was well. So a phone becomes the place of the fault only where RTCP found no fault in any direction, and then is no
 * more than likely.
 */
export function withPhones(fault: FaultRecord, parties: readonly HeardParty[]): FaultRecord {
  const [worst] = parties
    .flatMap((party) => {
      const percent = thrownAwayPercent(party.phone);
      return percent === null ? [] : [{ ...party, percent }];
    })
    .toSorted((a, b) => b.percent - a.percent);
  if (fault.faultPlace !== 'none' || worst === undefined || worst.lossPercent === null) return fault;
  const { endpoint, isCaller, percent, jitterMeanMs } = worst;
  const role = isCaller ? 'caller' : 'callee';
  const isNetwork = (jitterMeanMs ?? 0) >= NOTICEABLE_JITTER_MS;
  const threw = `the phone threw away ${percent.toFixed(1)} % that came too late for its jitter buffer, by its own report`;
  return {
    ...fault,
    faultPlace: isNetwork ? `${role}-network` : `${role}-phone`,
    faultCertainty: fault.faultCertainty === 'sure' ? 'likely' : fault.faultCertainty,
    faultWhy: isNetwork
      ? `Nothing to speak of was lost, but with a jitter of ${(jitterMeanMs ?? 0).toFixed(0)} ms to ${endpoint} (the ${role}) ${threw}.`
      : `The network to ${endpoint} (the ${role}) was fine; ${threw}.`,
  };
}

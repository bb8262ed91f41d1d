/** Who is in which bridge, and which Local channels are two halves of one. Knows uniqueids only. */

/** Bound on Local channels in a row: a longer row is a loop. */
const MAX_LOCAL_HOPS = 8;

const NOBODY: readonly string[] = [];

export class Bridges {
  readonly #members = new Map<string, Set<string>>();
  readonly #bridgeOf = new Map<string, string>();
  readonly #otherHalf = new Map<string, string>();

  enter(bridgeId: string, uniqueid: string): void {
    this.leave(uniqueid);
    let members = this.#members.get(bridgeId);
    if (members === undefined) this.#members.set(bridgeId, (members = new Set()));
    members.add(uniqueid);
    this.#bridgeOf.set(uniqueid, bridgeId);
  }

  /** Takes the channel out of its bridge, if it is in one, and returns who remains there. */
  leave(uniqueid: string): readonly string[] {
    const bridgeId = this.#bridgeOf.get(uniqueid);
    if (bridgeId === undefined) return [];
    this.#bridgeOf.delete(uniqueid);
    const members = this.#members.get(bridgeId);
    members?.delete(uniqueid);
    if (members?.size === 0) this.#members.delete(bridgeId);
    return [...(members ?? [])];
  }

  /** The other channels in the channel's bridge. */
  companionsOf(uniqueid: string): readonly string[] {
    const bridgeId = this.#bridgeOf.get(uniqueid);
    const members = bridgeId === undefined ? undefined : this.#members.get(bridgeId);
    if (members === undefined) return NOBODY;
    const companions: string[] = [];
    for (const member of members) if (member !== uniqueid) companions.push(member);
    return companions;
  }

  /** The channels in the bridge. */
  membersOf(bridgeId: string): readonly string[] {
    return [...(this.#members.get(bridgeId) ?? [])];
  }

  joinHalves(oneUniqueid: string, twoUniqueid: string): void {
    this.#otherHalf.set(oneUniqueid, twoUniqueid);
    this.#otherHalf.set(twoUniqueid, oneUniqueid);
  }

  /** Forgets a channel that is gone, and returns who remains in its bridge. */
  forget(uniqueid: string): readonly string[] {
    const remaining = this.leave(uniqueid);
    const other = this.#otherHalf.get(uniqueid);
    this.#otherHalf.delete(uniqueid);
    if (other !== undefined && this.#otherHalf.get(other) === uniqueid) this.#otherHalf.delete(other);
    return remaining;
  }

  /**
   * The one channel at the other end of the channel's bridge, through Local channels. Undefined: it is in no bridge, alone in
   * one, or in a conference.
   */
  peerOf(uniqueid: string): string | undefined {
    let from = uniqueid;
    for (let hop = 0; hop < MAX_LOCAL_HOPS; hop++) {
      const other = this.#onlyOther(from);
      if (other === undefined) return undefined;
      const half = this.#otherHalf.get(other);
      if (half === undefined) return other;
      from = half;
    }
    return undefined;
  }

  #onlyOther(uniqueid: string): string | undefined {
    const bridgeId = this.#bridgeOf.get(uniqueid);
    const members = bridgeId === undefined ? undefined : this.#members.get(bridgeId);
    if (members?.size !== 2) return undefined;
    for (const member of members) if (member !== uniqueid) return member;
    return undefined;
  }
}

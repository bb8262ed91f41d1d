/** Longest note, author's name and tag, in characters. */
export const LONGEST_NOTE = 2000;
export const LONGEST_AUTHOR = 60;
export const LONGEST_TAG = 40;
/** Bound on the notes of one call. */
export const MOST_NOTES = 100;
export const MOST_TAGS = 20;

/** Letters, digits and `_ . : -`. A comma separates two tags in a question, so no tag has one. */
export const TAG_PATTERN = new RegExp(`^[\\p{L}\\p{N}][\\p{L}\\p{M}\\p{N}_.:-]{0,${LONGEST_TAG - 1}}$`, 'u');
export const TAG_WORDS = `a tag of letters, digits and _ . : -, at most ${LONGEST_TAG} characters`;

/** A note that somebody wrote about a call. */
export interface Note {
  readonly id: string;
  readonly linkedid: string;
  readonly text: string;
  /** The name that the author gave; null: none. */
  readonly author: string | null;
  readonly atMs: number;
}

/** A word that calls are found by, such as `ticket-4711`. */
export interface Tag {
  readonly linkedid: string;
  readonly tag: string;
  /** The name that the author gave; null: none. */
  readonly author: string | null;
  readonly atMs: number;
}

/** The notes about one call, oldest first, and its tags. */
export interface CallRemarks {
  readonly notes: readonly Note[];
  readonly tags: readonly Tag[];
}

/** Tags to add to a call, and to remove from it. */
export interface TagChange {
  readonly linkedid: string;
  readonly startedAtMs: number;
  readonly add: readonly string[];
  readonly remove: readonly string[];
  readonly author: string | null;
  readonly atMs: number;
}

/** A tag, and how many calls have it. */
export interface TagCount {
  readonly tag: string;
  readonly calls: number;
}

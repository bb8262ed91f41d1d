import type { Includer } from '../wire/asterisk-conf.ts';

export const SETUP_TARGETS = ['vanilla', 'freepbx'] as const;
/** Whom Asterisk's files belong to. FreePBX writes them itself and leaves files named `…_custom.conf` to people. */
export type SetupTarget = (typeof SETUP_TARGETS)[number];

/** What the user decides. `NO_CHOICES` is what holds when nobody was asked. */
export interface SetupChoices {
  /** Switch AMI on where it is off; only this machine will reach it. */
  readonly enablesAmi: boolean;
  /** Give each PJSIP endpoint the hangup handler, so that no Dial() has to be changed. */
  readonly endpoints: boolean;
  /** The page's address, and the token that it needs there; null: both stay as they are. */
  readonly http: { readonly bind: string; readonly token: string } | null;
}

export const NO_CHOICES: SetupChoices = { enablesAmi: false, endpoints: false, http: null };

export interface SetupInput {
  readonly target: SetupTarget;
  readonly choices: SetupChoices;
  /** The directory of Asterisk's files. */
  readonly directory: string;
  /** The path of mes.conf. */
  readonly settingsPath: string;
  /** The present text of one of Asterisk's files; undefined: there is no such file. */
  readonly current: (name: string) => string | undefined;
  /** The files that an `#include` names. */
  readonly include: Includer;
  /** The text of a ready file of `asterisk-conf/`. */
  readonly ready: (name: string) => string;
  /** The present text of mes.conf; undefined: there is none. */
  readonly settings: string | undefined;
  readonly username: string;
  readonly secret: string;
  /** The password of ARI's user, which has the same name as AMI's. */
  readonly ariPassword: string;
  /** `127.0.0.1:4573` */
  readonly agiBind: string;
  /** True: mes.conf has another address, so this one has to be written there. */
  readonly isNewAgiBind: boolean;
  /** The secret at the end of the hangup handler's script. */
  readonly agiSecret: string;
  /** True: the secret is new, so it has to be written into mes.conf. */
  readonly isNewAgiSecret: boolean;
}

/** What is known before secrets are generated. */
export type SetupFacts = Omit<SetupInput, 'secret' | 'ariPassword' | 'agiSecret' | 'isNewAgiSecret' | 'choices'>;

/** One file to write. */
export interface PlannedFile {
  /** The name in Asterisk's directory; null: mes.conf, which may be in another directory. */
  readonly name: string | null;
  readonly text: string;
  /** The lines that are added to somebody else's file; null: the file is ours. */
  readonly added: readonly string[] | null;
  /** Where they are added: completes "added …". */
  readonly place: string;
  /** Whether it holds the secret. */
  readonly isSecret: boolean;
  /** The file whose owner, group and mode a new file gets. */
  readonly neighbour: string;
}

export interface SetupPlan {
  /** Only files whose text changes. */
  readonly files: readonly PlannedFile[];
  /** What is left out and why, one sentence each. */
  readonly notes: readonly string[];
  /** What people have to do themselves, one sentence each. */
  readonly toDo: readonly string[];
}

import type { Statements } from './statements.ts';

/** Runs in a thread of the history; what it is given and returns is copied from thread to thread. */
export type FeatureMethod = (statements: Statements, input: never) => unknown;
export type FeatureMethods = Readonly<Record<string, FeatureMethod>>;

/** Tables of their own, and all that is ever asked of them. `README.md` shows one. */
export interface Feature {
  /** Each is run once in a database, in order and in a transaction of its own. A released one never changes: add another. */
  readonly steps: readonly string[];
  /** Writes by name, in the writer's thread. Each call is a transaction. */
  readonly writes?: FeatureMethods;
  /** Reads by name, in the reader's thread. Each call sees one consistent state. */
  readonly reads?: FeatureMethods;
  /** These calls and their channels are about to be deleted, in the same transaction. */
  readonly forget?: (statements: Statements, linkedids: readonly string[]) => void;
  /** A call was joined into another, in the same transaction. */
  readonly join?: (statements: Statements, fromLinkedid: string, intoLinkedid: string) => void;
}

export type Features = Readonly<Record<string, Feature>>;

type Kind = 'reads' | 'writes';

type MethodsOf<All extends Features, Name extends keyof All, Of extends Kind> = All[Name] extends {
  readonly [Key in Of]: infer Methods extends FeatureMethods;
}
  ? Methods
  : object;

type InputOf<Method> = Method extends (statements: Statements, input: infer Input) => unknown ? Input : never;
type ResultOf<Method> = Method extends (statements: Statements, input: never) => infer Result ? Result : never;

type Caller<All extends Features, Of extends Kind> = <
  Name extends keyof All & string,
  Method extends keyof MethodsOf<All, Name, Of> & string,
>(
  feature: Name,
  method: Method,
  input: InputOf<MethodsOf<All, Name, Of>[Method]>,
) => Promise<ResultOf<MethodsOf<All, Name, Of>[Method]>>;

/** What the main thread asks of features. Rejects when the thread's side threw: with the disk's error, or the method's own. */
export interface FeatureClient<All extends Features> {
  /** Resolves when it is committed. */
  readonly write: Caller<All, 'writes'>;
  readonly read: Caller<All, 'reads'>;
}

/** A feature's method by name. */
export interface FeatureCall {
  readonly feature: string;
  readonly method: string;
  readonly input: unknown;
}

/** `send` takes a call to the thread that answers it. */
export function featureClient<All extends Features>(
  send: Readonly<Record<Kind, (call: FeatureCall) => Promise<unknown>>>,
): FeatureClient<All> {
  const caller =
    (kind: Kind) =>
    (feature: string, method: string, input: unknown): Promise<unknown> =>
      send[kind]({ feature, method, input });
  return { write: caller('writes'), read: caller('reads') } as unknown as FeatureClient<All>;
}

/** Calls a feature's method. Throws RangeError when there is none of that name. */
export function callFeature(
  features: Features,
  kind: Kind,
  statements: Statements,
  { feature, method, input }: FeatureCall,
): unknown {
  const methods = features[feature]?.[kind];
  const called = methods !== undefined && Object.hasOwn(methods, method) ? methods[method] : undefined;
  if (called === undefined) throw new RangeError(`the history's ${feature} has no ${method} among its ${kind}`);
  const work = statements.database.transaction(() => called(statements, input as never));
  return kind === 'writes' ? work.immediate() : work();
}

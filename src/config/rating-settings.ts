import type { SETTINGS, ValuesOf } from './settings-table.ts';

/** `[ratings]` */
export interface RatingSettings {
  readonly enabled: boolean;
  /** 0-100 */
  readonly askPercent: number;
  readonly never: readonly string[];
  readonly code: string;
  /** A file with questions; null: our own questions. */
  readonly questions: string | null;
  /** Null: no questions are fetched. */
  readonly questionsUrl: string | null;
  /** The Ed25519 key (DER, base64) that must have signed them; null: the key of the first questions that come. */
  readonly questionsKey: string | null;
  /** Has no slash at its end; null: the links use the address of [http] bind. */
  readonly linkBase: string | null;
  readonly linkLifetimeMs: number;
  /** Names of sounds, in order. */
  readonly prompts: Readonly<Record<'score' | 'thanks' | 'none', readonly string[]>>;
}

export function ratingSettings(values: ValuesOf<(typeof SETTINGS)['ratings']>): RatingSettings {
  return {
    enabled: values.enabled,
    askPercent: values.ask_percent,
    never: values.never,
    code: values.code,
    questions: values.questions,
    questionsUrl: values.questions_url,
    questionsKey: values.questions_key,
    linkBase: values.link_base,
    linkLifetimeMs: values.link_lifetime,
    prompts: {
      score: values.prompt_score.split('&'),
      thanks: values.prompt_thanks.split('&'),
      none: values.prompt_none.split('&'),
    },
  };
}

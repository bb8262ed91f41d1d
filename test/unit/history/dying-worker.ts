import { serve } from '../../../src/history/serve.ts';

/** A thread that echoes, throws or dies, as it is told. */
export interface DyingMethods {
  echo(text: string): string;
  fail(code: string): null;
  die(input: null): null;
}

serve<DyingMethods>(
  {
    echo: (text) => text,
    fail: (code) => {
      throw Object.assign(new Error('as it was told'), { code });
    },
    die: () => process.exit(3),
  },
  () => undefined,
);

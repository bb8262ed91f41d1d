/** Random input is the same at every run, so that a test fails because of a change, not by chance. See test/golden/fuzz. */
import fc from 'fast-check';

const seed = Number(process.env['MES_FUZZ_SEED'] ?? 22_103_550);
if (!Number.isSafeInteger(seed)) throw new Error('MES_FUZZ_SEED is no whole number');
fc.configureGlobal({ seed });

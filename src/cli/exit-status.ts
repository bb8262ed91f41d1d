/** What the commands exit with. */
export const DONE = 0;
export const WORK_FAILED = 1;
export const WRONG_USAGE = 2;

/**
 * Loaded before a program (`node --import`): gives it a time of day that signals set an hour forward (SIGUSR2) or back
 * (SIGHUP), as a person would set the machine's. Clocks that nobody can set (`performance.now`) go on.
 */
const HOUR_MS = 3_600_000;
const systemNow = Date.now.bind(Date);
let stepMs = 0;

Date.now = () => systemNow() + stepMs;
process.on('SIGUSR2', () => (stepMs += HOUR_MS));
process.on('SIGHUP', () => (stepMs -= HOUR_MS));

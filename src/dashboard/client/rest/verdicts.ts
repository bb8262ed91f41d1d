export type Verdict =
  | 'good'
  | 'fair'
  | 'poor'
  | 'bad'
  | 'no-media'
  | 'no-rtcp'
  | 'one-way-rx'
  | 'one-way-tx'
  | 'too-short';

export type Direction = 'rx' | 'tx';

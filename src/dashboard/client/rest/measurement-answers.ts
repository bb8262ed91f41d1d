/** What REST says of measurements that leave the house. A type check compares it with the API's schemas. */
export interface MeasurementStatus {
  readonly enabled: boolean;
  readonly include: readonly ('calls' | 'ratings')[];
  readonly recipients: readonly string[];
  readonly collector: string | null;
  readonly upload_to: string | null;
  readonly endpoints: readonly string[];
  readonly spool: string;
  readonly spool_max_bytes: number;
  readonly waiting_files: number;
  readonly waiting_bytes: number;
  readonly sent: number;
  readonly refused: number;
  readonly dropped: number;
  readonly problem: string | null;
  readonly fields: readonly MeasurementField[];
}

export interface MeasurementField {
  readonly of: string;
  readonly field: string;
  readonly holds: string;
  readonly why: string;
}

export interface LastMeasurements {
  readonly documents: readonly Readonly<Record<string, unknown>>[];
}

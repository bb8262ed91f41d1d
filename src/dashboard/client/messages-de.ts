/** German, by the English sentence. */
export const GERMAN: Readonly<Record<string, string>> = {};

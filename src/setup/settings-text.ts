/**
 * mes.conf with one key set: in place of the key's line, or of its default in a comment, or below the section's heading, or in a
 * new section at the end. All other lines stay as they are.
 */
export function withSetting(text: string, section: string, key: string, value: string): string {
  const line = `${key} = ${value}`;
  const whole = text === '' || text.endsWith('\n') ? text : `${text}\n`;
  const found = new RegExp(`^\\[${section}\\][^\\n]*\\n(?:(?!\\[)[^\\n]*\\n)*`, 'm').exec(whole);
  if (found === null) return `${whole}\n[${section}]\n${line}\n`;
  const [before] = found;
  const place = [new RegExp(`^${key}\\s*=.*$`, 'm'), new RegExp(`^;${key} =.*$`, 'm')].find((pattern) =>
    pattern.test(before),
  );
  const after =
    place === undefined
      ? before.replace(/^[^\n]*\n/, (heading) => `${heading}${line}\n`)
      : before.replace(place, () => line);
  return whole.slice(0, found.index) + after + whole.slice(found.index + before.length);
}

/** A semicolon would begin a comment. */
export function escaped(value: string): string {
  return value.replaceAll(';', '\\;');
}

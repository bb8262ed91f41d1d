/** The description of the API as a page: plain HTML without a script, made from the OpenAPI document. */

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly description?: string;
  readonly schema?: Schema;
}

interface Schema {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly enum?: readonly unknown[];
  readonly $ref?: string;
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
}

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly security?: readonly object[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
  readonly parameters: readonly Parameter[];
  readonly responses: Readonly<
    Record<string, { description: string; content?: Readonly<Record<string, { schema: Schema }>> }>
  >;
}

interface Document {
  readonly info: { readonly title: string; readonly description: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

export const DOCS_STYLE = `:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif;background:#fff;color:#1a1a1a}
a{color:#0b57d0}
@media (prefers-color-scheme:dark){:root{background:#14181d;color:#e6eaef}a{color:#8ab4f8}}
body{max-width:64rem;margin:0 auto;padding:1rem;overflow-wrap:anywhere}
h2{margin-top:2.5rem}
code{font-size:.95em}
table{border-collapse:collapse;width:100%}
th,td{padding:.25rem .75rem .25rem 0;text-align:left;vertical-align:top;border-bottom:1px solid #8886;overflow-wrap:anywhere}
details{margin:.5rem 0;padding:.5rem .75rem;border:1px solid #8886;border-radius:.5rem}
summary{cursor:pointer}
.method{font-weight:700;text-transform:uppercase}
`;

function text(value: string): string {
  return value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

function typeOf({ $ref: reference, anyOf, items, type, enum: words }: Schema): string {
  if (reference !== undefined) {
    const name = reference.replace(/^.*\//, '');
    return `<a href="#${text(name)}">${text(name)}</a>`;
  }
  if (anyOf !== undefined) return anyOf.map(typeOf).join(' or ');
  if (items !== undefined) return `list of ${typeOf(items)}`;
  if (words !== undefined) return words.map((word) => `<code>${text(String(word))}</code>`).join(', ');
  return text([type ?? 'any'].flat().join(' or '));
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const head = heads.map((one) => `<th scope="col">${one}</th>`).join('');
  const body = rows.map((cells) => `<tr>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`).join('\n');
  return `<table><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table>`;
}

function operation(path: string, method: string, described: Operation): string {
  const { summary, parameters, responses, requestBody, security, operationId } = described;
  const access =
    security === undefined ? '' : security.length === 0 ? '<p>Answered without a token.</p>' : '<p>Needs a token.</p>';
  const rows = parameters.map(({ name, in: place, description = '', schema = {} }) => [
    `<code>${text(name)}</code>`,
    place,
    typeOf(schema),
    text(description),
  ]);
  const bodies = Object.entries(requestBody?.content ?? {}).map(
    ([type, { schema }]) => `<p>Takes ${text(type)}:</p>\n${bodyTable(schema)}`,
  );
  const answers = Object.entries(responses).map(([status, { description, content = {} }]) => [
    text(status),
    text(description),
    Object.entries(content)
      .map(([type, { schema }]) => `${text(type)}: ${typeOf(schema)}`)
      .join('<br>'),
  ]);
  return `<details id="${text(operationId)}"><summary><span class="method">${text(method)}</span> <code>${text(path)}</code> ${text(summary)}</summary>
${access}${rows.length === 0 ? '' : table(['Parameter', 'In', 'Type', 'Meaning'], rows)}
${bodies.join('\n')}${table(['Status', 'Meaning', 'Content'], answers)}</details>`;
}

/** What a request may send. */
function bodyTable({ properties = {}, required = [] }: Schema): string {
  const rows = Object.entries(properties).map(([field, schema]) => [
    `<code>${text(field)}</code>${required.includes(field) ? '' : ' (optional)'}`,
    typeOf(schema),
    text(schema.description ?? ''),
  ]);
  return table(['Field', 'Type', 'Meaning'], rows);
}

/** `document`: as openApi makes it. */
export function docsPage(document: object): string {
  const { info, paths, components } = document as Document;
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, one]) => operation(path, method, one)),
  );
  const schemas = Object.entries(components.schemas).map(([name, { properties = {} }]) => {
    const rows = Object.entries(properties).map(([field, schema]) => [
      `<code>${text(field)}</code>`,
      typeOf(schema),
      text(schema.description ?? ''),
    ]);
    return `<h3 id="${text(name)}">${text(name)}</h3>\n${table(['Field', 'Type', 'Meaning'], rows)}`;
  });
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>REST of ${text(info.title)}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/docs/style.css">
</head>
<body>
<main>
<h1>REST of ${text(info.title)}</h1>
<p>${text(info.description)} For machines: <a href="/openapi.json">openapi.json</a>. <a href="/">The dashboard</a>.</p>
<h2>Addresses</h2>
${operations.join('\n')}
<h2>Answers</h2>
${schemas.join('\n')}
</main>
</body>
</html>
`;
}

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startServer, type TestServer } from './server.ts';

interface Schema {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
}

interface Operation {
  readonly operationId: string;
  readonly parameters: readonly { name: string; schema: { type: string }; description?: string }[];
  readonly responses: Readonly<Record<string, { description: string }>>;
}

interface Document {
  readonly servers: readonly { url: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

const TOKEN = 'sesame';
let server: TestServer;
let document: Document;
let operations: Operation[];

beforeAll(async () => {
  server = await startServer({ token: TOKEN });
  document = (await server.get('/openapi.json', { authorization: `Bearer ${TOKEN}` })).body as Document;
  operations = Object.values(document.paths).flatMap((methods) => Object.values(methods));
});
afterAll(() => server.close());

function undescribed(schema: Schema, where: string): string[] {
  const own = Object.entries(schema.properties ?? {}).flatMap(([name, property]) => [
    ...(property.description === undefined ? [`${where}.${name}`] : []),
    ...undescribed(property, `${where}.${name}`),
  ]);
  const inner = [schema.items ?? [], schema.anyOf ?? []].flat();
  return [...own, ...inner.flatMap((one) => undescribed(one, where))];
}

describe('the OpenAPI document', () => {
  it('describes every field of every answer', () => {
    const { schemas } = document.components;
    expect(Object.keys(schemas).length).toBeGreaterThan(15);
    expect(Object.entries(schemas).flatMap(([name, schema]) => undescribed(schema, name))).toEqual([]);
  });

  it('names the server, each operation by a name of its own, and what may be refused', () => {
    expect(document.servers.map(({ url }) => url)).toEqual(['/']);
    const names = operations.map(({ operationId }) => operationId);
    expect(names).toContain('getCalls');
    expect(names).toContain('getCallsByLinkedid');
    expect(names.filter((name) => !/^[a-z][A-Za-z0-9]+$/.test(name))).toEqual([]);
    expect(new Set(names).size).toBe(names.length);
    for (const { operationId, responses } of operations) {
      expect([operationId, Object.keys(responses).filter((status) => status.startsWith('4'))]).not.toEqual([
        operationId,
        [],
      ]);
    }
    expect(Object.keys(document.paths['/v1/calls/{linkedid}']?.['get']?.responses ?? {})).toEqual(
      expect.arrayContaining(['200', '304', '401', '403', '404', '429']),
    );
  });

  it('has the types of parameters', () => {
    const parameters = document.paths['/v1/calls']?.['get']?.parameters ?? [];
    const types = Object.fromEntries(parameters.map(({ name, schema }) => [name, schema.type]));
    expect(types).toMatchObject({
      limit: 'integer',
      max_mes: 'number',
      verdict: 'array',
      party: 'string',
      sort: 'string',
    });
    expect(parameters.find(({ name }) => name === 'limit')?.schema).toMatchObject({ minimum: 1, maximum: 500 });
  });
});

describe('the page of the API', () => {
  it('is there without a token, needs no script, and has every address and schema', async () => {
    const { status, headers, body } = await server.get('/docs');
    const page = String(body);
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('text/html; charset=utf-8');
    for (const path of Object.keys(document.paths)) expect(page).toContain(`<code>${path}</code>`);
    for (const name of Object.keys(document.components.schemas)) expect(page).toContain(`<h3 id="${name}">`);
    // The policy allows neither of them.
    expect(page).not.toMatch(/<script|<style|\sstyle=|\son\w+=|https?:\/\//);
    const links = [...page.matchAll(/href="#([^"]+)"/g)].map(([, id]) => id);
    expect(links.length).toBeGreaterThan(20);
    expect(links.filter((id) => !page.includes(`id="${id}"`))).toEqual([]);
    const style = await server.get('/docs/style.css');
    expect([style.status, style.headers.get('content-type')]).toEqual([200, 'text/css; charset=utf-8']);
    expect((await server.get('/openapi.json')).status).toBe(401);
  });
});

/** The OpenAPI document: up to date on disk, valid, complete, and its examples run as they are. */
import { readFileSync } from 'node:fs';
import { Validator } from '@seriousme/openapi-schema-validator';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { PROBLEM_CATALOG } from '../../src/http/problem-catalog.ts';
import { EXAMPLE_IDS } from '../../src/http/schemas/fields.ts';
import { renderOpenApi } from '../../src/http/write-openapi.ts';
import { OPERATIONS, type OperationId } from '../support/bank-client.ts';
import { openAccount, posting } from '../support/customers.ts';
import { type RunningBank, startBank } from '../support/running-bank.ts';

interface Field {
  readonly examples?: readonly unknown[] | undefined;
  readonly description?: string | undefined;
  readonly anyOf?: readonly Field[] | undefined;
  readonly properties?: Readonly<Record<string, Field>> | undefined;
}

const fieldSchema: z.ZodType<Field> = z.lazy(() =>
  z.object({
    examples: z.array(z.unknown()).optional(),
    description: z.string().optional(),
    anyOf: z.array(fieldSchema).optional(),
    properties: z.record(z.string(), fieldSchema).optional(),
  }),
);

/** The parts of the document that the tests look at. */
const documentSchema = z.object({
  openapi: z.string(),
  paths: z.record(
    z.string(),
    z.record(
      z.string(),
      z.object({
        operationId: z.string(),
        summary: z.string().min(5),
        tags: z.array(z.string()).min(1),
        parameters: z
          .array(
            z.object({
              in: z.enum(['path', 'query', 'header']),
              name: z.string(),
              required: z.boolean().optional(),
              description: z.string(),
              example: z.union([z.string(), z.number()]).optional(),
            }),
          )
          .default([]),
        requestBody: z
          .object({
            required: z.literal(true),
            content: z.strictObject({
              'application/json': z.object({
                schema: fieldSchema,
                example: z.union([z.record(z.string(), z.unknown()), z.array(z.unknown())]),
              }),
            }),
          })
          .optional(),
        responses: z.record(z.string(), z.object({ content: z.record(z.string(), z.unknown()).default({}) })),
      }),
    ),
  ),
});

type Document = z.output<typeof documentSchema>;
type Operation = Document['paths'][string][string];

let bank: RunningBank;
let document: Document;
let rendered: Awaited<ReturnType<typeof renderOpenApi>>;
beforeAll(async () => {
  rendered = await renderOpenApi();
  bank = await startBank();
  document = documentSchema.parse(bank.app.swagger());
});
afterAll(() => bank.close());

function operations(of: Document): { path: string; method: string; operation: Operation }[] {
  return Object.entries(of.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
  );
}

describe('the OpenAPI document', () => {
  it('lies in openapi/ as the code writes it', () => {
    const { json, yaml } = rendered;
    const stored = (name: string) => readFileSync(new URL(`../../openapi/${name}`, import.meta.url), 'utf8');
    expect(stored('openapi.json') === json, 'openapi.json is stale: npm run openapi').toBe(true);
    expect(stored('openapi.yaml') === yaml, 'openapi.yaml is stale: npm run openapi').toBe(true);
    expect(parse(yaml)).toEqual(JSON.parse(json));
  });

  it('is valid OpenAPI 3.1', async () => {
    const { valid, errors } = await new Validator().validate(rendered.json);
    expect(errors).toBeUndefined();
    expect(valid).toBe(true);
    expect(document.openapi).toBe('3.1.0');
  });

  it('has every route of the app, and no other', () => {
    const documented = operations(document).map(({ method, path }) => `${method} ${path}`);
    expect(documented.toSorted()).toEqual(routesOf(bank.app.printRoutes({ commonPrefix: false })).toSorted());
  });

  it('has the operations that these tests hold to their schemas, each under its own id', () => {
    const documented = operations(document).map(({ method, path, operation }) => [
      operation.operationId,
      [method, path],
    ]);
    const held = Object.entries(OPERATIONS).map(([id, [method, path]]) => [id, [method, path]]);
    expect(Object.fromEntries(documented)).toEqual(Object.fromEntries(held));
    expect(documented).toHaveLength(held.length);
  });

  it('has an example for each field of a body and each parameter of a path, and says what it is', () => {
    for (const { operation } of operations(document)) {
      const json = operation.requestBody?.content['application/json'];
      expect(json?.schema.properties ? fieldsWithoutExample(json.schema) : []).toEqual([]);
      for (const parameter of operation.parameters.filter(({ required }) => required)) {
        expect(parameter, operation.operationId).toHaveProperty('example');
      }
    }
  });

  it('gives problems their media type, and every code of the catalog a meaning', () => {
    for (const { operation } of operations(document)) {
      for (const [status, { content }] of Object.entries(operation.responses)) {
        const ok = OTHER_MEDIA_TYPES[operation.operationId] ?? ['application/json'];
        const expected =
          Number(status) < 400 || operation.operationId === 'ready' ? ok : ['application/problem+json'];
        const types = status === '304' || status === '204' ? [] : expected;
        expect(Object.keys(content), `${operation.operationId} ${status}`).toEqual(types);
      }
    }
    for (const { title, meaning } of Object.values(PROBLEM_CATALOG)) {
      expect(title).toMatch(/^[A-Z]/);
      expect(meaning).toMatch(/\.$/);
    }
  });
});

describe('the examples of the served document', () => {
  it('run as they are, after one person, two accounts, one deposit, one transfer and one hold', async () => {
    const { client } = bank;
    const other = await openAccount(client);
    const account = await openAccount(client, { overdraft_limit: '500.00' });
    await client.call('transfer', {
      body: { from_account_id: account, to_account_id: other, amount: '25.00', description: 'Rent' },
    });
    const { token } = await client.call('deposit', { body: posting(account, '1000.00', 'Initial deposit') });
    await client.call('listAccounts', { token });
    const body = { amount: '20.00', description: 'Hotel deposit' };
    const placed = await client.call('placeHold', { params: { id: account }, body });
    await client.call('listAccounts', { token: placed.token });
    const served = documentSchema.parse(await (await client.fetch('GET', '/api/docs/json')).json());

    for (const { operation } of operations(served).toSorted(moneyInFirstClosingLast)) {
      const body = operation.requestBody?.content['application/json'].example;
      const outcome = await client.try(operation.operationId as OperationId, {
        params: Object.fromEntries(examplesIn('path', operation)),
        query: Object.fromEntries(examplesIn('query', operation)),
        ...(body === undefined ? {} : { body }),
        token,
      });
      const expected = IN_THE_WAY[operation.operationId] ?? 'done';
      expect([operation.operationId, outcome.ok ? 'done' : outcome.problem.code]).toEqual([
        operation.operationId,
        expected,
      ]);
    }
  });

  it('name an account that still takes money', async () => {
    const { client } = bank;
    const closed = await openAccount(client);
    const { token } = await client.call('closeAccount', { params: { id: closed }, body: { reason: 'Test' } });
    await client.call('listAccounts', { token });
    const served = await (await client.fetch('GET', '/api/docs/json')).text();
    expect(served).not.toContain(closed);
    for (const placeholder of Object.values(EXAMPLE_IDS)) expect(served).not.toContain(placeholder);
  });

  it('are shown by a page, in JSON and in YAML', async () => {
    for (const [path, type] of [
      ['/api/docs', 'text/html'],
      ['/api/docs/json', 'application/json'],
      ['/api/docs/yaml', 'application/x-yaml'],
    ] as const) {
      const response = await bank.client.fetch('GET', path);
      expect([response.status, response.headers.get('content-type')]).toEqual([
        200,
        expect.stringContaining(type),
      ]);
    }
  });
});

/** What answers something else than JSON alone. */
const OTHER_MEDIA_TYPES: Readonly<Record<string, readonly string[]>> = {
  metrics: ['text/plain'],
  getStatement: ['application/json', 'text/csv', 'text/html'],
};

/** Examples that meet what the ones before them have left behind. */
const IN_THE_WAY: Readonly<Record<string, string>> = {
  closeAccount: 'balance_not_zero',
  releaseHold: 'hold_not_open',
  // A bank in memory has no place for it.
  startArchiveRun: 'not_supported',
  // No money has come to it.
  payOutSuspense: 'account_not_found',
  // A store in memory has no backups.
  startBackup: 'not_supported',
  // A store in memory is nothing that another thread could read.
  startPastProjection: 'not_supported',
  getPastProjection: 'past_projection_not_found',
  listPastDocuments: 'past_projection_not_found',
  getPastDocument: 'past_projection_not_found',
  removePastProjection: 'past_projection_not_found',
  // Every event could be applied.
  retryDeadLetter: 'dead_letter_not_found',
  discardDeadLetter: 'dead_letter_not_found',
};

function examplesIn(place: 'path' | 'query', { parameters }: Operation): [string, string][] {
  return parameters.flatMap(({ in: where, name, example }) =>
    where === place && example !== undefined ? [[name, String(example)] as [string, string]] : [],
  );
}

/** Deposits come before withdrawals, and closing comes last; the rest stays in the document's order. */
function moneyInFirstClosingLast(left: { operation: Operation }, right: { operation: Operation }): number {
  const place = ({ operationId }: Operation) =>
    /close/i.test(operationId) ? 2 : /deposit|interest/i.test(operationId) ? 0 : 1;
  return place(left.operation) - place(right.operation);
}

/** Names of fields without an example; an amount has one for each of its forms. */
function fieldsWithoutExample({ properties = {} }: Field): string[] {
  return Object.entries(properties).flatMap(([name, field]) => {
    if (field.properties) return fieldsWithoutExample(field);
    const forms = field.anyOf ?? [field];
    const complete = field.description && forms.every(({ examples = [] }) => examples.length > 0);
    return complete ? [] : [name];
  });
}

/** Turns Fastify's tree of routes into `GET /path/{id}`, without the documentation's own pages. */
function routesOf(tree: string): string[] {
  const parents: string[] = [];
  const routes: string[] = [];
  for (const [, indent = '', part = '', methods = ''] of tree.matchAll(
    /^([│ ]*)[├└]── (\S+)(?: \((.+)\))?$/gm,
  )) {
    const depth = indent.length / 4;
    const path = `${depth > 0 ? parents[depth - 1] : ''}${part}`;
    parents[depth] = path;
    const shown = path.startsWith('/api/docs') ? [] : methods.split(', ').filter((one) => one !== 'HEAD');
    routes.push(...shown.map((method) => `${method} ${path.replace(/:(\w+)/g, '{$1}')}`));
  }
  return routes;
}

/** The OpenAPI document, made from the routes' zod schemas, and the Swagger UI that serves it. */
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import { EXAMPLE_MONTH } from '../application/queries/statement.ts';
import { completed } from './openapi-document.ts';
import { EXAMPLE_EXPIRY, EXAMPLE_IDS } from './schemas/fields.ts';

const DESCRIPTION = `An event-sourced bank-account service.

Register a person, open an account, move money. Amounts are decimal strings or numbers; answers are decimal strings.
Errors are \`application/problem+json\` with a stable \`code\`. A write answers an \`ETag\` (the stream's revision) and an
\`x-consistency-token\`; a GET that sends the token back sees that write.

The ids in the examples are those of the newest person, account, transaction and open hold in this bank: after registering a
person, reload this page, and every example runs as it is.`;

const WEEK_MS = 7 * 24 * 60 * 60 * 1000;

/** Finds ids that exist, by the names of `EXAMPLE_IDS`; a name without one keeps its placeholder. */
export type ExampleIds = () => Promise<Partial<Record<keyof typeof EXAMPLE_IDS, string>>>;

export async function installOpenApi(
  app: FastifyInstance,
  version: string,
  newestIds: ExampleIds,
): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'OpenBank',
        version,
        description: DESCRIPTION,
      },
      servers: [{ url: '/' }],
      tags: [
        { name: 'persons', description: 'Who owns accounts.' },
        { name: 'accounts', description: 'Accounts, their balances and their history.' },
        { name: 'holds', description: 'Money that is set aside, to be captured or released.' },
        { name: 'transactions', description: 'Money in and out.' },
        { name: 'cloud events', description: 'Requests from other systems, and what is published to them.' },
        { name: 'operations', description: 'Health, metrics, status and the stream browser.' },
      ],
    },
    transform: jsonSchemaTransform,
    transformObject: (input) => completed(jsonSchemaTransformObject(input)),
  });
  let ids: Awaited<ReturnType<ExampleIds>> = {};
  await app.register(swaggerUi, {
    routePrefix: '/api/docs',
    theme: { title: 'OpenBank API' },
    uiConfig: {
      layout: 'BaseLayout',
      tryItOutEnabled: true,
      displayRequestDuration: true,
      docExpansion: 'list',
    },
    uiHooks: {
      preHandler: async () => {
        ids = await newestIds();
      },
    },
    transformSpecificationClone: false,
    transformSpecification: (document) => withExamples(document, ids),
  });
}

/** The document with the placeholders of `EXAMPLE_IDS` replaced, a time that has not come yet, and a month that has. */
function withExamples(document: object, ids: Awaited<ReturnType<ExampleIds>>): Record<string, unknown> {
  const inAWeek = new Date(Date.now() + WEEK_MS).toISOString();
  const thisMonth = new Date().toISOString().slice(0, EXAMPLE_MONTH.length);
  let json = JSON.stringify(document)
    .replaceAll(EXAMPLE_EXPIRY, inAWeek)
    .replaceAll(JSON.stringify(EXAMPLE_MONTH), JSON.stringify(thisMonth));
  for (const [name, placeholder] of Object.entries(EXAMPLE_IDS)) {
    const real = ids[name as keyof typeof EXAMPLE_IDS];
    if (real === undefined) continue;
    json = json
      .replaceAll(placeholder, real)
      .replaceAll(placeholder.replaceAll('-', ''), real.replaceAll('-', ''));
  }
  return JSON.parse(json) as Record<string, unknown>;
}

/** The OpenAPI document, made from the routes' zod schemas, and the Swagger UI that serves it. */
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import { isProblemCode, PROBLEM_CATALOG } from './problem-catalog.ts';
import { problem } from './problems.ts';
import { EXAMPLE_IDS } from './schemas.ts';

const DESCRIPTION = `An event-sourced bank-account service.

Register a person, open an account, move money. Amounts are decimal strings or numbers; answers are decimal strings.
Errors are \`application/problem+json\` with a stable \`code\`. A write answers an \`ETag\` (the stream's revision) and an
\`x-consistency-token\`; a GET that sends the token back sees that write.

The ids in the examples are those of the newest person, account and transaction in this bank: after registering a
person, reload this page, and every example runs as it is.`;

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
        { name: 'transactions', description: 'Money in and out.' },
        { name: 'operations', description: 'Health, status and the stream browser.' },
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

/** The document with the placeholders of `EXAMPLE_IDS` replaced. */
function withExamples(document: object, ids: Awaited<ReturnType<ExampleIds>>): Record<string, unknown> {
  let json = JSON.stringify(document);
  for (const [name, placeholder] of Object.entries(EXAMPLE_IDS)) {
    const real = ids[name as keyof typeof EXAMPLE_IDS];
    if (real === undefined) continue;
    json = json
      .replaceAll(placeholder, real)
      .replaceAll(placeholder.replaceAll('-', ''), real.replaceAll('-', ''));
  }
  return JSON.parse(json) as Record<string, unknown>;
}

type OpenApiDocument = ReturnType<typeof jsonSchemaTransformObject>;

interface Content {
  schema?: { $ref?: string; properties?: Record<string, FieldSchema> };
  example?: unknown;
  examples?: unknown;
}

interface FieldSchema {
  examples?: unknown[];
  anyOf?: FieldSchema[];
  properties?: Record<string, FieldSchema>;
}

interface Operation {
  requestBody?: { content?: Record<string, Content> };
  responses?: Record<string, { description?: string; content?: Record<string, Content> }>;
}

/** Says what a zod schema cannot: whole examples of bodies, and that problems have a media type of their own. */
function completed(document: OpenApiDocument): OpenApiDocument {
  const { paths = {}, components } = document as {
    paths?: Record<string, Record<string, Operation>>;
    components?: { schemas?: Record<string, unknown>; examples?: Record<string, unknown> };
  };
  for (const { requestBody, responses } of Object.values(paths).flatMap((path) => Object.values(path))) {
    const body = requestBody?.content?.['application/json'];
    if (body) body.example = exampleOf(body.schema ?? {});
    Object.values(responses ?? {}).forEach(asProblemJson);
  }
  const problems = Object.keys(PROBLEM_CATALOG).filter(isProblemCode);
  if (components) {
    components.examples = Object.fromEntries(problems.map((code) => [code, { value: problem(code) }]));
  }
  // Each answer is there a second time in its input form, which no route takes.
  const used = JSON.stringify(paths);
  for (const name of Object.keys(components?.schemas ?? {})) {
    if (name.endsWith('Input') && !used.includes(`/${name}"`)) delete components?.schemas?.[name];
  }
  return document;
}

/** The body that the examples of its fields make up. */
function exampleOf({ examples, anyOf, properties }: FieldSchema): unknown {
  if (!properties) return examples?.[0] ?? anyOf?.[0]?.examples?.[0];
  return Object.fromEntries(Object.entries(properties).map(([name, field]) => [name, exampleOf(field)]));
}

/** Gives a response that is a problem its media type, and an example for each code that its description lists. */
function asProblemJson(response: NonNullable<Operation['responses']>[string]): void {
  const json = response.content?.['application/json'];
  if (json?.schema?.$ref !== '#/components/schemas/Problem') return;
  const listed = [...(response.description ?? '').matchAll(/^`(\w+)`:/gm)].map(([, code]) => String(code));
  const examples = listed.map((code) => [code, { $ref: `#/components/examples/${code}` }]);
  response.content = { 'application/problem+json': { ...json, examples: Object.fromEntries(examples) } };
}

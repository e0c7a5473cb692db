/** Completes the OpenAPI document that the routes' schemas make. */
import type { jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import { isProblemCode, PROBLEM_CATALOG } from './problem-catalog.ts';
import { problem } from './problems.ts';

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
  parameters?: object[];
  requestBody?: { content?: Record<string, Content> };
  responses?: Record<string, { description?: string; headers?: object; content?: Record<string, Content> }>;
}

/** Says what a zod schema cannot: whole examples of bodies, the headers, and that problems have a media type of their own. */
export function completed(document: OpenApiDocument): OpenApiDocument {
  const { paths = {}, components } = document as {
    paths?: Record<string, Record<string, Operation>>;
    components?: { schemas?: Record<string, unknown>; examples?: Record<string, unknown> };
  };
  for (const [path, methods] of Object.entries(paths)) {
    for (const [method, operation] of Object.entries(methods)) describeHeaders(path, method, operation);
  }
  for (const { requestBody, responses } of Object.values(paths).flatMap((path) => Object.values(path))) {
    const body = requestBody?.content?.['application/json'];
    // A body without fields of its own brings a whole example.
    if (body) body.example = exampleOf(body.schema ?? {}) ?? body.example;
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
  // By name: otherwise they would come in the order in which the modules happen to be imported.
  if (components?.schemas) components.schemas = sortedByName(components.schemas);
  return document;
}

function sortedByName(schemas: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(schemas).sort(([one], [other]) => (one < other ? -1 : 1)));
}

const header = (description: string, example: string) => ({
  description,
  schema: { type: 'string', examples: [example] },
});

const ETAG = header('The stream revision; send it back as If-Match or If-None-Match.', '"1"');
const LOCATION = header(
  'Where the new resource is.',
  '/api/v1/accounts/01990d2e-7c1b-7a52-9d5e-0c8f7f4b1a02',
);
const TOKEN = header(
  'Send it with a GET to see this write. Absent when nothing had to change.',
  '9d09c79f2843644c:3',
);

const REPLAYED = header('The key was used before: this is the first answer again.', 'true');
const IDEMPOTENCY_KEY = {
  in: 'header',
  name: 'idempotency-key',
  required: false,
  description:
    'Makes it safe to send the request again: what was done under this key on the same account or person is not done ' +
    'twice. Another content under the key is refused, an amount that is written another way included; a request that ' +
    'was refused may be corrected and sent again.',
  schema: { type: 'string', minLength: 1, maxLength: 255 },
};

const KEY_OF_BATCH =
  'Names the items by their index, those apart that have a key of their own: a batch that is sent again under its key ' +
  'does what is missing, and nothing twice.';

/** Which headers a route takes and gives follows from its method: reads take the token that writes give. */
function describeHeaders(path: string, method: string, operation: Operation): void {
  if (!path.startsWith('/api/v1/')) return;
  const { responses = {} } = operation;
  if (method !== 'get') {
    // A batch has no one revision, and says item by item what was done before.
    const given = path.endsWith('/batch')
      ? { 'x-consistency-token': TOKEN }
      : { etag: ETAG, 'x-consistency-token': TOKEN, 'idempotent-replayed': REPLAYED };
    if (responses['200']) responses['200'].headers = given;
    for (const status of ['201', '202']) {
      const response = responses[status];
      if (response) response.headers = { ...given, location: LOCATION };
    }
    // A CloudEvent brings its own id, and its source.
    if (!path.endsWith('/cloud-events')) {
      const key = path.endsWith('/batch')
        ? { ...IDEMPOTENCY_KEY, description: KEY_OF_BATCH }
        : IDEMPOTENCY_KEY;
      operation.parameters = [...(operation.parameters ?? []), key];
    }
    if (!READS_FIRST.test(path)) return;
  }
  const description = 'The token of a write that the answer must show.';
  const token = {
    in: 'header',
    name: 'x-consistency-token',
    required: false,
    description,
    schema: { type: 'string' },
  };
  operation.parameters = [...(operation.parameters ?? []), token];
  if (method === 'get' && responses['200'] && SINGLE_DOCUMENT.test(path)) {
    responses['200'].headers = { etag: ETAG };
    responses['304'] = { description: 'If-None-Match named this revision.' };
  }
}

/** Commands that begin with a look at the read models. */
const READS_FIRST = /\/reversal$/;

/** Routes of one versioned document: they answer its revision as an ETag. */
const SINGLE_DOCUMENT =
  /^\/api\/v1\/((persons|accounts|transactions|transfers)\/\{id\}|accounts\/\{id\}\/holds\/\{hold_id\})$/;

/** Fields with which an example could be tried only once. */
const ONCE_ONLY: ReadonlySet<string> = new Set(['external_reference']);

/** The body that the examples of its fields make up. */
function exampleOf({ examples, anyOf, properties }: FieldSchema): unknown {
  if (!properties) return examples?.[0] ?? anyOf?.[0]?.examples?.[0];
  const fields = Object.entries(properties).filter(([name]) => !ONCE_ONLY.has(name));
  return Object.fromEntries(fields.map(([name, field]) => [name, exampleOf(field)]));
}

/** Gives a response that is a problem its media type, and an example for each code that its description lists. */
function asProblemJson(response: NonNullable<Operation['responses']>[string]): void {
  const json = response.content?.['application/json'];
  if (json?.schema?.$ref !== '#/components/schemas/Problem') return;
  const listed = [...(response.description ?? '').matchAll(/^`(\w+)`:/gm)].map(([, code]) => String(code));
  const examples = listed.map((code) => [code, { $ref: `#/components/examples/${code}` }]);
  response.content = { 'application/problem+json': { ...json, examples: Object.fromEntries(examples) } };
}

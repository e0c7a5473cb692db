/** Reads CloudEvents 1.0 out of a request, in binary, structured or batch mode (HTTP protocol binding 1.0). */
import { CloudEvent } from 'cloudevents';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { IncomingCloudEvent } from '../application/cloud-event-intake.ts';
import { checkInput } from '../application/fields.ts';
import { type Problem, ProblemException, problem } from './problems.ts';

export const STRUCTURED = 'application/cloudevents+json';
export const BATCH = 'application/cloudevents-batch+json';
export const BATCH_EVENTS_MAX = 100;

const ATTRIBUTE_HEADER = 'ce-';
/** Characters that no id or name has. */
const CONTROL = /\p{Cc}/u;

/** An event as it came, with its attributes checked. */
export interface ReadCloudEvent {
  readonly event: IncomingCloudEvent;
  readonly correlationId?: string | undefined;
  readonly traceparent?: string | undefined;
  /** JSON pointer to the data in the body. */
  readonly dataPointer: '' | '/data';
}

/** What is wrong with an event, beside what names it as far as that could be read. */
export interface UnreadCloudEvent {
  readonly problem: Problem;
  readonly id?: string | undefined;
}

export type CloudEventBody =
  | { readonly kind: 'single'; readonly event: ReadCloudEvent }
  | { readonly kind: 'batch'; readonly events: readonly (ReadCloudEvent | UnreadCloudEvent)[] };

/**
 * A body of plain JSON is an event's data where the attributes are in headers, and else the event itself or a batch.
 * @throws ProblemException `invalid_cloud_event` for a single event, `batch_too_large`
 */
export function readCloudEvents(request: FastifyRequest): CloudEventBody {
  const mediaType = request.headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase();
  const { body } = request;
  if (mediaType === BATCH || (mediaType !== STRUCTURED && !hasAttributes(request) && Array.isArray(body))) {
    return { kind: 'batch', events: readBatch(body) };
  }
  const read =
    mediaType === STRUCTURED || !hasAttributes(request) ? readStructured(body) : readBinary(request);
  if ('problem' in read) throw new ProblemException(read.problem);
  return { kind: 'single', event: read };
}

function hasAttributes({ headers }: FastifyRequest): boolean {
  return headers['ce-specversion'] !== undefined || headers['ce-id'] !== undefined;
}

function readBatch(body: unknown): (ReadCloudEvent | UnreadCloudEvent)[] {
  if (!Array.isArray(body)) throw invalid('A batch is an array of events.');
  if (body.length === 0 || body.length > BATCH_EVENTS_MAX) {
    throw new ProblemException(problem('batch_too_large', `A batch has 1 to ${BATCH_EVENTS_MAX} events.`));
  }
  return body.map(readStructured);
}

function readStructured(body: unknown): ReadCloudEvent | UnreadCloudEvent {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    return { problem: invalid('An event is a JSON object.').problem };
  }
  const { data, ...members } = body as Record<string, unknown>;
  // In the JSON format null means that there is no such attribute.
  const attributes = Object.entries(members).filter(([, value]) => value !== null);
  return read(Object.fromEntries(attributes), data, '/data');
}

function readBinary({ headers, body }: FastifyRequest): ReadCloudEvent | UnreadCloudEvent {
  const attributes: Record<string, unknown> = { datacontenttype: headers['content-type'] };
  for (const [name, value] of Object.entries(headers)) {
    if (!name.startsWith(ATTRIBUTE_HEADER)) continue;
    try {
      attributes[name.slice(ATTRIBUTE_HEADER.length)] = decodeURIComponent(String(value));
    } catch {
      return { problem: invalid(`The header ${name} is not percent-encoded UTF-8.`).problem };
    }
  }
  return read(attributes, body, '');
}

const name = (maximum: number) =>
  z
    .string()
    .min(1)
    .max(maximum)
    .refine(
      (value) => value.isWellFormed() && !CONTROL.test(value),
      'must be text without control characters.',
    );

/** What the bank itself relies on; the rest of the specification is the library's affair. */
const attributesSchema = z
  .object({
    specversion: z.literal('1.0'),
    id: name(200),
    source: name(500),
    type: name(200),
    datacontenttype: z
      .string()
      .regex(/^application\/([\w.-]+\+)?json\s*(;|$)/i, 'a JSON media type')
      .optional(),
    data_base64: z.custom((value) => value === undefined, 'must not be there: the data are JSON.').optional(),
  })
  .catchall(z.union([z.string(), z.number(), z.boolean()]));

function read(
  attributes: Record<string, unknown>,
  data: unknown,
  dataPointer: ReadCloudEvent['dataPointer'],
): ReadCloudEvent | UnreadCloudEvent {
  const id = typeof attributes.id === 'string' ? attributes.id.slice(0, 200) : undefined;
  const refused = (detail: string) => ({ problem: invalid(detail).problem, id });
  const checked = checkInput(attributesSchema, attributes);
  if (!checked.ok) {
    const [first] = checked.problems;
    return refused(`${first?.path.join('.')} ${first?.detail}`);
  }
  const breach = breachOf(attributes);
  if (breach !== undefined) return refused(breach);
  if (data === undefined || data === null) return refused('data is required.');
  const { source, type } = checked.value;
  const { correlationid, traceparent } = attributes;
  return {
    event: { id: checked.value.id, source, type, data },
    correlationId: typeof correlationid === 'string' ? correlationid : undefined,
    traceparent: typeof traceparent === 'string' ? traceparent : undefined,
    dataPointer,
  };
}

/** What breaks the specification: names and types of attributes, forms of URIs and times. */
function breachOf(attributes: Record<string, unknown>): string | undefined {
  try {
    new CloudEvent(attributes);
    return undefined;
  } catch (error) {
    const { errors } = error as { errors?: readonly { instancePath?: string; message?: string }[] };
    const [first] = errors ?? [];
    if (!first?.message) return 'An attribute is not as the CloudEvents specification has it.';
    return `${first.instancePath?.slice(1) || 'An attribute'} ${first.message}.`;
  }
}

function invalid(detail: string): ProblemException {
  return new ProblemException(problem('invalid_cloud_event', detail));
}

/** Routes of CloudEvents: the way in, and the schemas of what goes out. */
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Written } from '../../application/bank.ts';
import { type IntakeOutcome, receiveCloudEvent } from '../../application/cloud-event-intake.ts';
import { dataSchemaOf } from '../../application/cloud-events.ts';
import { BATCH, type ReadCloudEvent, readCloudEvents, STRUCTURED } from '../cloud-event-body.ts';
import { toProblem } from '../error-handler.ts';
import { addJsonParser } from '../json-body.ts';
import { contextOf, isTraceId, type Services, writtenHeaders } from '../messages.ts';
import type { ProblemCode } from '../problem-catalog.ts';
import { AMOUNT_CODES, BODY_CODES, DEBIT_CODES, LABEL_CODES, STORE_CODES } from '../problem-groups.ts';
import {
  inputProblem,
  type Problem,
  ProblemException,
  problem,
  rejectionProblem,
  sendProblem,
} from '../problems.ts';
import {
  type BatchIntakeItem,
  cloudEventBodySchema,
  dataSchemaSchema,
  type IntakeAnswer,
  intakeAnswerSchema,
} from '../schemas/cloud-events.ts';
import { problemResponses } from '../schemas/problems.ts';

/** A batch of the largest events that anybody needs, in bytes. */
const BODY_BYTES_MAX = 512 * 1024;
const TRACEPARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

/** Whatever the commands behind it may refuse, and what is wrong with the event itself. */
const INTAKE_CODES: readonly ProblemCode[] = [
  ...BODY_CODES,
  'invalid_cloud_event',
  'unknown_event_type',
  'batch_too_large',
  'idempotency_conflict',
  'person_not_found',
  ...LABEL_CODES,
  'account_not_found',
  'account_closed',
  'balance_not_zero',
  'holds_open',
  'overdraft_in_use',
  ...DEBIT_CODES,
  'balance_limit_exceeded',
  'birth_date_in_future',
  'birth_date_too_early',
  'unknown_currency',
  'amount_not_positive',
  'amount_negative',
  ...AMOUNT_CODES,
  'invalid_id',
  'invalid_date',
  'invalid_value',
  'invalid_format',
  'invalid_text',
  'too_short',
  'too_long',
  ...STORE_CODES,
];

type Received = { answer: IntakeAnswer; written: Written } | { problem: Problem };

/** The routes under `/api/v1`. */
export const cloudEventsController =
  (services: Services): FastifyPluginAsyncZod =>
  async (app) => {
    addJsonParser(app, [STRUCTURED, BATCH]);
    app.post(
      '/cloud-events',
      {
        bodyLimit: BODY_BYTES_MAX,
        schema: {
          operationId: 'receiveCloudEvents',
          tags: ['cloud events'],
          summary: 'Do what a CloudEvent asks for, or each of a batch, once by source and id',
          body: cloudEventBodySchema,
          response: {
            200: intakeAnswerSchema.describe(
              'Done. `idempotent-replayed: true` marks an answer that was given before; a batch says so item by item.',
            ),
            ...problemResponses(INTAKE_CODES),
          },
        },
      },
      async (request, reply) => {
        const body = readCloudEvents(request);
        if (body.kind === 'batch') return sendBatch(services, request, reply, body.events);
        const received = await receive(services, request, body.event);
        if ('problem' in received) throw new ProblemException(received.problem);
        return writtenHeaders(reply, received.written, services.readYourWrites).send(received.answer);
      },
    );

    app.get(
      '/cloud-events/schemas/:type',
      {
        schema: {
          operationId: 'getCloudEventSchema',
          tags: ['cloud events'],
          summary: "The JSON Schema of a published CloudEvent's data",
          params: z.strictObject({
            type: z
              .string()
              .max(200)
              .meta({ description: 'The `type` of the event.', examples: ['bank.transaction.v1'] }),
          }),
          response: { 200: dataSchemaSchema, ...problemResponses(['schema_not_found', 'too_long']) },
        },
      },
      async (request, reply) => {
        const schema = dataSchemaOf(request.params.type, services.cloudEventNames);
        if (!schema) return sendProblem(reply, problem('schema_not_found'));
        return reply.send(schema as z.output<typeof dataSchemaSchema>);
      },
    );
  };

/** One event after the other, because a later one may rely on an earlier one. Each has an answer of its own. */
async function sendBatch(
  services: Services,
  request: FastifyRequest,
  reply: FastifyReply,
  events: Extract<ReturnType<typeof readCloudEvents>, { kind: 'batch' }>['events'],
): Promise<FastifyReply> {
  const items: BatchIntakeItem[] = [];
  let newest: Written | undefined;
  for (const event of events) {
    const received = 'problem' in event ? event : await receiveInBatch(services, request, event);
    items.push(toItem('problem' in event ? event.id : event.event.id, received));
    if ('problem' in received) continue;
    const { position } = received.written;
    if (position !== undefined && position > (newest?.position ?? -1n)) newest = received.written;
  }
  const { readYourWrites } = services;
  if (newest?.position !== undefined) {
    reply.header('x-consistency-token', readYourWrites.token(newest.position));
  }
  return reply.send({ items });
}

function toItem(id: string | undefined, received: Received): BatchIntakeItem {
  const named = id === undefined ? {} : { id };
  if ('problem' in received) {
    const { problem } = received;
    return { ...named, status: problem.status, problem: problem as BatchIntakeItem['problem'] };
  }
  const { stream, revision, replayed, result } = received.answer;
  return { ...named, status: 200, stream, revision, replayed, result };
}

/** A store that fails for one event of a batch must not hide what became of the others. */
async function receiveInBatch(
  services: Services,
  request: FastifyRequest,
  event: ReadCloudEvent,
): Promise<Received> {
  try {
    return await receive(services, request, event);
  } catch (error) {
    request.log.error({ request_id: request.id, err: error }, 'an event of a batch failed');
    return { problem: toProblem(error as FastifyError) };
  }
}

async function receive(
  { mediator, cloudEventNames }: Services,
  request: FastifyRequest,
  read: ReadCloudEvent,
): Promise<Received> {
  const context = contextOf(request);
  const { correlationId, traceparent, event } = read;
  const outcome = await receiveCloudEvent(mediator, cloudEventNames, event, {
    correlation_id: correlationId && isTraceId(correlationId) ? correlationId : context.correlation_id,
    causation_id: isTraceId(event.id) ? event.id : context.causation_id,
    ...(traceparent && TRACEPARENT.test(traceparent) ? { traceparent } : {}),
  });
  return toReceived(outcome, read);
}

function toReceived(outcome: IntakeOutcome, { event, dataPointer }: ReadCloudEvent): Received {
  switch (outcome.kind) {
    case 'unknown_type':
      return { problem: problem('unknown_event_type', `No event of type ${event.type} asks for anything.`) };
    case 'invalid_data':
      return { problem: below(dataPointer, inputProblem(outcome.problems, 'body')) };
    case 'refused': {
      const place = { body: event.data, query: undefined };
      return { problem: below(dataPointer, rejectionProblem(outcome.rejection, place)) };
    }
    case 'done': {
      const { result, written } = outcome.intake;
      const { id, source, type } = event;
      const { stream, revision, replayed = false } = written;
      const answer = {
        id,
        source,
        type,
        stream,
        revision,
        replayed,
        result: result as IntakeAnswer['result'],
      };
      return { answer, written };
    }
  }
}

/** Pointers to fields of the data become pointers into the whole event. */
function below(dataPointer: string, found: Problem): Problem {
  const { errors } = found;
  if (!errors || dataPointer === '') return found;
  return { ...found, errors: errors.map((one) => ({ ...one, pointer: dataPointer + one.pointer })) };
}

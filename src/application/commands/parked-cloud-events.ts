/** Commands: ask the publisher to deliver parked events again, or to give them up. It acts when it meets the request. */
import { z } from 'zod';
import { accept } from '../../domain/decision.ts';
import type { DeadLetterSelection, OperatorRequest } from '../../event-sourcing/operator-requests.ts';
import type { Bank, Written } from '../bank.ts';
import { CLOUD_EVENT_PUBLISHER } from '../cloud-event-publisher.ts';
import { text } from '../fields.ts';
import { command, type Handler, type RequestContext } from '../mediator.ts';

const selection = {
  stream: z
    .string()
    .min(1)
    .max(250)
    .optional()
    .meta({
      description: 'Only those of this stream.',
      examples: ['bank-account-01990d2e7c1b7a529d5e0c8f7f4b1a02'],
    }),
};

const position = (description: string) =>
  z
    .string()
    .max(20)
    .regex(/^\d+$/, 'decimal digits')
    .optional()
    .meta({ description, examples: ['42'] });

const needsStream = (input: { stream?: string | undefined; position?: string | undefined }) =>
  input.position === undefined || input.stream !== undefined;
const STREAM_MISSING = {
  message: 'is required where there is a position.',
  path: ['stream'],
  params: { code: 'missing_field' },
};

export const replayFields = z
  .strictObject({
    ...selection,
    position: position('Up to this one of the stream, because its order is kept.'),
  })
  .refine(needsStream, STREAM_MISSING);

export const discardFields = z
  .strictObject({
    ...selection,
    position: position('Just this one of the stream.'),
    reason: text('Why, for the record.', 500, 'The consumer was told by other means.'),
  })
  .refine(needsStream, STREAM_MISSING);

type Result = { request: { action: 'replay' | 'discard'; revision: number } } & Written;

export const ReplayParkedCloudEvents = command<Result>()('ReplayParkedCloudEvents', replayFields);
export const DiscardParkedCloudEvents = command<Result>()('DiscardParkedCloudEvents', discardFields);

export function replayParkedCloudEventsHandler(bank: Bank): Handler<z.output<typeof replayFields>, Result> {
  return (input, context) =>
    record(bank, 'replay', { type: 'DeadLettersRetryRequestedV1', data: selected(input) }, context);
}

export function discardParkedCloudEventsHandler(bank: Bank): Handler<z.output<typeof discardFields>, Result> {
  return (input, context) => {
    const data = { ...selected(input), reason: input.reason };
    return record(bank, 'discard', { type: 'DeadLettersDiscardRequestedV1', data }, context);
  };
}

function selected({ stream, position }: z.output<typeof replayFields>): DeadLetterSelection {
  return {
    consumer: CLOUD_EVENT_PUBLISHER,
    ...(stream === undefined ? {} : { document_key: stream }),
    ...(position === undefined ? {} : { position }),
  };
}

async function record(
  { operatorRequests }: Bank,
  action: 'replay' | 'discard',
  request: OperatorRequest,
  { expectedRevision: _unused, ...context }: RequestContext,
) {
  const written = await operatorRequests.record(request, context);
  return accept({ request: { action, revision: written.revision }, ...written });
}

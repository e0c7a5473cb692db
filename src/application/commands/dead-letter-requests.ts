/** Commands: ask for dead letters of projections to be tried again, or to be given up. Whoever leads them acts on it. */
import { z } from 'zod';
import { accept, type Decision, reject } from '../../domain/decision.ts';
import { NO_PROJECTION } from '../../event-sourcing/dead-letter.ts';
import type { DeadLettersRequest } from '../../event-sourcing/operator-requests.ts';
import type { DeadLetter } from '../../event-sourcing/read-model-store.ts';
import { projections } from '../../projections/index.ts';
import type { Bank, Written } from '../bank.ts';
import { text } from '../fields.ts';
import { command, type Handler, type RequestContext } from '../mediator.ts';
import { deadLetterId, deadLetterOf } from '../queries/dead-letters.ts';

export const deadLetterIdFields = z.strictObject({
  id: z
    .string()
    .max(1_000)
    .meta({
      description: 'As the list of dead letters names it.',
      examples: [deadLetterId({ projection: 'bank_accounts', position: 42n, documentKey: '01990d2e' })],
    }),
});

export const discardReasonFields = z.strictObject({
  reason: text('Why, for the record.', 500, 'The event was a mistake; the account was corrected by hand.'),
});

export const retryDeadLettersFields = z.strictObject({
  projection: z
    .string()
    .max(100)
    .optional()
    .meta({ description: 'Only those of this projection.', examples: ['bank_accounts'] }),
});

export const retryDeadLetterFields = deadLetterIdFields;
export const discardDeadLetterFields = deadLetterIdFields.extend(discardReasonFields.shape);

type Result = { request: { action: 'retry' | 'discard'; projections: string[] } } & Written;

export const RetryDeadLetters = command<Result>()('RetryDeadLetters', retryDeadLettersFields);
export const RetryDeadLetter = command<Result>()('RetryDeadLetter', retryDeadLetterFields);
export const DiscardDeadLetter = command<Result>()('DiscardDeadLetter', discardDeadLetterFields);

export function retryDeadLettersHandler(
  bank: Bank,
): Handler<z.output<typeof retryDeadLettersFields>, Result> {
  return async ({ projection }, context) => {
    const known = projections.map(({ name }) => name);
    if (projection !== undefined && !known.includes(projection)) {
      return reject('projection_not_found', `There is no projection ${projection}.`);
    }
    const names: string[] = [];
    for (const name of projection === undefined ? known : [projection]) {
      const [letter] = await bank.readModels.listDeadLetters({ projection: name, limit: 1 });
      if (letter) names.push(name);
    }
    let written: Written = { stream: '', revision: -1 };
    for (const consumer of names) {
      written = await record(bank, { type: 'DeadLettersRetryRequestedV1', data: { consumer } }, context);
    }
    return accept({ request: { action: 'retry', projections: names }, ...written });
  };
}

export function retryDeadLetterHandler(bank: Bank): Handler<z.output<typeof retryDeadLetterFields>, Result> {
  return async ({ id }, context) => {
    const found = await find(bank, id);
    if (!found.ok) return found;
    const { projection, documentKey } = found.value;
    if (projection === NO_PROJECTION || documentKey === '') {
      return reject(
        'dead_letter_not_retriable',
        'Which document it would touch is not known, and others have gone on: rebuild the projection instead.',
      );
    }
    const data = selectionOf(found.value);
    const written = await record(bank, { type: 'DeadLettersRetryRequestedV1', data }, context);
    return accept({ request: { action: 'retry', projections: [projection] }, ...written });
  };
}

export function discardDeadLetterHandler(
  bank: Bank,
): Handler<z.output<typeof discardDeadLetterFields>, Result> {
  return async ({ id, reason }, context) => {
    const found = await find(bank, id);
    if (!found.ok) return found;
    const data = { ...selectionOf(found.value), reason };
    const written = await record(bank, { type: 'DeadLettersDiscardRequestedV1', data }, context);
    return accept({ request: { action: 'discard', projections: [found.value.projection] }, ...written });
  };
}

function selectionOf({ projection, documentKey, position }: DeadLetter) {
  return { consumer: projection, document_key: documentKey, position: String(position) };
}

async function find({ readModels }: Bank, id: string): Promise<Decision<DeadLetter>> {
  const wanted = deadLetterOf(id);
  const { projection = '', documentKey = '', position = 0n } = wanted ?? {};
  const after = { position: position - 1n, projection, documentKey };
  const [found] = wanted
    ? await readModels.listDeadLetters({ projection, documentKey, after, limit: 1 })
    : [];
  return found?.position === position
    ? accept(found)
    : reject('dead_letter_not_found', 'There is no such dead letter, or no more.');
}

function record(
  { operatorRequests }: Bank,
  request: DeadLettersRequest,
  { expectedRevision: _unused, ...context }: RequestContext,
) {
  return operatorRequests.record(request, context);
}

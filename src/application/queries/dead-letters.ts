/** Query: the events that a projection could not apply, oldest first. */
import { z } from 'zod';
import { accept } from '../../domain/decision.ts';
import type { DeadLetter } from '../../event-sourcing/read-model-store.ts';
import type { Bank } from '../bank.ts';
import { type Handler, query } from '../mediator.ts';
import { pageFields } from './paging.ts';

/** An event that a projection could not apply, as operators see it. */
export interface DeadLetterListing {
  readonly projection: string;
  readonly document_key: string;
  readonly stream: string;
  readonly revision: number;
  readonly position: string;
  readonly event_id: string;
  readonly event_type: string;
  readonly cause: string;
  readonly attempts: number;
  readonly dead_since: string;
}

export const deadLetterFields = z.strictObject({
  limit: pageFields.limit,
  projection: z.string().max(100).optional().meta({ description: 'Only those of this projection.' }),
});

export const ListDeadLetters = query<{ items: DeadLetterListing[] }>()('ListDeadLetters', deadLetterFields);

export function listDeadLettersHandler(
  bank: Bank,
): Handler<z.output<typeof deadLetterFields>, { items: DeadLetterListing[] }> {
  return async ({ limit, projection }) => {
    const found = await bank.readModels.listDeadLetters({ limit, ...(projection ? { projection } : {}) });
    return accept({ items: found.map(toDeadLetterListing) });
  };
}

function toDeadLetterListing(letter: DeadLetter): DeadLetterListing {
  return {
    projection: letter.projection,
    document_key: letter.documentKey,
    stream: letter.stream,
    revision: letter.revision,
    position: String(letter.position),
    event_id: letter.eventId,
    event_type: letter.eventType,
    cause: letter.cause,
    attempts: letter.attempts,
    dead_since: letter.deadSince,
  };
}

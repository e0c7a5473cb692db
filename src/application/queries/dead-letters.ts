/** Query: the events that a projection could not apply, oldest first. */
import { z } from 'zod';
import { accept } from '../../domain/decision.ts';
import type { DeadLetter } from '../../event-sourcing/read-model-store.ts';
import type { Bank } from '../bank.ts';
import { type Handler, query } from '../mediator.ts';
import { pageFields } from './paging.ts';

/** An event that a projection could not apply, as operators see it. */
export interface DeadLetterListing {
  readonly id: string;
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

type Named = Pick<DeadLetter, 'projection' | 'documentKey' | 'position'>;

/** The name of a dead letter in URLs. */
export function deadLetterId({ projection, position, documentKey }: Named): string {
  return Buffer.from(`${projection} ${position} ${documentKey}`).toString('base64url');
}

/** What a name stands for; `undefined` where it is none. */
export function deadLetterOf(id: string): Named | undefined {
  const [, projection, position, documentKey] =
    /^(\S+) (\d{1,18}) (.*)$/.exec(Buffer.from(id, 'base64url').toString()) ?? [];
  if (projection === undefined || position === undefined || documentKey === undefined) return undefined;
  const named = { projection, position: BigInt(position), documentKey };
  return deadLetterId(named) === id ? named : undefined;
}

function toDeadLetterListing(letter: DeadLetter): DeadLetterListing {
  return {
    id: deadLetterId(letter),
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

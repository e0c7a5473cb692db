/** Query: the events that could not be published and are parked, oldest first. */
import { z } from 'zod';
import { accept } from '../../domain/decision.ts';
import { type HeldStream, isHeld, reactorCollection } from '../../event-sourcing/reactor-journal.ts';
import type { DeadLetter, ReadModelReader } from '../../event-sourcing/read-model-store.ts';
import type { Bank } from '../bank.ts';
import { CLOUD_EVENT_PUBLISHER } from '../cloud-event-publisher.ts';
import { type Handler, query } from '../mediator.ts';
import { pageFields } from './paging.ts';

/** A parked event, as operators see it. */
export interface ParkedCloudEvent {
  readonly stream: string;
  readonly revision: number;
  readonly position: string;
  readonly event_id: string;
  readonly event_type: string;
  /** Why, as of the newest try; `waits_for_earlier` for one that only waits. */
  readonly cause: string;
  readonly attempts: number;
  readonly parked_at: string;
}

export const parkedCloudEventFields = z.strictObject({
  limit: pageFields.limit,
  stream: z.string().max(250).optional().meta({ description: 'Only those of this stream.' }),
});

export const ListParkedCloudEvents = query<{ items: ParkedCloudEvent[] }>()(
  'ListParkedCloudEvents',
  parkedCloudEventFields,
);

export function listParkedCloudEventsHandler({
  publisherState,
}: Bank): Handler<z.output<typeof parkedCloudEventFields>, { items: ParkedCloudEvent[] }> {
  return async ({ limit, stream }) => {
    // Without a sink nothing is published, and so nothing can be parked.
    if (!publisherState) return accept({ items: [] });
    const letters = await publisherState.listDeadLetters({
      projection: CLOUD_EVENT_PUBLISHER,
      limit,
      ...(stream === undefined ? {} : { documentKey: stream }),
    });
    const held = await heldStreams(publisherState, letters);
    return accept({ items: letters.map((letter) => toParked(letter, held.get(letter.documentKey))) });
  };
}

async function heldStreams(
  state: ReadModelReader,
  letters: readonly DeadLetter[],
): Promise<Map<string, HeldStream>> {
  const held = new Map<string, HeldStream>();
  for (const stream of new Set(letters.map(({ documentKey }) => documentKey))) {
    const stored = await state.get<HeldStream>(reactorCollection(CLOUD_EVENT_PUBLISHER), stream);
    if (isHeld(stored)) held.set(stream, stored.document);
  }
  return held;
}

/** A letter stays as it was written; what the newest try said stands with its stream. */
function toParked(letter: DeadLetter, held: HeldStream | undefined): ParkedCloudEvent {
  const { cause, attempts } = held?.held_by === String(letter.position) ? held : letter;
  return {
    stream: letter.stream,
    revision: letter.revision,
    position: String(letter.position),
    event_id: letter.eventId,
    event_type: letter.eventType,
    cause,
    attempts,
    parked_at: letter.deadSince,
  };
}

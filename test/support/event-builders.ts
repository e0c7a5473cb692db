/** Small builders for tests that write and read events. */
import { randomUUID } from 'node:crypto';
import type {
  EventMetadata,
  EventReader,
  EventStore,
  ExpectedRevision,
  NewEvent,
  Position,
} from '../../src/event-sourcing/event-store.ts';

/** An event that any store takes; what a test cares about, it passes itself. */
export function newEvent(overrides: Partial<NewEvent> = {}): NewEvent {
  return {
    id: randomUUID(),
    type: 'ThingHappenedDomainEventV1',
    data: { amount: '1.00', currency: 'USD' },
    metadata: newMetadata(),
    ...overrides,
  };
}

/** Several events whose data number them, so that a mixed-up order shows. */
export function newEvents(count: number, overrides: Partial<NewEvent> = {}): NewEvent[] {
  return Array.from({ length: count }, (_, number) => newEvent({ data: { number }, ...overrides }));
}

export function newMetadata(overrides: Partial<EventMetadata> = {}): EventMetadata {
  return {
    aggregate_type: 'thing',
    aggregate_id: randomUUID(),
    timestamp: '2026-01-02T03:04:05.678Z',
    correlation_id: randomUUID(),
    causation_id: randomUUID(),
    ...overrides,
  };
}

/** A name that no other test, run or program uses: stores under test may be shared. */
export function uniqueName(what: string): string {
  return `${what}-${randomUUID().replaceAll('-', '').slice(0, 12)}`;
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}

export function idsOf(events: readonly { readonly id: string }[]): string[] {
  return events.map((event) => event.id);
}

/** The ids in a stream, oldest first. */
export async function idsIn(reader: EventReader, stream: string): Promise<string[]> {
  return idsOf(await collect(reader.readStream(stream)));
}

/** Whether positions rise strictly: in commit order and none twice. */
export function areIncreasing(positions: readonly Position[]): boolean {
  return positions.every((position, index) => index === 0 || position > (positions[index - 1] as Position));
}

/** Appends where the test knows that it must succeed. */
export async function mustAppend(
  store: EventStore,
  stream: string,
  events: readonly NewEvent[],
  expected: ExpectedRevision,
): Promise<{ revision: number; position: Position }> {
  const result = await store.append(stream, events, expected);
  if (!result.ok) throw new Error(`${stream}: expected ${expected}, but it is at ${result.conflict.actual}.`);
  return { revision: result.revision, position: result.position };
}

/** Fills a new stream in appends of 100; answers where its last event is. */
export async function fillStream(store: EventStore, stream: string, events: readonly NewEvent[]) {
  let last = await mustAppend(store, stream, events.slice(0, 100), 'no_stream');
  for (let start = 100; start < events.length; start += 100) {
    last = await mustAppend(store, stream, events.slice(start, start + 100), last.revision);
  }
  return last;
}

/** The one way in and out of the log: domain events become stored events here, and old versions become current ones. */
import type { RecordedEvent } from './event-store.ts';
import { StoreError } from './store-error.ts';

export interface DomainEvent {
  readonly type: string;
  readonly data: object;
}

/** A domain event together with where and when it was recorded. */
export type Recorded<E extends DomainEvent> = E extends DomainEvent
  ? E & Omit<RecordedEvent, 'type' | 'data'>
  : never;

/** Turns the data of one old event version into the next version's event. */
export type Upcaster = (data: never) => DomainEvent;

export interface EventCodec<E extends DomainEvent> {
  encode(event: E): { type: string; data: object };
  /** @throws StoreError `corrupt` for a type that this program does not know: it must not be skipped in silence. */
  decode(recorded: RecordedEvent): Recorded<E>;
}

/**
 * @param types the current version of every event
 * @param upcasters by the type name that they read; each leads one step towards a current version
 */
export function createCodec<E extends DomainEvent>(
  types: readonly E['type'][],
  upcasters: Readonly<Record<string, Upcaster>> = {},
): EventCodec<E> {
  const current = new Set<string>(types);
  return {
    encode: (event) => event,
    decode(recorded) {
      if (current.has(recorded.type)) return recorded as unknown as Recorded<E>;
      return { ...recorded, ...upcast(recorded, current, upcasters) } as unknown as Recorded<E>;
    },
  };
}

function upcast(
  recorded: RecordedEvent,
  current: ReadonlySet<string>,
  upcasters: Readonly<Record<string, Upcaster>>,
): DomainEvent {
  let event: DomainEvent = recorded;
  const steps = Object.keys(upcasters).length;
  for (let step = 0; step < steps && !current.has(event.type); step += 1) {
    // Only own names: `constructor` is no upcaster.
    const upcaster = Object.hasOwn(upcasters, event.type) ? upcasters[event.type] : undefined;
    if (!upcaster) break;
    event = upcaster(event.data as never);
  }
  if (current.has(event.type)) return event;
  const { stream, revision } = recorded;
  throw new StoreError(
    'corrupt',
    `${event.type}, at revision ${revision} of ${stream}, is an event type that this program does not know.`,
    { place: { stream, revision } },
  );
}

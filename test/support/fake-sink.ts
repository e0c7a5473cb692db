/** A sink in memory: notes what reached it, and fails as a test says. */
import type { RecordedEvent } from '../../src/event-sourcing/event-store.ts';
import type { DeliveryOutcome, Failure } from '../../src/event-sourcing/reactor-delivery.ts';

/** Says how one try fails, or nothing when it gets through. */
export type SinkFault = (
  event: RecordedEvent,
  tries: number,
) => Failure | undefined | Promise<Failure | undefined>;

export const refused: Failure = { kind: 'refused', reason: 'the sink answered 422' };
export const unreachable: Failure = { kind: 'unreachable', reason: 'connection refused' };
export const busy: Failure = { kind: 'busy', reason: 'the sink answered 429' };

export class FakeSink {
  readonly delivered: RecordedEvent[] = [];
  readonly #tries = new Map<string, number>();
  fault: SinkFault = () => undefined;
  inFlight = 0;
  inFlightMax = 0;

  readonly deliver = async (event: RecordedEvent, signal: AbortSignal): Promise<DeliveryOutcome> => {
    this.inFlight += 1;
    this.inFlightMax = Math.max(this.inFlightMax, this.inFlight);
    try {
      const tries = this.triesOf(event.id) + 1;
      this.#tries.set(event.id, tries);
      const failure = await this.fault(event, tries);
      if (signal.aborted) return { kind: 'unreachable', reason: 'stopped' };
      if (failure) return failure;
      this.delivered.push(event);
      return { kind: 'delivered' };
    } finally {
      this.inFlight -= 1;
    }
  };

  triesOf(eventId: string): number {
    return this.#tries.get(eventId) ?? 0;
  }

  /** The revisions that a stream's events had, in the order in which they arrived. */
  revisionsOf(stream: string): number[] {
    return this.delivered.filter((event) => event.stream === stream).map(({ revision }) => revision);
  }
}

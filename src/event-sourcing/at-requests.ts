/** Divides what the log brings at the requests of operators, which are obeyed at their place. */
import type { RecordedEvent, SubscriptionBatch } from './event-store.ts';
import { type DeadLettersRequest, OPERATOR_STREAM_PREFIX, toOperatorRequest } from './operator-requests.ts';

export interface BatchPart extends SubscriptionBatch {
  /** What comes right behind these events. */
  readonly request?: { readonly event: RecordedEvent; readonly asked: DeadLettersRequest };
}

/**
 * The parts of a batch, without any event of operators. A part that ends at a request has the position of its own last
 * event, or 0 where it has none.
 * @param consumers the names whose requests count
 */
export function atRequests(batch: SubscriptionBatch, consumers: ReadonlySet<string>): readonly BatchPart[] {
  if (!batch.events.some(isOfOperators)) return [batch];
  const parts: BatchPart[] = [];
  let events: RecordedEvent[] = [];
  for (const event of batch.events) {
    if (!isOfOperators(event)) {
      events.push(event);
      continue;
    }
    const asked = toOperatorRequest(event);
    if (!asked || !consumers.has(asked.data.consumer)) continue;
    const position = events.at(-1)?.position ?? 0n;
    parts.push({ events, position, caughtUp: false, request: { event, asked } });
    events = [];
  }
  return [...parts, { ...batch, events }];
}

function isOfOperators({ stream }: RecordedEvent): boolean {
  return stream.startsWith(OPERATOR_STREAM_PREFIX);
}

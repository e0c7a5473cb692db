/** Which operation each event of a stream belongs to: one key, one effect. */
import { type Accuse, dayOf, type RawEvent } from './raw-event.ts';

interface Seen {
  readonly hash: string | undefined;
  readonly timestamp: string;
  lastRevision: number;
  effects: number;
}

export class OperationLedger {
  /** By stream and key. */
  readonly #seen = new Map<string, Seen>();

  observe(event: RawEvent, accuse: Accuse): void {
    const { metadata } = event;
    this.#observe(event, metadata.idempotency_key, metadata.idempotency_hash, accuse);
    this.#observe(event, metadata.idempotency_alias, metadata.idempotency_alias_hash, accuse);
  }

  #observe(event: RawEvent, key: string | undefined, hash: string | undefined, accuse: Accuse): void {
    if (key === undefined) return;
    const { timestamp } = event.metadata;
    const name = `${event.stream} ${key}`;
    const seen = this.#seen.get(name) ?? { hash, timestamp, lastRevision: event.revision - 1, effects: 0 };
    this.#seen.set(name, seen);
    if (seen.hash !== hash) accuse(`key ${key} stands for two requests`);
    if (seen.timestamp !== timestamp || seen.lastRevision !== event.revision - 1) {
      accuse(`key ${key} was used again on ${dayOf(timestamp)}`);
    }
    seen.lastRevision = event.revision;
    if (isOwnEffect(event, seen.effects)) seen.effects += 1;
    if (seen.effects > 1) accuse(`key ${key} had ${seen.effects} effects`);
  }
}

/** Some events come beside another one: holds that have expired, the deposit of an opening, the posting of a capture. */
function isOwnEffect({ type, data, revision }: RawEvent, before: number): boolean {
  if (type === 'BankAccountHoldReleasedDomainEventV1')
    return (data as { reason: string }).reason !== 'EXPIRED';
  if (type === 'BankAccountHoldCapturedDomainEventV1') return false;
  const isOpeningDeposit =
    type === 'BankAccountTransactionRecordedDomainEventV1' && revision === 1 && before === 1;
  return !isOpeningDeposit;
}

/** Accounts as they were: temporal replay over their streams. */
import type { BankAccount, BankAccountEvent } from '../domain/bank-account.ts';
import type { BankEvent } from '../domain/bank-event.ts';
import type { DomainEvent, EventCodec } from '../event-sourcing/codec.ts';
import type { EventReader } from '../event-sourcing/event-store.ts';
import type { SnapshotHistory } from '../event-sourcing/snapshots/snapshot-history.ts';
import { TemporalReplay } from '../event-sourcing/temporal-replay.ts';
import { bankAccountType } from './bank.ts';

/** @param snapshots what was kept of accounts on the way; without it the first question about a stream reads all of it */
export function pastAccounts(
  reader: EventReader,
  codec: EventCodec<BankEvent>,
  snapshots?: SnapshotHistory<BankAccount>,
): TemporalReplay<BankAccount, BankAccountEvent> {
  return new TemporalReplay({
    reader,
    codec: codec as EventCodec<DomainEvent> as EventCodec<BankAccountEvent>,
    aggregate: bankAccountType,
    sizeOf: ({ holds, reversed }) => Object.keys(holds).length + Object.keys(reversed).length,
    ...(snapshots ? { snapshots } : {}),
  });
}

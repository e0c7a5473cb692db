/** The bank's events as they stand in the log, built by hand: no decision of the program is involved. */
import type {
  AccountType,
  BankAccountEvent,
  Direction,
  TransactionRecorded,
} from '../../src/domain/bank-account.ts';
import type { Person } from '../../src/domain/person.ts';
import type { NewEvent, RecordedEvent } from '../../src/event-sourcing/event-store.ts';
import { newEvent, newMetadata } from './event-builders.ts';

export const ALICE: Person = {
  first_name: 'Alice',
  last_name: 'Smith',
  date_of_birth: '1990-05-15',
  nationality: 'US',
  gender: 'FEMALE',
};

export type PostedFields = Pick<
  TransactionRecorded['data'],
  'amount' | 'currency' | 'direction' | 'balance'
> &
  Partial<TransactionRecorded['data']>;

/** A posting of the direction's usual kind. */
export function posted(transactionId: string, fields: PostedFields): BankAccountEvent {
  const type = fields.direction === 'CREDIT' ? 'DEPOSIT' : 'WITHDRAWAL';
  const data = {
    transaction_id: transactionId,
    type,
    description: `posting ${transactionId}`,
    ...fields,
  } as const;
  return { type: 'BankAccountTransactionRecordedDomainEventV1', data };
}

export function usd(direction: Direction, amount: string, balance: string): PostedFields {
  return { direction, amount, balance, currency: 'USD' };
}

export function created(
  owner: string,
  fields: { overdraft_limit?: string; account_type?: AccountType; currency?: string } = {},
): BankAccountEvent {
  const data = {
    owner_id: owner,
    overdraft_limit: '0.00',
    account_type: 'CHECKING',
    currency: 'USD',
    ...fields,
  };
  return { type: 'BankAccountCreatedDomainEventV2', data: data as never };
}

/** A log that numbers its events; each is a minute after the one before. */
export class BankLog {
  readonly events: RecordedEvent[] = [];
  readonly #revisions = new Map<string, number>();

  registered(id: string, person: Person = ALICE): this {
    return this.add('Person', `person-${id}`, id, { type: 'PersonRegisteredDomainEventV1', data: person });
  }

  account(id: string, ...events: readonly BankAccountEvent[]): this {
    for (const event of events) this.add('BankAccount', `bank-account-${id}`, id, event);
    return this;
  }

  /** An account as the first version of the program opened it. */
  accountV1(id: string, owner: string, overdraftLimit: string | number): this {
    const data = { owner_id: owner, overdraft_limit: overdraftLimit };
    return this.add('BankAccount', `bank-account-${id}`, id, {
      type: 'BankAccountCreatedDomainEventV1',
      data,
    });
  }

  add(aggregate: string, stream: string, id: string, event: Pick<NewEvent, 'type' | 'data'>): this {
    const revision = (this.#revisions.get(stream) ?? -1) + 1;
    this.#revisions.set(stream, revision);
    const at = timeOf(this.events.length);
    const metadata = newMetadata({ aggregate_type: aggregate, aggregate_id: id, timestamp: at });
    const position = BigInt(this.events.length + 1);
    this.events.push({ ...newEvent({ ...event, metadata }), stream, revision, position, recordedAt: at });
    return this;
  }
}

/** When the event at an index of a log happened. */
export function timeOf(index: number): string {
  return new Date(Date.UTC(2026, 0, 1) + index * 60_000).toISOString();
}

/** Streams of a bank as a test wants them, the wrong ones too: written into its event store before the bank starts. */
import { randomUUID } from 'node:crypto';
import type { EventStore, NewEvent } from '../../src/event-sourcing/event-store.ts';
import { mustAppend, newEvent, newMetadata } from './event-builders.ts';

export interface StoredStreams {
  /** 150 events, none of them wrong, and no snapshot. */
  readonly long: string;
  /** With an event of a type that nobody knows at revision 1. */
  readonly unknownType: string;
  /** Opened by an event of version 1 that cannot be made one of version 2. */
  readonly failingUpcast: string;
  /** With revisions 0 to 3; a test makes the gap. */
  readonly willHaveGap: string;
  /** With revisions 0 to 3; a test cuts off the first two. */
  readonly willBeCut: string;
}

const OPENED = {
  type: 'BankAccountCreatedDomainEventV2',
  data: { overdraft_limit: '0.00', account_type: 'CHECKING', currency: 'USD' },
};

/** @param at when all of it happened, RFC 3339 UTC */
export async function storeStreams(store: EventStore, at: string): Promise<StoredStreams> {
  const owner = randomUUID();
  const event = (id: string, aggregate: string, { type, data }: Pick<NewEvent, 'type' | 'data'>) =>
    newEvent({
      type,
      data,
      metadata: newMetadata({ aggregate_type: aggregate, aggregate_id: id, timestamp: at }),
    });
  const account = async (...events: readonly Pick<NewEvent, 'type' | 'data'>[]) => {
    const id = randomUUID();
    const stream = `bank-account-${id.replaceAll('-', '')}`;
    await mustAppend(
      store,
      stream,
      events.map((one) => event(id, 'BankAccount', one)),
      'no_stream',
    );
    return stream;
  };
  const opened = { ...OPENED, data: { ...OPENED.data, owner_id: owner } };
  const deposits = (count: number) => Array.from({ length: count }, (_, index) => deposit(index + 1));
  const person = { first_name: 'Alice', last_name: 'Smith', date_of_birth: '1990-05-15' };
  const registered = {
    type: 'PersonRegisteredDomainEventV1',
    data: { ...person, nationality: 'US', gender: 'FEMALE' },
  };
  const ownStream = `person-${owner.replaceAll('-', '')}`;
  await mustAppend(store, ownStream, [event(owner, 'Person', registered)], 'no_stream');
  return {
    long: await account(opened, ...deposits(149)),
    unknownType: await account(opened, { type: 'BankAccountTeleportedDomainEventV9', data: {} }),
    failingUpcast: await account({
      type: 'BankAccountCreatedDomainEventV1',
      data: { owner_id: owner, overdraft_limit: 'a lot' },
    }),
    willHaveGap: await account(opened, ...deposits(3)),
    willBeCut: await account(opened, ...deposits(3)),
  };
}

function deposit(times: number): Pick<NewEvent, 'type' | 'data'> {
  return {
    type: 'BankAccountTransactionRecordedDomainEventV1',
    data: {
      transaction_id: randomUUID(),
      type: 'DEPOSIT',
      amount: '1.00',
      currency: 'USD',
      direction: 'CREDIT',
      balance: `${times}.00`,
      description: 'a deposit',
    },
  };
}

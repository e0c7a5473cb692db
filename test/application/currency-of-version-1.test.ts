/** What the events of old accounts tell of their currency. */
import { expect, it, onTestFinished } from 'vitest';
import { openSqliteEventStore } from '../../src/adapters/sqlite/event-store.ts';
import { version1Accounts } from '../../src/application/currency-of-version-1.ts';
import { type BankAccountEvent, bankAccountStream } from '../../src/domain/bank-account.ts';
import type { EventStore, NewEvent } from '../../src/event-sourcing/event-store.ts';
import { newId } from '../../src/new-id.ts';
import { created, posted, usd } from '../support/bank-events.ts';
import { mustAppend, newEvent } from '../support/event-builders.ts';
import { storeVersion1Account } from '../support/version-1-account.ts';

function newStore(): EventStore {
  const store = openSqliteEventStore({ kind: 'memory' });
  onTestFinished(() => store.close());
  return store;
}

async function append(store: EventStore, events: readonly Pick<NewEvent, 'type' | 'data'>[]) {
  const written = events.map(({ type, data }) => newEvent({ type, data }));
  await mustAppend(store, bankAccountStream(newId()), written, 'no_stream');
}

const OLD: Pick<NewEvent, 'type' | 'data'> = {
  type: 'BankAccountCreatedDomainEventV1',
  data: { owner_id: newId(), overdraft_limit: '10.00' },
};
const NEW: readonly BankAccountEvent[] = [created(newId()), posted(newId(), usd('CREDIT', '1.00', '1.00'))];

it('is that of the first posting to an account of version 1, and no other account has a say', async () => {
  const store = newStore();
  await append(store, [OLD]);
  await append(store, NEW);
  const id = await storeVersion1Account(store, 'EUR');
  await append(store, NEW);
  expect(await version1Accounts(store)).toEqual({
    evidence: { currency: 'EUR', stream: bankAccountStream(id), revision: 1 },
  });
});

it('is not known of an empty store, without old accounts, and while nothing was posted to them', async () => {
  const store = newStore();
  expect(await version1Accounts(store)).toBeUndefined();
  await mustAppend(store, 'person-1', [newEvent()], 'no_stream');
  expect(await version1Accounts(store)).toBeUndefined();
  const newer = newStore();
  await append(newer, NEW);
  expect(await version1Accounts(newer)).toBeUndefined();
  await storeVersion1Account(store, 'EUR', 1);
  await append(store, NEW);
  expect(await version1Accounts(store)).toEqual({ evidence: undefined });
});

it('does not read on where the first account is a newer one', async () => {
  const store = newStore();
  await append(store, NEW);
  let batches = 0;
  const reader = {
    headPosition: () => store.headPosition(),
    async *subscribeToAll(options: Parameters<EventStore['subscribeToAll']>[0]) {
      for await (const batch of store.subscribeToAll(options)) {
        batches += 1;
        yield { ...batch, caughtUp: false };
      }
    },
  };
  expect(await version1Accounts(reader)).toBeUndefined();
  expect(batches).toBe(1);
});

/** Whether the configured currency is that of old accounts, where the store cannot tell all. */
import { expect, it, onTestFinished } from 'vitest';
import { openSqliteEventStore } from '../../src/adapters/sqlite/event-store.ts';
import { confirmCurrency, confirmReadersCurrency } from '../../src/composition/confirm-currency.ts';
import { ConfigError } from '../../src/config.ts';
import type { EventStore } from '../../src/event-sourcing/event-store.ts';
import { StoreError, type StoreErrorCode } from '../../src/event-sourcing/store-error.ts';
import { newId } from '../../src/new-id.ts';
import { created } from '../support/bank-events.ts';
import { collect, mustAppend, newEvent } from '../support/event-builders.ts';
import { storeVersion1Account } from '../support/version-1-account.ts';
import { WatchedEventStore } from '../support/watched-event-store.ts';

async function storeThatFails(code: StoreErrorCode) {
  const live = openSqliteEventStore({ kind: 'memory' });
  onTestFinished(() => live.close());
  await storeVersion1Account(live, 'EUR');
  const headPosition = () => Promise.reject(new StoreError(code, 'It cannot be read.'));
  return { live, events: { headPosition } as unknown as EventStore };
}

it('asks the store alone when the archive is damaged, for that keeps no bank from its work', async () => {
  const opened = await storeThatFails('archive_damaged');
  await confirmCurrency(opened, 'EUR');
  await expect(confirmCurrency(opened, 'USD')).rejects.toThrow(ConfigError);
});

it('does not take a store that cannot be read for one without old accounts', async () => {
  const opened = await storeThatFails('unavailable');
  await expect(confirmCurrency(opened, 'EUR')).rejects.toMatchObject({ code: 'unavailable' });
});

async function bankWith(events: number) {
  const live = openSqliteEventStore({ kind: 'memory' });
  onTestFinished(() => live.close());
  await storeVersion1Account(live, 'EUR', events);
  return { live, events: live };
}

const noted = async ({ live }: { live: EventStore }) =>
  (await collect(live.readStream('operator-default-currency'))).map(({ data }) => data);

it('puts the currency of old accounts on record, so that it stays also while none of them tells of it', async () => {
  const opened = await bankWith(1);
  await confirmReadersCurrency(opened.live, 'USD');
  expect(await noted(opened)).toEqual([]);
  await confirmCurrency(opened, 'EUR');
  await confirmCurrency(opened, 'EUR');
  expect(await noted(opened)).toEqual([{ currency: 'EUR' }]);
  const sentence = /revision 0 of operator-default-currency says that theirs is EUR/;
  await expect(confirmCurrency(opened, 'USD')).rejects.toThrow(sentence);
  await expect(confirmReadersCurrency(opened.live, 'USD')).rejects.toThrow(sentence);
  await confirmReadersCurrency(opened.live, 'EUR');
});

it('puts nothing on record that the accounts contradict, or where there are no old ones', async () => {
  const opened = await bankWith(2);
  await expect(confirmCurrency(opened, 'USD')).rejects.toThrow(/revision 1 of bank-account-/);
  expect(await noted(opened)).toEqual([]);
  const live = openSqliteEventStore({ kind: 'memory' });
  onTestFinished(() => live.close());
  await confirmCurrency({ live, events: live }, 'USD');
  await mustAppend(live, 'bank-account-2', [newEvent(created(newId()))], 'no_stream');
  await confirmCurrency({ live, events: live }, 'USD');
  expect(await noted({ live })).toEqual([]);
});

it('of two processes that start with two settings, only one goes on', async () => {
  const opened = await bankWith(1);
  const outcomes = await Promise.allSettled(['EUR', 'USD'].map((one) => confirmCurrency(opened, one)));
  expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  expect(await noted(opened)).toHaveLength(1);
});

it('a full disk does not keep it from starting', async () => {
  const opened = await bankWith(1);
  const append = () => Promise.reject(new StoreError('disk_full', 'There is no room.'));
  const full = new WatchedEventStore(opened.live);
  full.onAppend = append;
  await confirmCurrency({ live: full, events: full }, 'EUR');
  expect(await noted(opened)).toEqual([]);
});

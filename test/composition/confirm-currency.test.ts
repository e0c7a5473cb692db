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

function failing(code: StoreErrorCode): EventStore {
  const headPosition = () => Promise.reject(new StoreError(code, 'It cannot be read.'));
  return { headPosition } as unknown as EventStore;
}

const ARCHIVE_TROUBLE = ['archive_damaged', 'unavailable'] as const;

it.each(ARCHIVE_TROUBLE)('asks the store alone when the archive is %s: that stops no work', async (code) => {
  const { live } = await bankWith(2);
  const opened = { live, events: failing(code) };
  await expect(confirmCurrency(opened, 'USD')).rejects.toThrow(ConfigError);
  const readers = { live, reader: opened.events };
  await expect(confirmReadersCurrency(readers, 'USD')).rejects.toMatchObject({ code: 'invalid_request' });
  await confirmReadersCurrency(readers, 'EUR');
  await confirmCurrency(opened, 'EUR');
});

it.each(ARCHIVE_TROUBLE)(
  'puts nothing on record while the archive is %s: it may tell of another currency',
  async (code) => {
    const { live } = await bankWith(1);
    await confirmCurrency({ live, events: failing(code) }, 'USD');
    expect(await noted({ live })).toEqual([]);
  },
);

it('does not take a store that cannot be read for one without old accounts', async () => {
  const { live } = await bankWith(1);
  const away = { ...failing('unavailable'), readStream: live.readStream.bind(live) };
  const opened = { live: away, events: away };
  await expect(confirmCurrency(opened, 'EUR')).rejects.toMatchObject({ code: 'unavailable' });
});

async function bankWith(events: number) {
  const live = openSqliteEventStore({ kind: 'memory' });
  onTestFinished(() => live.close());
  await storeVersion1Account(live, 'EUR', events);
  return { live, events: live };
}

const readersOf = ({ live }: { live: EventStore }) => ({ reader: live, live });
const noted = async ({ live }: { live: EventStore }) =>
  (await collect(live.readStream('operator-default-currency'))).map(({ data }) => data);

it('puts the currency of old accounts on record, so that it stays also while none of them tells of it', async () => {
  const opened = await bankWith(1);
  await confirmReadersCurrency(readersOf(opened), 'USD');
  expect(await noted(opened)).toEqual([]);
  await confirmCurrency(opened, 'EUR');
  await confirmCurrency(opened, 'EUR');
  expect(await noted(opened)).toEqual([{ currency: 'EUR' }]);
  const sentence = /revision 0 of operator-default-currency says that theirs is EUR/;
  await expect(confirmCurrency(opened, 'USD')).rejects.toThrow(sentence);
  await expect(confirmReadersCurrency(readersOf(opened), 'USD')).rejects.toThrow(sentence);
  await confirmReadersCurrency(readersOf(opened), 'EUR');
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

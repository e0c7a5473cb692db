/** Whether the configured currency is that of old accounts, where the store cannot tell all. */
import { expect, it, onTestFinished } from 'vitest';
import { openSqliteEventStore } from '../../src/adapters/sqlite/event-store.ts';
import { confirmCurrency } from '../../src/composition/confirm-currency.ts';
import { ConfigError } from '../../src/config.ts';
import type { EventStore } from '../../src/event-sourcing/event-store.ts';
import { StoreError, type StoreErrorCode } from '../../src/event-sourcing/store-error.ts';
import { storeVersion1Account } from '../support/version-1-account.ts';

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

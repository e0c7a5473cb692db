/** What the double says it can do, as a server of some version would. */
import { persistentSubscriptionToAllSettingsFromDefaults } from '@eventstore/db-client';
import { expect, it } from 'vitest';
import { event, rejectionOf, startWithClient } from './double-client.ts';

const settings = persistentSubscriptionToAllSettingsFromDefaults();

it('is a recent server by default', async () => {
  const { client } = await startWithClient();
  await client.createPersistentSubscriptionToAll('workers', settings);
});

it('can be a server that is too old for persistent subscriptions to $all', async () => {
  const { client } = await startWithClient({ version: '20.10.5' });
  await client.appendToStream('a-1', event(0));
  expect(await rejectionOf(client.createPersistentSubscriptionToAll('workers', settings))).toMatchObject({
    type: 'unsupported',
  });
});

it('answers that it does not implement what it lacks', async () => {
  const { client } = await startWithClient();
  expect(await rejectionOf(client.listProjections())).toMatchObject({ code: 12 });
});

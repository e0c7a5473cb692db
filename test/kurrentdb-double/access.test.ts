/** A double with users: who may do what, and how a refusal looks to the client. */
import {
  BACKWARDS,
  type EventStoreDBClient,
  persistentSubscriptionToAllSettingsFromDefaults,
} from '@eventstore/db-client';
import { expect, it } from 'vitest';
import { collect, connect, event, rejectionOf, startDouble, temporaryPath } from './double-client.ts';

const USERS = { admin: 'changeit', ops: 'ops-secret', clerk: 'clerk-secret' };

async function start(): Promise<(login?: string, password?: string) => EventStoreDBClient> {
  const { url } = await startDouble({ users: USERS, tlsCaFile: temporaryPath('ca.pem') });
  return (login, password) =>
    connect(login === undefined ? url : url.replace('esdb://', `esdb://${login}:${password}@`));
}

const DENIED = { type: 'access-denied' };

it('lets whoever is known use ordinary streams, by batch and by single append', async () => {
  const as = await start();
  const clerk = as('clerk', 'clerk-secret');
  await clerk.appendToStream('order-1', event(0));
  await clerk.appendToStream('order-1', event(1), {
    credentials: { username: 'clerk', password: 'clerk-secret' },
  });
  expect(await collect(clerk.readStream('order-1'))).toHaveLength(2);
});

it('refuses wrong credentials as unauthenticated', async () => {
  const as = await start();
  const credentials = { username: 'clerk', password: 'wrong' };
  const error = await rejectionOf(as().appendToStream('order-1', event(0), { credentials }));
  expect(error).toMatchObject({ ...DENIED, code: 16 });
});

it('refuses nobody and the wrong one as not permitted', async () => {
  const as = await start();
  expect(await rejectionOf(as().appendToStream('order-1', event(0)))).toMatchObject(DENIED);
  expect(await rejectionOf(collect(as().readStream('order-1')))).toMatchObject({ ...DENIED, code: 7 });
  const clerk = as('clerk', 'clerk-secret');
  expect(await rejectionOf(clerk.appendToStream('$settings-1', event(0)))).toMatchObject(DENIED);
  expect(await rejectionOf(collect(clerk.readAll({ maxCount: 1 })))).toMatchObject(DENIED);
  const settings = persistentSubscriptionToAllSettingsFromDefaults();
  expect(await rejectionOf(clerk.createPersistentSubscriptionToAll('workers', settings))).toMatchObject(
    DENIED,
  );
});

it('lets administrators do anything, and operators manage groups only', async () => {
  const as = await start();
  const admin = as('admin', 'changeit');
  await admin.appendToStream('$settings-1', event(0));
  expect(
    await collect(admin.readAll({ direction: BACKWARDS, maxCount: 1, fromPosition: 'end' })),
  ).toHaveLength(1);
  expect(await rejectionOf(admin.appendToStream('$all', event(0)))).toMatchObject(DENIED);
  const ops = as('ops', 'ops-secret');
  await ops.createPersistentSubscriptionToAll('workers', persistentSubscriptionToAllSettingsFromDefaults());
  expect(await rejectionOf(ops.appendToStream('$settings-1', event(0)))).toMatchObject(DENIED);
});

it('goes by the access list of a stream where it has one', async () => {
  const as = await start();
  const admin = as('admin', 'changeit');
  await admin.setStreamMetadata('secret-1', { acl: { readRoles: ['ops'], writeRoles: ['admin'] } });
  await admin.appendToStream('secret-1', event(0));
  expect(await collect(as('ops', 'ops-secret').readStream('secret-1'))).toHaveLength(1);
  const clerk = as('clerk', 'clerk-secret');
  expect(await rejectionOf(collect(clerk.readStream('secret-1')))).toMatchObject(DENIED);
  expect(await rejectionOf(clerk.appendToStream('secret-1', event(1)))).toMatchObject(DENIED);
});

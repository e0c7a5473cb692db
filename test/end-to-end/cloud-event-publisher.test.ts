/** The bank publishes what happens, in order. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openAccount, posting } from '../support/customers.ts';
import { eventually } from '../support/eventually.ts';
import { type HttpReceiver, type Received, startReceiver } from '../support/http-receiver.ts';
import { type RunningBank, startBank } from '../support/running-bank.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary-directory.ts';

let directory: TemporaryDirectory;
let receiver: HttpReceiver;
let bank: RunningBank | undefined;
beforeEach(async () => {
  directory = temporaryDirectory();
  receiver = await startReceiver();
});
afterEach(async () => {
  await bank?.close();
  await receiver.close();
  directory.remove();
});

const typesOf = (received: readonly Received[]) => received.map(({ event }) => event.type);
const amountsOf = (received: readonly Received[]) =>
  received.filter(({ event }) => event.type === 'bank.transaction.v1').map(({ event }) => event.data?.amount);

it.each(['binary', 'structured'])(
  'a bank with a sink publishes what happens, in order, in %s mode',
  async (mode) => {
    const settings = { CLOUD_EVENT_SINK: receiver.url, OPENBANK_PUBLIC_URL: 'https://bank.example' };
    bank = await startBank({
      dataDir: directory.file('data'),
      settings: { ...settings, CLOUD_EVENT_MODE: mode },
    });
    const { client } = bank;
    const account = await openAccount(client);
    for (const amount of ['1.00', '2.00', '3.00']) {
      await client.call('deposit', { body: posting(account, amount) });
    }
    await eventually('5 events at the sink', () => receiver.received.length >= 5);
    expect(typesOf(receiver.received).toSorted()).toEqual([
      'bank.account.created.v1',
      'bank.person.registered.v1',
      ...Array.from({ length: 3 }, () => 'bank.transaction.v1'),
    ]);
    expect(amountsOf(receiver.received)).toEqual(['1.00', '2.00', '3.00']);
    const { event } = receiver.received.find((one) => one.event.type === 'bank.transaction.v1') as Received;
    expect(event).toMatchObject({
      source: 'openbank',
      subject: account,
      partitionkey: `bank-account-${account.replaceAll('-', '')}`,
      sequence: '0000000001',
      dataschema: 'https://bank.example/api/v1/cloud-events/schemas/bank.transaction.v1',
    });
  },
);

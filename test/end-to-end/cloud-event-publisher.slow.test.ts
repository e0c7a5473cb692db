/** The bank publishes through outages and restarts, with parked events in operators' hands. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
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
  bank = undefined;
  await receiver.close();
  directory.remove();
});

async function start(settings: Record<string, string> = {}): Promise<RunningBank> {
  bank = await startBank({
    dataDir: directory.file('data'),
    settings: { CLOUD_EVENT_SINK: receiver.url, OPENBANK_PUBLIC_URL: 'https://bank.example', ...settings },
  });
  return bank;
}

const amountsOf = (received: readonly Received[]) =>
  received.filter(({ event }) => event.type === 'bank.transaction.v1').map(({ event }) => event.data?.amount);
const arrived = (count: number) =>
  eventually(`${count} events at the sink`, () => receiver.received.length >= count);

describe('a bank with a sink', () => {
  it('names schemas that it serves, and that its data fit', async () => {
    const { client } = await start();
    await client.call('deposit', { body: posting(await openAccount(client), '1.00') });
    await arrived(3);
    for (const { event } of receiver.received) {
      const { body } = await client.call('getCloudEventSchema', { params: { type: event.type } });
      expect(body.$id).toBe(event.dataschema);
      const { $id: _id, ...schema } = body;
      expect(z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0]).parse(event.data)).toEqual(
        event.data,
      );
    }
    const { problem } = await client.refused('getCloudEventSchema', { params: { type: 'bank.other' } });
    expect(problem.code).toBe('schema_not_found');
  });

  it('goes on where it was after a restart, and delivers nothing twice', async () => {
    const first = await start();
    const account = await openAccount(first.client);
    await arrived(2);
    await first.close();
    const second = await start();
    await second.client.call('deposit', { body: posting(account, '1.00') });
    await arrived(3);
    expect(new Set(receiver.received.map(({ event }) => event.id)).size).toBe(receiver.received.length);
  });

  it('serves and waits while the sink is gone, and delivers all of it afterwards, in order', async () => {
    const { client } = await start();
    const account = await openAccount(client);
    await arrived(2);
    await receiver.close();
    const amounts = ['1.00', '2.00', '3.00', '4.00', '5.00'];
    for (const amount of amounts) await client.call('deposit', { body: posting(account, amount) });
    const { body } = await client.call('listParkedCloudEvents');
    expect(body.items).toEqual([]);
    receiver = await startReceiver(receiver.port);
    await arrived(5);
    expect(amountsOf(receiver.received)).toEqual(amounts);
  });
});

describe('operators', () => {
  /** Refuses a transaction of one amount. The first try of five is a second before the next, which is too slow here. */
  const refuse = (amount: string) => {
    receiver.answer = (response, { event }) =>
      response.writeHead(event.data?.amount === amount ? 422 : 204).end();
  };

  it('see what is parked, and let it be published again or give it up', async () => {
    const { client } = await start();
    refuse('13.00');
    const account = await openAccount(client);
    const other = await openAccount(client);
    for (const amount of ['1.00', '13.00', '2.00']) {
      await client.call('deposit', { body: posting(account, amount) });
    }
    await client.call('deposit', { body: posting(other, '7.00') });
    const parked = async () => (await client.call('listParkedCloudEvents')).body.items;
    await eventually('parked events', async () => (await parked()).length === 2);
    const items = await parked();
    expect(items.map(({ revision, cause, attempts }) => [revision, cause, attempts])).toEqual([
      [2, 'the sink answered 422', 5],
      [3, 'waits_for_earlier', 0],
    ]);
    expect(amountsOf(receiver.received)).toContain('7.00');
    expect(amountsOf(receiver.received)).not.toContain('2.00');
    const { stream = '', position = '' } = items[0] ?? {};

    refuse('none');
    const { body } = await client.call('replayParkedCloudEvents', { body: { stream, position } });
    expect(body).toMatchObject({ action: 'replay' });
    await eventually('the first one to go', async () => (await parked()).length === 1);
    expect(amountsOf(receiver.received).at(-1)).toBe('13.00');
    const left = (await parked())[0];
    expect(left).toMatchObject({ revision: 3, cause: 'waits_for_earlier' });

    await client.call('discardParkedCloudEvents', {
      body: { stream, position: left?.position, reason: 'told by phone' },
    });
    await eventually('nothing parked', async () => (await parked()).length === 0);
    await client.call('deposit', { body: posting(account, '8.00') });
    await eventually('the stream to go on', () => amountsOf(receiver.received).at(-1) === '8.00');
    expect(amountsOf(receiver.received)).not.toContain('2.00');
    const { body: requests } = await client.call('readStream', { params: { name: 'operator-requests' } });
    expect(requests.items.map(({ type, data }) => [type, data.reason])).toEqual([
      ['DeadLettersRetryRequestedV1', undefined],
      ['DeadLettersDiscardRequestedV1', 'told by phone'],
    ]);
  }, 60_000);

  it('must name the stream of a position, and a reason to give up', async () => {
    const { client } = await start();
    const replay = await client.refused('replayParkedCloudEvents', { body: { position: '1' } });
    expect(replay.problem.errors?.[0]).toMatchObject({ pointer: '/stream', code: 'missing_field' });
    const discard = await client.refused('discardParkedCloudEvents', { body: {} });
    expect(discard.problem.errors?.[0]).toMatchObject({ pointer: '/reason', code: 'missing_field' });
  });
});

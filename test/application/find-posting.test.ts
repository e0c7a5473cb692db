/** Finding a posting of a transfer: however much has happened on the account since, with few reads. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createBankCodec } from '../../src/application/bank-codec.ts';
import { findPosting } from '../../src/application/commands/find-posting.ts';
import { transferStream } from '../../src/domain/transfer.ts';
import type { EventReader } from '../../src/event-sourcing/event-store.ts';
import { SOMEONE, TransferBench } from '../support/transfer-bench.ts';

let bench: TransferBench;
beforeEach(async () => {
  bench = new TransferBench();
  await bench.open('100.00');
});
afterEach(() => bench.store.close());

async function transferred() {
  const id = await bench.request('30.00');
  await bench.driver().resume(id, SOMEONE);
  const { steps } = await bench.transfer(id);
  const transactionId = steps.find(({ status }) => status === 'DEBITED')?.transaction_id as string;
  return { id, transactionId };
}

/** The posting, and how many events were read for it. */
async function find(transfer: string, transactionId: string) {
  let read = 0;
  const events = Object.create(bench.store) as EventReader;
  events.readStream = async function* (stream, options) {
    for await (const event of bench.store.readStream(stream, options)) {
      read += 1;
      yield event;
    }
  };
  const sources = { events, codec: createBankCodec('USD') };
  const posting = await findPosting(sources, bench.from, transactionId, transferStream(transfer));
  return { posting, read };
}
const withdrawals = (count: number) =>
  Promise.all(Array.from({ length: count }, () => bench.withdraw(bench.from, '0.01')));

it('is found at once while it is among the newest', async () => {
  await withdrawals(20);
  const { id, transactionId } = await transferred();
  const { posting, read } = await find(id, transactionId);
  expect(posting).toMatchObject({ amount: '30.00', direction: 'DEBIT', revision: 22 });
  expect(read).toBe(1);
});

it.each([90, 150, 2_000])('is found by a few reads when %i events came after it', async (count) => {
  await withdrawals(40);
  const { id, transactionId } = await transferred();
  await withdrawals(count);
  const { posting, read } = await find(id, transactionId);
  expect(posting).toMatchObject({ transaction_id: transactionId, balance: '69.60', revision: 42 });
  expect(read).toBeLessThan(130);
});

it('says so when the account has lost it', async () => {
  const { id } = await transferred();
  await expect(find(id, 'another')).rejects.toMatchObject({ code: 'corrupt' });
});

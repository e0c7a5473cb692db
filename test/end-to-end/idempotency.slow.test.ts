/** Keys that were used long ago: the account has forgotten them, and the read model of operations has not. */
import { hash } from 'node:crypto';
import type { Worker } from 'node:worker_threads';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSqliteEventStore } from '../../src/adapters/sqlite/event-store.ts';
import { bankAccountStream } from '../../src/domain/bank-account.ts';
import type { NewEvent } from '../../src/event-sourcing/event-store.ts';
import { newId } from '../../src/new-id.ts';
import { ALICE, openAccount, posting } from '../support/customers.ts';
import { collect, mustAppend } from '../support/event-builders.ts';
import { eventually } from '../support/eventually.ts';
import { type RunningBank, startBank } from '../support/running-bank.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const directory = temporaryDirectory();
afterAll(() => directory.remove());

let dataDir: string;
let bank: RunningBank;
beforeEach(async ({ task }) => {
  dataDir = directory.file(task.id);
  bank = await startBank({ dataDir });
});
afterEach(() => bank.close());

const key = (value: string) => ({ 'idempotency-key': value });

async function countTransactions(account: string): Promise<number> {
  const { token } = await bank.client.call('registerPerson', { body: ALICE });
  return (await bank.client.call('getAccount', { params: { id: account }, token })).body.transaction_count;
}

describe('a key that was used long ago', () => {
  it('is still known after more operations than an account remembers, and after a restart', async () => {
    const id = await openAccount(bank.client);
    const oldest = { body: posting(id, '7.00'), headers: key('the oldest') };
    const first = await bank.client.call('deposit', oldest);
    for (let round = 0; round < 12; round += 1) {
      await Promise.all(
        Array.from({ length: 100 }, (_, number) =>
          bank.client.call('deposit', { body: posting(id, '1.00'), headers: key(`${round}-${number}`) }),
        ),
      );
    }
    expect((await bank.client.call('deposit', oldest)).body).toEqual(first.body);
    const changed = { ...oldest, body: posting(id, '8.00') };
    expect((await bank.client.refused('deposit', changed)).problem.code).toBe('idempotency_conflict');
    await bank.close();
    bank = await startBank({ dataDir });
    expect((await bank.client.call('deposit', oldest)).body).toEqual(first.body);
    expect(await countTransactions(id)).toBe(1_201);
  });

  it('is still known 100,000 postings later, and nothing is done twice while the read model is behind', async () => {
    const id = await openAccount(bank.client);
    const oldest = { body: posting(id, '7.00'), headers: key('the oldest') };
    const first = await bank.client.call('deposit', oldest);
    await bank.close();
    await recordDeposits(id, POSTINGS);

    const workers = new KilledWorkers();
    bank = await startBank({ dataDir });
    try {
      await workers.kill();
      const early = await bank.client.refused('deposit', oldest);
      expect([early.status, early.problem.code]).toEqual([503, 'store_busy']);
    } finally {
      workers.letLive();
    }
    let again = await bank.client.try('deposit', oldest);
    await eventually(
      'the first answer',
      async () => {
        if (!again.ok) again = await bank.client.try('deposit', oldest);
        return again.ok;
      },
      90_000,
    );
    expect(again).toMatchObject({ ok: true, body: first.body });
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    const changed = { ...oldest, body: posting(id, '8.00') };
    expect((await bank.client.refused('deposit', changed)).problem.code).toBe('idempotency_conflict');
    const { body } = await bank.client.call('deposit', {
      body: posting(id, '1.00'),
      headers: key('a new one'),
    });
    expect([body.balance, body.revision]).toEqual([`${POSTINGS + 8}.00`, POSTINGS + 2]);
  }, 180_000);
});

const POSTINGS = 100_000;

/** Deposits of 1.00 with a key each, behind the one deposit that is there, as the bank would have recorded them. */
async function recordDeposits(account: string, count: number): Promise<void> {
  const store = openSqliteEventStore({ kind: 'file', path: `${dataDir}/events.db` });
  try {
    const stream = bankAccountStream(account);
    const template = (await collect(store.readStream(stream))).at(-1);
    if (!template) throw new Error('The account has a deposit.');
    const deposit = (number: number): NewEvent => ({
      id: newId(),
      type: template.type,
      data: { ...template.data, transaction_id: newId(), amount: '1.00', balance: `${number + 7}.00` },
      metadata: {
        ...template.metadata,
        idempotency_key: hash('sha256', `filler ${number}`, 'base64url').slice(0, 22),
        idempotency_hash: hash('sha256', `content ${number}`, 'base64url').slice(0, 22),
      },
    });
    for (let done = 0; done < count; ) {
      const events = Array.from({ length: Math.min(500, count - done) }, (_, index) =>
        deposit(done + index + 1),
      );
      await mustAppend(store, stream, events, done + 1);
      done += events.length;
    }
  } finally {
    await store.close();
  }
}

/** Ends the projection's threads as soon as they are started, so that the read models stay behind. */
class KilledWorkers {
  #newest: Worker | undefined;
  #killing = false;
  readonly #note = (worker: Worker) => {
    this.#newest = worker;
    if (this.#killing) void worker.terminate();
  };

  constructor() {
    process.on('worker', this.#note);
  }

  async kill(): Promise<void> {
    this.#killing = true;
    await this.#newest?.terminate();
  }

  letLive(): void {
    this.#killing = false;
    process.off('worker', this.#note);
  }
}

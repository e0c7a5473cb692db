/**
 * The same on servers: the API is killed at every step of a transfer, workers and the event store die too. The raw log
 * must prove the same, and what the last API leaves behind the worker ends alone.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openKurrentDbEventStore } from '../../src/adapters/kurrentdb/event-store.ts';
import {
  DYING_SERVICE,
  type ServiceProcess,
  spawnService,
  startService,
} from '../end-to-end/service-process.ts';
import { type LedgerProof, proveLedger } from '../model/ledger-proof.ts';
import type { RawEvent } from '../model/raw-event.ts';
import { ALICE, registerAlice } from '../support/customers.ts';
import { eventually } from '../support/eventually.ts';
import { randomNumbers } from '../support/random-numbers.ts';
import { type ServerStores, serverStoresMissing, startServerStores } from '../support/server-stores.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { expectAnswersInLog } from './answers-check.ts';
import { bankAtRest } from './bank-at-rest.ts';
import { Crowd, summary } from './crowd.ts';
import type { Outcome } from './customers.ts';
import { favouriteBefore, shortSchedule } from './kill-schedule.ts';
import { MortalBank } from './mortal-bank.ts';
import { type Accounts, openAccounts } from './orders.ts';
import { expectReadModels, readBank, type ShownBank } from './read-models-check.ts';

const CUSTOMERS = 8;
const KILLS_AT_ANY_INSTANT = 3;
const LAST_ORDERS_MS = 500;
/** It takes a few minutes; a machine that is busy with other things may need many more. */
const CHAOS_MS_MAX = 30 * 60_000;
const seed = Number(process.env.CHAOS_SEED ?? Date.now() % 1_000_000_007);

// A server that others use is not ours to kill.
const shared = process.env.KURRENTDB_TEST_URL ?? process.env.MONGODB_TEST_URL;
const missing = shared === undefined ? await serverStoresMissing() : 'real servers are not killed';

describe.skipIf(missing !== undefined)(`a bank on servers (CHAOS_SEED=${seed}) ${missing ?? ''}`, () => {
  const directory = temporaryDirectory();
  let stores: ServerStores;
  let bank: MortalBank;
  let worker: ServiceProcess;
  let outcomes: Outcome[];
  let shown: ShownBank;
  let log: RawEvent[];
  let proof: LedgerProof;
  /** Of what customers open themselves. */
  let owner: string;
  let accounts: Accounts;

  const settingsOf = (role: 'api' | 'worker') => ({
    ...stores.settings,
    OPENBANK_ROLE: role,
    OPENBANK_DATA_DIR: directory.file(role),
    LOG_LEVEL: 'error',
  });

  /** What dies beside the API, by the number of the life in which it does. */
  const accidents: Readonly<Record<number, () => Promise<void>>> = {
    2: async () => {
      await endWorker('SIGKILL');
      // The next one dies over the first transfer that it has to end.
      const dying = await spawnService(
        { ...settingsOf('worker'), DIE_AT: 'credit_settled' },
        undefined,
        DYING_SERVICE,
      );
      worker = dying;
      succession = dying.ended.then(async () => {
        // Without a worker, customers who must read before they write would wait for ever.
        if (!dismissed.has(dying)) worker = await startService(settingsOf('worker'));
      });
    },
    5: async () => {
      await stores.kurrentDb?.kill();
      await stores.kurrentDb?.restart();
    },
    8: replaceWorker,
  };

  /** Workers whose end was wanted: nobody takes their place by himself. */
  const dismissed = new Set<ServiceProcess>();
  let succession: Promise<void> | undefined;

  async function endWorker(signal?: 'SIGKILL'): Promise<void> {
    dismissed.add(worker);
    await worker.end(signal);
    // Another may have begun to take its place before.
    await succession;
    if (!dismissed.has(worker)) await endWorker(signal);
  }

  async function replaceWorker(): Promise<void> {
    await endWorker('SIGKILL');
    worker = await startService(settingsOf('worker'));
  }

  beforeAll(async () => {
    stores = await startServerStores();
    bank = new MortalBank(settingsOf('api'));
    const deaths = shortSchedule(randomNumbers(seed), KILLS_AT_ANY_INSTANT);
    const founder = await bank.live();
    worker = await startService(settingsOf('worker'));
    const bankers = await registerAlice(founder.client);
    accounts = await openAccounts(founder.client, bankers);
    owner = await registerAlice(founder.client);
    await bank.die(founder);

    const crowd = new Crowd(bank, accounts, owner, CUSTOMERS, seed);
    for (const [life, death] of deaths.entries()) {
      crowd.favourite = favouriteBefore(death);
      // Whoever takes a transfer back reads it first, so the read models must go on.
      if (death.at === 'original_recorded') await replaceWorker();
      const accident = accidents[life]?.();
      await crowd.during(Promise.all([accident, bank.liveUntil(death, () => crowd.answered)]));
    }
    crowd.favourite = 'anything';
    const last = await bank.live();
    await sleep(LAST_ORDERS_MS);
    await crowd.stop();
    await crowd.askAgain();
    await bankAtRest(last.client);
    const { token } = await last.client.call('registerPerson', { body: ALICE });
    shown = await readBank(last.client, [bankers, owner], token);
    expect((await last.end()).code).toBe(0);
    log = await readLog();
    proof = await proveLedger(log);
    outcomes = crowd.outcomes;
    console.log(`CHAOS_SEED=${seed}: ${bank.kills} kills, ${summary(outcomes, proof)}`);
  }, CHAOS_MS_MAX);

  afterAll(async () => {
    await bank.bury();
    await endWorker();
    await stores.stop();
    directory.remove();
  });

  async function readLog(): Promise<RawEvent[]> {
    const store = await openKurrentDbEventStore(String(stores.settings.OPENBANK_EVENT_STORE));
    try {
      return await Array.fromAsync(store.readAll());
    } finally {
      await store.close();
    }
  }

  it('has neither made nor lost money, at any position of its log, nor done anything twice', () => {
    expect([...proof.unknownTypes]).toEqual([]);
    expect(proof.violations).toEqual([]);
  });

  it('has ended every transfer', () => {
    expect(proof.unfinishedTransfers).toEqual([]);
  });

  it('has in its log what it acknowledged, exactly once, and nothing else', () => {
    expectAnswersInLog(log, outcomes, (ownerId) => ownerId === owner);
  });

  it('shows in its read models what its events say', () => {
    expectReadModels(shown, log, proof);
  });

  it('ends a transfer whose API is gone for good', async () => {
    const dying = { ...settingsOf('api'), DIE_AT: 'debit_settled' };
    const api = await spawnService(dying, undefined, DYING_SERVICE);
    await api.answers();
    const [from, to] = accounts.EUR;
    const transfer = {
      from_account_id: from?.id,
      to_account_id: to?.id,
      amount: '0.01',
      description: 'Last',
    };
    await expect(api.client.call('transfer', { body: transfer })).rejects.toThrow();
    expect((await api.ended).signal).toBe('SIGKILL');
    await eventually(
      'the end of the transfer',
      async () => {
        const { unfinishedTransfers, violations } = await proveLedger(await readLog());
        expect(violations).toEqual([]);
        return unfinishedTransfers.length === 0;
      },
      60_000,
    );
  });
});

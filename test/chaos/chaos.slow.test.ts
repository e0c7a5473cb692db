/**
 * The service is killed again and again under mixed load: at every step of a transfer, in checkpoints, while it starts
 * and at any instant. Then the raw log must prove that no money came or went, and the read models must agree with it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSqliteEventReader } from '../../src/adapters/sqlite/event-store.ts';
import { type LedgerProof, proveLedger } from '../model/ledger-proof.ts';
import type { RawEvent } from '../model/raw-event.ts';
import { ALICE, registerAlice } from '../support/customers.ts';
import { randomNumbers } from '../support/random-numbers.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { expectAnswersInLog } from './answers-check.ts';
import { bankAtRest } from './bank-at-rest.ts';
import { Crowd, summary } from './crowd.ts';
import type { Outcome } from './customers.ts';
import { favouriteBefore, killSchedule } from './kill-schedule.ts';
import { MortalBank } from './mortal-bank.ts';
import { openAccounts } from './orders.ts';
import { expectReadModels, readBank, type ShownBank } from './read-models-check.ts';

const KILLS_MIN = 50;
const CUSTOMERS = 24;
const LAST_ORDERS_MS = 500;
/** It takes a few minutes; a machine that is busy with other things may need many more. */
const CHAOS_MS_MAX = 30 * 60_000;
const seed = Number(process.env.CHAOS_SEED ?? Date.now() % 1_000_000_007);

describe(`a bank that is killed again and again (CHAOS_SEED=${seed})`, () => {
  const directory = temporaryDirectory();
  const dataDir = directory.file('bank');
  const bank = new MortalBank({ OPENBANK_DATA_DIR: dataDir, LOG_LEVEL: 'error' });
  let outcomes: Outcome[];
  let shown: ShownBank;
  let log: RawEvent[];
  let proof: LedgerProof;
  /** Of what customers open themselves. */
  let owner: string;

  beforeAll(async () => {
    const deaths = killSchedule(randomNumbers(seed));
    const founder = await bank.live();
    const bankers = await registerAlice(founder.client);
    const accounts = await openAccounts(founder.client, bankers);
    owner = await registerAlice(founder.client);
    await bank.die(founder);

    const crowd = new Crowd(bank, accounts, owner, CUSTOMERS, seed);
    for (const death of deaths) {
      crowd.favourite = favouriteBefore(death);
      await crowd.during(bank.liveUntil(death, () => crowd.answered));
    }
    crowd.favourite = 'anything';
    const last = await bank.live();
    await sleep(LAST_ORDERS_MS);
    await crowd.stop();
    outcomes = crowd.outcomes;
    await crowd.askAgain();
    await bankAtRest(last.client);
    const { token } = await last.client.call('registerPerson', { body: ALICE });
    shown = await readBank(last.client, [bankers, owner], token);
    expect((await last.end()).code).toBe(0);
    log = await readLog(dataDir);
    proof = await proveLedger(log);
    console.log(`CHAOS_SEED=${seed}: ${bank.kills} kills, ${summary(outcomes, proof)}`);
    expect(bank.kills).toBeGreaterThanOrEqual(KILLS_MIN);
  }, CHAOS_MS_MAX);

  afterAll(async () => {
    await bank.bury();
    directory.remove();
  });

  it('has neither made nor lost money, at any position of its log, nor done anything twice', () => {
    expect([...proof.unknownTypes]).toEqual([]);
    expect(proof.violations).toEqual([]);
  });

  it('has ended every transfer, in every way that there is', () => {
    expect(proof.unfinishedTransfers).toEqual([]);
    const ends = new Set([...shown.transfers.values()].map(({ status }) => status));
    expect([...ends].sort()).toEqual(expect.arrayContaining(['COMPLETED', 'IN_SUSPENSE', 'REFUNDED']));
  });

  it('has in its log what it acknowledged, exactly once, and nothing else', () => {
    expectAnswersInLog(log, outcomes, (ownerId) => ownerId === owner);
  });

  it('shows in its read models what its events say', () => {
    expectReadModels(shown, log, proof);
  });
});

async function readLog(dataDir: string): Promise<RawEvent[]> {
  const { reader, close } = openSqliteEventReader(`${dataDir}/events.db`);
  try {
    return await Array.fromAsync(reader.readAll());
  } finally {
    close();
  }
}

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
import { Crowd } from './crowd.ts';
import { askAgain, type Favourite, type Outcome } from './customers.ts';
import { killSchedule } from './kill-schedule.ts';
import { type Death, MortalBank } from './mortal-bank.ts';
import { openAccounts } from './orders.ts';
import { expectReadModels, readBank, type ShownBank } from './read-models-check.ts';
import { transfersAtRest } from './transfers-at-rest.ts';

const KILLS_MIN = 50;
const CUSTOMERS = 24;
/** Answers that are asked for once more in the end, beside all that were lost at first. */
const ASKED_AGAIN = 500;
const LAST_ORDERS_MS = 500;
const CHAOS_MS_MAX = 15 * 60_000;
const seed = Number(process.env.CHAOS_SEED ?? Date.now() % 1_000_000_007);

describe(`a bank that is killed again and again (CHAOS_SEED=${seed})`, () => {
  const directory = temporaryDirectory();
  let outcomes: Outcome[];
  let shown: ShownBank;
  let log: RawEvent[];
  let proof: LedgerProof;
  /** Of what customers open themselves. */
  let owner: string;

  beforeAll(async () => {
    const dataDir = directory.file('bank');
    const bank = new MortalBank(dataDir);
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
    for (const [index, one] of crowd.acknowledged.entries()) {
      if (one.lost > 0 || index % Math.ceil(crowd.acknowledged.length / ASKED_AGAIN) === 0)
        await askAgain(bank, one);
    }
    await transfersAtRest(last.client);
    const { token } = await last.client.call('registerPerson', { body: ALICE });
    shown = await readBank(last.client, [bankers, owner], token);
    expect((await last.end()).code).toBe(0);
    log = await readLog(dataDir);
    proof = await proveLedger(log);
    console.log(summary(outcomes, proof, bank.kills));
    expect(bank.kills).toBeGreaterThanOrEqual(KILLS_MIN);
  }, CHAOS_MS_MAX);
  afterAll(() => directory.remove());

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

/** What customers should ask for, so that this death finds what it is looking for. */
function favouriteBefore({ at }: Death): Favourite {
  if (at === 'checkpoint') return 'deposits';
  if (at === 'any_instant' || at === 'start') return 'anything';
  if (at.startsWith('refund')) return 'refunds';
  return at.startsWith('suspense') ? 'suspense' : 'transfers';
}

async function readLog(dataDir: string): Promise<RawEvent[]> {
  const { reader, close } = openSqliteEventReader(`${dataDir}/events.db`);
  try {
    return await Array.fromAsync(reader.readAll());
  } finally {
    close();
  }
}

function summary(outcomes: readonly Outcome[], { events }: LedgerProof, kills: number): string {
  const count = (kind: Outcome['kind']) => outcomes.filter((outcome) => outcome.kind === kind).length;
  const lost = outcomes.filter((outcome) => outcome.kind === 'acknowledged' && outcome.lost > 0).length;
  return (
    `CHAOS_SEED=${seed}: ${kills} kills, ${events} events; of ${outcomes.length} orders ${count('acknowledged')} ` +
    `were acknowledged (${lost} after a lost answer), ${count('refused')} refused, ${count('given_up')} given up.`
  );
}

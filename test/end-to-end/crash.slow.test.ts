/** The real service is killed at random instants under load: what it acknowledged is there, once, and every figure agrees. */
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openAccount, registerAlice } from '../support/customers.ts';
import { randomNumbers } from '../support/random-numbers.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary-directory.ts';
import { type Acknowledged, DepositLoad } from './deposit-load.ts';
import { expectLedger, expectSummary } from './ledger-check.ts';
import { startService } from './service-process.ts';

const ROUNDS = 6;
const CONNECTIONS = 64;
const ACCOUNTS = 5;
const LONGEST_ROUND_MS = 1_200;
const seed = Number(process.env.CRASH_SEED ?? Date.now() % 1_000_000_007);

let directory: TemporaryDirectory;
beforeAll(() => {
  directory = temporaryDirectory();
});
afterAll(() => directory.remove());

describe(`a service that is killed with SIGKILL (CRASH_SEED=${seed})`, () => {
  it(`has every acknowledged deposit exactly once, after each of ${ROUNDS} kills under load`, async () => {
    const random = randomNumbers(seed);
    const settings = { OPENBANK_DATA_DIR: directory.file('killed'), LOG_LEVEL: 'warn' };
    const acknowledged: Acknowledged[] = [];
    let sent = 0;
    let unansweredButWritten = 0;
    let service = await startService(settings);
    const owner_id = await registerAlice(service.client);
    const accounts: string[] = [];
    for (let number = 0; number < ACCOUNTS; number += 1) {
      accounts.push(await openAccount(service.client, { owner_id, overdraft_limit: '10.00' }));
    }
    try {
      for (let round = 0; round < ROUNDS; round += 1) {
        const load = new DepositLoad(service.client, accounts, CONNECTIONS, random);
        await sleep(random() * LONGEST_ROUND_MS);
        const { signal } = await service.end('SIGKILL');
        await load.stop();
        expect(signal).toBe('SIGKILL');
        acknowledged.push(...load.acknowledged);
        sent += load.sent;

        service = await startService(settings);
        const found = await expectLedger(service.client, accounts, acknowledged);
        await expectSummary(service.client, owner_id, accounts);
        expect(found).toBeLessThanOrEqual(sent);
        unansweredButWritten = found - acknowledged.length;
      }
    } finally {
      expect((await service.end()).code).toBe(0);
    }
    console.log(
      `CRASH_SEED=${seed}: ${sent} deposits, ${acknowledged.length} acknowledged, ${unansweredButWritten} written without an answer.`,
    );
    // Otherwise the kills came too early to say anything.
    expect(acknowledged.length).toBeGreaterThan(ROUNDS * CONNECTIONS);
    expect(sent).toBeGreaterThan(acknowledged.length);
  });
});

describe('a service that is told to stop', () => {
  it('does not wait for a client that is connected and says nothing', async () => {
    const service = await startService({ OPENBANK_DATA_DIR: directory.file('silent'), LOG_LEVEL: 'warn' });
    const socket = connect(Number(new URL(service.client.url).port), '127.0.0.1');
    await new Promise((resolve) => socket.once('connect', resolve));
    const { code, stderr } = await service.end('SIGTERM');
    socket.destroy();
    expect([code, stderr]).toEqual([0, '']);
  });
});

/** A bank on servers that go away under load, and workers that die or stand still: nothing lost, nothing doubled, no restart. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CloudEventSink } from '../support/cloud-event-sink.ts';
import { openAccount, registerAlice } from '../support/customers.ts';
import { eventually } from '../support/eventually.ts';
import { randomNumbers } from '../support/random-numbers.ts';
import { type ServerStores, serverStoresMissing, startServerStores } from '../support/server-stores.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { type Acknowledged, DepositLoad } from './deposit-load.ts';
import { expectLedger, expectSummary } from './ledger-check.ts';
import { type ServiceProcess, startService } from './service-process.ts';

const CONNECTIONS = 16;
const ACCOUNTS = 5;
/** How long a server stays away. */
const OUTAGE_MS = 10_000;
/** Longer than a lease lasts without renewal. */
const PAUSE_MS = 8_000;
const RECOVERY_MS_MAX = 60_000;
const seed = Number(process.env.OUTAGE_SEED ?? Date.now() % 1_000_000_007);

// A server that others use is not ours to kill.
const shared = process.env.KURRENTDB_TEST_URL ?? process.env.MONGODB_TEST_URL;
const missing = shared === undefined ? await serverStoresMissing() : 'real servers are not killed';

describe.skipIf(missing !== undefined)(`a bank on servers (OUTAGE_SEED=${seed}) ${missing ?? ''}`, () => {
  const directory = temporaryDirectory();
  const random = randomNumbers(seed);
  const acknowledged: Acknowledged[] = [];
  const accounts: string[] = [];
  let stores: ServerStores;
  let sink: CloudEventSink;
  let api: ServiceProcess;
  let workers: ServiceProcess[];
  let owner: string;
  let started = 0;

  const startRole = (role: 'api' | 'worker') => {
    started += 1;
    const OPENBANK_DATA_DIR = directory.file(`${role}-${started}`);
    const settings = { ...stores.settings, CLOUD_EVENT_SINK: sink.url, LOG_LEVEL: 'fatal' };
    return startService({ ...settings, OPENBANK_ROLE: role, OPENBANK_DATA_DIR });
  };

  beforeAll(async () => {
    stores = await startServerStores();
    sink = await CloudEventSink.start();
    api = await startRole('api');
    workers = await Promise.all([startRole('worker'), startRole('worker')]);
    owner = await registerAlice(api.client);
    for (let number = 0; number < ACCOUNTS; number += 1) {
      accounts.push(await openAccount(api.client, { owner_id: owner, overdraft_limit: '10.00' }));
    }
    await eventually('the work spread over both workers', allLead);
  });

  afterAll(async () => {
    for (const service of [api, ...workers]) await service.end();
    await sink.goAway();
    await stores.stop();
    directory.remove();
  });

  /** Whether each worker leads something. */
  const allLead = async () => {
    const pages = await Promise.all(
      workers.map(async ({ client }) => (await client.fetch('GET', '/metrics')).text()),
    );
    return pages.every((page) => /^openbank_worker_leading\{.*\} 1$/m.test(page));
  };

  /** Deposits while `fault` goes on, and until deposits work again after it. */
  async function underLoad(fault: () => Promise<void>): Promise<void> {
    const load = new DepositLoad(api.client, accounts, CONNECTIONS, random, true);
    await sleep(1_000);
    const before = load.acknowledged.length;
    expect(before).toBeGreaterThan(0);
    await fault();
    const after = load.acknowledged.length;
    await eventually(
      'deposits are taken again',
      async () => load.acknowledged.length > after + 10,
      RECOVERY_MS_MAX,
    );
    await load.stop();
    acknowledged.push(...load.acknowledged);
  }

  async function expectEverythingOnce(): Promise<void> {
    await eventually('the projections at the end of the log', projectionsAreLevel, RECOVERY_MS_MAX);
    const found = await expectLedger(api.client, accounts, acknowledged);
    await expectSummary(api.client, owner, accounts);
    expect(found).toBeGreaterThanOrEqual(acknowledged.length);
    expect((await api.client.call('listDeadLetters', {})).body.items).toEqual([]);
    for (const id of accounts) await expectPublished(id);
  }

  /** Every event of an account came to the sink, and none before the one that it follows. */
  async function expectPublished(id: string): Promise<void> {
    const revision = (await api.client.call('getAccount', { params: { id } })).body.revision;
    const published = () => sink.firsts().filter(({ subject }) => subject === id);
    await eventually('every event at the sink', () => published().length > revision, RECOVERY_MS_MAX);
    const expected = Array.from({ length: revision + 1 }, (_, index) => index);
    expect(published().map(({ sequence }) => sequence)).toEqual(expected);
  }

  async function projectionsAreLevel(): Promise<boolean> {
    const response = await api.client.fetch('GET', '/admin/status');
    if (!response.ok) return false;
    const { projections } = (await response.json()) as { projections: { lag_ms: number }[] };
    return projections.every(({ lag_ms }) => lag_ms === 0);
  }

  it('survives an event store that is gone for ten seconds', async () => {
    await underLoad(async () => {
      await stores.kurrentDb?.kill();
      await sleep(OUTAGE_MS);
      await stores.kurrentDb?.restart();
    });
    await expectEverythingOnce();
  });

  it('survives read models that are gone for ten seconds, and takes deposits meanwhile', async () => {
    await underLoad(async () => {
      await stores.mongoDb?.kill();
      await sleep(OUTAGE_MS);
      const answer = await api.client.fetch('POST', '/api/v1/transactions/deposit', {
        body: { account_id: String(accounts[0]), amount: '1.00', description: 'Meanwhile' },
      });
      expect(answer.status).toBe(201);
      const { transaction_id } = (await answer.json()) as { transaction_id: string };
      acknowledged.push({ transaction_id, account_id: String(accounts[0]), cents: 100n });
      expect((await api.client.fetch('GET', '/health/ready')).status).toBe(503);
      await stores.mongoDb?.restart();
    });
    await expectEverythingOnce();
  });

  it('publishes everything, in order, when the sink was gone for ten seconds', async () => {
    await underLoad(async () => {
      await sink.goAway();
      await sleep(OUTAGE_MS);
      await sink.comeBack();
    });
    await expectEverythingOnce();
  });

  it('goes on within seconds when a leading worker is killed', async () => {
    await underLoad(async () => {
      await workers[0]?.end('SIGKILL');
    });
    await expectEverythingOnce();
    workers[0] = await startRole('worker');
    await eventually('the work spread over both workers', allLead, RECOVERY_MS_MAX);
  });

  it('is not corrupted by a leader that stands still past its lease and wakes up', async () => {
    await underLoad(async () => {
      workers[1]?.pause();
      await sleep(PAUSE_MS);
      workers[1]?.resume();
    });
    await expectEverythingOnce();
  });
});

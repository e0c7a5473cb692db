/** The real service is killed at random instants of archive runs, under load: no event is lost or doubled, and every answer stays. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import { checkArchive } from '../../src/store-tools/check-archive.ts';
import { verifyReadModels } from '../../src/store-tools/verify-read-models.ts';
import type { BankClient } from '../support/bank-client.ts';
import { openAccount, posting, registerAlice } from '../support/customers.ts';
import { eventually } from '../support/eventually.ts';
import { randomNumbers } from '../support/random-numbers.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary-directory.ts';
import { DepositLoad } from './deposit-load.ts';
import { type RawBank, readRawBank } from './raw-archived-bank.ts';
import { type ServiceProcess, startService } from './service-process.ts';

const ACCOUNTS = 20;
const MIN_EVENTS = 15;
const CONNECTIONS = 3;
/** What has to be seen before a kill, one after the other; then there is a random while, too. */
const MOMENTS = ['begun', 'written', 'recorded', 'writing', 'written', 'recorded'] as const;
const KILLS = MOMENTS.length;
const LONGEST_WHILE_MS = 20;
const seed = Number(process.env.CRASH_SEED ?? Date.now() % 1_000_000_007);

let directory: TemporaryDirectory;
let service: ServiceProcess | undefined;
beforeAll(() => {
  directory = temporaryDirectory();
});
afterAll(async () => {
  await service?.end('SIGKILL');
  directory.remove();
});

it(`archive runs that are killed ${KILLS} times lose nothing and double nothing (CRASH_SEED=${seed})`, async () => {
  const random = randomNumbers(seed);
  const dataDir = directory.file('bank');
  const settings = { OPENBANK_DATA_DIR: dataDir, LOG_LEVEL: 'warn' };
  service = await startService(settings);
  const accounts = await openAccounts(service.client);
  const keyed = {
    body: posting(String(accounts[0]), '1.23'),
    headers: { 'idempotency-key': 'before it all' },
  };
  const first = (await service.client.call('deposit', keyed)).body;
  await fill(service.client, accounts);
  const witnesses = accounts.slice(0, 2);
  const before = await past(service.client, witnesses);

  let raw: RawBank | undefined;
  const acknowledged: string[] = [];
  const left = { partial: 0, uncut: 0 };
  for (let kill = 0; kill < KILLS; kill += 1) {
    const load = new DepositLoad(service.client, accounts, CONNECTIONS, random);
    const sight = new ArchiveSight(dataDir);
    await service.client.call('startArchiveRun', { body: { min_events: MIN_EVENTS } });
    await sight.until(MOMENTS[kill]);
    await sleep(random() * LONGEST_WHILE_MS);
    expect((await service.end('SIGKILL')).signal).toBe('SIGKILL');
    await load.stop();
    acknowledged.push(...load.acknowledged.map(({ transaction_id }) => transaction_id));
    raw = expectWhole(dataDir, acknowledged, raw);
    if (sight.partials().length > 0) left.partial += 1;
    if (raw.cut.length < raw.recorded.length) left.uncut += 1;

    service = await startService(settings);
    expect(await past(service.client, witnesses)).toEqual(before);
    await fill(service.client, accounts);
  }
  console.log(`CRASH_SEED=${seed}: ${JSON.stringify(left)} of ${KILLS}, ${raw?.recorded.length} volumes.`);

  const again = await service.client.call('deposit', keyed);
  expect([again.body, again.headers.get('idempotent-replayed')]).toEqual([first, 'true']);
  await service.client.call('startArchiveRun', { body: { min_events: MIN_EVENTS } });
  const { client } = service;
  await eventually('the end of the run', async () => {
    const { run } = (await client.call('getArchive')).body;
    if (run?.state === 'FAILED') throw new Error(JSON.stringify(run.error));
    return run?.state === 'FINISHED';
  });
  expect(await past(client, witnesses)).toEqual(before);
  expect((await service.end()).code).toBe(0);
  raw = expectWhole(dataDir, acknowledged, raw);
  expect(raw.cut).toEqual(raw.recorded);
  expect(new ArchiveSight(dataDir).partials()).toEqual([]);

  // A third proof: all of it can be read, and folds to what is served.
  const config = loadConfig(settings);
  const volumes = await Array.fromAsync(checkArchive(config));
  expect(volumes.flatMap(({ damage }) => damage ?? [])).toEqual([]);
  const { projections } = await verifyReadModels(config);
  expect(projections.filter((one) => one.differenceCount > 0 || one.notCompared)).toEqual([]);
});

async function openAccounts(client: BankClient): Promise<string[]> {
  const owner_id = await registerAlice(client);
  return Promise.all(Array.from({ length: ACCOUNTS }, () => openAccount(client, { owner_id })));
}

/** As many events for each account as make it worth a run. */
async function fill(client: BankClient, accounts: readonly string[]): Promise<void> {
  const deposits = accounts.flatMap((id) =>
    Array.from({ length: MIN_EVENTS }, () => ({ type: 'DEPOSIT', ...posting(id, '0.01', 'Interest') })),
  );
  await client.call('postBatch', { body: deposits });
}

/** What is asked of the first events of accounts, which nothing that comes later may change. */
async function past(client: BankClient, accounts: readonly string[]): Promise<unknown[]> {
  const answers: unknown[] = [];
  for (const id of accounts) {
    const params = { id };
    const { items } = (await client.call('listAccountEvents', { params, query: `limit=${MIN_EVENTS}` })).body;
    const at = String(items.at(-1)?.metadata.timestamp);
    answers.push(items);
    answers.push((await client.call('getAccountState', { params, query: 'revision=7' })).body);
    answers.push((await client.call('getAccountBalance', { params, query: `at=${at}` })).body);
    const changes = 'from_revision=2&to_revision=9';
    answers.push((await client.call('getAccountChanges', { params, query: changes })).body);
  }
  return answers;
}

/** @param before what was on the disk at the kill before this one: all of it is still there, as it was */
function expectWhole(dataDir: string, acknowledged: readonly string[], before: RawBank | undefined): RawBank {
  const raw = readRawBank(dataDir);
  expect(raw.wrong).toEqual([]);
  const changed = [...(before?.events ?? [])].filter(([key, event]) => raw.events.get(key) !== event);
  expect(changed, 'events that were there, and are gone or others').toEqual([]);
  const recorded = new Map<string, number>();
  for (const event of raw.events.values()) {
    const id = /"transaction_id":"([^"]+)"/.exec(event)?.[1];
    if (id !== undefined) recorded.set(id, (recorded.get(id) ?? 0) + 1);
  }
  expect(acknowledged.filter((id) => recorded.get(id) !== 1)).toEqual([]);
  return raw;
}

/** Sees from outside how far a run has come. */
class ArchiveSight {
  readonly #dataDir: string;
  readonly #volumes: number;
  readonly #recorded: number;

  constructor(dataDir: string) {
    this.#dataDir = dataDir;
    this.#volumes = this.#names(/^\d{8}-[0-9a-f]{8}$/).length;
    this.#recorded = this.#entries();
  }

  partials(): string[] {
    return this.#names(/\.partial$/);
  }

  async until(moment: (typeof MOMENTS)[number] | undefined): Promise<void> {
    if (moment === 'begun') return;
    await eventually(`a run that is ${moment}`, () => {
      if (moment === 'writing') return this.partials().length > 0;
      if (moment === 'written') return this.#names(/^\d{8}-[0-9a-f]{8}$/).length > this.#volumes;
      return this.#entries() > this.#recorded;
    });
  }

  #names(pattern: RegExp): string[] {
    const archive = join(this.#dataDir, 'archive');
    try {
      return readdirSync(archive)
        .flatMap((store) => readdirSync(join(archive, store)))
        .filter((name) => pattern.test(name));
    } catch {
      // Before the first run there is none.
      return [];
    }
  }

  #entries(): number {
    const db = new DatabaseSync(join(this.#dataDir, 'events.db'), { readOnly: true });
    try {
      const sql = `SELECT count(*) AS entries FROM events e JOIN types t ON t.id = e.type
                   WHERE t.name = 'ArchiveVolumeRecordedV1'`;
      return Number(db.prepare(sql).get()?.entries);
    } finally {
      db.close();
    }
  }
}

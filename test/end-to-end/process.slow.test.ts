/** The service as a process: every way in which it refuses to start, how it ends under load, and what it logs. */
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ADDRESS, ALICE, openAccount, posting, registerAlice } from '../support/customers.ts';
import { randomNumbers } from '../support/random-numbers.ts';
import { startBank } from '../support/running-bank.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary-directory.ts';
import { DepositLoad } from './deposit-load.ts';
import { expectLedger } from './ledger-check.ts';
import { expectOneSentence } from './one-sentence.ts';
import { type Ended, runToTheEnd, type Settings, startService } from './service-process.ts';

let directory: TemporaryDirectory;
beforeAll(() => {
  directory = temporaryDirectory();
});
afterAll(() => directory.remove());

describe('a wrong setting', () => {
  const wrong: readonly Settings[] = [
    { OPENBANK_PORT: '65536' },
    { OPENBANK_ROLE: 'worker' },
    { OPENBANK_EVENT_STORE: 'mongodb://localhost' },
    { LOG_LEVEL: 'loud' },
  ];

  it('ends the start with code 2 and names the variable and its value', async () => {
    const ends = await Promise.all(
      wrong.map((settings) => runToTheEnd({ OPENBANK_DATA_DIR: directory.file('unused'), ...settings })),
    );
    for (const [index, ended] of ends.entries()) {
      const [[variable = '', value = ''] = []] = Object.entries(wrong[index] ?? {});
      expect(ended.code).toBe(2);
      expectOneSentence(ended, `${variable}=${value} `);
    }
    expect(existsSync(directory.file('unused'))).toBe(false);
  });
});

describe('a start that cannot work ends with code 1 and one sentence:', () => {
  it('a port that is in use', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const dataDir = directory.file('port-in-use');
    const ended = await runToTheEnd({ OPENBANK_PORT: String(port), OPENBANK_DATA_DIR: dataDir });
    other.close();
    expect(ended.code).toBe(1);
    expectOneSentence(ended, String(port), 'in use');
    expect(existsSync(`${dataDir}/openbank.pid`)).toBe(false);
  });

  it('a data directory or a log file below a regular file', async () => {
    const file = directory.file('regular');
    writeFileSync(file, 'mine');
    const OPENBANK_DATA_DIR = directory.file('fine');
    const ends = await Promise.all(
      [
        { OPENBANK_DATA_DIR: `${file}/below` },
        { OPENBANK_DATA_DIR, OPENBANK_LOG_FILE: `${file}/openbank.log` },
      ].map((settings) => runToTheEnd({ OPENBANK_PORT: '0', ...settings })),
    );
    for (const ended of ends) {
      expect(ended.code).toBe(1);
      expectOneSentence(ended, file);
    }
    expect(readFileSync(file, 'utf8')).toBe('mine');
  });

  it('a database that is none of ours, which stays as it was', async () => {
    const cases = (
      [
        ['events', 'text'],
        ['events', 'foreign'],
        ['read-models', 'text'],
      ] as const
    ).map(([name, kind]) => ({ name, kind, dataDir: directory.file(`${kind}-${name}`) }));
    const before = cases.map(({ name, kind, dataDir }) => {
      mkdirSync(dataDir);
      const path = `${dataDir}/${name}.db`;
      if (kind === 'text') writeFileSync(path, 'Dear diary, this is not a database at all.\n'.repeat(200));
      else foreignDatabase(path);
      return readFileSync(path);
    });
    const ends = await Promise.all(
      cases.map(({ dataDir }) => runToTheEnd({ OPENBANK_PORT: '0', OPENBANK_DATA_DIR: dataDir })),
    );
    for (const [index, { name, dataDir }] of cases.entries()) {
      const path = `${dataDir}/${name}.db`;
      expect(ends[index]?.code, path).toBe(1);
      expectOneSentence(ends[index] as Ended, path, 'database');
      expect(readFileSync(path).equals(before[index] as Buffer), path).toBe(true);
    }
  });

  it('read models whose events are gone, because a lost event store looks like a new one', async () => {
    const dataDir = directory.file('lost-events');
    const bank = await startBank({ dataDir });
    const { token } = await bank.client.call('registerPerson', { body: ALICE });
    await bank.client.call('listPersons', { token });
    await bank.close();
    rmSync(`${dataDir}/events.db`);
    const ended = await runToTheEnd({ OPENBANK_DATA_DIR: dataDir });
    expect(ended.code).toBe(1);
    expectOneSentence(ended, 'read-models.db', 'another event store');
    expect(existsSync(`${dataDir}/read-models.db`)).toBe(true);
  });

  it('a data directory that another instance uses; that one goes on', async () => {
    const OPENBANK_DATA_DIR = directory.file('shared');
    const first = await startService({ OPENBANK_DATA_DIR });
    try {
      const id = await openAccount(first.client);
      const pidFile = readFileSync(`${OPENBANK_DATA_DIR}/openbank.pid`, 'utf8');
      const second = await runToTheEnd({ OPENBANK_PORT: '0', OPENBANK_DATA_DIR });
      expect(second.code).toBe(1);
      expectOneSentence(second, OPENBANK_DATA_DIR, 'in use');

      const { token } = await first.client.call('deposit', { body: posting(id, '3.00') });
      const { body } = await first.client.call('getAccount', { params: { id }, token });
      expect(body.balance).toBe('3.00');
      expect(readFileSync(`${OPENBANK_DATA_DIR}/openbank.pid`, 'utf8')).toBe(pidFile);
    } finally {
      expect((await first.end()).code).toBe(0);
    }
  });
});

describe('the running service', () => {
  it('ends in order on SIGTERM under load: what it acknowledged is there afterwards', async () => {
    const OPENBANK_DATA_DIR = directory.file('stopped');
    const first = await startService({ OPENBANK_DATA_DIR, LOG_LEVEL: 'warn' });
    expect(readFileSync(`${OPENBANK_DATA_DIR}/openbank.pid`, 'utf8')).toBe(`${first.pid}\n`);
    const owner_id = await registerAlice(first.client);
    const accounts = await Promise.all([1, 2, 3].map(() => openAccount(first.client, { owner_id })));
    const load = new DepositLoad(first.client, accounts, 32, randomNumbers(7));
    while (load.acknowledged.length < 200) await sleep(10);
    const ended = await first.end('SIGTERM');
    await load.stop();
    expect(ended).toMatchObject({ code: 0, signal: null, stderr: '' });
    expect(existsSync(`${OPENBANK_DATA_DIR}/openbank.pid`)).toBe(false);

    const second = await startService({ OPENBANK_DATA_DIR, LOG_LEVEL: 'warn' });
    try {
      const found = await expectLedger(second.client, accounts, load.acknowledged);
      // Whoever got no answer may still have been served, but nobody twice.
      expect(found).toBeLessThanOrEqual(load.sent);
    } finally {
      expect((await second.end('SIGINT')).code).toBe(0);
    }
  });

  it('logs which stream came to which revision, and nothing about the people', async () => {
    const OPENBANK_DATA_DIR = directory.file('logged');
    const service = await startService({ OPENBANK_DATA_DIR, LOG_LEVEL: 'info' });
    const { client } = service;
    const owner = { ...ALICE, first_name: 'Wilhelmina', last_name: 'Quackenbush', address: ADDRESS };
    const person = (await client.call('registerPerson', { body: owner })).body.id;
    const id = await openAccount(client, { owner_id: person, overdraft_limit: '12.34' });
    await client.call('deposit', { body: posting(id, '1.00', 'Alimony for Rumpelstiltskin') });
    await client.refused('withdrawal', { body: posting(id, '999.00', 'Escape to Timbuktu') });
    await client.refused('registerPerson', { body: { ...owner, gender: 'Quackenbush' } });
    await client.fetch('GET', '/api/v1/persons/Quackenbush?cursor=Rumpelstiltskin');
    await client.call('listPersons');
    await client.call('withdrawal', { body: posting(id, '1.00', 'Timbuktu') });
    await client.call('closeAccount', { params: { id }, body: { reason: 'Moved to Timbuktu' } });
    const { stdout, stderr } = await service.end();

    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const stream = `bank-account-${id.replaceAll('-', '')}`;
    expect(lines).toContainEqual(
      expect.objectContaining({ level: 'info', message: 'CreateDeposit', stream, revision: 1, msg: 'done' }),
    );
    expect(lines).toContainEqual(
      expect.objectContaining({ message: 'CreateWithdrawal', code: 'insufficient_funds', msg: 'refused' }),
    );
    expect(lines).toContainEqual(
      expect.objectContaining({
        message: 'RegisterPerson',
        stream: `person-${person.replaceAll('-', '')}`,
        revision: 0,
        correlation_id: expect.any(String),
      }),
    );
    const personal = [
      'Wilhelmina',
      'Quackenbush',
      '1990-05-15',
      ...Object.values(ADDRESS).filter((part) => part.length > 3),
      'Rumpelstiltskin',
      'Timbuktu',
    ];
    for (const word of personal) expect(stdout + stderr).not.toContain(word);
  });
});

function foreignDatabase(path: string): void {
  const db = new DatabaseSync(path);
  db.exec("CREATE TABLE recipes (name TEXT); INSERT INTO recipes VALUES ('Pancakes')");
  db.close();
}

/** `replay`, `project` and the verbs about the past, on the store of a bank that runs. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSqliteEventStore } from '../../src/adapters/sqlite/event-store.ts';
import { bankAccountStream } from '../../src/domain/bank-account.ts';
import { newId } from '../../src/new-id.ts';
import { created, posted, usd } from '../support/bank-events.ts';
import { mustAppend, newEvent, newMetadata } from '../support/event-builders.ts';
import { livelyAccount } from '../support/lively-account.ts';
import { type RunningBank, startBank } from '../support/running-bank.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { cliOn } from './in-process.ts';
import type { Outcome } from './run-cli.ts';

const directory = temporaryDirectory();
const dataDir = directory.file('data');
const brokenAccount = newId();
let bank: RunningBank;
let account: string;
let cli: (...args: string[]) => Promise<Outcome>;

beforeAll(async () => {
  mkdirSync(dataDir);
  const store = openSqliteEventStore({ kind: 'file', path: join(dataDir, 'events.db') });
  const events = [created(newId()), posted(newId(), usd('DEBIT', '5.00', '-5.00'))];
  const metadata = newMetadata({ aggregate_type: 'BankAccount', aggregate_id: brokenAccount });
  const written = events.map(({ type, data }) => newEvent({ type, data, metadata }));
  await mustAppend(store, bankAccountStream(brokenAccount), written, 'no_stream');
  await store.close();
  bank = await startBank({ dataDir });
  account = await livelyAccount(bank);
  cli = cliOn(bank.url, dataDir);
});
afterAll(async () => {
  await bank?.close();
  directory.remove();
});

const linesOf = ({ stdout }: Outcome) =>
  stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
const usage = (outcome: Outcome) => {
  expect([outcome.code, outcome.stdout]).toEqual([2, '']);
  return outcome.stderr;
};

describe('replay', () => {
  it('finds nothing broken in an account that the bank made, and its rules agree on every event', async () => {
    const { code, stdout } = await cli('replay', account, '--rules', '--json');
    expect(code).toBe(0);
    const steps = linesOf({ code, stdout, stderr: '' });
    expect(steps.length).toBeGreaterThan(15);
    expect(steps.flatMap(({ findings }) => findings)).toEqual([]);
    const kinds = steps.map(({ type, data, today }) => [type, data.type, today]);
    const odd = kinds.filter(([, , today]) => today.kind !== 'same');
    expect(odd).toEqual([[expect.any(String), 'HOLD', { kind: 'not_judged', reason: expect.any(String) }]]);
  });

  it('shows each step with what it changed', async () => {
    const { code, stdout } = await cli('replay', account, '--from', '1', '--to', '2');
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^#1 {2}\S+Z {2}BankAccountTransactionRecordedDomainEventV1\n {4}DEPOSIT CREDIT 500\.00 USD/,
    );
    expect(stdout).toMatch(/^ {4}balance +500\.00 +→ +512\.34$/m);
    expect(stdout).toMatch(/Nothing is broken in 2 events\.\n$/);
  });

  it('prints the steps that the API answers, page by page', async () => {
    const { stdout } = await cli('replay', account, '--rules', '--json', '--from', '2');
    const steps: unknown[] = [];
    for (let cursor: string | undefined = '2'; cursor !== undefined; ) {
      const query: Record<string, string | number> = { rules: 'current', from: 2, limit: 4, cursor };
      const page = await bank.client.call('getAccountReplay', { params: { id: account }, query });
      steps.push(...page.body.items);
      cursor = page.body.next_cursor;
    }
    expect(steps.length).toBeGreaterThan(10);
    expect(linesOf({ code: 0, stdout, stderr: '' })).toEqual(steps);
  });

  it('marks the step that broke, and fails', async () => {
    const { code, stdout } = await cli('replay', brokenAccount, '--rules', '--findings');
    expect(code).toBe(1);
    expect(stdout).not.toContain('#0');
    expect(stdout).toMatch(/^#1 /);
    expect(stdout).toContain(
      '✗ overdrawn: A balance of -5.00 less 0.00 held is beyond an overdraft limit of 0.00.',
    );
    expect(stdout).toContain(
      '≠ today: refused: insufficient_funds. 5.00 USD was asked for, 0.00 is available.',
    );
    expect(stdout).toMatch(/1 of 2 events broke an invariant; today's rules differ on 1\.\n$/);
  });

  it('says in one sentence what it cannot do', async () => {
    expect(usage(await cli('replay', 'nope'))).toBe("openbank: 'nope' is not an account's id.\n");
    expect(usage(await cli('replay', account, '--from', '3', '--to', '2'))).toMatch(
      /--from must not be beyond --to/,
    );
    expect(usage(await cli('replay', account, '--from', '-1'))).toMatch(/^openbank: .*--from/);
    const nobody = await cli('replay', newId());
    expect([nobody.code, nobody.stderr]).toEqual([
      1,
      expect.stringMatching(/^openbank: The store has no such events/),
    ]);
  });
});

const TRIED = `
import { defineProjection } from '${resolve('src/event-sourcing/projection.ts')}';
export default defineProjection({
  name: 'deposits',
  version: 1,
  indexes: [],
  listed: true,
  eventTypes: ['BankAccountTransactionRecordedDomainEventV1'],
  keys: (event) => [event.metadata.aggregate_id],
  fold(document, event) {
    if (event.data.description === 'Bonus') throw new Error('no bonus, please');
    return { postings: (document?.postings ?? 0) + 1 };
  },
});
`;

describe('project', () => {
  it('folds one of the own projections as it stood at a time, beside those that serve', async () => {
    const { items } = (await bank.client.call('listAccountEvents', { params: { id: account } })).body;
    const [, , , withdrawal] = items;
    const at = String(withdrawal?.metadata.timestamp);
    const { body } = await bank.client.call('getAccountState', { params: { id: account }, query: { at } });
    const then = await cli('project', 'bank_accounts', '--at', at, '--key', account, '--json');
    expect(then.code).toBe(0);
    const [{ key, document }] = linesOf(then);
    expect(key).toBe(account);
    expect(document).toMatchObject({ balance: body.balance, revision: body.revision, owner: 'Alice Smith' });
    const now = await cli('project', 'bank_accounts', '--key', account, '--json');
    const served = await bank.client.call('getAccount', { params: { id: account } });
    expect(linesOf(now)[0].document).toMatchObject(served.body);
    const early = await cli('project', 'bank_accounts', '--at', '2020-01-01T00:00:00Z', '--json');
    expect([early.code, early.stdout, early.stderr]).toEqual([0, '', '0 documents.\n']);
  });

  it('tries a projection from a file, and says which events it could not fold', async () => {
    const file = join(dataDir, 'tried.ts');
    writeFileSync(file, TRIED);
    const { code, stdout, stderr } = await cli('project', '--try', file, '--json', '--limit', '1');
    expect(code).toBe(1);
    expect(linesOf({ code, stdout, stderr })).toEqual([{ key: brokenAccount, document: { postings: 1 } }]);
    expect(stderr).toContain('3 documents; 1 are shown, --limit shows more.');
    expect(stderr).toMatch(
      /\d+ events could not be folded, such as\n {2}BankAccountTransactionRecorded.*no bonus/,
    );
  });

  it('says in one sentence what it cannot do', async () => {
    expect(usage(await cli('project'))).toMatch(/needs NAME or --try FILE\. NAME is one of persons, /);
    expect(usage(await cli('project', 'persons', '--try', 'x.ts'))).toMatch(/needs NAME or --try/);
    expect(usage(await cli('project', 'bank_account'))).toMatch(/Did you mean 'bank_accounts'\?/);
    // The last one is what Date.parse takes for the second of March.
    for (const at of ['yesterday', '2026-01-31', '2026-01-31T23:59:59', '2026-02-30T00:00:00Z']) {
      expect(usage(await cli('project', 'persons', '--at', at))).toMatch(/--at must be a time such as/);
    }
    expect(usage(await cli('project', 'persons', '--at', '9999-01-01T00:00:00Z'))).toMatch(
      /not be in the future/,
    );
    expect(usage(await cli('project', '--try', 'nowhere.ts'))).toMatch(/nowhere\.ts cannot be loaded/);
    const file = join(dataDir, 'no-projection.ts');
    writeFileSync(file, "export default { name: 'x' };");
    expect(usage(await cli('project', '--try', file))).toMatch(
      /what is wrong with it: version, eventTypes, keys, fold\./,
    );
    const unknown = await cli('project', 'persons', '--key', 'nobody');
    expect([unknown.code, unknown.stderr]).toEqual([1, "openbank: persons has no document 'nobody' then.\n"]);
  });
});

describe('account balance, show and changes', () => {
  it('tell of the past as the API does', async () => {
    const balance = await cli('account', 'balance', account, '--revision', '1');
    expect(balance.stdout).toMatch(/^Balance +500\.00 USD$/m);
    const show = await cli('account', 'show', account, '--revision', '0');
    expect(show.stdout).toMatch(/^Balance +0\.00 USD$/m);
    expect(show.stdout).toMatch(/^Revision +0$/m);
    const changes = await cli('account', 'changes', account, '--from-revision', '1', '--to-revision', '2');
    expect(changes.stdout).toMatch(/^balance +500\.00 +512\.34$/m);
    expect(changes.stdout).toMatch(
      /^ +2 {2}\S+ \S+Z {2}BankAccountTransactionRecordedDomainEventV1 {2}balance, /m,
    );
  });

  it('pass a refusal on', async () => {
    const { code, stderr } = await cli('account', 'balance', account, '--at', '2020-01-01T00:00:00Z');
    expect([code, stderr]).toEqual([
      5,
      expect.stringMatching(/^openbank: Account not open yet: .*\(\/at\)\.\n$/),
    ]);
  });
});

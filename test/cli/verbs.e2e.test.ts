/** The verbs of the command line against a bank that runs: what they do to it, print, refuse and exit with. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { displayWidth } from '../../src/cli/display-width.ts';
import { type RunningBank, startBank } from '../support/running-bank.ts';
import { cliOn } from './in-process.ts';
import type { Outcome } from './run-cli.ts';

const UUID = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';
const NOBODY = '01990d2e-7c1b-7a52-9d5e-0c8f7f4b1aff';

let bank: RunningBank;
let run: (...args: string[]) => Promise<Outcome>;
beforeAll(async () => {
  bank = await startBank();
});
beforeEach(() => {
  run = cliOn(bank.url);
});
afterAll(() => bank.close());

/** What a command that must go well printed. */
async function ok(...args: string[]): Promise<string> {
  const outcome = await run(...args);
  expect(outcome, args.join(' ')).toMatchObject({ code: 0, stderr: '' });
  return outcome.stdout;
}

/** The lines of a details table as `title → value`. */
function details(table: string): Record<string, string> {
  const lines = table.trimEnd().split('\n');
  return Object.fromEntries(lines.map((line) => line.split(/ {2,}/, 2) as [string, string]));
}

const PERSON = ['--date-of-birth', '1990-05-15', '--nationality', 'us', '--gender', 'female'];

async function register(first = 'Alice', last = 'Smith'): Promise<string> {
  return (await ok('person', 'register', '--first-name', first, '--last-name', last, ...PERSON, '-q')).trim();
}

async function open(...flags: string[]): Promise<string> {
  return (await ok('account', 'open', await register(), '-q', ...flags)).trim();
}

describe('person', () => {
  it('registers, shows and lists persons, with an address when one is given', async () => {
    const address = ['--street-name', 'Main Street', '--street-number', '12b', '--zip-code', '10115'];
    const place = ['--city', 'Springfield', '--state', 'Oregon', '--country', 'us'];
    const names = ['--first-name', 'Alice', '--last-name', 'Smith'];
    const shown = details(await ok('person', 'register', ...names, ...PERSON, ...address, ...place));
    expect(shown).toMatchObject({
      Name: 'Alice Smith',
      Born: '1990-05-15',
      Nationality: 'US',
      Gender: 'FEMALE',
      Address: 'Main Street 12b, 10115 Springfield, Oregon, US',
    });
    expect(shown.Person).toMatch(new RegExp(`^${UUID}$`));
    expect(details(await ok('person', 'show', shown.Person ?? ''))).toEqual(shown);
    expect((await ok('person', 'list', '-q')).split('\n')).toContain(shown.Person);
  });

  it('aligns names of any script', async () => {
    await register('太郎', '山田');
    await register('Zoe\u0308', 'Müller');
    await register('👩‍👩‍👧', 'Łuczak');
    const lines = (await ok('person', 'list')).trimEnd().split('\n');
    const [header = ''] = lines;
    const before = header.slice(0, header.indexOf('Born')).length;
    expect(lines.length).toBeGreaterThan(3);
    for (const line of lines.slice(1)) {
      expect(displayWidth(line.slice(0, line.indexOf('1990-05-15'))), line).toBe(before);
    }
  });

  it('names every field that is wrong in one sentence', async () => {
    const { code, stdout, stderr } = await run('person', 'register', '--first-name', 'Alice');
    expect({ code, stdout }).toEqual({ code: 5, stdout: '' });
    expect(stderr).toMatch(/^openbank: .*\(\/last_name\); .*\(\/date_of_birth\); .*\(\/gender\)\.\n$/);
  });
});

describe('account', () => {
  it('is opened and shown as it is afterwards, with the name of its owner', async () => {
    const owner = await register();
    const flags = ['--type', 'savings', '--currency', 'eur', '--initial-balance', '10.50'];
    const opened = await ok('account', 'open', owner, ...flags, '--overdraft-limit', '500');
    expect(details(opened)).toMatchObject({
      Owner: `Alice Smith, ${owner}`,
      Type: 'SAVINGS',
      Balance: '10.50 EUR',
      Available: '510.50 EUR',
      'Overdraft limit': '500.00 EUR',
      Transactions: '1',
    });
    const { Account: id = '' } = details(opened);
    expect(await ok('account', 'show', id)).toBe(opened);
    expect(await ok('account', 'list', '--owner', owner, '-q')).toBe(`${id}\n`);
    expect((await ok('account', 'list', '-q')).split('\n')).toContain(id);
  });

  it('carries amounts as they were typed, to the last digit', async () => {
    const account = await open();
    expect(details(await ok('deposit', account, '9007199254740.97')).Balance).toBe('9007199254740.97 USD');
    expect(details(await ok('withdraw', account, '0.10', '-d', 'Books'))).toMatchObject({
      Amount: '0.10 USD',
      Balance: '9007199254740.87 USD',
      Description: 'Books',
    });
    const { code, stderr } = await run('deposit', account, '0x10');
    expect(code).toBe(5);
    expect(stderr).toContain('(/amount)');
  });

  it('deposits once, however often the same key asks', async () => {
    const account = await open();
    const first = await ok('deposit', account, '5', '--idempotency-key', 'gift 1', '--json');
    expect(await ok('deposit', account, '5', '--idempotency-key', 'gift 1', '--json')).toBe(first);
    expect(details(await ok('account', 'show', account)).Balance).toBe('5.00 USD');
    const other = await run('deposit', account, '6', '--idempotency-key', 'gift 1');
    expect(other).toMatchObject({ code: 5, stdout: '' });
  });

  it('lists transactions newest first, and says how to go on', async () => {
    const account = await open();
    await ok('deposit', account, '100');
    const second = (await ok('withdraw', account, '30', '-q')).trim();
    const table = await ok('account', 'transactions', account);
    const [header, newest, oldest] = table.split('\n');
    expect(header).toMatch(/^Transaction +Recorded +Type +Amount +Balance +Currency +Description$/);
    expect(newest).toMatch(/ WITHDRAWAL +-30\.00 +70\.00 +USD +Withdrawal$/);
    expect(oldest).toMatch(/ DEPOSIT +\+100\.00 +100\.00 +USD +Deposit$/);
    expect(newest?.indexOf('USD')).toBe(oldest?.indexOf('USD'));
    const page = await run('account', 'transactions', account, '--limit', '1', '-q');
    expect(page).toMatchObject({ code: 0, stdout: `${second}\n` });
    const cursor = /^There are more: --cursor (\S+)\n$/.exec(page.stderr)?.[1] ?? '';
    expect(await ok('account', 'transactions', account, '--cursor', cursor)).toContain('+100.00');
  });

  it('says when a list is empty, and gives scripts nothing then', async () => {
    const account = await open();
    expect(await ok('account', 'transactions', account)).toBe('There are no transactions.\n');
    expect(await ok('account', 'transactions', account, '-q')).toBe('');
  });

  it('changes the limit and closes, only at the revision that was named', async () => {
    const account = await open();
    expect(details(await ok('account', 'limit', account, '75', '--if-match', '0'))).toMatchObject({
      Available: '75.00 USD',
      Revision: '1',
    });
    const stale = await run('account', 'close', account, '--reason', 'Moved', '--if-match', '"0"');
    expect(stale).toMatchObject({ code: 5, stdout: '' });
    expect(stale.stderr).toMatch(/^openbank: Revision mismatch: .*\n$/);
    const closed = await ok('account', 'close', account, '--reason', 'Moved', '--if-match', '1');
    expect(details(closed).Status).toBe('CLOSED');
  });

  it('shows limits and a freeze where there are any', async () => {
    const account = await open();
    expect(Object.keys(details(await ok('account', 'show', account)))).not.toContain('Frozen for');
    const params = { id: account };
    await bank.client.call('changeLimits', { params, body: { daily_limit: '50' } });
    const frozen = { scope: 'DEBITS', reason: 'Card lost' };
    const { token } = await bank.client.call('freezeAccount', { params, body: frozen });
    await bank.client.call('getAccount', { params, token });
    const shown = details(await ok('account', 'show', account));
    expect(shown).toMatchObject({ Status: 'SUSPENDED', 'Frozen for': 'DEBITS', 'Daily limit': '50.00 USD' });
    expect(Object.keys(shown)).not.toContain('Transaction limit');
  });

  it('holds money, captures a part, releases, and lists what was held', async () => {
    const account = await open('--initial-balance', '100');
    const first = (await ok('account', 'hold', 'place', account, '40', '-d', 'Hotel', '-q')).trim();
    const placed = await ok(
      'account',
      'hold',
      'place',
      account,
      '25',
      '--expires-at',
      '2027-01-31T12:00:00Z',
    );
    expect(details(placed)).toMatchObject({ Amount: '25.00 USD', Expires: '2027-01-31 12:00:00Z' });
    const captured = await ok('account', 'hold', 'capture', account, first, '--amount', '30');
    expect(details(captured)).toMatchObject({ Amount: '30.00 USD', Balance: '70.00 USD', Hold: first });
    const { Hold: second = '' } = details(placed);
    const released = await ok('account', 'hold', 'release', account, second);
    expect(details(released)).toMatchObject({ Available: '70.00 USD', Held: '0.00 USD' });
    expect(await ok('account', 'hold', 'list', account, '-q')).toBe(`${second}\n${first}\n`);
    expect(await ok('account', 'hold', 'list', account, '--status', 'captured', '-q')).toBe(`${first}\n`);
    expect(await ok('account', 'hold', 'list', account, '--status', 'open')).toBe('There are no holds.\n');
  });
});

describe('transfer', () => {
  it('moves money between two accounts, and once under one key', async () => {
    const [from, to] = [await open('--initial-balance', '100'), await open()];
    const args = ['transfer', from, to, '30.50', '-d', 'Rent', '--idempotency-key', 'rent 05'];
    const shown = details(await ok(...args));
    expect(shown).toMatchObject({ Status: 'COMPLETED', Amount: '30.50 USD' });
    expect(details(await ok(...args))).toEqual(shown);
    expect(details(await ok('account', 'show', from)).Balance).toBe('69.50 USD');
    expect(details(await ok('account', 'show', to)).Balance).toBe('30.50 USD');
    expect(await ok('account', 'transactions', to)).toMatch(/ TRANSFER +\+30\.50 +30\.50 +USD +Rent$/m);
  });

  it('of more than there is, is refused with 5 and moves nothing', async () => {
    const [from, to] = [await open('--initial-balance', '10'), await open()];
    const { code, stdout, stderr } = await run('transfer', from, to, '10.01');
    expect({ code, stdout }).toEqual({ code: 5, stdout: '' });
    expect(stderr).toMatch(/^openbank: Insufficient funds: [^\n]+\.\n$/);
    expect(details(await ok('account', 'show', to)).Balance).toBe('0.00 USD');
  });
});

describe('analytics', () => {
  it('tell what came in and went out of an account and of its owner', async () => {
    const account = await open('--initial-balance', '10');
    await ok('withdraw', account, '2.50', '-d', 'Books');
    const table = await ok('analytics', account);
    expect(details(table)).toMatchObject({
      Transactions: '2',
      'Net flow': '7.50 USD',
      'Average transaction': '6.25 USD',
    });
    const { owner_id } = JSON.parse(await ok('account', 'show', account, '--json'));
    const owned = JSON.parse(await ok('analytics', '--owner', owner_id, '--interval', 'month', '--json'));
    expect(owned.currencies[0].buckets).toHaveLength(12);
    expect(await ok('analytics', '--bank', '--currency', 'USD')).toMatch(/^Net flow +-?\d+\.\d\d USD$/m);
  });

  it('of days that are yet to come are refused with 5', async () => {
    const { code, stderr } = await run('analytics', '--bank', '--to', '9999-12-31');
    expect(code).toBe(5);
    expect(stderr).toMatch(/^openbank: Time in the future: to is later than today/);
  });
});

describe('statement', () => {
  const month = () => new Date().toISOString().slice(0, 7);

  it('shows the month of an account: as a table, as JSON, and as the bank\u2019s own file', async () => {
    const account = await open('--initial-balance', '10');
    await ok('withdraw', account, '2.50', '-d', 'Books');
    const table = await ok('statement', account, month());
    expect(details(table)).toMatchObject({
      Owner: 'Alice Smith',
      'Opening balance': '0.00 USD',
      'Closing balance': '7.50 USD',
    });
    expect(table).toMatch(/ -2\.50 +7\.50 +USD/m);
    expect(JSON.parse(await ok('statement', account, month(), '--json'))).toMatchObject({
      closing_balance: '7.50',
    });
    const csv = await ok('statement', account, month(), '--format', 'csv');
    expect(csv).toContain('Books');
  });

  it('of a month before the account is refused with 5', async () => {
    expect(await run('statement', await open(), '2000-01')).toMatchObject({ code: 5, stdout: '' });
  });
});

describe('--json', () => {
  it("prints the API's answers as they came", async () => {
    const account = await open('--initial-balance', '10');
    for (const [path, args] of [
      ['/persons', ['person', 'list']],
      [`/accounts/${account}`, ['account', 'show', account]],
      [`/accounts/${account}/transactions`, ['account', 'transactions', account]],
      [`/accounts/${account}/holds`, ['account', 'hold', 'list', account]],
    ] as const) {
      const response = await fetch(`${bank.url}/api/v1${path}`);
      expect(await ok(...args, '--json')).toBe(`${await response.text()}\n`);
    }
    const written = JSON.parse(await ok('deposit', account, '1.10', '--json'));
    expect(written).toMatchObject({ account_id: account, amount: '1.10', balance: '11.10' });
    const limited = JSON.parse(await ok('account', 'limit', account, '5', '--json'));
    expect(limited).toMatchObject({ id: account, overdraft_limit: '5.00' });
  });

  it('prints a refusal both as it came and as a sentence', async () => {
    const { code, stdout, stderr } = await run('account', 'show', NOBODY, '--json');
    expect(code).toBe(5);
    expect(JSON.parse(stdout)).toMatchObject({ status: 404, code: 'account_not_found' });
    expect(stderr).toMatch(/^openbank: Account not found: [^\n]*\n$/);
  });
});

describe('what is wrong', () => {
  it('with the request is told by the bank, with 5', async () => {
    const account = await open();
    const { code, stdout, stderr } = await run('withdraw', account, '1');
    expect({ code, stdout }).toEqual({ code: 5, stdout: '' });
    expect(stderr).toMatch(/^openbank: Insufficient funds: [^\n]+ \(\/amount\)\.\n$/);
    expect((await run('account', 'show', 'x y/z')).stderr).toMatch(/^openbank: Invalid id: /);
  });

  it.each([
    [
      ['account', 'shwo', 'x'],
      "There is no command 'account shwo'. Did you mean 'show'? See ./openbank account --help.",
    ],
    [['account', 'frobnicate'], "There is no command 'account frobnicate'. See ./openbank account --help."],
    [
      ['account', 'hold', 'realese'],
      "There is no command 'account hold realese'. Did you mean 'release'? See ./openbank account hold --help.",
    ],
    [['person'], 'person needs one of register, show, list. See ./openbank person --help.'],
    [['depost', 'x', '1'], "There is no command 'depost'. Did you mean 'deposit'? See ./openbank help."],
    [['deposit', 'x'], 'deposit needs AMOUNT. See ./openbank deposit --help.'],
    [['account', 'show', '..'], "'..' is not an id."],
    [
      ['help', 'account', 'frobnicate'],
      "There is no command 'account frobnicate'. See ./openbank account --help.",
    ],
  ])('with the words %j is told with 2', async (args, sentence) => {
    expect(await run(...args)).toEqual({ code: 2, stdout: '', stderr: `openbank: ${sentence}\n` });
  });
});

describe('help', () => {
  it.each([
    [['help', 'account'], ['account', '--help'], /^ {2}open +Open an account/m],
    [['help', 'account', 'open'], ['account', 'open', '-h'], /\.\/openbank account open \[options\] OWNER/],
    [['help', 'account', 'hold', 'place'], ['account', 'hold', 'place', '--help'], /ACCOUNT AMOUNT/],
    [['help', 'deposit'], ['deposit', '--help'], /--idempotency-key KEY/],
  ])('%j is the same as %j', async (asked, flagged, expected) => {
    const help = await ok(...asked);
    expect(help).toMatch(expected);
    expect(await ok(...flagged)).toBe(help);
  });
});

/** A batch is worth the same requests one by one: the same answers, and the same balances in the end. */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { settings } from '../domain/property-settings.ts';
import { ALICE, openAccount, registerAlice } from '../support/customers.ts';
import { type RunningBank, startBank } from '../support/running-bank.ts';

let bank: RunningBank;
let owner_id: string;
beforeAll(async () => {
  bank = await startBank();
  owner_id = await registerAlice(bank.client);
});
afterAll(() => bank.close());

const ACCOUNTS = 5;
const OPERATIONS = { DEPOSIT: 'deposit', WITHDRAWAL: 'withdrawal', TRANSFER: 'transfer' } as const;

/** `from` counts for postings; `key` is shared by the items that happen to have the same one. */
interface Plan {
  readonly type: keyof typeof OPERATIONS;
  readonly from: number;
  readonly to: number;
  readonly amount: string;
  readonly key: number | undefined;
}

const plan: fc.Arbitrary<Plan> = fc.record({
  type: fc.constantFrom('DEPOSIT', 'WITHDRAWAL', 'TRANSFER', 'TRANSFER'),
  from: fc.nat({ max: ACCOUNTS - 1 }),
  to: fc.nat({ max: ACCOUNTS - 1 }),
  amount: fc.constantFrom('10.00', '25.00', '60.00', '0.00', 'x'),
  key: fc.option(fc.nat({ max: 5 }), { nil: undefined, freq: 2 }),
});

/** The last of the accounts is in another currency, the one before is frozen for credits, and the first has a limit. */
async function openAll(): Promise<string[]> {
  const open = (fields: object) =>
    openAccount(bank.client, { owner_id, initial_balance: '50.00', ...fields });
  const limited = await open({ overdraft_limit: '30.00' });
  const limits = { transaction_limit: '30.00', daily_limit: '70.00' };
  await bank.client.call('changeLimits', { params: { id: limited }, body: limits });
  const frozen = await open({});
  const freeze = { scope: 'CREDITS', reason: 'Court order' };
  await bank.client.call('freezeAccount', { params: { id: frozen }, body: freeze });
  return [limited, await open({}), await open({}), frozen, await open({ currency: 'EUR' })];
}

function bodyOf({ type, from, to, amount }: Plan, accounts: readonly string[]) {
  const common = { amount, description: 'Rent' };
  if (type !== 'TRANSFER') return { account_id: accounts[from], ...common };
  return { from_account_id: accounts[from], to_account_id: accounts[to], ...common };
}

/** What an answer says, without what differs from one bank to another: ids and times. */
function told(answer: object, accounts: readonly string[]): unknown {
  const named = accounts.reduce(
    (text, id, index) => text.replaceAll(id, `account ${index}`),
    JSON.stringify(answer),
  );
  return JSON.parse(
    named
      .replace(/"(id|transaction_id|transfer_id)":"[0-9a-f-]{36}"/g, '"$1":"…"')
      .replace(/"(at|recorded_at|requested_at|updated_at)":"[^"]+"/g, '"$1":"…"'),
  );
}

async function oneByOne(plans: readonly Plan[], accounts: readonly string[], name: string) {
  const answers: unknown[] = [];
  for (const one of plans) {
    const headers = one.key === undefined ? {} : { 'idempotency-key': `${name} ${one.key}` };
    const outcome = await bank.client.try(OPERATIONS[one.type], { body: bodyOf(one, accounts), headers });
    const replayed = outcome.headers.get('idempotent-replayed') === 'true';
    answers.push(
      outcome.ok
        ? told(
            { outcome: replayed ? 'replayed' : 'posted', status: outcome.status, answer: outcome.body },
            accounts,
          )
        : told({ outcome: 'refused', status: outcome.status, answer: outcome.problem }, accounts),
    );
  }
  return answers;
}

async function inBatches(plans: readonly Plan[], accounts: readonly string[], name: string, size: number) {
  const answers: unknown[] = [];
  for (let from = 0; from < plans.length; from += size) {
    const items = plans.slice(from, from + size).map((one) => ({
      type: one.type,
      ...(one.key === undefined ? {} : { idempotency_key: `${name} ${one.key}` }),
      ...bodyOf(one, accounts),
    }));
    const { body } = await bank.client.call('postBatch', { body: items });
    for (const { outcome, status, ...rest } of body.items) {
      const [answer] = Object.values(rest);
      answers.push(told({ outcome, status, answer }, accounts));
    }
  }
  return answers;
}

async function balances(accounts: readonly string[]): Promise<string[]> {
  const { token } = await bank.client.call('registerPerson', { body: ALICE });
  const read = async (id: string) => (await bank.client.call('getAccount', { params: { id }, token })).body;
  return (await Promise.all(accounts.map(read))).map(({ balance }) => balance);
}

it('answers and leaves behind what the single routes do', async () => {
  let runs = 0;
  const property = fc.asyncProperty(
    fc.array(plan, { minLength: 1, maxLength: 25 }),
    fc.integer({ min: 1, max: 25 }),
    async (plans, size) => {
      runs += 1;
      const [single, batched] = [await openAll(), await openAll()];
      const expected = await oneByOne(plans, single, `single ${runs}`);
      expect(await inBatches(plans, batched, `batch ${runs}`, size)).toEqual(expected);
      expect(await balances(batched)).toEqual(await balances(single));
    },
  );
  await fc.assert(property, settings(8, 250));
}, 120_000);

/** Carries the demo's plan out on a running bank, several customers at a time. */
import { CliError } from '../cli-error.ts';
import { type DemoAnswer, type DemoBank, unexpected } from './demo-bank.ts';
import type { Step } from './ledger.ts';
import { type CustomerPlan, type DemoOptions, planCustomer } from './plan.ts';

/** Customers that are served at once; the steps of one customer come one after the other. */
const CONCURRENCY = 16;

/** What has been done so far. */
export interface Tally {
  customers: number;
  accounts: number;
  transactions: number;
  refusals: number;
  limit_changes: number;
  closed_accounts: number;
}

/** A customer worth a look, with real ids. */
export interface Sample {
  readonly name: string;
  readonly person_id: string;
  readonly account_id: string;
  /** A read that sends it back sees everything that the demo did for this customer. */
  readonly token: string | null;
}

/** What the demo did. */
export interface FillResult extends Tally {
  readonly sample: Sample | undefined;
}

/**
 * Registers the customers and lets their months happen.
 * @throws CliError at the first answer that the plan did not expect; what is under way ends before.
 */
export async function fillBank(
  bank: DemoBank,
  options: DemoOptions & { readonly customers: number },
  onProgress: (tally: Readonly<Tally>) => void,
): Promise<FillResult> {
  const tally: Tally = {
    customers: 0,
    accounts: 0,
    transactions: 0,
    refusals: 0,
    limit_changes: 0,
    closed_accounts: 0,
  };
  let sample: Sample | undefined;
  let next = 0;
  let failed = false;
  const work = async () => {
    while (next < options.customers && !failed) {
      const index = next++;
      const served = await serve(bank, planCustomer(index, options), tally).catch((error) => {
        failed = true;
        throw error;
      });
      if (index === 0) sample = served;
      tally.customers += 1;
      onProgress(tally);
    }
  };
  const outcomes = await Promise.allSettled(Array.from({ length: CONCURRENCY }, work));
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  return { ...tally, sample };
}

async function serve(bank: DemoBank, plan: CustomerPlan, tally: Tally): Promise<Sample> {
  const person = await bank.expect('POST', '/persons', plan.person);
  const person_id = String(person.body.id);
  const accounts: string[] = [];
  let token = person.token;
  for (const account of plan.accounts) {
    const opened = await bank.expect('POST', '/accounts', { owner_id: person_id, ...account });
    accounts.push(String(opened.body.id));
    token = opened.token ?? token;
    tally.accounts += 1;
    if (Number(account.initial_balance) > 0) tally.transactions += 1;
  }
  for (const step of plan.steps) {
    const answer = await carryOut(bank, step, accounts[step.account] ?? '', tally);
    token = answer.token ?? token;
  }
  const name = `${plan.person.first_name} ${plan.person.last_name}`;
  return { name, person_id, account_id: accounts[0] ?? '', token };
}

async function carryOut(bank: DemoBank, step: Step, account: string, tally: Tally): Promise<DemoAnswer> {
  switch (step.kind) {
    case 'overdraft':
      tally.limit_changes += 1;
      return bank.expect('PUT', `/accounts/${account}/overdraft-limit`, { overdraft_limit: step.limit });
    case 'close':
      tally.closed_accounts += 1;
      return bank.expect('POST', `/accounts/${account}/close`, { reason: step.reason });
    default:
      return post(bank, step, account, tally);
  }
}

type Posting = Extract<Step, { readonly expect: unknown }>;

/** The bank has to come to the same balance as the demo's own books, to the cent. */
async function post(bank: DemoBank, step: Posting, account_id: string, tally: Tally): Promise<DemoAnswer> {
  const path = `/transactions/${step.kind}`;
  const { amount, description, expect } = step;
  const answer = await bank.send('POST', path, { account_id, amount, description });
  if (expect === 'insufficient_funds') {
    if (answer.body.code !== 'insufficient_funds') throw unexpected('POST', path, answer);
    tally.refusals += 1;
    return answer;
  }
  if (answer.status !== 201) throw unexpected('POST', path, answer);
  if (answer.body.balance !== expect.balance) {
    const said = `the bank says ${answer.body.balance} after "${description}", the demo's books ${expect.balance}`;
    throw new CliError(`The demo stopped: ${said} (account ${account_id}).`);
  }
  tally.transactions += 1;
  return answer;
}

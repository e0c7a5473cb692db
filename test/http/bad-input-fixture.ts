/** The bank that bad requests are tried on, and how one such request and its refusal are written down. */
import { randomUUID } from 'node:crypto';
import type { ProblemCode } from '../../src/http/problem-catalog.ts';
import type { CallOptions, OperationId } from '../support/bank-client.ts';
import { ALICE, openAccount, posting, registerAlice } from '../support/customers.ts';
import type { RunningBank } from '../support/running-bank.ts';

/** Ids in a bank where each rule can be broken. */
export interface Fixture {
  readonly person: string;
  /** Holds 100.00 USD at revision 1, with an overdraft of 50.00. */
  readonly account: string;
  /** Holds nothing. */
  readonly empty: string;
  readonly closed: string;
  /** At −40.00 USD of 50.00. */
  readonly overdrawn: string;
  /** One more deposit of the largest amount would pass the largest balance. */
  readonly full: string;
  /** Holds 100.00 USD, of which `hold` sets 30.00 aside. */
  readonly holding: string;
  readonly hold: string;
  /** A withdrawal of 9.00 USD, of which 5.00 is left to reverse. */
  readonly transaction: string;
  /** The reversal of the rest. */
  readonly reversal: string;
  /** A deposit of which nothing is left. */
  readonly spent: string;
  /** A hold of the same account that was released. */
  readonly released: string;
  /** Frozen for debits and credits. */
  readonly frozen: string;
  /** Holds 100.00 USD; 10.00 may go out at once, 15.00 in a day, of which 6.00 are left. */
  readonly limited: string;
  readonly yen: string;
  readonly dinar: string;
  /** The token of the newest write. */
  readonly token: string;
  readonly unknown: string;
}

/** One request that must be refused: how, and where the problem points. */
export interface Row {
  readonly name: string;
  readonly operation: OperationId;
  readonly request: (bank: Fixture) => CallOptions;
  readonly status: number;
  readonly code: ProblemCode;
  /** `body /amount`; absent where the problem points at no field. */
  readonly at?: string;
}

/** The largest amount in USD; a hundred of them and a cent more than 999.99 are the largest balance. */
export const AMOUNT_MAX = '9999999999999.99';

export async function buildFixture({ client }: RunningBank): Promise<Fixture> {
  const person = await registerAlice(client);
  const open = (fields: Record<string, unknown>) => openAccount(client, { owner_id: person, ...fields });
  const closed = await open({});
  await client.call('closeAccount', { params: { id: closed }, body: { reason: 'Test' } });
  const overdrawn = await open({ overdraft_limit: '50.00' });
  await client.call('withdrawal', { body: posting(overdrawn, '40.00') });
  const full = await open({});
  const largest = { body: posting(full, AMOUNT_MAX) };
  await Promise.all(Array.from({ length: 100 }, () => client.call('deposit', largest)));
  const account = await open({ overdraft_limit: '50.00', initial_balance: '100.00' });
  const yen = await open({ currency: 'JPY' });
  const dinar = await open({ currency: 'BHD' });
  const empty = await open({});
  const holding = await open({ initial_balance: '100.00' });
  const released = await placeHold(client, holding);
  await client.call('releaseHold', { params: { id: holding, hold_id: released } });
  const hold = await placeHold(client, holding);
  const frozen = await open({ initial_balance: '100.00' });
  const freeze = { scope: 'ALL', reason: 'Court order' };
  await client.call('freezeAccount', { params: { id: frozen }, body: freeze });
  const limited = await open({ initial_balance: '109.00' });
  const limits = { transaction_limit: '10.00', daily_limit: '15.00' };
  await client.call('changeLimits', { params: { id: limited }, body: limits });
  const withdrawal = await client.call('withdrawal', { body: posting(limited, '9.00') });
  const transaction = withdrawal.body.transaction_id;
  const returned = { params: { id: transaction }, body: { amount: '4.00', reason: 'Goods returned' } };
  const reversed = await client.call('reverseTransaction', { ...returned, token: withdrawal.token });
  const reversal = reversed.body.transaction_id;
  const poor = await open({});
  const { body: money } = await client.call('deposit', { body: posting(poor, '5.00') });
  await client.call('withdrawal', { body: posting(poor, '5.00') });
  const { token } = await client.call('registerPerson', { body: ALICE });
  return {
    person,
    account,
    empty,
    closed,
    overdrawn,
    full,
    holding,
    hold,
    released,
    frozen,
    limited,
    transaction,
    reversal,
    spent: money.transaction_id,
    yen,
    dinar,
    token,
    unknown: randomUUID(),
  };
}

/** CloudEvents and batches come in shapes of their own, and have tests of their own. */
type Command = Exclude<
  OperationId,
  | `${'get' | 'list' | 'read' | 'receive'}${string}`
  | 'live'
  | 'ready'
  | 'status'
  | 'metrics'
  | 'explainProblem'
  | 'postBatch'
  // They have no body.
  | 'releaseHold'
  | 'retryDeadLetter'
  | 'rebuildProjection'
  | 'cancelRebuild'
  | 'pauseProjection'
  | 'resumeProjection'
  | 'expireHolds'
  | 'takeSnapshot'
  | 'startBackup'
  | 'removePastProjection'
>;

/** For each command a request that would go through, to be spoilt in one place by a row. */
export const GOOD: Readonly<
  Record<Command, (bank: Fixture) => { params?: Record<string, string>; body: Record<string, unknown> }>
> = {
  registerPerson: () => ({ body: ALICE }),
  retryDeadLetters: () => ({ body: {} }),
  discardDeadLetter: ({ unknown }) => ({ params: { id: unknown }, body: { reason: 'Test' } }),
  createAccount: ({ person }) => ({ body: { owner_id: person } }),
  deposit: ({ account }) => ({ body: posting(account, '1.00') }),
  withdrawal: ({ account }) => ({ body: posting(account, '1.00') }),
  interest: ({ account }) => ({ body: posting(account, '1.00') }),
  transfer: ({ account, empty }) => ({
    body: { from_account_id: account, to_account_id: empty, amount: '1.00', description: 'Rent' },
  }),
  payOutSuspense: ({ account }) => ({
    params: { currency: 'USD' },
    body: { to_account_id: account, amount: '1.00', description: 'Rent that could not be refunded' },
  }),
  depositOnAccount: ({ account }) => ({
    params: { id: account },
    body: { amount: '1.00', description: 'Salary' },
  }),
  withdrawOnAccount: ({ account }) => ({
    params: { id: account },
    body: { amount: '1.00', description: 'Rent' },
  }),
  changeOverdraftLimit: ({ account }) => ({ params: { id: account }, body: { overdraft_limit: '60.00' } }),
  closeAccount: ({ empty }) => ({ params: { id: empty }, body: { reason: 'Moved abroad' } }),
  reverseTransaction: ({ transaction }) => ({
    params: { id: transaction },
    body: { amount: '1.00', reason: 'Goods returned' },
  }),
  changeLimits: ({ account }) => ({
    params: { id: account },
    body: { transaction_limit: '50.00', daily_limit: '60.00' },
  }),
  changeTerms: ({ account }) => ({
    params: { id: account },
    body: { credit_rate: '2.5', overdraft_rate: '12', monthly_fee: '3.00' },
  }),
  postMonth: () => ({ body: { period: '2025-01' } }),
  startPastProjection: () => ({ body: { projection: 'bank_accounts', at: '2020-01-01T00:00:00Z' } }),
  startArchiveRun: () => ({ body: { up_to: '2025-01-01T00:00:00Z', dry_run: true } }),
  freezeAccount: ({ account }) => ({
    params: { id: account },
    body: { scope: 'DEBITS', reason: 'Court order' },
  }),
  unfreezeAccount: ({ frozen }) => ({ params: { id: frozen }, body: { reason: 'It was lifted' } }),
  placeHold: ({ account }) => ({
    params: { id: account },
    body: { amount: '1.00', description: 'Hotel deposit', expires_at: inAnHour() },
  }),
  captureHold: ({ holding, hold }) => ({
    params: { id: holding, hold_id: hold },
    body: { amount: '1.00', description: 'Hotel bill' },
  }),
  replayParkedCloudEvents: () => ({ body: { stream: 'bank-account-1' } }),
  discardParkedCloudEvents: () => ({ body: { stream: 'bank-account-1', reason: 'Told by other means' } }),
};

function inAnHour(): string {
  return new Date(Date.now() + 3_600_000).toISOString();
}

async function placeHold(client: RunningBank['client'], id: string): Promise<string> {
  const body = { amount: '30.00', description: 'Hotel deposit' };
  return (await client.call('placeHold', { params: { id }, body })).body.id;
}

export const COMMANDS = Object.keys(GOOD) as Command[];
export const ACCOUNT_COMMANDS = [
  'depositOnAccount',
  'withdrawOnAccount',
  'changeOverdraftLimit',
  'closeAccount',
  'placeHold',
  'changeLimits',
  'changeTerms',
  'freezeAccount',
  'unfreezeAccount',
] as const;
export const POSTINGS = ['deposit', 'withdrawal', 'interest'] as const;

/** The good request with other fields in its body. */
export function spoilt(operation: Command, fields: Readonly<Record<string, unknown>>) {
  return (bank: Fixture): CallOptions => {
    const { params = {}, body } = GOOD[operation](bank);
    return { params, body: { ...body, ...fields } };
  };
}

/** The good request with one field as literal JSON text, which may be what JavaScript could not write. */
export function withLiteral(operation: Command, field: string, literal: string) {
  return (bank: Fixture): CallOptions => {
    const { params = {}, body } = GOOD[operation](bank);
    const { [field]: _replaced, ...rest } = body;
    const others = Object.entries(rest).map(
      ([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`,
    );
    return { params, raw: `{${[...others, `"${field}":${literal}`].join(',')}}` };
  };
}

/** Several transfers at once, as if they came one after the other. */
import { type BankAccount, evolveBankAccount } from '../../domain/bank-account.ts';
import { accept, type Decision } from '../../domain/decision.ts';
import type { Operation } from '../../event-sourcing/operation-log.ts';
import type { Bank } from '../bank.ts';
import type { RequestContext } from '../mediator.ts';
import { isOnRecord } from './drive-transfer.ts';
import {
  currencyOf,
  drive,
  type RequestedTransfer,
  recordRequest,
  type TransferInput,
  tryTransfer,
  unlessOnRecord,
} from './request-transfer.ts';

export interface BatchTransfer {
  readonly id: string;
  readonly input: TransferInput;
  readonly operation: Operation | undefined;
}

/** Whatever came of each; what a store failed to do is among them. */
type Settled<T> = PromiseSettledResult<Decision<T>>;

/**
 * Each is checked against its accounts as the ones before it will leave them; those that pass are put on record
 * together and driven together, so that each step of all of them shares its commits. No account may be debited by one
 * and credited by another, and no id may be there twice.
 * @returns an outcome for each, in order
 */
export async function transferTogether(
  bank: Bank,
  transfers: readonly BatchTransfer[],
  context: RequestContext,
): Promise<Settled<RequestedTransfer>[]> {
  const checked = await checkTogether(bank, transfers);
  const requested = await Promise.allSettled(
    transfers.map(async ({ id, input, operation }, index) => {
      const currency = decisionOf(checked[index] as Settled<string>);
      if (!currency.ok) return currency;
      const ofTransfer = operation ? { ...context, operation } : context;
      return recordRequest(bank, id, { ...input, currency: currency.value }, ofTransfer);
    }),
  );
  // Begun in the order of the batch, so that the account they debit meets them in that order.
  return Promise.allSettled(
    transfers.map(async ({ id }, index) => {
      const request = decisionOf(requested[index] as (typeof requested)[number]);
      return request.ok ? accept(await drive(bank, id, request.value, context)) : request;
    }),
  );
}

/** @returns for each transfer the currency of both accounts, or why it is refused */
async function checkTogether(bank: Bank, transfers: readonly BatchTransfer[]): Promise<Settled<string>[]> {
  const repeated = await Promise.allSettled(
    transfers.map(({ id, operation }) => isOnRecord(bank, id, operation)),
  );
  const touched = transfers.flatMap(({ input }) => [input.from_account_id, input.to_account_id]);
  const accounts = await loadAll(bank, new Set(touched));
  const now = bank.now().toISOString();
  return Promise.allSettled(
    transfers.map(async ({ id, input, operation }, index) => {
      const before = repeated[index] as PromiseSettledResult<boolean>;
      if (before.status === 'rejected') throw before.reason;
      if (before.value) return currencyOf(bank, id);
      return unlessOnRecord(bank, id, operation, tryOn(accounts, id, input, now));
    }),
  );
}

type Accounts = Map<string, PromiseSettledResult<BankAccount | undefined>>;

async function loadAll({ accounts }: Bank, ids: ReadonlySet<string>): Promise<Accounts> {
  const list = [...ids];
  const loaded = await Promise.allSettled(list.map(async (id) => (await accounts.load(id))?.state));
  return new Map(list.map((id, index) => [id, loaded[index] as (typeof loaded)[number]]));
}

/** Tries one transfer, and leaves the accounts as they will be after it. */
function tryOn(accounts: Accounts, id: string, input: TransferInput, now: string): Decision<string> {
  const { from_account_id, to_account_id } = input;
  const from = stateOf(accounts, from_account_id);
  const to = stateOf(accounts, to_account_id);
  const tried = tryTransfer({ from, to }, id, input, now);
  if (!tried.ok) return tried;
  const { currency, debit, credit } = tried.value;
  for (const [accountId, before, events] of [
    [from_account_id, from, debit],
    [to_account_id, to, credit],
  ] as const) {
    const value = events.reduce((state, event) => evolveBankAccount(state, event, now), before);
    accounts.set(accountId, { status: 'fulfilled', value });
  }
  return accept(currency);
}

function stateOf(accounts: Accounts, id: string): BankAccount | undefined {
  const loaded = accounts.get(id);
  if (loaded?.status === 'rejected') throw loaded.reason;
  return loaded?.value;
}

/** @throws what the step before failed with */
function decisionOf<T>(settled: Settled<T>): Decision<T> {
  if (settled.status === 'rejected') throw settled.reason;
  return settled.value;
}

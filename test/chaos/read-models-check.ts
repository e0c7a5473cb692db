/**
 * Compares everything that the API shows of accounts, postings, holds, transfers and analytics with the raw events, folded
 * here.
 */
import { isDeepStrictEqual } from 'node:util';
import { expect } from 'vitest';
import type { LedgerProof } from '../model/ledger-proof.ts';
import { dayOf, minorUnits, type RawEvent, type RawPosting } from '../model/raw-event.ts';
import type { BankClient, OperationId } from '../support/bank-client.ts';
import { decimalsOf, decimalText } from './amounts.ts';

type Shown = Readonly<Record<string, unknown>>;

/** All documents that a bank shows, by id. */
export interface ShownBank {
  readonly accounts: ReadonlyMap<string, Shown>;
  /** Balances by currency, of each owner. */
  readonly summaries: ReadonlyMap<string, Shown>;
  readonly postings: ReadonlyMap<string, Shown>;
  readonly holds: ReadonlyMap<string, Shown>;
  readonly transfers: ReadonlyMap<string, Shown>;
  /** Figures by whose they are, currency and day; only of days on which there was a posting. */
  readonly days: ReadonlyMap<string, Shown>;
  readonly deadLetters: readonly unknown[];
}

/** @param token of the last write, which everything must show */
export async function readBank(
  client: BankClient,
  owners: readonly string[],
  token: string,
): Promise<ShownBank> {
  const accounts = new Map([
    ...(await all(client, 'listAccounts', undefined, token)),
    ...(await all(client, 'listSuspenseAccounts', undefined, token)),
  ]);
  const postings: [string, Shown][] = [];
  const holds: [string, Shown][] = [];
  for (const id of accounts.keys()) {
    postings.push(...(await all(client, 'listAccountTransactions', { id }, token, 'transaction_id')));
    holds.push(...(await all(client, 'listAccountHolds', { id }, token)));
  }
  const summaries = new Map<string, Shown>();
  for (const id of owners) {
    summaries.set(id, (await client.call('getOwnerSummary', { params: { id }, token })).body);
  }
  return {
    accounts,
    summaries,
    postings: new Map(postings),
    holds: new Map(holds),
    transfers: await all(client, 'listTransfers', undefined, token),
    days: await analyticsOf(client, [...accounts.keys()], owners, token),
    deadLetters: (await client.call('listDeadLetters')).body.items,
  };
}

/** The days of each account, of each owner, and of the bank. */
async function analyticsOf(
  client: BankClient,
  accounts: readonly string[],
  owners: readonly string[],
  token: string,
): Promise<Map<string, Shown>> {
  const days = new Map<string, Shown>();
  const take = (whose: string, figures: { currency: string; buckets: readonly Shown[] }) => {
    for (const { name, transaction_count, ...bucket } of figures.buckets) {
      if (transaction_count === 0) continue;
      const { credit_count, debit_count, total_credits, total_debits } = bucket;
      const shown = { credit_count, debit_count, total_credits, total_debits };
      days.set(`${whose} ${figures.currency} ${name}`, shown);
    }
  };
  for (const id of accounts) {
    take(id, (await client.call('getAccountAnalytics', { params: { id }, token })).body);
  }
  for (const id of owners) {
    const { body } = await client.call('getOwnerAnalytics', { params: { id }, token });
    for (const one of body.currencies) take(id, one);
  }
  const { body } = await client.call('getBankAnalytics', { token });
  for (const one of body.currencies) take('bank', one);
  return days;
}

/** Every page of a list. */
async function all(
  client: BankClient,
  operation: OperationId,
  params: Readonly<Record<string, string>> | undefined,
  token: string,
  id = 'id',
): Promise<Map<string, Shown>> {
  const items = new Map<string, Shown>();
  let cursor: string | undefined;
  do {
    const options = { query: { limit: 200, cursor }, token, ...(params ? { params } : {}) };
    const page = (await client.call(operation, options)).body as {
      items: Shown[];
      next_cursor?: string;
    };
    for (const item of page.items) items.set(String(item[id]), item);
    cursor = page.next_cursor;
  } while (cursor !== undefined);
  return items;
}

/** @param proof of the same log */
export function expectReadModels(shown: ShownBank, log: readonly RawEvent[], proof: LedgerProof): void {
  expect(shown.deadLetters).toEqual([]);
  const folded = foldLog(log, proof, [...shown.summaries.keys()]);
  for (const kind of ['accounts', 'postings', 'holds', 'transfers', 'summaries', 'days'] as const) {
    expect([...shown[kind].keys()].sort(), `the ${kind} that are shown`).toEqual(
      [...folded[kind].keys()].sort(),
    );
    const wrong = [...folded[kind]].filter(([id, fields]) => !agrees(shown[kind].get(id), fields));
    expect(
      wrong.map(([id]) => shown[kind].get(id)),
      `${kind} that differ from their events`,
    ).toMatchObject(wrong.map(([, fields]) => fields));
  }
}

function agrees(document: Shown | undefined, fields: Shown): boolean {
  return Object.entries(fields).every(([name, value]) => isDeepStrictEqual(document?.[name], value));
}

type Folded = Readonly<
  Record<'accounts' | 'postings' | 'holds' | 'transfers' | 'summaries' | 'days', Map<string, Shown>>
>;

function foldLog(log: readonly RawEvent[], { accounts }: LedgerProof, owners: readonly string[]): Folded {
  const folded: Folded = {
    accounts: new Map(),
    postings: new Map(),
    holds: new Map(),
    transfers: new Map(),
    summaries: new Map(),
    days: new Map(),
  };
  for (const event of log) {
    if (event.stream.startsWith('bank-account-')) foldAccountEvent(folded, event);
    else if (event.stream.startsWith('transfer-')) foldTransferEvent(folded.transfers, event);
  }
  for (const [id, { balance, held, overdraft, available, currency, closed, frozen }] of accounts) {
    const text = (minor: bigint) =>
      decimalText(minor, decimalsOf(String(folded.accounts.get(id)?.overdraft_limit)));
    const status = closed ? 'CLOSED' : frozen === null ? 'ACTIVE' : 'SUSPENDED';
    folded.accounts.set(id, {
      ...folded.accounts.get(id),
      currency,
      status,
      frozen,
      balance: text(balance),
      held: text(held),
      available_balance: text(available),
      overdraft_limit: text(overdraft),
    });
  }
  summarise(folded, owners);
  countDays(folded, owners);
  return folded;
}

function foldAccountEvent({ accounts, postings, holds }: Folded, event: RawEvent): void {
  const { aggregate_id: id, timestamp } = event.metadata;
  const data = event.data as Readonly<Record<string, string>>;
  const account = accounts.get(id);
  const touched = { last_modified: timestamp, revision: event.revision };
  if (event.type === 'BankAccountCreatedDomainEventV2') {
    const { owner_id, overdraft_limit } = data;
    accounts.set(id, { owner_id, overdraft_limit, transaction_count: 0, created_at: timestamp, ...touched });
    return;
  }
  if (event.type === 'BankAccountTransactionRecordedDomainEventV1') {
    const posting = event.data as RawPosting;
    const { revision } = event;
    postings.set(posting.transaction_id, { account_id: id, ...posting, recorded_at: timestamp, revision });
    const transaction_count = Number(account?.transaction_count) + 1;
    accounts.set(id, { ...account, ...touched, transaction_count, last_transaction_at: timestamp });
    return;
  }
  accounts.set(id, { ...account, ...touched });
  const hold = holdAfter(event);
  if (hold) holds.set(String(data.hold_id), { ...holds.get(String(data.hold_id)), ...hold });
}

function holdAfter({ type, data, metadata, revision }: RawEvent): Shown | undefined {
  const hold = data as Readonly<Record<string, string>>;
  const { timestamp } = metadata;
  switch (type) {
    case 'BankAccountHoldPlacedDomainEventV1': {
      const { amount, description, expires_at = null } = hold;
      const account_id = metadata.aggregate_id;
      return { account_id, status: 'OPEN', amount, description, expires_at, placed_at: timestamp, revision };
    }
    case 'BankAccountHoldReleasedDomainEventV1':
      return { status: hold.reason, released_amount: hold.amount, closed_at: timestamp, revision };
    case 'BankAccountHoldCapturedDomainEventV1': {
      const { captured_amount, released_amount, transaction_id } = hold;
      const closed = { closed_at: timestamp, revision };
      return { status: 'CAPTURED', captured_amount, released_amount, transaction_id, ...closed };
    }
    default:
      return undefined;
  }
}

/** The words of the API for the steps whose events are named otherwise. */
const STATUS: Readonly<Record<string, string>> = {
  CreditRefused: 'CREDIT_REFUSED',
  RefundRefused: 'REFUND_REFUSED',
  Suspended: 'IN_SUSPENSE',
};

function foldTransferEvent(transfers: Folded['transfers'], event: RawEvent): void {
  const { aggregate_id: id, timestamp } = event.metadata;
  const step = /^Transfer(\w+)DomainEventV1$/.exec(event.type)?.[1] ?? '';
  const before = transfers.get(id) ?? { ...(event.data as object), requested_at: timestamp };
  // Taking it back is a transfer of its own, and leaves this one completed.
  const status = step === 'Reversed' ? {} : { status: STATUS[step] ?? step.toUpperCase() };
  transfers.set(id, { ...before, ...status, updated_at: timestamp, revision: event.revision });
}

/** What each owner has in each currency; the bank itself is no person and has no summary. */
function summarise({ accounts, summaries }: Folded, owners: readonly string[]): void {
  for (const { owner_id, currency, balance, status } of accounts.values()) {
    const owner = String(owner_id);
    if (!owners.includes(owner)) continue;
    const summary = summaries.get(owner) ?? { total_accounts: 0, closed_accounts: 0, total_balance: {} };
    const totals = summary.total_balance as Readonly<Record<string, string>>;
    const total = minorUnits(totals[String(currency)] ?? '0') + minorUnits(String(balance));
    summaries.set(owner, {
      total_accounts: Number(summary.total_accounts) + 1,
      closed_accounts: Number(summary.closed_accounts) + (status === 'CLOSED' ? 1 : 0),
      total_balance: { ...totals, [String(currency)]: decimalText(total, decimalsOf(String(balance))) },
    });
  }
}

/** Each posting counts for its account, for the account's owner, and for the bank. */
function countDays({ accounts, postings, days }: Folded, owners: readonly string[]): void {
  for (const { account_id, recorded_at, currency, direction, amount } of postings.values()) {
    const owner = String(accounts.get(String(account_id))?.owner_id);
    for (const whose of [account_id, 'bank', ...(owners.includes(owner) ? [owner] : [])]) {
      const key = `${whose} ${currency} ${dayOf(String(recorded_at))}`;
      const decimals = decimalsOf(String(amount));
      const zero = decimalText(0n, decimals);
      const before = days.get(key) ?? {
        credit_count: 0,
        debit_count: 0,
        total_credits: zero,
        total_debits: zero,
      };
      const [count, total] =
        direction === 'CREDIT' ? ['credit_count', 'total_credits'] : ['debit_count', 'total_debits'];
      const sum = minorUnits(String(before[total])) + minorUnits(String(amount));
      days.set(key, {
        ...before,
        [count]: Number(before[count]) + 1,
        [total]: decimalText(sum, decimals),
      });
    }
  }
}

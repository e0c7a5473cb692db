/** Holds what customers were told against the raw log: what was acknowledged is there once, what was refused is not there. */
import { expect } from 'vitest';
import type { RawEvent, RawPosting } from '../model/raw-event.ts';
import type { Acknowledged, Outcome } from './customers.ts';

/** What an event of the log is to whoever asked for it, under the name of the order that it belongs to. */
interface Effect {
  readonly order: string;
  /** What the answer must name. */
  readonly id: string;
  readonly account: string;
  readonly amount: unknown;
}

/** Checks all orders, and that the log has no posting, hold, transfer or account that nobody ordered. */
export function expectAnswersInLog(
  log: readonly RawEvent[],
  outcomes: readonly Outcome[],
  isOurs: (ownerId: string) => boolean,
): void {
  const effects = Map.groupBy(
    log.flatMap((event) => effectOf(event, isOurs)),
    ({ order }) => order,
  );
  for (const order of refusedReturns(log)) effects.delete(order);
  const wrong: string[] = [];
  for (const outcome of outcomes) {
    const name = nameOf(outcome);
    const found = effects.get(name) ?? [];
    effects.delete(name);
    const what = `${outcome.order.operation} ${outcome.order.key} was ${outcome.kind}`;
    if (outcome.kind === 'acknowledged') {
      if (found.length !== 1) wrong.push(`${what}, and is in the log ${found.length} times`);
      else wrong.push(...differences(outcome, found[0] as Effect).map((one) => `${what}, but ${one}`));
    } else if (found.length > (outcome.kind === 'refused' ? 0 : 1)) {
      wrong.push(`${what}, and is in the log ${found.length} times`);
    }
  }
  for (const [order, { length }] of effects)
    wrong.push(`nobody ordered ${order}, in the log ${length} times`);
  expect(wrong, 'answers that the log does not bear out').toEqual([]);
}

/** Transfers that were to be taken back, where an account refused it in the end: on record, but nothing has moved. */
function refusedReturns(log: readonly RawEvent[]): Set<string> {
  const refused = new Set(
    log
      .filter(({ type }) => /^Transfer(Rejected|Refunded)DomainEvent/.test(type))
      .map(({ metadata }) => metadata.aggregate_id),
  );
  const requests = log.filter(({ type }) => type === 'TransferRequestedDomainEventV1');
  const returns = requests.filter(
    ({ data, metadata }) => 'reverses' in (data as object) && refused.has(metadata.aggregate_id),
  );
  return new Set(returns.map(({ data }) => String((data as { description: string }).description)));
}

/** An order is known by its key, which is also its description; what has none, by what it was about. */
function nameOf(outcome: Outcome): string {
  const { operation, key, options } = outcome.order;
  if (operation === 'releaseHold') return `${operation} ${options.params?.hold_id} ${outcome.kind}`;
  if (operation === 'createAccount' && outcome.kind === 'acknowledged')
    return `open ${outcome.answer.body.id}`;
  return key;
}

function effectOf(event: RawEvent, isOurs: (ownerId: string) => boolean): Effect[] {
  const account = event.metadata.aggregate_id;
  const data = event.data as RawPosting & Readonly<Record<string, string | undefined>>;
  const { amount } = data;
  switch (event.type) {
    case 'BankAccountTransactionRecordedDomainEventV1':
      // Legs are the transfer's affair; an opening's deposit belongs to it.
      if (data.transfer_id !== undefined || (data.type === 'DEPOSIT' && event.revision === 1)) return [];
      return [{ order: String(data.description), id: data.transaction_id, account, amount }];
    case 'BankAccountHoldPlacedDomainEventV1':
      return [{ order: String(data.description), id: String(data.hold_id), account, amount }];
    case 'BankAccountHoldReleasedDomainEventV1':
      if (data.reason === 'EXPIRED') return [];
      return [{ order: `releaseHold ${data.hold_id} acknowledged`, id: account, account, amount: undefined }];
    case 'TransferRequestedDomainEventV1': {
      const id = event.metadata.aggregate_id;
      return [{ order: String(data.description), id, account: String(data.from_account_id), amount }];
    }
    case 'BankAccountCreatedDomainEventV2':
      if (!isOurs(String(data.owner_id))) return [];
      return [{ order: `open ${account}`, id: account, account, amount: undefined }];
    default:
      return [];
  }
}

function differences({ answer: { body } }: Acknowledged, effect: Effect): string[] {
  const told = {
    // A transfer that is taken back is one more transfer; the answer shows a leg of it.
    id: body.transfer_id ?? body.transaction_id ?? body.id,
    account: body.from_account_id ?? body.account_id ?? body.id,
    amount: body.amount,
  };
  return (['id', 'account', 'amount'] as const)
    .filter((field) => told[field] !== effect[field])
    .map((field) => `the ${field} is ${effect[field]}, not ${told[field]}`);
}

/** Command: up to 10,000 deposits, withdrawals and transfers, each with an outcome of its own, folded into few appends. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { z } from 'zod';
import { accept, type Decision, type Rejection } from '../../domain/decision.ts';
import type { Position } from '../../event-sourcing/event-store.ts';
import type { Operation } from '../../event-sourcing/operation-log.ts';
import { StoreError } from '../../event-sourcing/store-error.ts';
import type { Bank, Written } from '../bank.ts';
import type { InputProblem } from '../fields.ts';
import { command, type Handler, type RequestContext } from '../mediator.ts';
import { newAggregateId, operationOfKey, operationsOfBatch } from '../operation.ts';
import { BATCH_ITEMS_MAX, type BatchItem, readBatchItem } from './batch-items.ts';
import { Levels, type Touch } from './batch-levels.ts';
import { transferTogether } from './batch-transfers.ts';
import { CreateDeposit, createDepositHandler } from './create-deposit.ts';
import { CreateWithdrawal, createWithdrawalHandler } from './create-withdrawal.ts';
import type { PostingResult } from './record-posting.ts';
import { type RequestedTransfer, RequestTransfer } from './request-transfer.ts';

/** What became of one item. */
export type BatchOutcome =
  /** By now or, `replayed`, before. */
  | { readonly kind: 'done'; readonly result: PostingResult | RequestedTransfer }
  | { readonly kind: 'invalid'; readonly problems: readonly InputProblem[] }
  | { readonly kind: 'refused'; readonly rejection: Rejection }
  /** It may have been done or not, unless the error says more. */
  | { readonly kind: 'failed'; readonly error: unknown };

export interface BatchResult {
  /** In the order of the items. */
  readonly outcomes: readonly BatchOutcome[];
  /** The newest that an item wrote. */
  readonly position?: Position;
}

const batchFields = z.strictObject({
  /** Each is read by itself. */
  items: z.array(z.unknown()).min(1).max(BATCH_ITEMS_MAX),
  /** Names the whole batch: an item without a key of its own is the operation of this key at its index. */
  key: z.string().optional(),
});

export const PostBatch = command<BatchResult>()('PostBatch', batchFields);

/** Items under way together, which share commits; between two such groups others get their turn. */
const GROUP_ITEMS_MAX = 1_000;
/** Batches under way at once; one more is refused as `busy`. All of them together leave room in one account's queue. */
const BATCHES_MAX = 4;

interface Place {
  readonly index: number;
  /** What a second try finds it by. */
  readonly operation: Operation | undefined;
}

type Planned = BatchItem & Place;
type PlannedTransfer = Extract<Planned, { type: 'TRANSFER' }>;
type PlannedPosting = Exclude<Planned, PlannedTransfer>;

interface Level {
  /** By account. */
  readonly postings: Map<string, PlannedPosting[]>;
  readonly transfers: PlannedTransfer[];
}

type Group =
  | { readonly kind: 'postings'; readonly items: readonly PlannedPosting[] }
  | { readonly kind: 'transfers'; readonly items: readonly PlannedTransfer[] };

export function postBatchHandler(bank: Bank): Handler<z.output<typeof batchFields>, BatchResult> {
  const run = batchRunner(bank);
  let running = 0;
  return async (input, context) => {
    if (running >= BATCHES_MAX) throw new StoreError('busy', `${BATCHES_MAX} batches are under way.`);
    running += 1;
    try {
      return accept(await run(input, context));
    } finally {
      running -= 1;
    }
  };
}

function batchRunner(bank: Bank) {
  const handlers = { DEPOSIT: createDepositHandler(bank), WITHDRAWAL: createWithdrawalHandler(bank) };

  return async ({ items, key }: z.output<typeof batchFields>, context: RequestContext) => {
    const outcomes: BatchOutcome[] = new Array(items.length);
    const levels = await plan(items, key, outcomes);
    let broken: StoreError | undefined;
    for (const group of levels.flatMap(groupsOf)) {
      if (broken) fail(group.items, broken, outcomes);
      else if (group.kind === 'postings') await post(group.items, context, outcomes);
      else await transfer(group.items, context, outcomes);
      broken ??= brokenBy(group.items, outcomes);
      await nextTurn();
    }
    const position = newestOf(outcomes);
    return { outcomes, ...(position === undefined ? {} : { position }) };
  };

  /** The queues of the accounts keep the order, and fold what waits in them. */
  async function post(group: readonly PlannedPosting[], context: RequestContext, outcomes: BatchOutcome[]) {
    const settled = await Promise.allSettled(
      group.map(({ type, input, operation }) => handlers[type](input, withOperation(context, operation))),
    );
    note(group, settled, outcomes);
  }

  async function transfer(
    group: readonly PlannedTransfer[],
    context: RequestContext,
    outcomes: BatchOutcome[],
  ) {
    const transfers = group.map(({ input, operation }) => {
      const id = newAggregateId('Transfer', withOperation(context, operation), bank.newId);
      return { id, input, operation };
    });
    note(group, await transferTogether(bank, transfers, context), outcomes);
  }
}

/** The items of each level, in order; what is no item has its outcome at once. */
async function plan(
  items: readonly unknown[],
  key: string | undefined,
  outcomes: BatchOutcome[],
): Promise<Level[]> {
  const operationOf = operationsOf(key);
  const places = new Levels();
  const levels: Level[] = [];
  for (const [index, value] of items.entries()) {
    if (index % GROUP_ITEMS_MAX === GROUP_ITEMS_MAX - 1) await nextTurn();
    const item = readBatchItem(value);
    if ('problems' in item) {
      outcomes[index] = { kind: 'invalid', problems: item.problems };
      continue;
    }
    const planned: Planned = { ...item, index, operation: operationOf(item, index) };
    const place = places.place(touchesOf(planned));
    levels[place] ??= { postings: new Map(), transfers: [] };
    add(levels[place], planned);
  }
  return levels;
}

function add({ postings, transfers }: Level, planned: Planned): void {
  if (planned.type === 'TRANSFER') {
    transfers.push(planned);
    return;
  }
  const { account_id } = planned.input;
  const ofAccount = postings.get(account_id);
  if (ofAccount) ofAccount.push(planned);
  else postings.set(account_id, [planned]);
}

/** What is under way together: postings account by account, so that as few appends as can be hold them. */
function groupsOf({ postings, transfers }: Level): Group[] {
  const byAccount = [...postings.values()].flat();
  return [
    ...pieces(byAccount).map((items): Group => ({ kind: 'postings', items })),
    ...pieces(transfers).map((items): Group => ({ kind: 'transfers', items })),
  ];
}

function pieces<T>(items: readonly T[]): T[][] {
  const count = Math.ceil(items.length / GROUP_ITEMS_MAX);
  return Array.from({ length: count }, (_, piece) =>
    items.slice(piece * GROUP_ITEMS_MAX, (piece + 1) * GROUP_ITEMS_MAX),
  );
}

/** An item's own key is that of a single request; the batch's key names items by their index. */
function operationsOf(batchKey: string | undefined) {
  const ofBatch = batchKey === undefined ? undefined : operationsOfBatch(batchKey);
  return ({ type, input, key }: BatchItem, index: number): Operation | undefined =>
    key === undefined ? ofBatch?.(index, contentOf(type, input)) : operationOfKey(key, MESSAGES[type], input);
}

/** Checked input has its fields in the order of its schema; only the client's own ones are in an order of their own. */
function contentOf(type: BatchItem['type'], input: BatchItem['input']): string {
  if (!('metadata' in input) || input.metadata === undefined) return JSON.stringify([type, input]);
  const metadata = Object.entries(input.metadata).sort(([left], [right]) => (left < right ? -1 : 1));
  return JSON.stringify([type, { ...input, metadata }]);
}

function withOperation(context: RequestContext, operation: Operation | undefined): RequestContext {
  return operation ? { ...context, operation } : context;
}

const MESSAGES: Readonly<Record<BatchItem['type'], string>> = {
  DEPOSIT: CreateDeposit.name,
  WITHDRAWAL: CreateWithdrawal.name,
  TRANSFER: RequestTransfer.name,
};

function touchesOf({ type, input, operation }: Planned): Touch[] {
  if (type !== 'TRANSFER') return [{ what: input.account_id, kind: 'posting' }];
  const { from_account_id, to_account_id } = input;
  const touches: Touch[] = [
    { what: from_account_id, kind: 'debit' },
    { what: to_account_id, kind: 'credit' },
  ];
  // A second one of the same key waits to see what became of the first.
  return operation ? [...touches, { what: `operation ${operation.id}`, kind: 'alone' }] : touches;
}

function note(
  group: readonly Planned[],
  settled: readonly PromiseSettledResult<Decision<PostingResult | RequestedTransfer>>[],
  outcomes: BatchOutcome[],
): void {
  for (const [place, { index }] of group.entries()) {
    outcomes[index] = outcomeOf(settled[place] as (typeof settled)[number]);
  }
}

function outcomeOf(settled: PromiseSettledResult<Decision<PostingResult | RequestedTransfer>>): BatchOutcome {
  if (settled.status === 'rejected') return { kind: 'failed', error: settled.reason };
  const { value } = settled;
  return value.ok ? { kind: 'done', result: value.value } : { kind: 'refused', rejection: value.rejection };
}

/** A store that is gone, full or closed, or takes nothing: what is left of the batch is not tried, which only took longer. */
function brokenBy(group: readonly Planned[], outcomes: readonly BatchOutcome[]): StoreError | undefined {
  const errors = group.flatMap(({ index }) => {
    const outcome = outcomes[index];
    return outcome?.kind === 'failed' && outcome.error instanceof StoreError ? [outcome.error] : [];
  });
  return (
    errors.find(({ code }) => BROKEN.has(code)) ?? (errors.length === group.length ? errors[0] : undefined)
  );
}

const BROKEN: ReadonlySet<StoreError['code']> = new Set(['unavailable', 'disk_full', 'closed']);

function fail(group: readonly Planned[], error: StoreError, outcomes: BatchOutcome[]): void {
  for (const { index } of group) outcomes[index] = { kind: 'failed', error };
}

function newestOf(outcomes: readonly BatchOutcome[]): Position | undefined {
  let newest: Position | undefined;
  for (const outcome of outcomes) {
    const { position } = outcome.kind === 'done' ? (outcome.result as Written) : {};
    if (position !== undefined && (newest === undefined || position > newest)) newest = position;
  }
  return newest;
}

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
import { newAggregateId, operationFor, operationOfKey } from '../operation.ts';
import { BATCH_ITEMS_MAX, type BatchItem, readBatchItem } from './batch-items.ts';
import { Levels, type Touch } from './batch-levels.ts';
import { type BatchTransfer, transferTogether } from './batch-transfers.ts';
import { CreateDeposit, createDepositHandler } from './create-deposit.ts';
import { CreateWithdrawal, createWithdrawalHandler } from './create-withdrawal.ts';
import type { PostingResult } from './record-posting.ts';
import { RequestTransfer, type TransferResult } from './request-transfer.ts';

/** What became of one item. */
export type BatchOutcome =
  /** By now or, `replayed`, before. */
  | { readonly kind: 'done'; readonly result: PostingResult | TransferResult }
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

/** Items under way together, and so the most that one append holds; between two such groups others get their turn. */
const GROUP_ITEMS_MAX = 500;
/** Batches under way at once; one more is refused as `busy`. With them one account's queue stays half empty. */
const BATCHES_MAX = 4;

/** A command with what a retry finds it by. */
type Planned = BatchItem & { readonly index: number; readonly operation: Operation | undefined };

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
    for (const group of levels.flatMap(inGroups)) {
      if (broken) fail(group, broken, outcomes);
      else await runGroup(group, context, outcomes);
      broken ??= brokenBy(group, outcomes);
      await nextTurn();
    }
    const position = newestOf(outcomes);
    return { outcomes, ...(position === undefined ? {} : { position }) };
  };

  /** The items of each level, in order; what is no item has its outcome at once. */
  async function plan(items: readonly unknown[], key: string | undefined, outcomes: BatchOutcome[]) {
    const places = new Levels();
    const levels: Planned[][] = [];
    for (const [index, value] of items.entries()) {
      if (index % GROUP_ITEMS_MAX === GROUP_ITEMS_MAX - 1) await nextTurn();
      const item = readBatchItem(value);
      if ('problems' in item) {
        outcomes[index] = { kind: 'invalid', problems: item.problems };
        continue;
      }
      const planned = { ...item, index, operation: operationOf(item, index, key) };
      const level = levels[places.place(touchesOf(planned))];
      if (level) level.push(planned);
      else levels.push([planned]);
    }
    return levels;
  }

  async function runGroup(group: readonly Planned[], context: RequestContext, outcomes: BatchOutcome[]) {
    const transfers = group.filter((item) => item.type === 'TRANSFER');
    const postings = group.map(async (item) => {
      if (item.type === 'TRANSFER') return;
      const { operation, type, index } = item;
      const ofItem = operation ? { ...context, operation } : context;
      const [settled] = await Promise.allSettled([handlers[type](item.input, ofItem)]);
      outcomes[index] = outcomeOf(settled);
    });
    const asked = transfers.map(({ input, operation }): BatchTransfer => {
      return {
        id: newAggregateId('Transfer', operation ? { ...context, operation } : context, bank.newId),
        input,
        operation,
      };
    });
    const settled = transfers.length > 0 ? await transferTogether(bank, asked, context) : [];
    for (const [place, { index }] of transfers.entries()) {
      outcomes[index] = outcomeOf(settled[place] as (typeof settled)[number]);
    }
    await Promise.all(postings);
  }
}

/** An item's own key is that of a single request; the batch's key names items by their index. */
function operationOf({ type, input, key }: BatchItem, index: number, batchKey: string | undefined) {
  const message = MESSAGES[type];
  if (key !== undefined) return operationOfKey(key, message, input);
  if (batchKey === undefined) return undefined;
  return operationFor('batch-item', JSON.stringify([batchKey, index]), { message, input });
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

function inGroups(level: readonly Planned[]): Planned[][] {
  const groups: Planned[][] = [];
  for (let from = 0; from < level.length; from += GROUP_ITEMS_MAX) {
    groups.push(level.slice(from, from + GROUP_ITEMS_MAX));
  }
  return groups;
}

function outcomeOf(settled: PromiseSettledResult<Decision<PostingResult | TransferResult>>): BatchOutcome {
  if (settled.status === 'rejected') return { kind: 'failed', error: settled.reason };
  const { value } = settled;
  return value.ok ? { kind: 'done', result: value.value } : { kind: 'refused', rejection: value.rejection };
}

/** A store that is gone, full or closed: what is left of the batch is not tried, because it would only take longer. */
function brokenBy(group: readonly Planned[], outcomes: readonly BatchOutcome[]): StoreError | undefined {
  for (const { index } of group) {
    const outcome = outcomes[index];
    if (outcome?.kind !== 'failed' || !(outcome.error instanceof StoreError)) continue;
    if (BROKEN.has(outcome.error.code)) return outcome.error;
  }
  return undefined;
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

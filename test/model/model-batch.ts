/** A batch in the model: its items, one after the other, each as the command that it stands for. */
import type { Asked, ModelBank, Told } from './model-bank.ts';
import { copyBank } from './model-bank.ts';
import { step } from './model-steps.ts';
import type { RawEvent } from './raw-event.ts';
import { contains, Mismatch, running, show, type WantedOn } from './running.ts';

const MESSAGES: Readonly<Record<string, string>> = {
  DEPOSIT: 'CreateDeposit',
  WITHDRAWAL: 'CreateWithdrawal',
  TRANSFER: 'RequestTransfer',
};

type Item = Readonly<Record<string, unknown>> & { readonly type: string; readonly idempotency_key?: string };

/** What the bank says of an item, as far as the model looks. */
type Outcome =
  | { readonly kind: 'done'; readonly result: Extract<Told, { ok: true }>['value'] }
  | { readonly kind: 'refused'; readonly rejection: Extract<Told, { ok: false }>['rejection'] }
  | { readonly kind: 'invalid'; readonly problems: readonly { readonly code: string }[] }
  | { readonly kind: 'failed'; readonly error: unknown };

/**
 * A batch that nothing else ran beside. What it leaves in each stream must be what its items leave there one by one; which
 * of the streams comes first is its own affair.
 * @param log all that happened meanwhile
 * @returns the bank afterwards
 * @throws Mismatch when an item came to something else than its command would have by itself
 */
export function oneByOne(bank: ModelBank, batch: Asked, told: Told, log: readonly RawEvent[]): ModelBank {
  const { items, key } = batch.input as { items: readonly Item[]; key?: string };
  const outcomes = outcomesOf(told);
  if (outcomes.length !== items.length) throw new Mismatch(`${outcomes.length} items were answered`);
  const after = copyBank(bank);
  const wanted = items.flatMap((item, index) => {
    try {
      return play(after, askedBy(item, key, index), toldOf(outcomes[index] as Outcome));
    } catch (error) {
      throw error instanceof Mismatch ? new Mismatch(`item ${index}: ${error.message}`) : error;
    }
  });
  compareStreams(wanted, log);
  return after;
}

function outcomesOf(told: Told): readonly Outcome[] {
  if (!told.ok) throw new Mismatch(`a batch is answered item by item, not with ${show(told)}`);
  return told.value.outcomes as readonly Outcome[];
}

/** An item without a key of its own is an operation of the batch's key, named by its place. */
function askedBy(item: Item, batchKey: string | undefined, index: number): Asked {
  const { type, idempotency_key, ...input } = item;
  const key = idempotency_key ?? (batchKey === undefined ? undefined : `${batchKey} at ${index}`);
  return { message: MESSAGES[type] as string, input, ...(key === undefined ? {} : { key }) };
}

function toldOf(outcome: Outcome): Told {
  switch (outcome.kind) {
    case 'done':
      return { ok: true, value: outcome.result };
    case 'refused':
      return { ok: false, rejection: outcome.rejection };
    case 'invalid':
      return { ok: false, rejection: { code: outcome.problems[0]?.code ?? 'invalid_input' } };
    case 'failed':
      throw new Mismatch(`an item failed: ${outcome.error}`);
  }
}

function play(bank: ModelBank, asked: Asked, told: Told): WantedOn[] {
  const item = running(asked, told, false);
  const wanted: WantedOn[] = [];
  for (let done = false; !done; ) {
    const taken = step(bank, item, undefined);
    wanted.push(...taken.wanted);
    done = taken.done;
  }
  return wanted;
}

function compareStreams(wanted: readonly WantedOn[], log: readonly RawEvent[]): void {
  for (const stream of new Set([...wanted, ...log].map((event) => event.stream))) {
    const due = wanted.filter((event) => event.stream === stream);
    const happened = log.filter((event) => event.stream === stream);
    for (let place = 0; place < Math.max(due.length, happened.length); place += 1) {
      const { type, data } = happened[place] ?? {};
      const event = due[place];
      if (event && contains({ stream, type, data }, event)) continue;
      throw new Mismatch(`${show(event)} is due in ${stream}, not ${show(happened[place])}`);
    }
  }
}

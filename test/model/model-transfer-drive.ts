/** A transfer on its way, in the model: one leg after the other, each settled on its account and then taken down. */
import type { Leg, ModelBank, ModelTransfer } from './model-bank.ts';
import { accountStreamOf, transferStreamOf } from './model-bank.ts';
import { decimal } from './model-money.ts';
import { settle } from './model-transfer-legs.ts';
import { Mismatch, type Running, type Step, show, type WantedOn } from './running.ts';

const MORE = (wanted: WantedOn[] = []): Step => ({ wanted, done: false });

/** What comes after each status that is not an end. */
const NEXT: Readonly<Record<string, Leg | 'COMPLETION'>> = {
  REQUESTED: 'DEBIT',
  DEBITED: 'CREDIT',
  CREDITED: 'COMPLETION',
  CREDIT_REFUSED: 'REFUND',
  REFUND_REFUSED: 'SUSPENSE',
};

/** What the transfer's stream takes down of a leg that was posted, and of one that was refused. */
const TAKEN_DOWN: Readonly<Record<Leg, readonly [posted: readonly string[], refused: readonly string[]]>> = {
  DEBIT: [['Debited'], ['Rejected']],
  CREDIT: [['Credited', 'Completed'], ['CreditRefused']],
  REFUND: [['Refunded'], ['RefundRefused']],
  SUSPENSE: [['Suspended'], []],
};

const STATUS: Readonly<Record<string, string>> = {
  Debited: 'DEBITED',
  Rejected: 'REJECTED',
  Credited: 'CREDITED',
  Completed: 'COMPLETED',
  CreditRefused: 'CREDIT_REFUSED',
  Refunded: 'REFUNDED',
  RefundRefused: 'REFUND_REFUSED',
  Suspended: 'IN_SUSPENSE',
};

/** A transfer as it was asked for. */
export type NewTransfer = Pick<
  ModelTransfer,
  'id' | 'from' | 'to' | 'minor' | 'currency' | 'description' | 'reverses'
>;

export function contentOf({ asked }: Running): string {
  return JSON.stringify([asked.message, asked.input]);
}

/** What the key of a command has begun before, or what somebody else has begun with it just now. */
export function begunBefore(bank: ModelBank, { asked }: Running): ModelTransfer | undefined {
  const known = asked.key === undefined ? undefined : bank.created.get(`transfer ${asked.key}`);
  return known === undefined ? undefined : bank.transfers.get(known);
}

/** Puts the transfer on record, from where it is driven. */
export function begin(bank: ModelBank, running: Running, transfer: NewTransfer): Step {
  const { asked } = running;
  const { id, from, to, minor, currency, description, reverses } = transfer;
  bank.transfers.set(id, {
    ...transfer,
    content: contentOf(running),
    status: 'REQUESTED',
    revision: 0,
    reversals: new Map(),
    legs: new Map(),
  });
  if (asked.key !== undefined) bank.created.set(`transfer ${asked.key}`, id);
  running.transferId = id;
  running.stage = asked.dieAt === 'requested' ? 'dead' : 'driving';
  const data = {
    from_account_id: from,
    to_account_id: to,
    amount: decimal(minor, currency),
    currency,
    description,
    ...(reverses ? { reverses: reversesOf(reverses, currency) } : {}),
  };
  return MORE([{ stream: transferStreamOf(id), type: 'TransferRequestedDomainEventV1', data }]);
}

function reversesOf(
  { id, minor, debitId, creditId, completedAt }: NonNullable<ModelTransfer['reverses']>,
  currency: ModelTransfer['currency'],
) {
  return {
    transfer_id: id,
    amount: decimal(minor, currency),
    debit_transaction_id: debitId,
    credit_transaction_id: creditId,
    completed_at: completedAt,
  };
}

/**
 * Settles the next leg, or takes down what it came to.
 * @param toward the stream of the next event that the command has left in the log, if any
 * @param answered looks at the answer once all is done
 */
export function drive(
  bank: ModelBank,
  running: Running,
  toward: string | undefined,
  answered: (transfer: ModelTransfer) => Step,
): Step {
  const transfer = bank.transfers.get(running.transferId as string) as ModelTransfer;
  const next = NEXT[transfer.status];
  if (next === undefined) return answered(transfer);
  if (next === 'COMPLETION') return MORE(complete(bank, running, transfer));
  const leg = creditIsFirst(transfer, toward) ? 'CREDIT' : next;
  const settled = transfer.legs.get(leg);
  const moment = `${leg.toLowerCase()}_${settled ? 'recorded' : 'settled'}`;
  const wanted = settled ? takeDown(bank, transfer, leg, settled) : settle(bank, transfer, leg);
  if (moment === 'debit_recorded') running.tookDebitDown = true;
  if (running.asked.dieAt === moment) running.dies = true;
  if (running.dies && !isBetween(bank, running)) running.stage = 'dead';
  return MORE(wanted);
}

/** The credit and taking the debit down do not wait for each other: the log says which came first. */
function creditIsFirst({ status, legs, to }: ModelTransfer, toward: string | undefined): boolean {
  const isDebited = status === 'REQUESTED' && legs.has('DEBIT') && legs.get('DEBIT')?.code === undefined;
  return isDebited && !legs.has('CREDIT') && toward === accountStreamOf(to);
}

/** Whether the driver has done one of the two, and does the other also when it dies meanwhile. */
function isBetween({ transfers }: ModelBank, { transferId, tookDebitDown }: Running): boolean {
  const { status, legs } = transfers.get(transferId as string) as ModelTransfer;
  if (status === 'REQUESTED') return legs.has('CREDIT');
  return status === 'DEBITED' && tookDebitDown === true && !legs.has('CREDIT');
}

function takeDown(
  bank: ModelBank,
  transfer: ModelTransfer,
  leg: Leg,
  { code }: { readonly code?: string },
): WantedOn[] {
  const [posted, refused] = TAKEN_DOWN[leg];
  // A reversal is complete only when the original knows of it.
  const all = code === undefined ? posted : refused;
  return note(bank, transfer, transfer.reverses ? all.slice(0, 1) : all, code === undefined ? {} : { code });
}

/** First the original takes note of its reversal, and then that is complete. */
function complete(bank: ModelBank, running: Running, transfer: ModelTransfer): WantedOn[] {
  const original = bank.transfers.get(transfer.reverses?.id as string) as ModelTransfer;
  if (original.reversals.has(transfer.id)) return note(bank, transfer, ['Completed'], {});
  if (running.asked.dieAt === 'original_recorded') running.stage = 'dead';
  const { id: reversal_transfer_id, minor, currency } = transfer;
  const reversals = new Map(original.reversals).set(reversal_transfer_id, minor);
  bank.transfers.set(original.id, { ...original, reversals, revision: original.revision + 1 });
  const data = { reversal_transfer_id, amount: decimal(minor, currency), currency };
  return [{ stream: transferStreamOf(original.id), type: 'TransferReversedDomainEventV1', data }];
}

function note(bank: ModelBank, transfer: ModelTransfer, events: readonly string[], data: object): WantedOn[] {
  const status = STATUS[events.at(-1) as string] as string;
  const revision = transfer.revision + events.length;
  const completed = status === 'COMPLETED' ? { completedAt: bank.now } : {};
  bank.transfers.set(transfer.id, { ...transfer, status, revision, ...completed });
  const stream = transferStreamOf(transfer.id);
  return events.map((event) => ({ stream, type: `Transfer${event}DomainEventV1`, data: { ...data } }));
}

/** A transfer that was asked for before is told as far as it has come, and that it was. */
export function withoutReplay({ told, replayed = false }: Running) {
  if (!told.ok) return told;
  const { replayed: saysSo = false, ...value } = told.value;
  if (saysSo !== replayed) throw new Mismatch(`replayed should be ${replayed}: ${show(told)}`);
  return { ok: true, value } as const;
}

/** Ids of transfers that have not come to their end. */
export function unfinishedTransfers({ transfers }: ModelBank): string[] {
  return [...transfers.values()].filter(({ status }) => status in NEXT).map(({ id }) => id);
}

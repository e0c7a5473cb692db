/**
 * The Transfer process: what its own stream says of the way that the money has gone, and which step comes next.
 *
 * Whether a leg was posted or refused is decided by the stream of the account, once; the transfer only takes it down.
 */
import { accept, type Decision, type Rejection, reject } from './decision.ts';
import { type DecimalString, parsePositiveAmount, toDecimal } from './money.ts';

export const TRANSFER_STREAM_PREFIX = 'transfer-';

/** The stream of one transfer: `transfer-` and the id without hyphens. */
export function transferStream(transferId: string): string {
  return TRANSFER_STREAM_PREFIX + transferId.replaceAll('-', '');
}

export interface TransferRequested {
  readonly type: 'TransferRequestedDomainEventV1';
  readonly data: {
    readonly from_account_id: string;
    readonly to_account_id: string;
    readonly amount: DecimalString;
    readonly currency: string;
    readonly description: string;
    /** Missing unless it takes another transfer back; then the two accounts have changed places. */
    readonly reverses?: ReversedTransfer;
  };
}

/** A completed transfer as its reversal remembers it: all that the two accounts need to know of it. */
export interface ReversedTransfer {
  readonly transfer_id: string;
  /** Of which the reversal takes back all or a part. */
  readonly amount: DecimalString;
  readonly debit_transaction_id: string;
  readonly credit_transaction_id: string;
  /** RFC 3339 UTC. */
  readonly completed_at: string;
}

/** Which posting of the account the step was. */
interface PostedStep {
  readonly transaction_id: string;
}

/** Why the account did not take it. */
interface RefusedStep {
  readonly code: string;
  readonly detail: string;
}

/** Another transfer has given this one's money back, or a part of it. */
export interface TransferReversed {
  readonly type: 'TransferReversedDomainEventV1';
  readonly data: {
    readonly reversal_transfer_id: string;
    readonly amount: DecimalString;
    readonly currency: string;
  };
}

export type TransferEvent = TransferStepEvent | TransferReversed;

/** The events that are steps of the transfer's own way. */
type TransferStepEvent =
  | TransferRequested
  | { readonly type: 'TransferDebitedDomainEventV1'; readonly data: PostedStep }
  /** Nothing was moved, and nothing will be. */
  | { readonly type: 'TransferRejectedDomainEventV1'; readonly data: RefusedStep }
  | { readonly type: 'TransferCreditedDomainEventV1'; readonly data: PostedStep }
  | { readonly type: 'TransferCompletedDomainEventV1'; readonly data: Readonly<Record<string, never>> }
  | { readonly type: 'TransferCreditRefusedDomainEventV1'; readonly data: RefusedStep }
  | { readonly type: 'TransferRefundedDomainEventV1'; readonly data: PostedStep }
  | { readonly type: 'TransferRefundRefusedDomainEventV1'; readonly data: RefusedStep }
  /** Neither account could take the money: the bank keeps it until an operator has decided. */
  | { readonly type: 'TransferSuspendedDomainEventV1'; readonly data: PostedStep };

/** What each event makes of the transfer; the steps of one are these words in the order of its events. */
const STATUS_AFTER = {
  TransferRequestedDomainEventV1: 'REQUESTED',
  TransferDebitedDomainEventV1: 'DEBITED',
  TransferRejectedDomainEventV1: 'REJECTED',
  TransferCreditedDomainEventV1: 'CREDITED',
  TransferCompletedDomainEventV1: 'COMPLETED',
  TransferCreditRefusedDomainEventV1: 'CREDIT_REFUSED',
  TransferRefundedDomainEventV1: 'REFUNDED',
  TransferRefundRefusedDomainEventV1: 'REFUND_REFUSED',
  TransferSuspendedDomainEventV1: 'IN_SUSPENSE',
} as const satisfies Record<TransferStepEvent['type'], string>;

export const TRANSFER_EVENT_TYPES = [
  ...(Object.keys(STATUS_AFTER) as TransferStepEvent['type'][]),
  'TransferReversedDomainEventV1',
] satisfies TransferEvent['type'][];

export type TransferStatus = (typeof STATUS_AFTER)[TransferStepEvent['type']];
export const TRANSFER_STATUSES: readonly TransferStatus[] = Object.values(STATUS_AFTER);

/** A movement on one account. */
export type Leg = 'DEBIT' | 'CREDIT' | 'REFUND' | 'SUSPENSE';

/** What comes after each status; where nothing does, the transfer has ended. */
const NEXT_STEP: Readonly<Partial<Record<TransferStatus, Leg | 'COMPLETION'>>> = {
  REQUESTED: 'DEBIT',
  DEBITED: 'CREDIT',
  CREDITED: 'COMPLETION',
  CREDIT_REFUSED: 'REFUND',
  REFUND_REFUSED: 'SUSPENSE',
};

export function nextStep({ status }: Pick<Transfer, 'status'>): Leg | 'COMPLETION' | undefined {
  return NEXT_STEP[status];
}

/** The statuses that are not the last one. */
export const UNFINISHED_STATUSES = Object.keys(NEXT_STEP) as TransferStatus[];

export interface Transfer {
  readonly from_account_id: string;
  readonly to_account_id: string;
  readonly amount: DecimalString;
  readonly currency: string;
  readonly description: string;
  readonly status: TransferStatus;
  /** Oldest first. */
  readonly steps: readonly TransferStep[];
  /** Missing unless it is the reversal of another transfer. */
  readonly reverses?: ReversedTransfer;
  /** What was given back since it completed, oldest first; missing when nothing was. */
  readonly reversals?: readonly TransferReversal[];
}

/** `at` is business time, RFC 3339 UTC. */
export interface TransferReversal {
  readonly transfer_id: string;
  readonly amount: DecimalString;
  readonly at: string;
}

/** `at` is business time, RFC 3339 UTC. */
export interface TransferStep extends Partial<PostedStep>, Partial<RefusedStep> {
  readonly status: TransferStatus;
  readonly at: string;
}

/**
 * Folds one event into the state; `undefined` is a transfer that does not exist yet.
 * @throws Error when a stream does not begin with its one request, which means corrupt data.
 */
export function evolveTransfer(state: Transfer | undefined, event: TransferEvent, at: string): Transfer {
  if (event.type === 'TransferReversedDomainEventV1') return withReversal(state, event, at);
  const status = STATUS_AFTER[event.type];
  if (event.type === 'TransferRequestedDomainEventV1') {
    if (state) throw new Error('the transfer was requested twice');
    return { ...event.data, status, steps: [{ status, at }] };
  }
  if (!state) throw new Error(`${event.type} came before the transfer was requested`);
  return { ...state, status, steps: [...state.steps, { status, at, ...event.data }] };
}

function withReversal(state: Transfer | undefined, { type, data }: TransferReversed, at: string): Transfer {
  if (!state) throw new Error(`${type} came before the transfer was requested`);
  const reversal = { transfer_id: data.reversal_transfer_id, amount: data.amount, at };
  return { ...state, reversals: [...(state.reversals ?? []), reversal] };
}

export interface RequestTransfer {
  readonly from_account_id: string;
  readonly to_account_id: string;
  /** The client's decimal text. */
  readonly amount: string;
  /** That of the account that the money comes from. */
  readonly currency: string;
  readonly description: string;
  /** Missing unless it takes another transfer back. */
  readonly reverses?: ReversedTransfer;
}

/** Begins a transfer. Rejects with `transfer_already_exists`, `same_account` or an amount's code. */
export function requestTransfer(
  state: Transfer | undefined,
  request: RequestTransfer,
): Decision<TransferEvent[]> {
  if (state) return reject('transfer_already_exists', 'This transfer exists already.');
  const { from_account_id, to_account_id, currency } = request;
  if (from_account_id === to_account_id) return sameAccount();
  const amount = parsePositiveAmount(request.amount, currency, 'amount');
  if (!amount.ok) return amount;
  const data = { ...request, amount: toDecimal(amount.value, currency) };
  return accept([{ type: 'TransferRequestedDomainEventV1', data }]);
}

export function sameAccount() {
  return reject('same_account', 'The money would come from the account that it goes to.', {
    field: 'to_account_id',
  });
}

/** What the account made of a leg. */
export type LegOutcome =
  | { readonly posted: true; readonly transaction_id: string }
  | { readonly posted: false; readonly rejection: Pick<Rejection, 'code' | 'detail'> };

/** Takes down what became of a leg. Nothing happens when that is known already: two may drive one transfer. */
export function recordLeg(state: Transfer, leg: Leg, outcome: LegOutcome): Decision<TransferEvent[]> {
  if (nextStep(state) !== leg) return accept([]);
  return accept(
    outcome.posted ? posted(state, leg, outcome.transaction_id) : [refused(leg, outcome.rejection)],
  );
}

function posted({ reverses }: Transfer, leg: Leg, transaction_id: string): TransferEvent[] {
  const data = { transaction_id };
  switch (leg) {
    case 'DEBIT':
      return [{ type: 'TransferDebitedDomainEventV1', data }];
    case 'CREDIT': {
      const credited = { type: 'TransferCreditedDomainEventV1', data } as const;
      // A reversal is complete when the original knows of it.
      return reverses ? [credited] : [credited, { type: 'TransferCompletedDomainEventV1', data: {} }];
    }
    case 'REFUND':
      return [{ type: 'TransferRefundedDomainEventV1', data }];
    case 'SUSPENSE':
      return [{ type: 'TransferSuspendedDomainEventV1', data }];
  }
}

function refused(leg: Leg, { code, detail }: Pick<Rejection, 'code' | 'detail'>): TransferEvent {
  const data = { code, detail };
  switch (leg) {
    case 'DEBIT':
      return { type: 'TransferRejectedDomainEventV1', data };
    case 'CREDIT':
      return { type: 'TransferCreditRefusedDomainEventV1', data };
    case 'REFUND':
      return { type: 'TransferRefundRefusedDomainEventV1', data };
    case 'SUSPENSE':
      throw new Error(`the suspense account refused: ${detail}`);
  }
}

/** Ends a transfer whose credit is taken down, if that is all that is missing. */
export function completeTransfer(state: Transfer): Decision<TransferEvent[]> {
  return accept(
    nextStep(state) === 'COMPLETION' ? [{ type: 'TransferCompletedDomainEventV1', data: {} }] : [],
  );
}

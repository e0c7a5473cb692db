/** The legs of a transfer on its accounts: each is asked for by an operation id of its own, and so has one outcome for ever. */
import {
  BANK_OWNER_ID,
  type BankAccount,
  type BankAccountEvent,
  bankAccountStream,
  creditForReversal,
  creditForTransfer,
  debitForReversal,
  debitForTransfer,
  decideWithoutExpired,
  type RefusableLeg,
  type ReversalLeg,
  refundTransfer,
  settleLeg,
  suspendTransfer,
  type TransferLeg,
} from '../domain/bank-account.ts';
import type { BankEvent } from '../domain/bank-event.ts';
import { type Decision, type Rejection, reject } from '../domain/decision.ts';
import { type Leg, type LegOutcome, type Transfer, transferStream } from '../domain/transfer.ts';
import type { EventCodec } from '../event-sourcing/codec.ts';
import type { EventReader, Position } from '../event-sourcing/event-store.ts';
import { type Operation, operationOf } from '../event-sourcing/operation-log.ts';
import type { CommandContext, Repository } from '../event-sourcing/repository.ts';
import { StoreError } from '../event-sourcing/store-error.ts';
import { derivedId, ownOperation } from './operation.ts';
import { suspenseAccountId } from './suspense.ts';

export interface LegSources {
  readonly accounts: Repository<BankAccount, BankAccountEvent, Rejection>;
  readonly events: EventReader;
  readonly codec: EventCodec<BankEvent>;
}

export class TransferLegs {
  readonly #sources: LegSources;

  constructor(sources: LegSources) {
    this.#sources = sources;
  }

  /**
   * Posts a leg or has it refused, or tells which of the two it came to before.
   * @param resumed it may have been done long ago. An account remembers its newest operations only, so then its stream is
   * looked through, back to where the transfer was requested.
   */
  async settle(
    leg: Leg,
    transferId: string,
    transfer: Transfer,
    context: CommandContext,
    resumed: boolean,
  ): Promise<LegOutcome> {
    const accountId = accountOf(leg, transfer);
    const operation = legOperation(leg, transferId);
    const before = resumed ? await this.#find(accountId, operation.id, transferId) : undefined;
    if (before) return before;
    const posting = legOf(transferId, transfer, operation);
    const outcome = await this.#sources.accounts.execute(
      accountId,
      (account, now) => decide(leg, account, posting, now),
      { ...context, operation },
    );
    if (!outcome.ok) {
      // A refusal is an event. What comes here is an account that was there when the transfer was requested, and is gone.
      throw new StoreError('corrupt', `${leg} of transfer ${transferId}: ${outcome.rejection.code}.`);
    }
    const told = outcome.value.events.map(outcomeOf).find((one) => one !== undefined);
    if (!told) throw new StoreError('corrupt', `${leg} of transfer ${transferId} left no outcome.`);
    return told;
  }

  /** What the account's stream says of an operation that came after the request. */
  async #find(accountId: string, operationId: string, transferId: string): Promise<LegOutcome | undefined> {
    const { events, codec } = this.#sources;
    const since = await this.#requestedAt(transferId);
    const newestFirst = events.readStream(bankAccountStream(accountId), { direction: 'backwards' });
    for await (const recorded of newestFirst) {
      if (recorded.position <= since) return undefined;
      if (operationOf(recorded.metadata)?.id !== operationId) continue;
      const told = outcomeOf(codec.decode(recorded));
      if (told) return told;
    }
    return undefined;
  }

  async #requestedAt(transferId: string): Promise<Position> {
    for await (const first of this.#sources.events.readStream(transferStream(transferId), { limit: 1 })) {
      return first.position;
    }
    throw new StoreError('corrupt', `Transfer ${transferId} has lost its request.`);
  }
}

function accountOf(leg: Leg, { from_account_id, to_account_id, currency }: Transfer): string {
  if (leg === 'CREDIT') return to_account_id;
  return leg === 'SUSPENSE' ? suspenseAccountId(currency) : from_account_id;
}

/** The operation of a leg: everyone who drives the transfer asks for the leg by the same id. */
export function legOperation(leg: Leg, transferId: string): Operation {
  return ownOperation('TransferLeg', `${transferId} ${leg}`);
}
function legOf(transfer_id: string, transfer: Transfer, operation: Operation): TransferLeg {
  const { from_account_id, to_account_id, amount, currency, description, reverses } = transfer;
  return {
    transfer_id,
    transaction_id: derivedId('Transaction', operation.id),
    from_account_id,
    to_account_id,
    amount,
    currency,
    description,
    ...(reverses ? { reverses } : {}),
  };
}

function decide(
  leg: Leg,
  account: BankAccount | undefined,
  posting: TransferLeg,
  now: string,
): Decision<BankAccountEvent[]> {
  if (leg === 'SUSPENSE') {
    const account_id = suspenseAccountId(posting.currency);
    return suspendTransfer(account, posting, { owner_id: BANK_OWNER_ID, account_id }, now);
  }
  if (!account) return reject('account_not_found', 'The account is gone.');
  return decideWithoutExpired(account, now, (current) =>
    settleLeg(leg, posting.transfer_id, decideLeg(leg, current, posting, now)),
  );
}

function decideLeg(leg: RefusableLeg, account: BankAccount, posting: TransferLeg, now: string) {
  return isReversal(posting)
    ? REVERSAL_DECISIONS[leg](account, posting, now)
    : DECISIONS[leg](account, posting, now);
}

function isReversal(posting: TransferLeg): posting is ReversalLeg {
  return posting.reverses !== undefined;
}

type Decisions<L extends TransferLeg> = Readonly<
  Record<RefusableLeg, (account: BankAccount, leg: L, now: string) => Decision<BankAccountEvent[]>>
>;

const DECISIONS: Decisions<TransferLeg> = {
  DEBIT: debitForTransfer,
  CREDIT: creditForTransfer,
  REFUND: refundTransfer,
};

const REVERSAL_DECISIONS: Decisions<ReversalLeg> = {
  DEBIT: debitForReversal,
  CREDIT: creditForReversal,
  REFUND: refundTransfer,
};

/** What an event of an account says of the leg that it belongs to; expired holds beside it say nothing. */
function outcomeOf(event: Pick<BankEvent, 'type' | 'data'>): LegOutcome | undefined {
  const { type, data } = event as BankEvent;
  if (type === 'BankAccountTransactionRecordedDomainEventV1') {
    return { posted: true, transaction_id: data.transaction_id };
  }
  if (type !== 'BankAccountTransferRefusedDomainEventV1') return undefined;
  return { posted: false, rejection: { code: data.code, detail: data.detail } };
}

/**
 * Drives transfers to their end: asks the accounts for one leg after the other, and takes down in the transfer's own
 * stream what became of each. Any number of drivers may be at it, at any time: they do nothing twice.
 */
import { type Rejection, reject } from '../domain/decision.ts';
import {
  completeTransfer,
  evolveTransfer,
  type Leg,
  type LegOutcome,
  nextStep,
  recordLeg,
  type Transfer,
  type TransferEvent,
  transferStream,
} from '../domain/transfer.ts';
import { recordReversal } from '../domain/transfer-reversal.ts';
import type { Position } from '../event-sourcing/event-store.ts';
import type { Aggregate, AggregateType, CommandContext, Repository } from '../event-sourcing/repository.ts';
import { StoreError } from '../event-sourcing/store-error.ts';
import type { TransferLegs } from './transfer-legs.ts';

export const transferType: AggregateType<Transfer, TransferEvent> = {
  name: 'Transfer',
  stream: transferStream,
  evolve: evolveTransfer,
};

export type TransferRepository = Repository<Transfer, TransferEvent, Rejection>;

/**
 * Something durable has just happened to a transfer: an account has settled a leg, the transfer has taken it down, or
 * the one that it takes back has taken note.
 */
export type TransferMoment =
  | 'requested'
  | `${Lowercase<Leg>}_${'settled' | 'recorded'}`
  | 'original_recorded';

/** A test's way to stop a driver between two steps. */
export type TransferFailpoint = (moment: TransferMoment, transferId: string) => Promise<void> | void;

/** A transfer as far as it was driven; the position is that of the newest event, where this driver wrote it. */
export interface DrivenTransfer extends Aggregate<Transfer> {
  readonly position?: Position;
}

/** The longest way is debit, refused credit, refused refund, suspense. */
const STEPS_MAX = 4;

export class TransferProcess {
  readonly transfers: TransferRepository;
  readonly #legs: TransferLegs;
  readonly #failpoint: TransferFailpoint | undefined;
  /** Of this process, by transfer id: whoever comes second waits for the first. */
  readonly #driving = new Map<string, Promise<DrivenTransfer>>();

  constructor(transfers: TransferRepository, legs: TransferLegs, failpoint?: TransferFailpoint) {
    this.transfers = transfers;
    this.#legs = legs;
    this.#failpoint = failpoint;
  }

  /** Drives a transfer that was requested just now. @throws StoreError when a store failed; it can be resumed. */
  begin(id: string, requested: DrivenTransfer, context: CommandContext): Promise<DrivenTransfer> {
    return this.#once(id, async () => {
      await this.#failpoint?.('requested', id);
      return this.#drive(id, requested, context, false);
    });
  }

  /**
   * Drives what may have been left unfinished, by whomever and whenever.
   * @throws StoreError when a store failed, or `invalid_request` when there is no such transfer
   */
  resume(id: string, context: CommandContext): Promise<DrivenTransfer> {
    return this.#once(id, async () => {
      const known = await this.transfers.load(id);
      if (!known) throw new StoreError('invalid_request', `There is no transfer ${id}.`);
      return this.#drive(id, known, context, true);
    });
  }

  /** Whether it is known to have ended; what has ended never changes, so that memory may tell it. */
  async hasEnded(id: string): Promise<boolean> {
    const remembered = await this.transfers.recent(id);
    return remembered !== undefined && nextStep(remembered) === undefined;
  }

  #once(id: string, drive: () => Promise<DrivenTransfer>): Promise<DrivenTransfer> {
    const driving = this.#driving.get(id);
    if (driving) return driving;
    const driven = drive().finally(() => this.#driving.delete(id));
    this.#driving.set(id, driven);
    return driven;
  }

  async #drive(
    id: string,
    from: DrivenTransfer,
    context: CommandContext,
    resumed: boolean,
  ): Promise<DrivenTransfer> {
    let current = from;
    for (let steps = 0; steps < STEPS_MAX; steps += 1) {
      const step = nextStep(current.state);
      if (step === undefined) return current;
      current = await this.#take(step, id, current, context, resumed);
    }
    return current;
  }

  async #take(
    step: Leg | 'COMPLETION',
    id: string,
    { state }: DrivenTransfer,
    context: CommandContext,
    resumed: boolean,
  ): Promise<DrivenTransfer> {
    if (step === 'COMPLETION') return this.#complete(id, state, context);
    const settle = (leg: Leg) => this.#settle(leg, id, state, context, resumed);
    const outcome = await settle(step);
    // An account has the debit for good, so the credit need not wait until the transfer has taken that down.
    const crediting = step === 'DEBIT' && outcome.posted ? settle('CREDIT') : undefined;
    const recording = this.#recordLeg(step, id, outcome, context);
    // Whichever fails, a driver ends only when nothing of it is under way any more.
    await Promise.allSettled([recording, crediting]);
    const [recorded, credit] = [await recording, await crediting];
    return credit ? this.#recordLeg('CREDIT', id, credit, context) : recorded;
  }

  async #settle(
    leg: Leg,
    id: string,
    transfer: Transfer,
    context: CommandContext,
    resumed: boolean,
  ): Promise<LegOutcome> {
    const outcome = await this.#legs.settle(leg, id, transfer, context, resumed);
    await this.#failpoint?.(`${lowercase(leg)}_settled`, id);
    return outcome;
  }

  async #recordLeg(
    leg: Leg,
    id: string,
    outcome: LegOutcome,
    context: CommandContext,
  ): Promise<DrivenTransfer> {
    const recorded = await this.#record(id, (transfer) => recordLeg(transfer, leg, outcome), context);
    await this.#failpoint?.(`${lowercase(leg)}_recorded`, id);
    return recorded;
  }

  /** A reversal is complete when the transfer that it takes back knows of it. */
  async #complete(
    id: string,
    { reverses, amount }: Transfer,
    context: CommandContext,
  ): Promise<DrivenTransfer> {
    if (reverses) {
      const reversal = { transfer_id: id, amount };
      await this.#record(reverses.transfer_id, (original) => recordReversal(original, reversal), context);
      await this.#failpoint?.('original_recorded', id);
    }
    return this.#record(id, completeTransfer, context);
  }

  async #record(
    id: string,
    decide: (transfer: Transfer) => ReturnType<typeof recordLeg>,
    context: CommandContext,
  ): Promise<DrivenTransfer> {
    const outcome = await this.transfers.execute(
      id,
      (transfer) => (transfer ? decide(transfer) : transferNotFound(id)),
      context,
    );
    if (outcome.ok) return outcome.value;
    throw new StoreError('corrupt', `Transfer ${id} cannot go on: ${outcome.rejection.code}.`);
  }
}

function lowercase(leg: Leg): Lowercase<Leg> {
  return leg.toLowerCase() as Lowercase<Leg>;
}

export function transferNotFound(id: string) {
  return reject('transfer_not_found', `There is no transfer ${id}.`, { field: 'id' });
}

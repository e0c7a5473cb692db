/** One account, followed through the raw log event by event, with every rule that its own stream can show to be broken. */
import { DebitLimits } from './debit-limits.ts';
import { type Accuse, minorUnits, type RawEvent, type RawPosting } from './raw-event.ts';

interface RawHold {
  readonly minor: bigint;
  readonly placedOn: string;
  readonly expiresAt: string | undefined;
}

/** A hold that was captured; its posting must be the next event. */
interface Capture {
  readonly holdId: string;
  readonly transactionId: string;
  readonly minor: bigint;
  readonly availableBefore: bigint;
}

type HoldData = Readonly<Record<'hold_id' | 'amount' | 'reason', string>> & { readonly expires_at?: string };
type CaptureData = Readonly<
  Record<'hold_id' | 'transaction_id' | 'captured_amount' | 'released_amount', string>
>;

export class AccountLedger {
  readonly id: string;
  readonly currency: string;
  /** Minor units, as are all amounts here. */
  balance = 0n;
  held = 0n;
  overdraft: bigint;
  closed = false;
  /** What a freeze stops: DEBITS, CREDITS, ALL, or null for nothing. */
  frozen: string | null = null;
  /** Money that neither account of a transfer could take is kept here, whatever the state of the account. */
  takesSuspense = false;
  readonly #postings = new Map<string, RawPosting>();
  readonly #reversed = new Map<string, bigint>();
  readonly #holds = new Map<string, RawHold>();
  readonly #periods = new Set<string>();
  readonly #limits = new DebitLimits();
  #capture: Capture | undefined;

  constructor(id: string, currency: string, overdraft: bigint) {
    this.id = id;
    this.currency = currency;
    this.overdraft = overdraft;
  }

  get available(): bigint {
    return this.balance - this.held + this.overdraft;
  }

  /** @returns false when it does not know the type */
  observe(event: RawEvent, accuse: Accuse): boolean {
    const { type, metadata } = event;
    if (type === 'BankAccountTransactionRecordedDomainEventV1') {
      this.#post(event.data as RawPosting, metadata.timestamp, accuse);
      return true;
    }
    if (this.#capture) accuse(`hold ${this.#capture.holdId} was captured without a posting`);
    this.#capture = undefined;
    if (type === 'BankAccountTransferRefusedDomainEventV1') return true;
    if (this.closed) accuse(`${type} on a closed account`);
    return this.#change(event, accuse);
  }

  #change({ type, data, metadata: { timestamp } }: RawEvent, accuse: Accuse): boolean {
    switch (type) {
      case 'BankAccountHoldPlacedDomainEventV1':
        this.#placeHold(data as HoldData, timestamp, accuse);
        return true;
      case 'BankAccountHoldReleasedDomainEventV1':
        this.#releaseHold(data as HoldData, timestamp, accuse);
        return true;
      case 'BankAccountHoldCapturedDomainEventV1':
        this.#captureHold(data as CaptureData, timestamp, accuse);
        return true;
      case 'BankAccountOverdraftLimitChangedDomainEventV1':
        this.#changeOverdraft(data as Readonly<Record<'old_limit' | 'new_limit', string>>, accuse);
        return true;
      case 'BankAccountLimitsChangedDomainEventV1':
        this.#limits.change(data as Parameters<DebitLimits['change']>[0]);
        return true;
      case 'BankAccountFrozenDomainEventV1':
        this.frozen = (data as { scope: string }).scope;
        return true;
      case 'BankAccountUnfrozenDomainEventV1':
        this.frozen = null;
        return true;
      case 'BankAccountTermsChangedDomainEventV1':
        return true;
      case 'BankAccountClosedDomainEventV1':
        this.#close(data as { final_balance: string }, accuse);
        return true;
      default:
        return false;
    }
  }

  #post(posting: RawPosting, at: string, accuse: Accuse): void {
    const { transaction_id, type, direction, currency } = posting;
    const minor = minorUnits(posting.amount);
    const what = `${type} ${direction} ${transaction_id}`;
    const capture = this.#capture;
    this.#capture = undefined;
    if (minor <= 0n) accuse(`${what} is of ${posting.amount}`);
    if (currency !== this.currency) accuse(`${what} is in ${currency} on an account in ${this.currency}`);
    if (this.#postings.has(transaction_id)) accuse(`${what} is in the stream twice`);
    this.#postings.set(transaction_id, posting);
    this.balance += direction === 'CREDIT' ? minor : -minor;
    const stated = minorUnits(posting.balance);
    if (stated !== this.balance) accuse(`${what} states a balance of ${stated}, but it is ${this.balance}`);
    if (this.closed && !this.takesSuspense) accuse(`${what} on a closed account`);
    if (type === 'HOLD') this.#checkCapture(posting, minor, capture, accuse);
    else if (capture) accuse(`hold ${capture.holdId} was captured without a posting`);
    if (direction === 'DEBIT' && (type === 'WITHDRAWAL' || type === 'TRANSFER')) {
      this.#takeOut(what, minor, at, accuse);
    }
    if (type === 'DEPOSIT' && this.#isFrozenFor('CREDITS'))
      accuse(`${what} on an account frozen for credits`);
    if (type === 'REVERSAL') this.#reverse(posting, minor, accuse);
    const restored = posting.restores_transaction_id;
    if (restored !== undefined) this.#restore(what, restored, minor, accuse);
    if (posting.period !== undefined) this.#settlePeriod(posting, posting.period, accuse);
  }

  /** What a customer takes out, or has set aside: it must be there, and within the limits. */
  #takeOut(what: string, minor: bigint, at: string, accuse: Accuse): void {
    if (this.available < 0n) accuse(`${what} leaves ${this.available} available`);
    if (this.#isFrozenFor('DEBITS')) accuse(`${what} on an account frozen for debits`);
    this.#limits.debit(what, minor, at, accuse);
  }

  #isFrozenFor(scope: 'DEBITS' | 'CREDITS'): boolean {
    return this.frozen === 'ALL' || this.frozen === scope;
  }

  #placeHold({ hold_id, amount, expires_at }: HoldData, at: string, accuse: Accuse): void {
    const what = `hold ${hold_id}`;
    const minor = minorUnits(amount);
    if (minor <= 0n) accuse(`${what} is of ${amount}`);
    if (this.#holds.has(hold_id)) accuse(`${what} was placed twice`);
    if (expires_at !== undefined && expires_at <= at) accuse(`${what} was over when it was placed`);
    this.held += minor;
    this.#takeOut(what, minor, at, accuse);
    this.#holds.set(hold_id, { minor, placedOn: this.#limits.day, expiresAt: expires_at });
  }

  #releaseHold({ hold_id, amount, reason }: HoldData, at: string, accuse: Accuse): void {
    const expired = reason === 'EXPIRED';
    this.#endHold(hold_id, minorUnits(amount), 0n, at, expired, accuse);
  }

  #captureHold(data: CaptureData, at: string, accuse: Accuse): void {
    const { hold_id: holdId, transaction_id: transactionId } = data;
    const minor = minorUnits(data.captured_amount);
    this.#capture = { holdId, transactionId, minor, availableBefore: this.available };
    if (this.#isFrozenFor('DEBITS'))
      accuse(`hold ${holdId} was captured on an account that is frozen for debits`);
    this.#endHold(holdId, minorUnits(data.released_amount), minor, at, false, accuse);
  }

  /** @param expired whether its time is said to be over; whatever else becomes of a hold must come before that */
  #endHold(id: string, free: bigint, taken: bigint, at: string, expired: boolean, accuse: Accuse): void {
    const hold = this.#holds.get(id);
    if (!hold) {
      accuse(`hold ${id} was ended, but is not open`);
      return;
    }
    this.#holds.delete(id);
    this.held -= hold.minor;
    if (free < 0n || taken < 0n || free + taken !== hold.minor) {
      accuse(`hold ${id} of ${hold.minor} ended with ${taken} taken and ${free} free`);
    }
    const over = hold.expiresAt !== undefined && hold.expiresAt <= at;
    if (over !== expired)
      accuse(`hold ${id} ${over ? 'was used after its time' : 'expired before its time'}`);
    this.#limits.free(hold.placedOn, free);
  }

  #checkCapture(posting: RawPosting, minor: bigint, capture: Capture | undefined, accuse: Accuse): void {
    const { hold_id, transaction_id } = posting;
    if (
      capture?.holdId !== hold_id ||
      capture?.transactionId !== transaction_id ||
      capture?.minor !== minor
    ) {
      accuse(`posting ${transaction_id} does not follow from the capture of a hold`);
      return;
    }
    if (this.available < capture.availableBefore)
      accuse(`the capture of hold ${hold_id} took more than it held`);
  }

  #changeOverdraft({ old_limit, new_limit }: { old_limit: string; new_limit: string }, accuse: Accuse): void {
    if (minorUnits(old_limit) !== this.overdraft)
      accuse(`the overdraft was ${this.overdraft}, not ${old_limit}`);
    this.overdraft = minorUnits(new_limit);
    if (this.available < 0n) accuse(`the overdraft of ${new_limit} leaves ${this.available} available`);
  }

  #reverse(posting: RawPosting, minor: bigint, accuse: Accuse): void {
    const { reverses_transaction_id: originalId = '', direction, transaction_id, transfer_id } = posting;
    const what = `reversal ${transaction_id}`;
    const original = this.#postings.get(originalId);
    if (!original) {
      accuse(`${what} undoes ${originalId}, which the account does not have`);
      return;
    }
    if (original.type === 'REVERSAL') accuse(`${what} undoes a reversal`);
    if (original.type === 'TRANSFER' && transfer_id === undefined)
      accuse(`${what} undoes one side of a transfer`);
    if (transfer_id !== undefined && direction === 'DEBIT' && this.#isFrozenFor('DEBITS')) {
      accuse(`${what} on an account frozen for debits`);
    }
    if (original.direction === direction) accuse(`${what} goes the same way as what it undoes`);
    const undone = (this.#reversed.get(originalId) ?? 0n) + minor;
    this.#reversed.set(originalId, undone);
    if (undone > minorUnits(original.amount))
      accuse(`${undone} of ${originalId} is undone, more than it was`);
    // The bank takes back its own interest whatever is there.
    if (direction === 'DEBIT' && original.type !== 'INTEREST' && this.available < 0n) {
      accuse(`${what} leaves ${this.available} available`);
    }
  }

  /** A reversal of a transfer was refunded: so much can be reversed again. */
  #restore(what: string, originalId: string, minor: bigint, accuse: Accuse): void {
    const undone = (this.#reversed.get(originalId) ?? 0n) - minor;
    if (undone < 0n) accuse(`${what} restores ${minor} of ${originalId}, more than was undone`);
    this.#reversed.set(originalId, undone);
  }

  #settlePeriod({ type, direction }: RawPosting, period: string, accuse: Accuse): void {
    const charge = `${type} ${direction} for ${period}`;
    if (this.#periods.has(charge)) accuse(`${charge} was posted twice`);
    this.#periods.add(charge);
  }

  #close({ final_balance }: { final_balance: string }, accuse: Accuse): void {
    if (this.balance !== 0n || this.held !== 0n || minorUnits(final_balance) !== 0n) {
      accuse(`closed with a balance of ${this.balance} and ${this.held} held`);
    }
    if (this.frozen !== null) accuse(`closed while frozen for ${this.frozen}`);
    this.closed = true;
  }
}

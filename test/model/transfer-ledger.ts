/** One transfer: what its accounts' streams say of its legs, and what its own stream takes down of them. */
import { type Accuse, minorUnits, type RawEvent, type RawPosting } from './raw-event.ts';

type Leg = 'DEBIT' | 'CREDIT' | 'REFUND' | 'SUSPENSE';

/** Which status may follow which; those that nothing follows are ends. */
const NEXT: Readonly<Record<string, readonly string[]>> = {
  Requested: ['Debited', 'Rejected'],
  Debited: ['Credited', 'CreditRefused'],
  Credited: ['Completed'],
  CreditRefused: ['Refunded', 'RefundRefused'],
  RefundRefused: ['Suspended'],
  Completed: [],
  Rejected: [],
  Refunded: [],
  Suspended: [],
};

/** The leg that an event of the transfer tells of, and whether it was posted. */
const TELLS_OF: Readonly<Record<string, readonly [Leg, boolean]>> = {
  Debited: ['DEBIT', true],
  Rejected: ['DEBIT', false],
  Credited: ['CREDIT', true],
  CreditRefused: ['CREDIT', false],
  Refunded: ['REFUND', true],
  RefundRefused: ['REFUND', false],
  Suspended: ['SUSPENSE', true],
};

/** The transaction id of a leg that was posted; null when it was refused. */
type LegOutcome = string | null;

interface Request {
  readonly from: string;
  readonly to: string;
  /** Minor units. */
  readonly minor: bigint;
  /** The transfer that is taken back. */
  readonly original: TransferLedger | undefined;
}

type RawRequest = Readonly<Record<'from_account_id' | 'to_account_id' | 'amount', string>> & {
  readonly reverses?: { readonly transfer_id: string };
};

/** Finds another transfer of the same log. */
export type FindTransfer = (id: string) => TransferLedger;

export class TransferLedger {
  readonly id: string;
  /** The newest event of its stream: Requested, Debited…; nothing before there is one. */
  status: string | undefined;
  /** Minor units that have left one account and not arrived at another. */
  inFlight = 0n;
  #request: Request | undefined;
  readonly #legs = new Map<Leg, LegOutcome>();
  /** What it has taken note of: reversals by their ids, in minor units. */
  readonly #reversals = new Map<string, bigint>();

  constructor(id: string) {
    this.id = id;
  }

  get hasEnded(): boolean {
    return this.status !== undefined && NEXT[this.status]?.length === 0;
  }

  /** An event of its own stream. @returns false when it does not know the type */
  observe({ type, data }: RawEvent, find: FindTransfer, accuse: Accuse): boolean {
    if (type === 'TransferReversedDomainEventV1') {
      this.#noteReversal(data as Readonly<Record<'reversal_transfer_id' | 'amount', string>>, find, accuse);
      return true;
    }
    const status = /^Transfer(\w+)DomainEventV1$/.exec(type)?.[1];
    if (status === undefined || !(status in NEXT)) return false;
    const allowed = this.status === undefined ? ['Requested'] : NEXT[this.status];
    if (!allowed?.includes(status)) accuse(`${status} came after ${this.status ?? 'nothing'}`);
    this.status = status;
    if (status === 'Requested') this.#ask(data as RawRequest, find, accuse);
    const original = this.#request?.original;
    if (status === 'Completed' && original && !original.#reversals.has(this.id)) {
      accuse(`it is complete, but ${original.id} does not know of it`);
    }
    this.#checkLeg(status, data, accuse);
    return true;
  }

  #ask(request: RawRequest, find: FindTransfer, accuse: Accuse): void {
    const { from_account_id: from, to_account_id: to, reverses } = request;
    if (from === to) accuse('it goes to the account that it comes from');
    const original = reverses && find(reverses.transfer_id);
    this.#request = { from, to, minor: minorUnits(request.amount), original };
    if (!original) return;
    const taken = original.#request;
    if (original.status !== 'Completed') accuse(`it takes back ${original.id}, which is not complete`);
    if (taken?.original) accuse(`it takes back ${original.id}, which is a reversal`);
    if (taken?.from !== to || taken.to !== from) accuse(`it does not go the way back of ${original.id}`);
    if (taken && this.#request.minor > taken.minor) accuse(`it takes back more than ${original.id} was`);
  }

  #checkLeg(status: string, data: unknown, accuse: Accuse): void {
    const [leg, posted] = TELLS_OF[status] ?? [];
    if (leg === undefined) return;
    const outcome = this.#legs.get(leg);
    const told = posted ? (data as { transaction_id: string }).transaction_id : null;
    if (outcome !== told) accuse(`it takes down ${leg} as ${told}, but the account says ${outcome}`);
  }

  /** It may take note only of what has arrived, and once. */
  #noteReversal(
    { reversal_transfer_id: id, amount }: Readonly<Record<'reversal_transfer_id' | 'amount', string>>,
    find: FindTransfer,
    accuse: Accuse,
  ): void {
    const minor = minorUnits(amount);
    const request = find(id).#request;
    if (this.status !== 'Completed') accuse(`it was reversed, but is not complete`);
    if (this.#reversals.has(id)) accuse(`it takes note of reversal ${id} twice`);
    if (request?.original !== this) accuse(`${id} does not reverse it`);
    if (request?.minor !== minor)
      accuse(`it takes note of ${minor}, but reversal ${id} is of another amount`);
    if (typeof find(id).#legs.get('CREDIT') !== 'string') {
      accuse(`it takes note of reversal ${id}, whose money has not arrived`);
    }
    this.#reversals.set(id, minor);
    const all = [...this.#reversals.values()].reduce((total, one) => total + one, 0n);
    if (this.#request && all > this.#request.minor) accuse(`${all} of ${this.#request.minor} was given back`);
  }

  /** A posting of a leg. @returns whether it is money that nobody else could take */
  post(accountId: string, posting: RawPosting, accuse: Accuse): boolean {
    const { direction, transaction_id } = posting;
    const minor = minorUnits(posting.amount);
    if (!this.#request) {
      accuse(`${accountId} posted a leg before the transfer was requested`);
      return false;
    }
    const { from } = this.#request;
    if (minor !== this.#request.minor) accuse(`a leg is of ${minor}, the transfer of ${this.#request.minor}`);
    const leg = direction === 'DEBIT' ? 'DEBIT' : this.#creditOn(accountId);
    this.#checkLinks(leg, posting, accuse);
    this.#settle(leg, transaction_id, accuse);
    if (leg === 'DEBIT') {
      if (accountId !== from) accuse(`${accountId} was debited instead of ${from}`);
      this.inFlight += minor;
      return false;
    }
    if (this.inFlight !== minor) accuse(`${accountId} was given money that is not under way`);
    this.inFlight -= minor;
    return leg === 'SUSPENSE';
  }

  /** A leg that an account would not take. */
  refuse(leg: Leg, accuse: Accuse): void {
    this.#settle(leg, null, accuse);
  }

  #creditOn(accountId: string): Leg {
    if (accountId === this.#request?.to) return 'CREDIT';
    return accountId === this.#request?.from ? 'REFUND' : 'SUSPENSE';
  }

  /** A reversal undoes what the original has posted on that side; its refund restores it. */
  #checkLinks(leg: Leg, posting: RawPosting, accuse: Accuse): void {
    const { type, reverses_transaction_id: reverses, restores_transaction_id: restores } = posting;
    const original = this.#request?.original;
    const legs = original ? original.#legs : undefined;
    const undoes = leg === 'DEBIT' ? legs?.get('CREDIT') : leg === 'CREDIT' ? legs?.get('DEBIT') : undefined;
    if ((undoes ?? undefined) !== reverses) accuse(`${leg} undoes ${reverses} instead of ${undoes}`);
    if (type !== (undoes ? 'REVERSAL' : 'TRANSFER')) accuse(`${leg} is posted as ${type}`);
    const back = leg === 'REFUND' ? legs?.get('CREDIT') : undefined;
    if ((back ?? undefined) !== restores) accuse(`${leg} restores ${restores} instead of ${back}`);
  }

  #settle(leg: Leg, outcome: LegOutcome, accuse: Accuse): void {
    if (this.#legs.has(leg)) accuse(`${leg} was settled twice`);
    this.#legs.set(leg, outcome);
  }
}

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

export class TransferLedger {
  readonly id: string;
  /** The newest event of its stream: Requested, Debited…; nothing before there is one. */
  status: string | undefined;
  /** Minor units that have left one account and not arrived at another. */
  inFlight = 0n;
  #request: { from: string; to: string; minor: bigint } | undefined;
  readonly #legs = new Map<Leg, LegOutcome>();

  constructor(id: string) {
    this.id = id;
  }

  get hasEnded(): boolean {
    return this.status !== undefined && NEXT[this.status]?.length === 0;
  }

  /** An event of its own stream. @returns false when it does not know the type */
  observe({ type, data }: RawEvent, accuse: Accuse): boolean {
    const status = /^Transfer(\w+)DomainEventV1$/.exec(type)?.[1];
    if (status === undefined || !(status in NEXT)) return false;
    const allowed = this.status === undefined ? ['Requested'] : NEXT[this.status];
    if (!allowed?.includes(status)) accuse(`${status} came after ${this.status ?? 'nothing'}`);
    this.status = status;
    if (status === 'Requested') {
      const request = data as Readonly<Record<'from_account_id' | 'to_account_id' | 'amount', string>>;
      const { from_account_id: from, to_account_id: to } = request;
      if (from === to) accuse('it goes to the account that it comes from');
      this.#request = { from, to, minor: minorUnits(request.amount) };
    }
    const [leg, posted] = TELLS_OF[status] ?? [];
    if (leg === undefined) return true;
    const outcome = this.#legs.get(leg);
    const told = posted ? (data as { transaction_id: string }).transaction_id : null;
    if (outcome !== told) accuse(`it takes down ${leg} as ${told}, but the account says ${outcome}`);
    return true;
  }

  /** A posting of a leg. @returns whether it is money that nobody else could take */
  post(accountId: string, posting: RawPosting, accuse: Accuse): boolean {
    const { direction, transaction_id } = posting;
    const minor = minorUnits(posting.amount);
    if (!this.#request) {
      accuse(`${accountId} posted a leg before the transfer was requested`);
      return false;
    }
    const { from, to } = this.#request;
    if (minor !== this.#request.minor) accuse(`a leg is of ${minor}, the transfer of ${this.#request.minor}`);
    if (direction === 'DEBIT') {
      if (accountId !== from) accuse(`${accountId} was debited instead of ${from}`);
      this.inFlight += minor;
      this.#settle('DEBIT', transaction_id, accuse);
      return false;
    }
    if (this.inFlight !== minor) accuse(`${accountId} was given money that is not under way`);
    this.inFlight -= minor;
    const leg = accountId === to ? 'CREDIT' : accountId === from ? 'REFUND' : 'SUSPENSE';
    this.#settle(leg, transaction_id, accuse);
    return leg === 'SUSPENSE';
  }

  /** A leg that an account would not take. */
  refuse(leg: Leg, accuse: Accuse): void {
    this.#settle(leg, null, accuse);
  }

  #settle(leg: Leg, outcome: LegOutcome, accuse: Accuse): void {
    if (this.#legs.has(leg)) accuse(`${leg} was settled twice`);
    this.#legs.set(leg, outcome);
  }
}

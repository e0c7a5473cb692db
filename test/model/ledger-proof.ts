/**
 * Proves from the raw log alone that no money was created or lost, at any position, and that nothing was done twice.
 *
 * The log of any store will do. Nothing here comes from the program, so that both cannot be wrong in the same way.
 */
import { AccountLedger } from './account-ledger.ts';
import { OperationLedger } from './operation-ledger.ts';
import { minorUnits, type RawEvent, type RawPosting } from './raw-event.ts';
import { TransferLedger } from './transfer-ledger.ts';

export type { RawEvent } from './raw-event.ts';

/** Everything that has crossed the bank's border in one currency, in minor units, as it stands after the last event. */
export interface CurrencyLedger {
  readonly deposits: bigint;
  /** What the bank paid, less what it charged for overdrafts. */
  readonly interest: bigint;
  /** Captured holds are among them. */
  readonly withdrawals: bigint;
  readonly fees: bigint;
  /** Above zero where more was given back than taken back. Those of transfers are not among them: they stay inside. */
  readonly reversals: bigint;
  /** All accounts together, the bank's own for money in suspense among them. */
  readonly balances: bigint;
  /** What has left one account and not arrived at another. */
  readonly inFlight: bigint;
}

export interface PostingProof {
  readonly accountId: string;
  readonly type: string;
  /** Minor units, negative for a debit. */
  readonly change: bigint;
}

export interface LedgerProof {
  /** Events that were looked at. */
  readonly events: number;
  readonly currencies: ReadonlyMap<string, CurrencyLedger>;
  /** By id. */
  readonly accounts: ReadonlyMap<string, AccountLedger>;
  /** By transaction id: whoever was told of a posting finds it here. */
  readonly postings: ReadonlyMap<string, PostingProof>;
  /** Ids of transfers that have not ended. None are left once everything has come to rest. */
  readonly unfinishedTransfers: readonly string[];
  /** Types of events on accounts and transfers that the proof knows nothing of, and so proves nothing about. */
  readonly unknownTypes: ReadonlySet<string>;
  /** What is wrong, oldest first, each with its position; the proof holds when there are none. */
  readonly violations: readonly string[];
}

/** Violations that are told: what comes after so many is mostly the same one again. */
const VIOLATIONS_MAX = 50;
const ACCOUNT = 'bank-account-';
const TRANSFER = 'transfer-';
const SNAPSHOT = 'snapshot-';

/**
 * Reads a whole log in the order of its positions.
 * @throws Error for an amount that is no amount
 */
export async function proveLedger(log: AsyncIterable<RawEvent> | Iterable<RawEvent>): Promise<LedgerProof> {
  const prover = new LedgerProver();
  for await (const event of log) prover.observe(event);
  return prover.proof();
}

/** For a log that is still being written: takes its events one by one, and tells at any time what they prove. */
export class LedgerProver {
  readonly #accounts = new Map<string, AccountLedger>();
  readonly #transfers = new Map<string, TransferLedger>();
  readonly #operations = new OperationLedger();
  readonly #currencies = new Map<string, Record<keyof CurrencyLedger, bigint>>();
  readonly #postings = new Map<string, PostingProof>();
  readonly #revisions = new Map<string, number>();
  readonly #unknownTypes = new Set<string>();
  readonly #violations: string[] = [];
  #events = 0;
  #position = -1n;

  observe(event: RawEvent): void {
    const accuse = (what: string) => this.#accuse(event, what);
    this.#checkOrder(event);
    this.#operations.observe(event, accuse);
    if (event.stream.startsWith(ACCOUNT)) this.#observeAccount(event);
    else if (event.stream.startsWith(TRANSFER)) this.#observeTransfer(event);
  }

  proof(): LedgerProof {
    return {
      events: this.#events,
      currencies: this.#currencies,
      accounts: this.#accounts,
      postings: this.#postings,
      unfinishedTransfers: [...this.#transfers.values()].filter((one) => !one.hasEnded).map(({ id }) => id),
      unknownTypes: this.#unknownTypes,
      violations: this.#violations,
    };
  }

  #accuse({ position, stream, revision }: RawEvent, what: string): void {
    if (this.#violations.length >= VIOLATIONS_MAX) return;
    this.#violations.push(`at ${position} (${stream}, revision ${revision}): ${what}`);
  }

  #checkOrder(event: RawEvent): void {
    const { stream, revision, position } = event;
    this.#events += 1;
    if (position <= this.#position) this.#accuse(event, `it came after position ${this.#position}`);
    this.#position = position;
    // Only the newest snapshots are kept.
    if (stream.startsWith(SNAPSHOT)) return;
    const next = (this.#revisions.get(stream) ?? -1) + 1;
    if (revision !== next) this.#accuse(event, `revision ${next} is missing`);
    this.#revisions.set(stream, revision);
  }

  #observeAccount(event: RawEvent): void {
    const accuse = (what: string) => this.#accuse(event, what);
    const { aggregate_id: id } = event.metadata;
    const account = this.#accounts.get(id);
    if (/^BankAccountCreatedDomainEventV[12]$/.test(event.type)) {
      if (account) accuse('the account was created twice');
      else this.#create(id, event);
    } else if (!account) {
      accuse(`${event.type} came before the account was created`);
    } else if (event.type === 'BankAccountTransactionRecordedDomainEventV1') {
      this.#post(event, event.data as RawPosting, account);
    } else {
      if (event.type === 'BankAccountTransferRefusedDomainEventV1') this.#refuse(event);
      if (!account.observe(event, accuse)) this.#unknownTypes.add(event.type);
    }
  }

  /** The first version named no currency; those who still have it bank in dollars. */
  #create(id: string, { data }: RawEvent): void {
    const { overdraft_limit, currency } = data as { overdraft_limit: string | number; currency?: string };
    const limit = currency === undefined ? Number(overdraft_limit).toFixed(2) : String(overdraft_limit);
    this.#accounts.set(id, new AccountLedger(id, currency ?? 'USD', minorUnits(limit)));
  }

  #refuse(event: RawEvent): void {
    const { transfer_id, leg } = event.data as { transfer_id: string; leg: 'DEBIT' | 'CREDIT' | 'REFUND' };
    this.#transfer(transfer_id).refuse(leg, (what) => this.#accuse(event, what));
  }

  #post(event: RawEvent, posting: RawPosting, account: AccountLedger): void {
    const accuse = (what: string) => this.#accuse(event, what);
    const { transaction_id, type, direction, currency, transfer_id } = posting;
    if (this.#postings.has(transaction_id)) accuse(`transaction ${transaction_id} is in the log twice`);
    const change = direction === 'CREDIT' ? minorUnits(posting.amount) : -minorUnits(posting.amount);
    this.#postings.set(transaction_id, { accountId: account.id, type, change });
    const ledger = this.#currency(currency);
    // The reversal of a transfer is a transfer too, and nothing that crosses the border of the bank.
    const isLeg = type === 'TRANSFER' || transfer_id !== undefined;
    if (isLeg) {
      const transfer = this.#transfer(String(transfer_id));
      ledger.inFlight -= transfer.inFlight;
      account.takesSuspense = transfer.post(account.id, posting, accuse) || account.takesSuspense;
      ledger.inFlight += transfer.inFlight;
    }
    ledger.balances -= account.balance;
    account.observe(event, accuse);
    ledger.balances += account.balance;
    if (!isLeg && !addToFlows(ledger, type, change)) this.#unknownTypes.add(`${event.type} ${type}`);
    const { deposits, interest, withdrawals, fees, reversals, balances, inFlight } = ledger;
    const inside = balances + inFlight;
    const outside = deposits + interest - withdrawals - fees + reversals;
    if (inside !== outside) accuse(`there are ${inside} ${currency} in the bank, but ${outside} should be`);
  }

  #observeTransfer(event: RawEvent): void {
    const transfer = this.#transfer(event.metadata.aggregate_id);
    const find = (id: string) => this.#transfer(id);
    const known = transfer.observe(event, find, (what) => this.#accuse(event, what));
    if (!known) this.#unknownTypes.add(event.type);
  }

  #transfer(id: string): TransferLedger {
    const transfer = this.#transfers.get(id) ?? new TransferLedger(id);
    this.#transfers.set(id, transfer);
    return transfer;
  }

  #currency(code: string): Record<keyof CurrencyLedger, bigint> {
    const nothing = { deposits: 0n, interest: 0n, withdrawals: 0n, fees: 0n, reversals: 0n };
    const ledger = this.#currencies.get(code) ?? { ...nothing, balances: 0n, inFlight: 0n };
    this.#currencies.set(code, ledger);
    return ledger;
  }
}

/** @returns false when it does not know the type */
function addToFlows(ledger: Record<keyof CurrencyLedger, bigint>, type: string, change: bigint): boolean {
  switch (type) {
    case 'DEPOSIT':
      ledger.deposits += change;
      return true;
    case 'INTEREST':
      ledger.interest += change;
      return true;
    case 'WITHDRAWAL':
    case 'HOLD':
      ledger.withdrawals -= change;
      return true;
    case 'FEE':
      ledger.fees -= change;
      return true;
    case 'REVERSAL':
      ledger.reversals += change;
      return true;
    default:
      return false;
  }
}

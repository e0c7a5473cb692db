/** Writes logs by hand, faults among them, for the tests of the proof; only the data matter. */
import type { RawEvent } from './raw-event.ts';

type Data = Readonly<Record<string, unknown>>;

export class Forger {
  readonly events: RawEvent[] = [];
  readonly #balances = new Map<string, number>();
  at = '2026-01-31T10:00:00.000Z';
  key: string | undefined;
  alias: string | undefined;

  append(stream: string, id: string, type: string, data: Data): this {
    const revision = this.events.filter((event) => event.stream === `${stream}-${id}`).length;
    const metadata = {
      aggregate_id: id,
      timestamp: this.at,
      ...(this.key === undefined ? {} : { idempotency_key: this.key, idempotency_hash: 'hash' }),
      ...(this.alias === undefined
        ? {}
        : { idempotency_alias: this.alias, idempotency_alias_hash: 'other hash' }),
    };
    const position = BigInt(this.events.length + 1);
    this.events.push({
      stream: `${stream}-${id}`,
      type: `${type}DomainEventV1`,
      data,
      metadata,
      revision,
      position,
    });
    return this;
  }

  account(id: string, type: string, data: Data = {}): this {
    return this.append('bank-account', id, `BankAccount${type}`, data);
  }

  transfer(type: string, data: Data = {}, id = 't'): this {
    return this.append('transfer', id, `Transfer${type}`, data);
  }

  open(id: string, overdraft = '0'): this {
    const terms = { owner_id: 'o', overdraft_limit: overdraft, account_type: 'CHECKING', currency: 'JPY' };
    this.account(id, 'Created', terms);
    return this;
  }

  /** @param change in yen, negative for a debit */
  post(id: string, type: string, change: number, more: Data = {}): this {
    const balance = (this.#balances.get(id) ?? 0) + change;
    this.#balances.set(id, balance);
    return this.account(id, 'TransactionRecorded', {
      transaction_id: `${id}/${this.events.length}`,
      type,
      amount: String(Math.abs(change)),
      currency: 'JPY',
      direction: change > 0 ? 'CREDIT' : 'DEBIT',
      balance: String(balance),
      ...more,
    });
  }

  hold(amount: number, more: Data = {}): this {
    return this.account('a', 'HoldPlaced', {
      hold_id: 'h',
      amount: String(amount),
      currency: 'JPY',
      ...more,
    });
  }

  release(amount: number, reason = 'RELEASED'): this {
    return this.account('a', 'HoldReleased', {
      hold_id: 'h',
      amount: String(amount),
      currency: 'JPY',
      reason,
    });
  }

  capture(amount: number, rest: number): this {
    const data = { hold_id: 'h', captured_amount: String(amount), released_amount: String(rest) };
    this.account('a', 'HoldCaptured', { ...data, transaction_id: 'c' });
    return this.post('a', 'HOLD', -amount, { hold_id: 'h', transaction_id: 'c' });
  }

  request(amount: number): this {
    return this.transfer('Requested', { from_account_id: 'a', to_account_id: 'b', amount: String(amount) });
  }

  leg(id: string, change: number): this {
    return this.post(id, 'TRANSFER', change, { transfer_id: 't', transaction_id: `${id}${change}` });
  }

  /** A transfer of 200 from a to b, from its request to its end. */
  transferred(): this {
    return this.request(200)
      .leg('a', -200)
      .transfer('Debited', { transaction_id: 'a-200' })
      .leg('b', 200)
      .transfer('Credited', { transaction_id: 'b200' })
      .transfer('Completed');
  }

  /** The reversal `id` of that transfer. */
  reversal(id: string, amount: number): this {
    const way = { from_account_id: 'b', to_account_id: 'a', amount: String(amount) };
    return this.transfer('Requested', { ...way, reverses: { transfer_id: 't' } }, id);
  }

  /** The money leaves b again. */
  givenBack(id: string, amount: number): this {
    const links = { transfer_id: id, reverses_transaction_id: 'b200', transaction_id: `${id}/debit` };
    this.post('b', 'REVERSAL', -amount, links);
    return this.transfer('Debited', { transaction_id: `${id}/debit` }, id);
  }

  /** The money arrives at a. */
  takenBack(id: string, amount: number): this {
    const links = { transfer_id: id, reverses_transaction_id: 'a-200', transaction_id: `${id}/credit` };
    this.post('a', 'REVERSAL', amount, links);
    return this.transfer('Credited', { transaction_id: `${id}/credit` }, id);
  }

  noted(id: string, amount: number): this {
    return this.transfer('Reversed', { reversal_transfer_id: id, amount: String(amount), currency: 'JPY' });
  }

  /** A has not taken the money, so b has it again. */
  restored(id: string, amount: number, restores = 'b200'): this {
    const links = { transfer_id: id, restores_transaction_id: restores, transaction_id: `${id}/refund` };
    this.account('a', 'TransferRefused', { transfer_id: id, leg: 'CREDIT', code: 'account_closed' });
    return this.transfer('CreditRefused', {}, id)
      .post('b', 'TRANSFER', amount, links)
      .transfer('Refunded', { transaction_id: `${id}/refund` }, id);
  }

  limits(transaction: number | null, daily: number | null): this {
    const text = (limit: number | null) => (limit === null ? null : String(limit));
    const data = { transaction_limit: text(transaction), daily_limit: text(daily) };
    return this.account('a', 'LimitsChanged', data);
  }

  on(at: string): this {
    this.at = at;
    return this;
  }

  under(key: string | undefined, alias?: string): this {
    this.key = key;
    this.alias = alias;
    return this;
  }
}

/** Account a with 1000 yen, and b with none. */
export const bank = () => new Forger().open('a').post('a', 'DEPOSIT', 1000).open('b');

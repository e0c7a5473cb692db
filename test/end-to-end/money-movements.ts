/** Transfers, holds, reversals and a statement in the life of two accounts, written down so that two banks can be compared. */
import type { BankClient } from '../support/bank-client.ts';
import { openAccount, posting } from '../support/customers.ts';

/** What a customer sees of all of it, with names in place of the ids and times that differ from bank to bank. */
export async function moveMoney(client: BankClient): Promise<unknown> {
  const record = new Recording();
  const first = record.named('first account', await openAccount(client, { initial_balance: '100.00' }));
  const second = record.named('second account', await openAccount(client));
  const ofFirst = { id: first };

  const transfer = { from_account_id: first, to_account_id: second, amount: '30.00', description: 'Rent' };
  const moved = await client.call('transfer', { body: transfer });
  record.named('transfer', moved.body.id);
  record.note('transfer', moved.body);
  const tooMuch = await client.refused('transfer', { body: { ...transfer, amount: '70.01' } });
  record.note('transfer of too much', tooMuch.problem);

  const hold = { amount: '40.00', description: 'Hotel deposit' };
  const placed = await client.call('placeHold', { params: ofFirst, body: hold });
  record.named('hold', placed.body.id);
  record.note('hold', placed.body);
  const withdrawal = await client.refused('withdrawal', { body: posting(first, '30.01') });
  record.note('withdrawal of what is held', withdrawal.problem);
  const params = { ...ofFirst, hold_id: placed.body.id };
  const bill = { amount: '25.00', description: 'Hotel bill' };
  const captured = await client.call('captureHold', { params, body: bill });
  record.named('bill', captured.body.transaction_id);
  record.note('capture', captured.body);
  const other = await client.call('placeHold', { params: ofFirst, body: hold });
  record.named('other hold', other.body.id);
  const released = { params: { ...ofFirst, hold_id: other.body.id } };
  record.note('release', (await client.call('releaseHold', released)).body);

  const bought = await client.call('withdrawal', { body: posting(first, '20.00', 'Books') });
  const purchase = record.named('purchase', bought.body.transaction_id);
  const reversal = { params: { id: purchase }, body: { amount: '5.00', reason: 'One came back' } };
  const reversed = await client.call('reverseTransaction', { ...reversal, token: bought.token });
  record.named('reversal', reversed.body.transaction_id);
  record.note('reversal', reversed.body);
  const again = { ...reversal, body: { amount: '15.01', reason: 'More than is left' } };
  record.note('reversal of too much', (await client.refused('reverseTransaction', again)).problem);

  const { token } = reversed;
  for (const id of [first, second]) {
    record.note('account', (await client.call('getAccount', { params: { id }, token })).body);
    const { items } = (await client.call('listAccountTransactions', { params: { id }, token })).body;
    record.note('transactions', items);
    const month = new Date().toISOString().slice(0, 7);
    const statement = await client.call('getStatement', { params: { id, month }, token });
    record.note('statement', statement.body);
  }
  record.note('holds', (await client.call('listAccountHolds', { params: ofFirst, token })).body.items);
  return record.notes;
}

const UUID = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;
const TIME = /\d{4}-\d{2}-\d{2}T[\d:.]+Z/g;

class Recording {
  readonly notes: unknown[] = [];
  readonly #names = new Map<string, string>();

  /** The id again, which is called by this name from here on. */
  named(name: string, id: string): string {
    this.#names.set(id, name);
    return id;
  }

  note(what: string, said: unknown): void {
    const text = JSON.stringify(said)
      .replace(UUID, (id) => this.#names.get(id) ?? 'an id')
      .replace(TIME, 'a time');
    this.notes.push([what, JSON.parse(text)]);
  }
}

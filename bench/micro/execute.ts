/** Commands per second through the repository, decision and durable append included, without HTTP. */
import { bankAccountType } from '../../src/application/bank.ts';
import { createBankCodec } from '../../src/application/bank-codec.ts';
import {
  type BankAccount,
  type BankAccountEvent,
  deposit,
  openAccount,
} from '../../src/domain/bank-account.ts';
import type { Rejection } from '../../src/domain/decision.ts';
import type { EventCodec } from '../../src/event-sourcing/codec.ts';
import { Repository } from '../../src/event-sourcing/repository.ts';
import { newId } from '../../src/new-id.ts';
import { timed, withStore } from './scratch.ts';

const ACCOUNTS = 1_000;
const CLIENTS = 64;
const CONTEXT = { correlation_id: newId(), causation_id: newId() };

await withStore(async (store) => {
  const codec = createBankCodec('USD') as unknown as EventCodec<BankAccountEvent>;
  const options = { store, newId, now: () => new Date() };
  const accounts = new Repository<BankAccount, BankAccountEvent, Rejection>(bankAccountType, codec, options);
  const ids = Array.from({ length: ACCOUNTS }, () => newId());
  await Promise.all(
    ids.map((id) => accounts.execute(id, (state) => openAccount(state, opening(id)), CONTEXT)),
  );
  const depositInto = async (id: string) => {
    const posting = { account_id: id, transaction_id: newId(), amount: '12.50', description: 'Salary' };
    const outcome = await accounts.execute(id, (state) => deposit(state as BankAccount, posting), CONTEXT);
    if (!outcome.ok) throw new Error('a deposit was refused');
  };
  const group = (choose: () => string) => () =>
    Promise.all(Array.from({ length: CLIENTS }, () => depositInto(choose())));
  const any = () => ids[Math.floor(Math.random() * ids.length)] as string;
  await timed(`deposits, ${CLIENTS} at once, 1,000 accounts`, CLIENTS, group(any));
  await timed(
    `deposits, ${CLIENTS} at once, one account`,
    CLIENTS,
    group(() => ids[0] as string),
  );
  await timed('deposits, one after the other', 1, () => depositInto(any()));
});

function opening(account_id: string) {
  return {
    account_id,
    owner_id: newId(),
    account_type: 'CHECKING',
    currency: 'USD',
    overdraft_limit: '500.00',
    initial_balance: '0',
    transaction_id: newId(),
  } as const;
}

/** Events per second that the embedded store makes durable, by how many appends wait at once. */
import type { NewEvent } from '../../src/event-sourcing/event-store.ts';
import { newId } from '../../src/new-id.ts';
import { timed, withStore } from './scratch.ts';

const STREAMS = 1_000;
const GROUP_SIZES = [1, 8, 64, 512];

await withStore(async (store) => {
  for (const size of GROUP_SIZES) {
    await timed(`${size} appends at once, 1,000 streams`, size, () =>
      Promise.all(Array.from({ length: size }, () => store.append(anyStream(), [event()], 'any'))),
    );
  }
  for (const size of GROUP_SIZES) {
    await timed(`${size} events in one append`, size, () =>
      store.append(anyStream(), Array.from({ length: size }, event), 'any'),
    );
  }
});

function anyStream(): string {
  return `bank-account-${Math.floor(Math.random() * STREAMS)}`;
}

/** As large as a deposit. */
function event(): NewEvent {
  const id = newId();
  const data = {
    transaction_id: id,
    type: 'DEPOSIT',
    amount: '12.50',
    currency: 'USD',
    direction: 'CREDIT',
    to_account_id: id,
    description: 'Salary',
    balance: '1000.00',
  };
  const metadata = {
    aggregate_type: 'BankAccount',
    aggregate_id: id,
    timestamp: '2026-01-15T09:30:00.000Z',
    correlation_id: id,
    causation_id: id,
  };
  return { id, type: 'BankAccountTransactionRecordedDomainEventV1', data, metadata };
}

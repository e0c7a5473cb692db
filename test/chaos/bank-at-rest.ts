/** Waits until nothing is left to do: every transfer has ended, and every hold whose time is over is recorded as such. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { BankClient } from '../support/bank-client.ts';
import { ALICE } from '../support/customers.ts';
import { HOLDS_EXPIRE_WITHIN_MS } from './orders.ts';

const UNFINISHED = ['REQUESTED', 'DEBITED', 'CREDITED', 'CREDIT_REFUSED', 'REFUND_REFUSED'] as const;
/** Several rounds of the sweep that finds what was left over. */
const PATIENCE_MS = 45_000;
const LOOK_MS = 100;

/** Gives up in silence after a while: what has not ended is for the proof to tell. */
export async function bankAtRest(client: BankClient): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  while (Date.now() < deadline && !(await transfersAreAtRest(client))) await sleep(LOOK_MS);
  await sleep(HOLDS_EXPIRE_WITHIN_MS);
  await recordExpiredHolds(client);
}

async function transfersAreAtRest(client: BankClient): Promise<boolean> {
  const { token } = await client.call('registerPerson', { body: ALICE });
  for (const status of UNFINISHED) {
    const page = await client.call('listTransfers', { query: { status, limit: 1 }, token });
    if (page.body.items.length > 0) return false;
  }
  return true;
}

async function recordExpiredHolds(client: BankClient): Promise<void> {
  const { token } = await client.call('registerPerson', { body: ALICE });
  let cursor: string | undefined;
  do {
    const { body } = await client.call('expireHolds', { query: { limit: 200, cursor }, token });
    cursor = body.next_cursor;
  } while (cursor !== undefined);
}

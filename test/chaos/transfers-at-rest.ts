/** Waits until nothing is left to do about any transfer. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { BankClient } from '../support/bank-client.ts';
import { ALICE } from '../support/customers.ts';

const UNFINISHED = ['REQUESTED', 'DEBITED', 'CREDITED', 'CREDIT_REFUSED', 'REFUND_REFUSED'] as const;
/** Several rounds of the sweep that finds what was left over. */
const PATIENCE_MS = 45_000;
const LOOK_MS = 100;

/** Gives up in silence after a while: what has not ended is for the proof to tell. */
export async function transfersAtRest(client: BankClient): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  while (Date.now() < deadline && !(await areAtRest(client))) await sleep(LOOK_MS);
}

async function areAtRest(client: BankClient): Promise<boolean> {
  const { token } = await client.call('registerPerson', { body: ALICE });
  for (const status of UNFINISHED) {
    const page = await client.call('listTransfers', { query: { status, limit: 1 }, token });
    if (page.body.items.length > 0) return false;
  }
  return true;
}

/** What the commands to a hold share. */
import { z } from 'zod';
import { bankAccountStream } from '../../domain/bank-account.ts';
import { type Decision, type Rejection, reject } from '../../domain/decision.ts';
import { holds } from '../../projections/holds.ts';
import type { Bank } from '../bank.ts';
import { id } from '../fields.ts';

export const holdFields = z.strictObject({
  account_id: id('The account.', '01990d2e-7c1b-7a52-9d5e-0c8f7f4b1a02'),
  hold_id: id('The hold.', '01990d2e-7c1b-7a52-9d5e-0c8f7f4b1a05'),
});

/** An account's newest events that are looked through for a hold that the read model does not know: it may be behind. */
const NEWEST_EVENTS = 1_000;

type HoldBank = Pick<Bank, 'readModels' | 'events' | 'codec'>;
type HoldInput = z.output<typeof holdFields>;

/** An account remembers its open holds only, so whether one ever was is known by the read model, or its newest events. */
export async function holdRefusal(
  bank: HoldBank,
  input: HoldInput,
  refused: { readonly ok: false; readonly rejection: Rejection },
): Promise<Decision<never>> {
  if (refused.rejection.code !== 'hold_not_open') return refused;
  const found = await bank.readModels.get(holds, input.hold_id);
  const known = found?.document
    ? found.document.account_id === input.account_id
    : await placedLately(bank, input);
  return known ? refused : holdNotFound(input.hold_id);
}

async function placedLately({ events, codec }: HoldBank, { account_id, hold_id }: HoldInput) {
  const newestFirst = { direction: 'backwards', limit: NEWEST_EVENTS } as const;
  for await (const recorded of events.readStream(bankAccountStream(account_id), newestFirst)) {
    const { type, data } = codec.decode(recorded);
    if (type === 'BankAccountHoldPlacedDomainEventV1' && data.hold_id === hold_id) return true;
  }
  return false;
}

export function holdNotFound(holdId: string) {
  return reject('hold_not_found', `The account has no hold ${holdId}.`, { field: 'hold_id' });
}

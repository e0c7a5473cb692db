/** What the commands to a hold share. */
import { z } from 'zod';
import { type Decision, type Rejection, reject } from '../../domain/decision.ts';
import { holds } from '../../projections/holds.ts';
import type { Bank } from '../bank.ts';
import { id } from '../fields.ts';

export const holdFields = z.strictObject({
  account_id: id('The account.', '01990d2e-7c1b-7a52-9d5e-0c8f7f4b1a02'),
  hold_id: id('The hold.', '01990d2e-7c1b-7a52-9d5e-0c8f7f4b1a05'),
});

/** An account remembers its open holds only, so whether one ever was is known by the read model. */
export async function holdRefusal(
  bank: Bank,
  { account_id, hold_id }: z.output<typeof holdFields>,
  refused: { readonly ok: false; readonly rejection: Rejection },
): Promise<Decision<never>> {
  if (refused.rejection.code !== 'hold_not_open') return refused;
  const found = await bank.readModels.get(holds, hold_id);
  return found?.document?.account_id === account_id ? refused : holdNotFound(hold_id);
}

export function holdNotFound(holdId: string) {
  return reject('hold_not_found', `The account has no hold ${holdId}.`, { field: 'hold_id' });
}

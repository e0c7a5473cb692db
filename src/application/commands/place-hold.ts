/** Command: sets money of an account aside. */
import { z } from 'zod';
import { type HoldPlaced, placeHold } from '../../domain/bank-account.ts';
import { accept } from '../../domain/decision.ts';
import { type HoldDocument, placedHold } from '../../projections/holds.ts';
import { type Bank, changeAccount, type Written, written } from '../bank.ts';
import { id, positiveAmount, text, time } from '../fields.ts';
import { command, type Handler } from '../mediator.ts';

export const placeHoldFields = z.strictObject({
  account_id: id('The account.', '01990d2e-7c1b-7a52-9d5e-0c8f7f4b1a02'),
  amount: positiveAmount('What is set aside, above zero.', '25.00'),
  description: text('What it is for.', 200, 'Hotel deposit'),
  expires_at: time(
    'From then on it counts no more; at most 366 days ahead.',
    '2030-01-31T12:00:00.000Z',
  ).optional(),
});

type Input = z.output<typeof placeHoldFields>;
type Result = { hold: HoldDocument } & Written;

export const PlaceHold = command<Result>()('PlaceHold', placeHoldFields);

export function placeHoldHandler(bank: Bank): Handler<Input, Result> {
  return async ({ account_id, ...input }, context) => {
    const hold = { ...input, hold_id: bank.newId() };
    const outcome = await changeAccount(bank, account_id, context, (account, now) =>
      placeHold(account, hold, now),
    );
    if (!outcome.ok) return outcome;
    const { events, timestamp, revision } = outcome.value;
    const { hold_id, expires_at = null, ...data } = (events.at(-1) as HoldPlaced).data;
    const placed = placedHold(hold_id, account_id, { ...data, expires_at }, timestamp, revision);
    return accept({ hold: placed, ...written(outcome.value) });
  };
}

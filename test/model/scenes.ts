/** A few commands that belong together and that chance alone would seldom bring: each leads to a place where rules meet. */
import fc from 'fast-check';
import { type Amount, amount, type Draw, maybe, type PartyAct } from './draws.ts';
import type { Turn } from './turns.ts';

const alone = (...draws: Draw[]): Turn[] => draws.map((draw): Turn => ({ kind: 'commands', draws: [draw] }));
const some = (minor: number): Amount => ({ of: 'some', minor, more: false });
/** Of things: the newest ones. */
const newest = fc.nat({ max: 1 });
const minor = fc.integer({ min: 1, max: 2_000 });
const amounts = { held: minor, taken: minor, more: fc.boolean() };

/** Money is set aside under a limit for the day, free again on the same day, and then all that the limit lets out. */
export const dayUnderLimit: fc.Arbitrary<Turn[]> = fc
  .record({
    ...amounts,
    end: fc.constantFrom('release', 'capture', 'expire'),
    out: fc.constantFrom('withdraw', 'hold'),
  })
  .map(({ held, taken, more, end, out }) => {
    const most: Amount = { of: 'most', minor: 1, more };
    const hours = end === 'expire' ? 1 : undefined;
    const before = alone(
      { what: 'deposit', account: 0, amount: some(5_000), reference: undefined },
      { what: 'limits', account: 0, once: undefined, day: 2_000 },
      { what: 'hold', account: 0, amount: some(held), hours },
    );
    const after = alone(
      out === 'hold'
        ? { what: 'hold', account: 0, amount: most, hours: undefined }
        : { what: 'withdraw', account: 0, amount: most, reference: undefined },
    );
    if (end === 'expire') return [...before, { kind: 'time', passes: 'hour' }, ...after];
    const ended: Draw =
      end === 'release'
        ? { what: 'release', hold: 0 }
        : { what: 'capture', hold: 0, amount: some(Math.min(held, taken)) };
    return [...before, ...alone(ended), ...after];
  });

const acts = (act: fc.Arbitrary<PartyAct>) => maybe(80, act);
/** What keeps an account from being credited, and what may come in the way of a refund. */
const hindrances = {
  to: acts(fc.constantFrom('freeze_credits', 'freeze_all', 'close')),
  from: acts(fc.constantFrom('freeze_credits', 'freeze_all', 'close')),
  dieAt: fc.constantFrom('debit_settled', 'debit_recorded'),
};

function party(side: 'from' | 'to', act: PartyAct | undefined): Draw[] {
  return act === undefined ? [] : [{ what: 'party', transfer: 0, side, act }];
}

/** The money has left, and then things happen to both accounts before the transfer goes on. */
export const stuckTransfer: fc.Arbitrary<Turn[]> = fc
  .record({ ...hindrances, payer: newest, payee: newest, amount })
  .map(({ from, to, dieAt, payer, payee, amount }) =>
    alone(
      { what: 'transfer', from: payer, to: payee, amount, dieAt },
      ...party('to', to),
      ...party('from', from),
      { what: 'resume', transfer: 0 },
      { what: 'party', transfer: 0, side: 'from', act: 'unfreeze' },
    ),
  );

/** A transfer is taken back, stands still half-way, goes on, and is taken back once more. */
export const stuckReversal: fc.Arbitrary<Turn[]> = fc
  .record({
    dieAt: hindrances.dieAt,
    posting: newest,
    amount: maybe(60, amount),
    later: fc.nat({ max: 2 }),
    // Who has given all away can close the account, and that alone keeps money from coming back.
    closes: fc.boolean(),
    freezes: hindrances.from,
  })
  .map(({ dieAt, posting, amount, later, closes, freezes }) =>
    alone(
      {
        what: 'transfer',
        from: 0,
        to: 0,
        amount: closes ? { of: 'available', minor: 1, more: false } : some(1_000),
        dieAt: undefined,
      },
      { what: 'take_back', posting, amount, dieAt },
      ...party('to', closes ? 'close' : undefined),
      ...party('from', freezes),
      { what: 'resume', transfer: 0 },
      { what: 'party', transfer: 0, side: 'to', act: 'unfreeze' },
      { what: 'party', transfer: 0, side: 'from', act: 'unfreeze' },
      { what: 'take_back', posting: later, amount: undefined, dieAt: undefined },
    ),
  );

/** Months with interest and a fee are posted, and posted again. */
export const monthlyCharges: fc.Arbitrary<Turn[]> = fc
  .record({ fee: fc.constantFrom(1, 500), back: fc.constantFrom(1, 1, 2) })
  .map(({ fee, back }) => [
    ...alone({ what: 'terms', account: 0, credit: '12.25', overdraft: '99.9999', fee }),
    { kind: 'time', passes: 'month' },
    ...alone({ what: 'interest_run', back: 1 }, { what: 'interest_run', back }),
  ]);

/** Several want a transfer's money back at once, from either side. */
export const racedReversals: fc.Arbitrary<Turn[]> = fc
  .array(fc.record({ posting: newest, amount: maybe(60, amount) }), { minLength: 2, maxLength: 4 })
  .map((wishes) => [
    ...alone({ what: 'transfer', from: 0, to: 0, amount: some(1_000), dieAt: undefined }),
    {
      kind: 'commands',
      draws: wishes.map((wish) => ({ what: 'take_back', dieAt: undefined, ...wish })),
    },
  ]);

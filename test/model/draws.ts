/** Random commands as fast-check draws them, before anything is known of the bank that they will meet. */
import fc from 'fast-check';
import { CURRENCIES, type Currency } from './model-money.ts';

/** Numbers name things by their place among those that there are, so that a shorter sequence still makes sense. */
export type Which = number;

/** Amounts at the borders of what is allowed find more than random ones: `more` goes one minor unit beyond. */
export interface Amount {
  /** `most` is all that may go out, `target` all that is left of a hold or a posting. */
  readonly of: 'some' | 'most' | 'available' | 'target' | 'too_precise';
  readonly minor: number;
  readonly more: boolean;
}

interface Options {
  /** One of few keys, so that they meet. */
  readonly key?: number | undefined;
  readonly ifMatch?: 'right' | 'wrong' | undefined;
}

/** What happens to an account of a transfer, mostly while that is under way. */
export type PartyAct = 'freeze_credits' | 'freeze_debits' | 'freeze_all' | 'unfreeze' | 'close';

/** What was drawn; it is one small object for each kind of command. */
export type Draw = Options &
  (
    | { what: 'person'; born: string; name: string }
    | {
        what: 'open';
        owner: Which;
        type: string;
        currency: Currency;
        overdraft: number;
        initial: Amount;
        nobody: boolean;
      }
    | { what: 'deposit'; account: Which; amount: Amount; reference: number | undefined }
    | { what: 'interest'; account: Which; amount: Amount; reference: number | undefined }
    | { what: 'withdraw'; account: Which; amount: Amount; reference: number | undefined }
    | { what: 'transfer'; from: Which; to: Which; amount: Amount; dieAt: string | undefined }
    | { what: 'resume'; transfer: Which }
    | { what: 'party'; transfer: Which; side: 'from' | 'to'; act: PartyAct }
    | { what: 'hold'; account: Which; amount: Amount; hours: number | undefined }
    | { what: 'capture'; hold: Which; amount: Amount | undefined }
    | { what: 'release'; hold: Which }
    | { what: 'reverse'; posting: Which; amount: Amount | undefined }
    | { what: 'take_back'; posting: Which; amount: Amount | undefined; dieAt: string | undefined }
    | { what: 'freeze'; account: Which; scope: string }
    | { what: 'unfreeze'; account: Which }
    | { what: 'limits'; account: Which; once: number | undefined; day: number | undefined }
    | { what: 'overdraft'; account: Which; limit: Amount }
    | { what: 'terms'; account: Which; credit: string; overdraft: string; fee: number }
    | { what: 'empty'; account: Which }
    | { what: 'close'; account: Which }
    | { what: 'interest_run'; back: number }
    | { what: 'expire_holds' }
    | { what: 'batch'; name: number | undefined; items: readonly Draw[] }
    | { what: 'again'; command: Which; changed: 'nothing' | 'content' | 'key' }
  );

const which = fc.nat({ max: 30 });
export const amount: fc.Arbitrary<Amount> = fc.record({
  of: fc.oneof(
    { weight: 5, arbitrary: fc.constant('some' as const) },
    { weight: 4, arbitrary: fc.constantFrom('most', 'most', 'available', 'target') },
    { weight: 1, arbitrary: fc.constant('too_precise' as const) },
  ),
  minor: fc.integer({ min: 1, max: 5_000 }),
  more: fc.boolean(),
});
/** @param percent how often there is one */
export const maybe = <T>(percent: number, arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.oneof({ weight: 100 - percent, arbitrary: fc.constant(undefined) }, { weight: percent, arbitrary });
const reference = maybe(25, fc.nat({ max: 3 }));

export const DEATHS = [
  'requested',
  'debit_settled',
  'debit_recorded',
  'credit_settled',
  'credit_recorded',
].concat(['original_recorded', 'refund_settled', 'refund_recorded', 'suspense_settled']);

/** One kind of command, and how often it is drawn. */
function kind<K extends Draw['what']>(
  weight: number,
  what: K,
  fields: {
    [F in Exclude<keyof Extract<Draw, { what: K }>, 'what' | keyof Options>]: fc.Arbitrary<
      Extract<Draw, { what: K }>[F]
    >;
  },
) {
  const arbitrary = fc.record({
    what: fc.constant(what),
    key: maybe(40, fc.nat({ max: 7 })),
    ifMatch: maybe(8, fc.constantFrom('right', 'wrong')),
    ...fields,
  }) as unknown as fc.Arbitrary<Draw>;
  return { weight, arbitrary };
}

const rate = fc.constantFrom('0', '0.0001', '2.5', '12.25', '99.9999');
const small = fc.constantFrom(0, 1, 500, 2_000);

const ACCOUNT_KINDS = [
  kind(8, 'deposit', { account: which, amount, reference }),
  kind(8, 'withdraw', { account: which, amount, reference }),
  kind(6, 'hold', { account: which, amount, hours: maybe(65, fc.constantFrom(-1, 1, 2, 24, 9_000)) }),
  kind(5, 'capture', { hold: which, amount: maybe(50, amount) }),
  kind(3, 'release', { hold: which }),
  kind(5, 'reverse', { posting: which, amount: maybe(50, amount) }),
  kind(3, 'freeze', { account: which, scope: fc.constantFrom('DEBITS', 'CREDITS', 'ALL') }),
  kind(3, 'unfreeze', { account: which }),
  kind(4, 'limits', { account: which, once: maybe(60, small), day: maybe(60, small) }),
  kind(3, 'overdraft', { account: which, limit: amount }),
  kind(2, 'empty', { account: which }),
  kind(2, 'close', { account: which }),
  kind(1, 'interest', { account: which, amount, reference }),
  kind(5, 'terms', { account: which, credit: rate, overdraft: rate, fee: small }),
];

const BANK_KINDS = [
  kind(1, 'person', {
    born: fc.constantFrom('1990-05-15', '2999-01-01'),
    name: fc.constantFrom('Ann', 'Bo'),
  }),
  kind(2, 'open', {
    owner: which,
    type: fc.constantFrom('CHECKING', 'SAVINGS'),
    currency: fc.constantFrom(...CURRENCIES),
    overdraft: small,
    initial: amount,
    nobody: fc.boolean(),
  }),
  kind(5, 'interest_run', { back: fc.constantFrom(0, 1, 1, 1, 2) }),
  kind(1, 'expire_holds', {}),
  kind(7, 'again', { command: which, changed: fc.constantFrom('nothing', 'nothing', 'content', 'key') }),
  kind(2, 'resume', { transfer: which }),
  kind(3, 'party', {
    transfer: which,
    side: fc.constantFrom('from', 'to'),
    act: fc.constantFrom<PartyAct>('freeze_credits', 'freeze_debits', 'freeze_all', 'unfreeze', 'close'),
  }),
];

/** Commands that begin a transfer, whose driver may die. */
const transferKinds = (dieAt: fc.Arbitrary<string | undefined>) => [
  kind(9, 'transfer', { from: which, to: which, amount, dieAt }),
  kind(6, 'take_back', { posting: which, amount: maybe(60, amount), dieAt }),
];
const alone = transferKinds(maybe(50, fc.constantFrom(...DEATHS)));
/** The driver of a transfer that is raced lives: of two, it would not be known which one died. */
const raced = transferKinds(fc.constant(undefined));

/** What a batch may hold. */
const ITEM_KINDS = [
  kind(2, 'deposit', { account: which, amount, reference }),
  kind(3, 'withdraw', { account: which, amount, reference }),
  kind(4, 'transfer', { from: which, to: which, amount, dieAt: fc.constant(undefined) }),
];
/** One is sent by itself: how it mixes with others is not told by its answer. */
const batch = kind(5, 'batch', {
  name: maybe(60, fc.nat({ max: 2 })),
  items: fc.array(fc.oneof(...ITEM_KINDS), { minLength: 1, maxLength: 8 }),
});

export const aloneDraw: fc.Arbitrary<Draw> = fc.oneof(...ACCOUNT_KINDS, ...BANK_KINDS, ...alone, batch);
export const racedDraw: fc.Arbitrary<Draw> = fc.oneof(...ACCOUNT_KINDS, ...BANK_KINDS, ...raced);

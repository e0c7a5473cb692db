/** Rules of what customers pay in and take out, and of interest by hand, in the order in which they are checked. */
import { beyond, countDebit, posted, type Rule, stopped } from './model-account.ts';
import { readAmount } from './model-money.ts';

export interface PostingInput {
  readonly amount: string;
  readonly description: string;
  readonly external_reference?: string;
  readonly metadata?: Readonly<Record<string, string>>;
}

function fieldsOf({ description, external_reference, metadata }: PostingInput) {
  return {
    description,
    ...(external_reference === undefined ? {} : { external_reference }),
    ...(metadata === undefined ? {} : { metadata }),
  };
}

export const deposit: Rule<PostingInput> = (account, input) => {
  const refused = stopped(account, 'CREDIT');
  if (refused) return refused;
  const minor = readAmount(input.amount, account.currency);
  if (typeof minor === 'string') return minor;
  return posted(account, { type: 'DEPOSIT', direction: 'CREDIT', minor, more: fieldsOf(input) });
};

/** Interest by hand passes a freeze. */
export const payInterest: Rule<PostingInput> = (account, input) => {
  if (account.closed) return 'account_closed';
  const minor = readAmount(input.amount, account.currency);
  if (typeof minor === 'string') return minor;
  return posted(account, { type: 'INTEREST', direction: 'CREDIT', minor, more: fieldsOf(input) });
};

export const withdraw: Rule<PostingInput> = (account, input, now) => {
  const refused = stopped(account, 'DEBIT');
  if (refused) return refused;
  const minor = readAmount(input.amount, account.currency);
  if (typeof minor === 'string') return minor;
  const tooMuch = beyond(account, minor, now);
  if (tooMuch) return tooMuch;
  countDebit(account, minor, now);
  return posted(account, { type: 'WITHDRAWAL', direction: 'DEBIT', minor, more: fieldsOf(input) });
};

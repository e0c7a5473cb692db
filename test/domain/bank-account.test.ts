/** A bank account: every event, rule and rejection, on each boundary and one minor unit beyond it. */
import { describe, expect, it } from 'vitest';
import {
  ACCOUNT_TYPES,
  availableBalance,
  BANK_ACCOUNT_EVENT_TYPES,
  BANK_ACCOUNT_STREAM_PREFIX,
  type BankAccount,
  type BankAccountClosed,
  type BankAccountCreated,
  type BankAccountEvent,
  bankAccountStream,
  changeOverdraftLimit,
  closeAccount,
  deposit,
  evolveBankAccount,
  type OpenAccount,
  type OverdraftLimitChanged,
  openAccount,
  postInterest,
  signedAmount,
  TRANSACTION_TYPES,
  type TransactionRecorded,
  upcastBankAccountCreatedV1,
  withdraw,
} from '../../src/domain/bank-account.ts';
import { givenFor } from '../support/given-when-then.ts';

const NOW = '2026-01-15T09:30:00.000Z';
const given = givenFor<BankAccount, BankAccountEvent>((state, event) => evolveBankAccount(state, event, NOW));

const ACCOUNT = '01890a5d-ac96-774b-bcce-b302099a8057';
const OTHER_ACCOUNT = '01890a5d-ac96-774b-bcce-b302099a8058';
const OWNER = '01890a5d-ac96-774b-bcce-b302099a8059';
const TRANSACTION = '01890a5d-ac96-774b-bcce-b302099a8060';

// --- Events that happened ----------------------------------------------------------------------------------

function opened(overdraft_limit = '0.00', currency = 'USD'): BankAccountCreated {
  const data = { owner_id: OWNER, overdraft_limit, account_type: 'CHECKING', currency } as const;
  return { type: 'BankAccountCreatedDomainEventV2', data };
}

/** What happened before. Only amount and direction count; the recorded balance must not be read by evolve. */
function moved(direction: 'CREDIT' | 'DEBIT', amount: string, currency = 'USD'): TransactionRecorded {
  const type = direction === 'CREDIT' ? 'DEPOSIT' : 'WITHDRAWAL';
  return posted({ type, direction, amount, currency, balance: '123456' });
}

const paidIn = (amount: string, currency?: string) => moved('CREDIT', amount, currency);
const takenOut = (amount: string, currency?: string) => moved('DEBIT', amount, currency);

function posted(
  data: Pick<TransactionRecorded['data'], 'type' | 'direction' | 'amount' | 'currency' | 'balance'>,
) {
  const side = data.direction === 'CREDIT' ? { to_account_id: ACCOUNT } : { from_account_id: ACCOUNT };
  const event: TransactionRecorded = {
    type: 'BankAccountTransactionRecordedDomainEventV1',
    data: { transaction_id: TRANSACTION, description: 'rent', ...side, ...data },
  };
  return event;
}

function limitChanged(old_limit: string, new_limit: string): OverdraftLimitChanged {
  return { type: 'BankAccountOverdraftLimitChangedDomainEventV1', data: { old_limit, new_limit } };
}

function closed(final_balance = '0.00', reason = 'moving away'): BankAccountClosed {
  return { type: 'BankAccountClosedDomainEventV1', data: { reason, final_balance } };
}

// --- Decisions ---------------------------------------------------------------------------------------------

const posting = (amount: string) => {
  return { account_id: ACCOUNT, transaction_id: TRANSACTION, amount, description: 'rent' };
};

const depositing = (amount: string) => (account: BankAccount) => deposit(account, posting(amount));
const withdrawing = (amount: string) => (account: BankAccount) => withdraw(account, posting(amount), NOW);
const interest = (amount: string) => (account: BankAccount) => postInterest(account, posting(amount));
const limiting = (limit: string) => (account: BankAccount) => changeOverdraftLimit(account, limit);
const closing =
  (reason = 'moving away') =>
  (account: BankAccount) =>
    closeAccount(account, reason);

const opening = (more: Partial<OpenAccount> = {}) => {
  const command: OpenAccount = {
    account_id: ACCOUNT,
    owner_id: OWNER,
    account_type: 'CHECKING',
    currency: 'USD',
    overdraft_limit: '0',
    initial_balance: '0',
    transaction_id: TRANSACTION,
    ...more,
  };
  return (account: BankAccount | undefined) => openAccount(account, command);
};

/** What each parser of an amount refuses, for a field of any decision that reads one in USD. */
const BAD_AMOUNTS = [
  { flaw: 'malformed', amount: '1e3', code: 'invalid_amount', facts: undefined },
  { flaw: 'empty', amount: '', code: 'invalid_amount', facts: undefined },
  {
    flaw: 'too precise',
    amount: '10.005',
    code: 'amount_too_precise',
    facts: { decimals: 2, currency: 'USD' },
  },
  {
    flaw: 'one minor unit too large',
    amount: '10000000000000.00',
    code: 'amount_too_large',
    facts: { maximum: '9999999999999.99', currency: 'USD' },
  },
] as const;
const NOT_POSITIVE = ['0', '0.00', '-0.01', '-5'].map((amount) => {
  return { flaw: `not positive, ${amount}`, amount, code: 'amount_not_positive', facts: undefined };
});
const NEGATIVE = ['-0.01', '-5'].map((amount) => {
  return { flaw: `negative, ${amount}`, amount, code: 'amount_negative', facts: undefined };
});
const at = (field: string, facts?: Readonly<Record<string, string | number>>) => {
  return facts ? { field, facts } : { field };
};

// --- Names -------------------------------------------------------------------------------------------------

describe('the stream and the stored names', () => {
  it('stream / the id without hyphens after the prefix', () => {
    expect(bankAccountStream(ACCOUNT)).toBe('bank-account-01890a5dac96774bbcceb302099a8057');
    expect(BANK_ACCOUNT_STREAM_PREFIX).toBe('bank-account-');
  });

  it('stream / an id that has no hyphens stays as it is', () => {
    expect(bankAccountStream(ACCOUNT.replaceAll('-', ''))).toBe(bankAccountStream(ACCOUNT));
  });

  it('names / what is stored never changes', () => {
    expect(ACCOUNT_TYPES).toStrictEqual(['CHECKING', 'SAVINGS']);
    expect(TRANSACTION_TYPES).toStrictEqual([
      'DEPOSIT',
      'WITHDRAWAL',
      'TRANSFER',
      'INTEREST',
      'HOLD',
      'REVERSAL',
      'FEE',
    ]);
    expect(BANK_ACCOUNT_EVENT_TYPES).toStrictEqual([
      'BankAccountCreatedDomainEventV2',
      'BankAccountTransactionRecordedDomainEventV1',
      'BankAccountOverdraftLimitChangedDomainEventV1',
      'BankAccountClosedDomainEventV1',
      'BankAccountHoldPlacedDomainEventV1',
      'BankAccountHoldCapturedDomainEventV1',
      'BankAccountHoldReleasedDomainEventV1',
      'BankAccountFrozenDomainEventV1',
      'BankAccountUnfrozenDomainEventV1',
      'BankAccountLimitsChangedDomainEventV1',
      'BankAccountTransferRefusedDomainEventV1',
      'BankAccountTermsChangedDomainEventV1',
      'BankAccountBooksClosedDomainEventV1',
    ]);
  });
});

// --- Events and state --------------------------------------------------------------------------------------

describe('evolve', () => {
  const empty: BankAccount = {
    owner_id: OWNER,
    account_type: 'CHECKING',
    currency: 'USD',
    status: 'ACTIVE',
    frozen: null,
    balance: 0n,
    overdraft_limit: 0n,
    held: 0n,
    holds: {},
    limits: { transaction: null, daily: null },
    debited: { day: '', amount: 0n },
    reversed: {},
    terms: null,
    accrual: null,
  };

  it('evolve / created: active, empty, with the limit in minor units', () => {
    given([opened('250.50')]).thenState({ ...empty, overdraft_limit: 25_050n });
  });

  it('evolve / created: a savings account in another currency', () => {
    const event: BankAccountCreated = {
      type: 'BankAccountCreatedDomainEventV2',
      data: { owner_id: OTHER_ACCOUNT, overdraft_limit: '1.5', account_type: 'SAVINGS', currency: 'BHD' },
    };
    given([event]).thenState({
      ...empty,
      owner_id: OTHER_ACCOUNT,
      account_type: 'SAVINGS',
      currency: 'BHD',
      overdraft_limit: 1500n,
    });
  });

  it.each([
    ['deposit', 'DEPOSIT', 'CREDIT', 10_150n],
    ['interest', 'INTEREST', 'CREDIT', 10_150n],
    ['withdrawal', 'WITHDRAWAL', 'DEBIT', 9850n],
    ['transfer in', 'TRANSFER', 'CREDIT', 10_150n],
    ['transfer out', 'TRANSFER', 'DEBIT', 9850n],
  ] as const)(
    'evolve / transaction: the direction alone makes the sign of a %s',
    (_, type, direction, balance) => {
      const event = posted({ type, direction, amount: '1.50', currency: 'USD', balance: '0.00' });
      const out = { day: '2026-01-15', amount: 150n };
      const debited = direction === 'DEBIT' ? out : empty.debited;
      given([opened(), paidIn('100.00'), event]).thenState({ ...empty, balance, debited });
    },
  );

  it('evolve / transaction: the balance that the event carries is not trusted', () => {
    const lie = {
      type: 'DEPOSIT',
      direction: 'CREDIT',
      amount: '1.00',
      currency: 'USD',
      balance: '9.99',
    } as const;
    given([opened(), posted(lie)]).thenState({ ...empty, balance: 100n });
  });

  it('evolve / transaction: debits add up below zero', () => {
    given([opened('10.00'), takenOut('4.00'), takenOut('5.99')]).thenState({
      ...empty,
      balance: -999n,
      overdraft_limit: 1000n,
      debited: { day: '2026-01-15', amount: 999n },
    });
  });

  it('evolve / limit changed: the new limit counts, the balance stays', () => {
    given([opened('10.00'), paidIn('5.00'), limitChanged('10.00', '7.25')]).thenState({
      ...empty,
      balance: 500n,
      overdraft_limit: 725n,
    });
  });

  it('evolve / closed: nothing but the status changes', () => {
    given([opened('10.00'), closed()]).thenState({ ...empty, status: 'CLOSED', overdraft_limit: 1000n });
  });

  it.each([paidIn('1.00'), limitChanged('0.00', '1.00'), closed()] as BankAccountEvent[])(
    'evolve / corrupt: $type before the creation throws',
    (event) => {
      expect(() => evolveBankAccount(undefined, event, NOW)).toThrow(
        `${event.type} came before the account was created`,
      );
    },
  );

  it('evolve / corrupt: an amount that its currency cannot have throws', () => {
    expect(() => given([opened('0', 'JPY'), paidIn('1.50', 'JPY')])).toThrow(RangeError);
  });

  it('signedAmount / a credit adds and a debit takes away, in minor units of its currency', () => {
    expect(signedAmount(paidIn('12.34').data)).toBe(1234n);
    expect(signedAmount(takenOut('12.34').data)).toBe(-1234n);
    expect(signedAmount(takenOut('12', 'JPY').data)).toBe(-12n);
    expect(signedAmount(paidIn('1.5', 'CLF').data)).toBe(15_000n);
  });

  it.each([
    [0n, 0n, 0n, 0n],
    [100n, 0n, 0n, 100n],
    [100n, 50n, 0n, 150n],
    [-20n, 50n, 0n, 30n],
    [-50n, 50n, 0n, 0n],
    [100n, 50n, 120n, 30n],
    [0n, 50n, 50n, 0n],
  ])(
    'availableBalance / balance %d, limit %d, %d held: leaves %d',
    (balance, overdraft_limit, held, available) => {
      expect(availableBalance({ balance, overdraft_limit, held })).toBe(available);
    },
  );
});

describe('upcastBankAccountCreatedV1', () => {
  it.each([
    ['a text', '500.00', 'USD', '500.00'],
    ['a text without decimals', '500', 'USD', '500.00'],
    ['a text with fewer decimals', '500.5', 'USD', '500.50'],
    ['a text with more zeros than decimals', '500.0000', 'USD', '500.00'],
    ['a text of zero', '0', 'USD', '0.00'],
    ['a number', 500, 'USD', '500.00'],
    ['a number with decimals', 500.25, 'USD', '500.25'],
    ['a number that binary fractions cannot hold', 0.1, 'USD', '0.10'],
    ['zero', 0, 'USD', '0.00'],
    ['minus zero', -0, 'USD', '0.00'],
    ['the largest amount', 9_999_999_999_999.99, 'USD', '9999999999999.99'],
    ['a text, and yen are the default', '500', 'JPY', '500'],
    ['a text with decimals of zero, and yen are the default', '500.00', 'JPY', '500'],
    ['a number, and yen are the default', 500, 'JPY', '500'],
    ['a text, and dinars are the default', '1.5', 'BHD', '1.500'],
    ['a number, and dinars are the default', 1.125, 'BHD', '1.125'],
  ])('upcast / the limit is %s', (_, overdraft_limit, currency, expected) => {
    expect(upcastBankAccountCreatedV1({ owner_id: OWNER, overdraft_limit }, currency)).toStrictEqual(
      opened(expected, currency),
    );
  });

  it.each([
    ['not a number', 'much', 'USD'],
    ['empty', '', 'USD'],
    ['NaN', Number.NaN, 'USD'],
    ['so large that a number is written with an exponent', 1e21, 'USD'],
    ['the noise of a float', 0.1 + 0.2, 'USD'],
    ['negative', '-1.00', 'USD'],
    ['a negative number', -1, 'USD'],
    ['a fraction of a yen', '500.50', 'JPY'],
    ['in an unknown currency', '500.00', 'XXX'],
  ])('upcast / corrupt: throws when the limit is %s', (_, overdraft_limit, currency) => {
    const upcast = () => upcastBankAccountCreatedV1({ owner_id: OWNER, overdraft_limit }, currency);
    expect(upcast).toThrow(RangeError);
  });

  it('upcast / an old account goes on as a new one does', () => {
    const old = upcastBankAccountCreatedV1({ owner_id: OWNER, overdraft_limit: 20 }, 'USD');
    given([old, takenOut('15.00')])
      .when(withdrawing('5.00'))
      .thenEvents([
        posted({
          type: 'WITHDRAWAL',
          direction: 'DEBIT',
          amount: '5.00',
          currency: 'USD',
          balance: '-20.00',
        }),
      ]);
  });
});

// --- Open --------------------------------------------------------------------------------------------------

describe('openAccount', () => {
  const initial = (amount: string, currency: string): TransactionRecorded => {
    const event = posted({ type: 'DEPOSIT', direction: 'CREDIT', amount, currency, balance: amount });
    return { ...event, data: { ...event.data, description: 'Initial balance' } };
  };

  it.each(['0', '0.00', '-0'])(
    'open / accepted: an initial balance of %s is no deposit',
    (initial_balance) => {
      given.nothing().when(opening({ initial_balance })).thenEvents([opened()]);
    },
  );

  it.each([
    ['one minor unit', '0.01', '0.01'],
    ['whole units', '1000', '1000.00'],
    ['more zeros than decimals', '12.5000', '12.50'],
    ['the largest amount', '9999999999999.99', '9999999999999.99'],
  ])(
    'open / accepted: an initial balance of %s is a deposit in the same decision',
    (_, initial_balance, amount) => {
      given
        .nothing()
        .when(opening({ initial_balance }))
        .thenEvents([opened(), initial(amount, 'USD')]);
    },
  );

  it.each([
    ['JPY', '1500', '1500'],
    ['BHD', '1.5', '1.500'],
    ['CLF', '0.0001', '0.0001'],
  ])('open / accepted: limit and initial balance are written as %s is', (currency, amount, written) => {
    given
      .nothing()
      .when(opening({ currency, overdraft_limit: amount, initial_balance: amount }))
      .thenEvents([opened(written, currency), initial(written, currency)]);
  });

  it.each([
    ['none', '0', '0.00'],
    ['one minor unit', '0.01', '0.01'],
    ['the largest amount', '9999999999999.99', '9999999999999.99'],
  ])('open / accepted: an overdraft limit of %s', (_, overdraft_limit, written) => {
    given
      .nothing()
      .when(opening({ overdraft_limit }))
      .thenEvents([opened(written)]);
  });

  it('open / accepted: owner and account type go into the event', () => {
    const data = {
      owner_id: OTHER_ACCOUNT,
      overdraft_limit: '0.00',
      account_type: 'SAVINGS',
      currency: 'USD',
    } as const;
    given
      .nothing()
      .when(opening({ owner_id: OTHER_ACCOUNT, account_type: 'SAVINGS' }))
      .thenEvents([{ type: 'BankAccountCreatedDomainEventV2', data }]);
  });

  it.each([...BAD_AMOUNTS, ...NEGATIVE])(
    'open / rejected: the initial balance is $flaw',
    ({ amount, code, facts }) => {
      given
        .nothing()
        .when(opening({ initial_balance: amount }))
        .thenRejected(code, at('initial_balance', facts));
    },
  );

  it.each([...BAD_AMOUNTS, ...NEGATIVE])(
    'open / rejected: the overdraft limit is $flaw',
    ({ amount, code, facts }) => {
      given
        .nothing()
        .when(opening({ overdraft_limit: amount }))
        .thenRejected(code, at('overdraft_limit', facts));
    },
  );

  it('open / rejected: half a yen as the initial balance', () => {
    given
      .nothing()
      .when(opening({ currency: 'JPY', initial_balance: '0.5' }))
      .thenRejected('amount_too_precise', at('initial_balance', { decimals: 0, currency: 'JPY' }));
  });

  it('open / rejected: the account exists already', () => {
    given([opened()])
      .when(opening())
      .thenRejected('account_already_exists', { detail: 'This account exists already.' });
  });

  it('open / rejected: a closed account exists too, and that comes before a wrong amount', () => {
    given([opened(), closed()])
      .when(opening({ initial_balance: '-1' }))
      .thenRejected('account_already_exists');
  });
});

// --- Money in ----------------------------------------------------------------------------------------------

describe.each([
  { name: 'deposit', decide: depositing, type: 'DEPOSIT' },
  { name: 'interest', decide: interest, type: 'INTEREST' },
] as const)('$name', ({ name, decide, type }) => {
  const credited = (amount: string, balance: string, currency = 'USD') => {
    return posted({ type, direction: 'CREDIT', amount, currency, balance });
  };

  it(`${name} / accepted: one minor unit into an empty account`, () => {
    given([opened()])
      .when(decide('0.01'))
      .thenEvents([credited('0.01', '0.01')]);
  });

  it(`${name} / accepted: added to what is there`, () => {
    given([opened(), paidIn('99.99')])
      .when(decide('0.02'))
      .thenEvents([credited('0.02', '100.01')]);
  });

  it(`${name} / accepted: brings an overdrawn account exactly to zero`, () => {
    given([opened('50.00'), takenOut('50.00')])
      .when(decide('50'))
      .thenEvents([credited('50.00', '0.00')]);
  });

  it(`${name} / accepted: leaves an overdrawn account one minor unit below zero`, () => {
    given([opened('50.00'), takenOut('50.00')])
      .when(decide('49.99'))
      .thenEvents([credited('49.99', '-0.01')]);
  });

  it.each([
    ['JPY', '1', '1', '1001'],
    ['BHD', '0.5', '0.500', '1000.500'],
    ['CLF', '0.0001', '0.0001', '1000.0001'],
  ])(`${name} / accepted: written as %s is`, (currency, amount, written, balance) => {
    given([opened('0', currency), paidIn('1000', currency)])
      .when(decide(amount))
      .thenEvents([credited(written, balance, currency)]);
  });

  it(`${name} / accepted: the largest amount`, () => {
    given([opened()])
      .when(decide('9999999999999.99'))
      .thenEvents([credited('9999999999999.99', '9999999999999.99')]);
  });

  it(`${name} / accepted: exactly up to the largest balance, of which an overdraft limit is no part`, () => {
    given([opened('50.00'), paidIn('999999999999999.98')])
      .when(decide('0.01'))
      .thenEvents([credited('0.01', '999999999999999.99')]);
  });

  it(`${name} / rejected: one minor unit above the largest balance`, () => {
    given([opened(), paidIn('999999999999999.98')])
      .when(decide('0.02'))
      .thenRejected('balance_limit_exceeded', {
        detail: 'A balance can be at most 999999999999999.99 USD.',
        field: 'amount',
        facts: { maximum: '999999999999999.99', currency: 'USD' },
      });
  });

  it(`${name} / rejected: one yen above the largest balance, whatever the overdraft limit is`, () => {
    given([opened('1000', 'JPY'), paidIn('99999999999999999', 'JPY')])
      .when(decide('1'))
      .thenRejected('balance_limit_exceeded', {
        field: 'amount',
        facts: { maximum: '99999999999999999', currency: 'JPY' },
      });
  });

  it.each([...BAD_AMOUNTS, ...NOT_POSITIVE])(`${name} / rejected: the amount is $flaw`, (bad) => {
    given([opened()]).when(decide(bad.amount)).thenRejected(bad.code, at('amount', bad.facts));
  });
});

// --- Money out ---------------------------------------------------------------------------------------------

describe('withdraw', () => {
  const debited = (amount: string, balance: string, currency = 'USD') => {
    return posted({ type: 'WITHDRAWAL', direction: 'DEBIT', amount, currency, balance });
  };

  it('withdraw / accepted: less than the balance', () => {
    given([opened(), paidIn('100.00')])
      .when(withdrawing('0.01'))
      .thenEvents([debited('0.01', '99.99')]);
  });

  it('withdraw / accepted: exactly the balance', () => {
    given([opened(), paidIn('100.00')])
      .when(withdrawing('100'))
      .thenEvents([debited('100.00', '0.00')]);
  });

  it('withdraw / accepted: exactly what is available, overdraft included', () => {
    given([opened('50.00'), paidIn('100.00')])
      .when(withdrawing('150.00'))
      .thenEvents([debited('150.00', '-50.00')]);
  });

  it('withdraw / accepted: exactly the rest of an overdraft in use', () => {
    given([opened('50.00'), takenOut('49.99')])
      .when(withdrawing('0.01'))
      .thenEvents([debited('0.01', '-50.00')]);
  });

  it('withdraw / accepted: exactly what a raised limit makes available', () => {
    given([opened(), limitChanged('0.00', '20.00')])
      .when(withdrawing('20.00'))
      .thenEvents([debited('20.00', '-20.00')]);
  });

  it.each([
    ['JPY', '50', '50', '-50'],
    ['BHD', '50', '50.000', '-50.000'],
    ['CLF', '49.9999', '49.9999', '-49.9999'],
  ])('withdraw / accepted: written as %s is', (currency, amount, written, balance) => {
    given([opened('50', currency)])
      .when(withdrawing(amount))
      .thenEvents([debited(written, balance, currency)]);
  });

  it('withdraw / rejected: one minor unit more than available', () => {
    given([opened('50.00'), paidIn('100.00')])
      .when(withdrawing('150.01'))
      .thenRejected('insufficient_funds', {
        detail: '150.01 USD was asked for, 150.00 is available.',
        field: 'amount',
        facts: {
          amount: '150.01',
          balance: '100.00',
          held: '0.00',
          overdraft_limit: '50.00',
          available_balance: '150.00',
          currency: 'USD',
        },
      });
  });

  it('withdraw / rejected: one minor unit from an empty account', () => {
    given([opened()])
      .when(withdrawing('0.01'))
      .thenRejected('insufficient_funds', {
        field: 'amount',
        facts: {
          amount: '0.01',
          balance: '0.00',
          held: '0.00',
          overdraft_limit: '0.00',
          available_balance: '0.00',
          currency: 'USD',
        },
      });
  });

  it('withdraw / rejected: one fils more than the rest of an overdraft in use', () => {
    given([opened('50.000', 'BHD'), takenOut('20.000', 'BHD')])
      .when(withdrawing('30.001'))
      .thenRejected('insufficient_funds', {
        field: 'amount',
        facts: {
          amount: '30.001',
          balance: '-20.000',
          held: '0.000',
          overdraft_limit: '50.000',
          available_balance: '30.000',
          currency: 'BHD',
        },
      });
  });

  it('withdraw / rejected: one minor unit more than a lowered limit leaves', () => {
    given([opened('50.00'), limitChanged('50.00', '10.00')])
      .when(withdrawing('10.01'))
      .thenRejected('insufficient_funds', {
        field: 'amount',
        facts: {
          amount: '10.01',
          balance: '0.00',
          held: '0.00',
          overdraft_limit: '10.00',
          available_balance: '10.00',
          currency: 'USD',
        },
      });
  });

  it.each([...BAD_AMOUNTS, ...NOT_POSITIVE])('withdraw / rejected: the amount is $flaw', (bad) => {
    given([opened('50.00'), paidIn('100.00')])
      .when(withdrawing(bad.amount))
      .thenRejected(bad.code, at('amount', bad.facts));
  });
});

// --- Overdraft limit ---------------------------------------------------------------------------------------

describe('changeOverdraftLimit', () => {
  it('limit / accepted: raised from nothing', () => {
    given([opened()])
      .when(limiting('100'))
      .thenEvents([limitChanged('0.00', '100.00')]);
  });

  it('limit / accepted: raised to the largest amount', () => {
    given([opened()])
      .when(limiting('9999999999999.99'))
      .thenEvents([limitChanged('0.00', '9999999999999.99')]);
  });

  it('limit / accepted: lowered to zero on an empty account', () => {
    given([opened('50.00')])
      .when(limiting('0'))
      .thenEvents([limitChanged('50.00', '0.00')]);
  });

  it('limit / accepted: lowered to zero above a balance', () => {
    given([opened('50.00'), paidIn('0.01')])
      .when(limiting('0'))
      .thenEvents([limitChanged('50.00', '0.00')]);
  });

  it('limit / accepted: lowered to exactly what is used', () => {
    given([opened('50.00'), takenOut('30.00')])
      .when(limiting('30.00'))
      .thenEvents([limitChanged('50.00', '30.00')]);
  });

  it('limit / accepted: raised while all of it is used', () => {
    given([opened('50.00'), takenOut('50.00')])
      .when(limiting('50.01'))
      .thenEvents([limitChanged('50.00', '50.01')]);
  });

  it('limit / accepted: the old limit is the one of the last change', () => {
    given([opened('50.00'), limitChanged('50.00', '70.00')])
      .when(limiting('60.00'))
      .thenEvents([limitChanged('70.00', '60.00')]);
  });

  it('limit / accepted: written as yen are', () => {
    given([opened('50', 'JPY')])
      .when(limiting('70.0'))
      .thenEvents([limitChanged('50', '70')]);
  });

  it.each(['50', '50.0', '50.00', '050.000'])('limit / unchanged: %s gives no event', (limit) => {
    given([opened('50.00')])
      .when(limiting(limit))
      .thenEvents([]);
  });

  it('limit / unchanged: zero stays zero', () => {
    given([opened()]).when(limiting('0')).thenEvents([]);
  });

  it('limit / unchanged: the same while all of it is used', () => {
    given([opened('50.00'), takenOut('50.00')])
      .when(limiting('50'))
      .thenEvents([]);
  });

  it('limit / rejected: one minor unit below what is used', () => {
    given([opened('50.00'), takenOut('30.00')])
      .when(limiting('29.99'))
      .thenRejected('overdraft_in_use', {
        detail: '30.00 USD of the overdraft is used or held.',
        field: 'overdraft_limit',
        facts: { overdrawn: '30.00', held: '0.00', currency: 'USD' },
      });
  });

  it('limit / rejected: zero while one fils is used', () => {
    given([opened('50.000', 'BHD'), takenOut('0.001', 'BHD')])
      .when(limiting('0'))
      .thenRejected('overdraft_in_use', {
        field: 'overdraft_limit',
        facts: { overdrawn: '0.001', held: '0.000', currency: 'BHD' },
      });
  });

  it.each([...BAD_AMOUNTS, ...NEGATIVE])('limit / rejected: the limit is $flaw', (bad) => {
    given([opened('50.00')])
      .when(limiting(bad.amount))
      .thenRejected(bad.code, at('overdraft_limit', bad.facts));
  });
});

// --- Close -------------------------------------------------------------------------------------------------

describe('closeAccount', () => {
  it('close / accepted: never used', () => {
    given([opened()]).when(closing()).thenEvents([closed()]);
  });

  it('close / accepted: emptied to zero, with an unused overdraft limit', () => {
    given([opened('50.00'), paidIn('0.01'), takenOut('0.01')])
      .when(closing('too dear'))
      .thenEvents([closed('0.00', 'too dear')]);
  });

  it('close / accepted: the final balance is written as yen are', () => {
    given([opened('0', 'JPY')])
      .when(closing())
      .thenEvents([closed('0')]);
  });

  it.each([
    ['one minor unit left', paidIn('0.01'), '0.01'],
    ['money left', paidIn('1000.00'), '1000.00'],
    ['one minor unit overdrawn', takenOut('0.01'), '-0.01'],
    ['all of the overdraft used', takenOut('50.00'), '-50.00'],
  ])('close / rejected: %s', (_, event, balance) => {
    given([opened('50.00'), event])
      .when(closing())
      .thenRejected('balance_not_zero', {
        detail: `The balance is ${balance} USD; it must be zero to close.`,
        facts: { balance, currency: 'USD' },
      });
  });
});

describe('a closed account', () => {
  const commands = [
    ['deposit', depositing('1.00')],
    ['interest', interest('1.00')],
    ['withdraw', withdrawing('1.00')],
    ['raise the limit', limiting('100.00')],
    ['keep the limit', limiting('50.00')],
    ['lower the limit', limiting('0')],
    ['close again', closing()],
    ['deposit / malformed', depositing('much')],
    ['interest / malformed', interest('0')],
    ['withdraw / malformed', withdrawing('-1')],
    ['limit / malformed', limiting('1.001')],
  ] as const;

  it.each(commands)('closed / rejected: %s', (_, command) => {
    given([opened('50.00'), closed()])
      .when(command)
      .thenRejected('account_closed', { detail: 'The account is closed.' });
  });
});

/**
 * What the data of each event must look like: for logs that did not come about through decisions, such as a rewritten one.
 * Fields that nobody knows are passed over, as everywhere where events are read.
 */
import { z } from 'zod';
import {
  ACCOUNT_STATUSES,
  ACCOUNT_TYPES,
  FREEZE_SCOPES,
  HOLD_RELEASE_REASONS,
  REFUSABLE_LEGS,
  stateOfBooks,
  TRANSACTION_TYPES,
} from '../domain/bank-account.ts';
import type { BankEvent } from '../domain/bank-event.ts';
import { toMinor } from '../domain/money.ts';
import { GENDERS } from '../domain/person.ts';

const text = z.string();
const id = z.string().min(1);
/** May be below zero; whether it has the currency's decimals is looked at by itself, or the fold finds out. */
const balance = z.string().regex(/^-?\d+(\.\d+)?$/, 'must be a decimal such as "12.50"');
const amount = z.string().regex(/^\d+(\.\d+)?$/, 'must be a decimal such as "12.50", and not below zero');
/** Accrual units. */
const units = z.string().regex(/^-?\d+$/, 'must be a whole number such as "12"');
const currency = z.string().regex(/^[A-Z]{3}$/, 'must be a currency such as "USD"');
const period = z.string().regex(/^\d{4}-\d{2}$/, 'must be a month such as "2026-01"');
const day = z.iso.date();
const instant = z.iso.datetime();
const direction = z.enum(['CREDIT', 'DEBIT']);

const posted = z.looseObject({ transaction_id: id });
const refused = z.looseObject({ code: id, detail: text });
const limits = z.looseObject({ transaction_limit: amount.nullable(), daily_limit: amount.nullable() });
const terms = z.looseObject({ credit_rate: amount, overdraft_rate: amount, monthly_fee: amount });

const operation = z.looseObject({
  id,
  content_hash: id,
  first_revision: z.int().min(0),
  last_revision: z.int().min(0),
});

const carried = z.looseObject({ credit: units, overdraft: units });
const accrual = z.looseObject({
  from: day,
  periods: z.array(carried.extend({ period, fee: amount })),
  carry: carried,
});

const books = limits.extend({
  period_end: instant,
  latest_event_at: instant,
  totals: z.looseObject({ transactions: z.int().min(0), credits: amount, debits: amount }),
  owner_id: id,
  account_type: z.enum(ACCOUNT_TYPES),
  currency,
  status: z.enum(ACCOUNT_STATUSES),
  frozen: z.enum(FREEZE_SCOPES).nullable(),
  balance,
  overdraft_limit: amount,
  held: amount,
  holds: z.array(
    z.looseObject({
      hold_id: id,
      amount,
      description: text,
      expires_at: instant.optional(),
      placed_on: day,
    }),
  ),
  debited: z.looseObject({ day: z.union([z.literal(''), day]), amount: balance }),
  reversed: z.array(z.looseObject({ transaction_id: id, amount, at: instant })),
  terms: terms.nullable(),
  accrual: accrual.nullable(),
  operations: z.looseObject({
    creation: operation.nullable(),
    recent: z.array(operation),
    has_forgotten: z.boolean(),
  }),
});

const SHAPES = {
  PersonRegisteredDomainEventV1: z.looseObject({
    first_name: id,
    last_name: id,
    date_of_birth: day,
    nationality: z.string().regex(/^[A-Z]{2}$/, 'must be a country such as "US"'),
    gender: z.enum(GENDERS),
    address: z
      .looseObject({
        street_name: text,
        street_number: text,
        zip_code: text,
        city: text,
        state: text,
        country: text,
      })
      .optional(),
  }),
  BankAccountCreatedDomainEventV2: z.looseObject({
    owner_id: id,
    overdraft_limit: amount,
    account_type: z.enum(ACCOUNT_TYPES),
    currency,
  }),
  BankAccountTransactionRecordedDomainEventV1: z.looseObject({
    transaction_id: id,
    type: z.enum(TRANSACTION_TYPES),
    amount,
    currency,
    direction,
    from_account_id: id.optional(),
    to_account_id: id.optional(),
    transfer_id: id.optional(),
    period: period.optional(),
    reverses_transaction_id: id.optional(),
    restores_transaction_id: id.optional(),
    hold_id: id.optional(),
    description: text,
    external_reference: text.optional(),
    metadata: z.record(text, text).optional(),
    balance,
  }),
  BankAccountOverdraftLimitChangedDomainEventV1: z.looseObject({ old_limit: amount, new_limit: amount }),
  BankAccountClosedDomainEventV1: z.looseObject({ reason: text, final_balance: balance }),
  BankAccountHoldPlacedDomainEventV1: z.looseObject({
    hold_id: id,
    amount,
    currency,
    description: text,
    expires_at: instant.optional(),
  }),
  BankAccountHoldCapturedDomainEventV1: z.looseObject({
    hold_id: id,
    transaction_id: id,
    captured_amount: amount,
    released_amount: amount,
    currency,
  }),
  BankAccountHoldReleasedDomainEventV1: z.looseObject({
    hold_id: id,
    amount,
    currency,
    reason: z.enum(HOLD_RELEASE_REASONS),
  }),
  BankAccountFrozenDomainEventV1: z.looseObject({ scope: z.enum(FREEZE_SCOPES), reason: text }),
  BankAccountUnfrozenDomainEventV1: z.looseObject({ reason: text }),
  BankAccountLimitsChangedDomainEventV1: limits,
  BankAccountTransferRefusedDomainEventV1: refused.extend({ transfer_id: id, leg: z.enum(REFUSABLE_LEGS) }),
  BankAccountTermsChangedDomainEventV1: terms,
  BankAccountBooksClosedDomainEventV1: books,
  TransferRequestedDomainEventV1: z.looseObject({
    from_account_id: id,
    to_account_id: id,
    amount,
    currency,
    description: text,
    reverses: z
      .looseObject({
        transfer_id: id,
        amount,
        debit_transaction_id: id,
        credit_transaction_id: id,
        completed_at: instant,
      })
      .optional(),
  }),
  TransferDebitedDomainEventV1: posted,
  TransferRejectedDomainEventV1: refused,
  TransferCreditedDomainEventV1: posted,
  TransferCompletedDomainEventV1: z.looseObject({}),
  TransferCreditRefusedDomainEventV1: refused,
  TransferRefundedDomainEventV1: posted,
  TransferRefundRefusedDomainEventV1: refused,
  TransferSuspendedDomainEventV1: posted,
  TransferReversedDomainEventV1: z.looseObject({ reversal_transfer_id: id, amount, currency }),
} as const satisfies Record<BankEvent['type'], z.ZodType>;

/** @returns what is wrong with the data of an event in its current version, in one sentence; nothing when all is well */
export function misshapen(event: BankEvent): string | undefined {
  const { error } = SHAPES[event.type].safeParse(event.data);
  if (error) {
    const [{ path = [], message = '' } = {}] = error.issues;
    return `${path.join('.') || 'its data'}: ${message}`;
  }
  try {
    // A fold over all events passes books over, and one that begins with them needs them.
    if (event.type === 'BankAccountBooksClosedDomainEventV1') stateOfBooks(event.data);
    const [currency = '', ...amounts] = moneyIn(event);
    for (const text of amounts) toMinor(text, currency);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** The currency that an event names, and the amounts in it, also those that a fold passes over. */
function moneyIn({ type, data }: BankEvent): readonly string[] {
  switch (type) {
    case 'BankAccountCreatedDomainEventV2':
      return [data.currency, data.overdraft_limit];
    case 'BankAccountTransactionRecordedDomainEventV1':
      return [data.currency, data.amount, data.balance];
    case 'BankAccountHoldPlacedDomainEventV1':
    case 'BankAccountHoldReleasedDomainEventV1':
    case 'TransferReversedDomainEventV1':
      return [data.currency, data.amount];
    case 'BankAccountHoldCapturedDomainEventV1':
      return [data.currency, data.captured_amount, data.released_amount];
    case 'BankAccountBooksClosedDomainEventV1':
      return [data.currency, data.totals.credits, data.totals.debits];
    case 'TransferRequestedDomainEventV1':
      return [data.currency, data.amount, ...(data.reverses ? [data.reverses.amount] : [])];
    default:
      return [];
  }
}

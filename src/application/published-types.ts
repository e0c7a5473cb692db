/** What the bank tells the outside of each domain event: the type of its CloudEvent, and the shape of its data. */
import { z } from 'zod';
import {
  ACCOUNT_TYPES,
  FREEZE_SCOPES,
  HOLD_RELEASE_REASONS,
  REFUSABLE_LEGS,
  TRANSACTION_TYPES,
} from '../domain/bank-account.ts';
import type { BankEvent } from '../domain/bank-event.ts';
import { GENDERS } from '../domain/person.ts';

const id = (of: string) => z.uuid().describe(`The ${of}.`);
const money = (what: string) => z.string().describe(`${what}, a decimal with all digits of the currency.`);
const currency = z.string().describe('ISO 4217 code.');

const address = z.object({
  street_name: z.string(),
  street_number: z.string(),
  zip_code: z.string(),
  city: z.string(),
  state: z.string(),
  country: z.string().describe('ISO 3166-1 alpha-2.'),
});

const posting = { transaction_id: id('posting on the account') };
const refusal = {
  code: z.string().describe('Why, machine-readable.'),
  detail: z.string().describe('Why, in a sentence.'),
};

/** The type of each domain event without the prefix, and the shape of its data. */
export const PUBLISHED = {
  PersonRegisteredDomainEventV1: {
    name: 'person.registered.v1',
    data: z.object({
      person_id: id('person'),
      first_name: z.string(),
      last_name: z.string(),
      date_of_birth: z.iso.date(),
      nationality: z.string().describe('ISO 3166-1 alpha-2.'),
      gender: z.enum(GENDERS),
      address: address.optional(),
    }),
  },
  BankAccountCreatedDomainEventV2: {
    name: 'account.created.v1',
    data: z.object({
      account_id: id('account'),
      owner_id: id('person who owns it'),
      account_type: z.enum(ACCOUNT_TYPES),
      currency,
      overdraft_limit: money('How far the balance may go below zero'),
    }),
  },
  BankAccountTransactionRecordedDomainEventV1: {
    name: 'transaction.v1',
    data: z.object({
      account_id: id('account whose balance changed'),
      transaction_id: id('transaction'),
      type: z.enum(TRANSACTION_TYPES),
      direction: z.enum(['CREDIT', 'DEBIT']).describe('CREDIT puts money into the account.'),
      amount: money('The amount, above zero'),
      currency,
      balance: money('The balance after it'),
      from_account_id: id('account that the money left').optional(),
      to_account_id: id('account that the money reached').optional(),
      transfer_id: id('transfer that it is a part of').optional(),
      period: z.string().optional().describe('The month that the bank posted interest or its fee for.'),
      reverses_transaction_id: id('transaction that it undoes').optional(),
      restores_transaction_id: id(
        'transaction of which so much can be reversed again, because its reversal was refunded',
      ).optional(),
      hold_id: id('hold that it captured').optional(),
      description: z.string(),
      external_reference: z.string().optional().describe("The client's own name for it."),
      metadata: z.record(z.string(), z.string()).optional().describe("The client's own fields."),
    }),
  },
  BankAccountOverdraftLimitChangedDomainEventV1: {
    name: 'account.overdraft-limit-changed.v1',
    data: z.object({
      account_id: id('account'),
      old_limit: money('The limit before'),
      new_limit: money('The limit from now on'),
      currency,
    }),
  },
  BankAccountClosedDomainEventV1: {
    name: 'account.closed.v1',
    data: z.object({
      account_id: id('account'),
      reason: z.string(),
      final_balance: money('The balance at the end, which is zero'),
      currency,
    }),
  },
  BankAccountLimitsChangedDomainEventV1: {
    name: 'account.limits-changed.v1',
    data: z.object({
      account_id: id('account'),
      transaction_limit: money('The most that one debit of a customer may be').nullable(),
      daily_limit: money('The most that customers may take out in a UTC day').nullable(),
      currency,
    }),
  },
  BankAccountTermsChangedDomainEventV1: {
    name: 'account.terms-changed.v1',
    data: z.object({
      account_id: id('account'),
      credit_rate: z.string().describe('Percent a year on a balance above zero.'),
      overdraft_rate: z.string().describe('Percent a year on a balance below zero.'),
      monthly_fee: money('Charged for each month'),
      currency,
    }),
  },
  BankAccountFrozenDomainEventV1: {
    name: 'account.frozen.v1',
    data: z.object({
      account_id: id('account'),
      scope: z.enum(FREEZE_SCOPES).describe('What is stopped.'),
      reason: z.string(),
    }),
  },
  BankAccountUnfrozenDomainEventV1: {
    name: 'account.unfrozen.v1',
    data: z.object({ account_id: id('account'), reason: z.string() }),
  },
  BankAccountTransferRefusedDomainEventV1: {
    name: 'account.transfer-refused.v1',
    data: z.object({
      account_id: id('account'),
      transfer_id: id('transfer'),
      leg: z.enum(REFUSABLE_LEGS).describe('What the transfer asked of the account.'),
      ...refusal,
    }),
  },
  BankAccountBooksClosedDomainEventV1: {
    name: 'account.books-closed.v1',
    data: z.object({
      account_id: id('account'),
      period_end: z.iso.datetime().describe('Until when the books were closed.'),
      balance: money('The balance when they were closed'),
      currency,
      totals: z.object({
        transactions: z.int().describe('Postings since the account was opened.'),
        credits: money('What they have put in'),
        debits: money('What they have taken out'),
      }),
    }),
  },
  BankAccountHoldPlacedDomainEventV1: {
    name: 'hold.placed.v1',
    data: z.object({
      account_id: id('account'),
      hold_id: id('hold'),
      amount: money('What is set aside'),
      currency,
      description: z.string(),
      expires_at: z.iso.datetime().optional(),
    }),
  },
  BankAccountHoldCapturedDomainEventV1: {
    name: 'hold.captured.v1',
    data: z.object({
      account_id: id('account'),
      hold_id: id('hold'),
      transaction_id: id('transaction that it became'),
      captured_amount: money('What left the account'),
      released_amount: money('What is available again'),
      currency,
    }),
  },
  BankAccountHoldReleasedDomainEventV1: {
    name: 'hold.released.v1',
    data: z.object({
      account_id: id('account'),
      hold_id: id('hold'),
      amount: money('What is available again'),
      currency,
      reason: z.enum(HOLD_RELEASE_REASONS),
    }),
  },
  TransferRequestedDomainEventV1: {
    name: 'transfer.requested.v1',
    data: z.object({
      transfer_id: id('transfer'),
      from_account_id: id('account that the money leaves'),
      to_account_id: id('account that it goes to'),
      amount: money('What is transferred'),
      currency,
      description: z.string(),
      reverses: z
        .object({
          transfer_id: id('transfer'),
          amount: money('What it had transferred'),
          debit_transaction_id: id('posting that debited'),
          credit_transaction_id: id('posting that credited'),
          completed_at: z.iso.datetime(),
        })
        .optional()
        .describe('The transfer of which it takes back all or a part.'),
    }),
  },
  TransferDebitedDomainEventV1: {
    name: 'transfer.debited.v1',
    data: z.object({ transfer_id: id('transfer'), ...posting }),
  },
  TransferRejectedDomainEventV1: {
    name: 'transfer.rejected.v1',
    data: z.object({ transfer_id: id('transfer'), ...refusal }),
  },
  TransferCreditedDomainEventV1: {
    name: 'transfer.credited.v1',
    data: z.object({ transfer_id: id('transfer'), ...posting }),
  },
  TransferCompletedDomainEventV1: {
    name: 'transfer.completed.v1',
    data: z.object({ transfer_id: id('transfer') }),
  },
  TransferCreditRefusedDomainEventV1: {
    name: 'transfer.credit-refused.v1',
    data: z.object({ transfer_id: id('transfer'), ...refusal }),
  },
  TransferRefundedDomainEventV1: {
    name: 'transfer.refunded.v1',
    data: z.object({ transfer_id: id('transfer'), ...posting }),
  },
  TransferRefundRefusedDomainEventV1: {
    name: 'transfer.refund-refused.v1',
    data: z.object({ transfer_id: id('transfer'), ...refusal }),
  },
  TransferSuspendedDomainEventV1: {
    name: 'transfer.suspended.v1',
    data: z.object({ transfer_id: id('transfer'), ...posting }),
  },
  TransferReversedDomainEventV1: {
    name: 'transfer.reversed.v1',
    data: z.object({
      transfer_id: id('transfer'),
      reversal_transfer_id: id('transfer that has given the money back'),
      amount: money('What it has given back'),
      currency,
    }),
  },
} as const satisfies Record<BankEvent['type'], { name: string; data: z.ZodType }>;

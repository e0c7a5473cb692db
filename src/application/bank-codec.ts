/** Which event types the bank knows, and how old versions are read. */
import { BANK_ACCOUNT_EVENT_TYPES, upcastBankAccountCreatedV1 } from '../domain/bank-account.ts';
import type { BankEvent } from '../domain/bank-event.ts';
import { PERSON_EVENT_TYPES } from '../domain/person.ts';
import { TRANSFER_EVENT_TYPES } from '../domain/transfer.ts';
import { createCodec, type EventCodec } from '../event-sourcing/codec.ts';

/** @param defaultCurrency the currency of accounts that were opened before accounts had one */
export function createBankCodec(defaultCurrency: string): EventCodec<BankEvent> {
  return createCodec<BankEvent>(
    [...PERSON_EVENT_TYPES, ...BANK_ACCOUNT_EVENT_TYPES, ...TRANSFER_EVENT_TYPES],
    {
      BankAccountCreatedDomainEventV1: (data) => upcastBankAccountCreatedV1(data, defaultCurrency),
    },
  );
}

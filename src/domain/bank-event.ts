/** Every event that the bank records. */
import type { BankAccountEvent } from './bank-account.ts';
import type { PersonEvent } from './person.ts';
import type { TransferEvent } from './transfer.ts';

export type BankEvent = PersonEvent | BankAccountEvent | TransferEvent;

/** Every event that the bank records. */
import type { BankAccountEvent } from './bank-account.ts';
import type { PersonEvent } from './person.ts';

export type BankEvent = PersonEvent | BankAccountEvent;

/** Command: puts money into an account. */
import { deposit } from '../../domain/bank-account.ts';
import type { Bank } from '../bank.ts';
import { command } from '../mediator.ts';
import { type PostingResult, postingFields, recordPosting } from './record-posting.ts';

export const CreateDeposit = command<PostingResult>()('CreateDeposit', postingFields);

export const createDepositHandler = (bank: Bank) => recordPosting(bank, 'DEPOSIT', deposit);

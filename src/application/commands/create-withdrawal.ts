/** Command: takes money out of an account, within balance and overdraft. */
import { withdraw } from '../../domain/bank-account.ts';
import type { Bank } from '../bank.ts';
import { command } from '../mediator.ts';
import { type PostingResult, postingFields, recordPosting } from './record-posting.ts';

export const CreateWithdrawal = command<PostingResult>()('CreateWithdrawal', postingFields);

export const createWithdrawalHandler = (bank: Bank) => recordPosting(bank, 'WITHDRAWAL', withdraw);

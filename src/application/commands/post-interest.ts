/** Command: posts interest that the bank pays. */
import { postInterest } from '../../domain/bank-account.ts';
import type { Bank } from '../bank.ts';
import { command } from '../mediator.ts';
import { type PostingResult, postingFields, recordPosting } from './record-posting.ts';

export const PostInterest = command<PostingResult>()('PostInterest', postingFields);

export const postInterestHandler = (bank: Bank) => recordPosting(bank, 'INTEREST', postInterest);

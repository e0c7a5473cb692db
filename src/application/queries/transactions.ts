/** Query: one transaction by its id. */
import { z } from 'zod';
import { accept, reject } from '../../domain/decision.ts';
import { type TransactionDocument, transactions } from '../../projections/transactions.ts';
import type { Bank } from '../bank.ts';
import { id } from '../fields.ts';
import { type Handler, query } from '../mediator.ts';
import { readDocument } from './read-document.ts';

export const transactionIdFields = z.strictObject({
  id: id('The transaction.', '01990d2e-7c1b-7a52-9d5e-0c8f7f4b1a03'),
});

export const GetTransaction = query<TransactionDocument>()('GetTransaction', transactionIdFields);

export function getTransactionHandler(bank: Bank): Handler<{ id: string }, TransactionDocument> {
  return async ({ id }) => {
    const found = await readDocument(bank, transactions, id);
    if (!found.ok) return found;
    if (found.value) return accept(found.value);
    return transactionNotFound(id);
  };
}

export function transactionNotFound(id: string) {
  return reject('transaction_not_found', `There is no transaction ${id}.`, { field: 'id' });
}

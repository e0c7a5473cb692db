/** Queries about transfers: one with all its steps, and a page of them. */
import { z } from 'zod';
import { accept } from '../../domain/decision.ts';
import { TRANSFER_STATUSES, type TransferStatus } from '../../domain/transfer.ts';
import { type TransferDocument, transfers } from '../../projections/transfers.ts';
import type { Bank } from '../bank.ts';
import { id } from '../fields.ts';
import { type Handler, query } from '../mediator.ts';
import { transferNotFound } from '../transfer-process.ts';
import { findPage, type Page, type PageRequest, pageFields } from './paging.ts';
import { readDocument } from './read-document.ts';

export const transferIdFields = z.strictObject({
  id: id('The transfer.', '01990d2e-7c1b-7a52-9d5e-0c8f7f4b1a06'),
});

export const GetTransfer = query<TransferDocument>()('GetTransfer', transferIdFields);

export function getTransferHandler(bank: Bank): Handler<{ id: string }, TransferDocument> {
  return async ({ id }) => {
    const found = await readDocument(bank, transfers, id);
    if (!found.ok) return found;
    return found.value ? accept(found.value) : transferNotFound(id);
  };
}

export const transferListFields = z.strictObject({
  ...pageFields,
  status: z
    .enum(TRANSFER_STATUSES)
    .optional()
    .meta({ description: 'Only those in this state.', examples: ['IN_SUSPENSE'] }),
});

export const ListTransfers = query<Page<TransferDocument>>()('ListTransfers', transferListFields);

type OfStatus = PageRequest & { readonly status?: TransferStatus | undefined };

export function listTransfersHandler(bank: Bank): Handler<OfStatus, Page<TransferDocument>> {
  return ({ status, ...request }) =>
    findPage(bank, transfers, request, {
      order: 'newest_first',
      ...(status === undefined ? {} : { where: { status } }),
    });
}

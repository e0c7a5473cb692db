/** Routes of transfers: request one, get one with its steps, and the list of them for operators. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { RequestTransfer, requestTransferFields } from '../../application/commands/request-transfer.ts';
import {
  GetTransfer,
  ListTransfers,
  transferIdFields,
  transferListFields,
} from '../../application/queries/transfers.ts';
import { accepted, contextOf, type Services, sendDocument } from '../messages.ts';
import {
  AMOUNT_CODES,
  BODY_CODES,
  QUERY_CODES,
  READ_CODES,
  STORE_CODES,
  TEXT_CODES,
} from '../problem-groups.ts';
import { problemResponses } from '../schemas/problems.ts';
import { transferPageSchema, transferSchema } from '../schemas/transfers.ts';
import { sendTransfer, TRANSFER_ANSWERS } from '../transfer-answer.ts';

export const transfersController =
  ({ mediator, readYourWrites }: Services): FastifyPluginAsyncZod =>
  async (app) => {
    app.post(
      '/transactions/transfer',
      {
        schema: {
          operationId: 'transfer',
          tags: ['transactions'],
          summary: 'Transfer money from one account to another',
          body: requestTransferFields,
          response: {
            ...TRANSFER_ANSWERS,
            ...problemResponses([
              ...BODY_CODES,
              'account_not_found',
              'account_closed',
              'account_frozen',
              'account_of_bank',
              'same_account',
              'currency_mismatch',
              'insufficient_funds',
              'transaction_limit_exceeded',
              'daily_limit_exceeded',
              'balance_limit_exceeded',
              'invalid_id',
              'amount_not_positive',
              ...AMOUNT_CODES,
              ...TEXT_CODES,
              ...STORE_CODES,
            ]),
          },
        },
      },
      async (request, reply) => {
        const sent = await mediator.send(RequestTransfer, request.body, contextOf(request));
        const result = accepted(sent, request);
        return sendTransfer(reply, result, readYourWrites);
      },
    );

    app.get(
      '/transfers/:id',
      {
        schema: {
          operationId: 'getTransfer',
          tags: ['transactions'],
          summary: 'Get a transfer with all its steps',
          params: transferIdFields,
          response: {
            200: transferSchema,
            ...problemResponses(['transfer_not_found', 'invalid_id', ...READ_CODES]),
          },
        },
      },
      async (request, reply) =>
        sendDocument(
          request,
          reply,
          accepted(await mediator.send(GetTransfer, request.params, contextOf(request)), request),
        ),
    );
  };

/** Operators look here for what is stuck, and for what lies in suspense. */
export const transferListController =
  ({ mediator }: Services): FastifyPluginAsyncZod =>
  async (app) => {
    app.get(
      '/admin/transfers',
      {
        schema: {
          operationId: 'listTransfers',
          tags: ['operations'],
          summary: 'List transfers, newest first',
          querystring: transferListFields,
          response: {
            200: transferPageSchema,
            ...problemResponses([
              ...QUERY_CODES,
              'invalid_value',
              'invalid_cursor',
              'read_model_blocked',
              'store_unavailable',
            ]),
          },
        },
      },
      async (request) =>
        accepted(await mediator.send(ListTransfers, request.query, contextOf(request)), request),
    );
  };

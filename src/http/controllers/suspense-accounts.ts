/** Routes for operators: the money that the bank keeps because nobody could take it, and paying it out. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import {
  PayOutSuspense,
  payOutSuspenseFields,
  suspenseCurrencyFields,
} from '../../application/commands/pay-out-suspense.ts';
import { ListSuspenseAccounts } from '../../application/queries/accounts.ts';
import { pageFields } from '../../application/queries/paging.ts';
import { accepted, contextOf, type Services } from '../messages.ts';
import { AMOUNT_CODES, BODY_CODES, PAGE_CODES, STORE_CODES, TEXT_CODES } from '../problem-groups.ts';
import { accountPageSchema } from '../schemas/accounts.ts';
import { problemResponses } from '../schemas/problems.ts';
import { sendTransfer, TRANSFER_ANSWERS } from '../transfer-answer.ts';

const tags = ['operations'];

export const suspenseAccountsController =
  ({ mediator, readYourWrites }: Services): FastifyPluginAsyncZod =>
  async (app) => {
    app.get(
      '/admin/suspense-accounts',
      {
        schema: {
          operationId: 'listSuspenseAccounts',
          tags,
          summary: "List the bank's own accounts, one a currency, for money that nobody could take",
          querystring: z.strictObject(pageFields),
          response: { 200: accountPageSchema, ...problemResponses(PAGE_CODES) },
        },
      },
      async (request, reply) =>
        reply.send(
          accepted(await mediator.send(ListSuspenseAccounts, request.query, contextOf(request)), request),
        ),
    );

    app.post(
      '/admin/suspense-accounts/:currency/payouts',
      {
        schema: {
          operationId: 'payOutSuspense',
          tags,
          summary: 'Pay money out of suspense, by a transfer',
          params: suspenseCurrencyFields,
          body: payOutSuspenseFields.omit({ currency: true }),
          response: {
            ...TRANSFER_ANSWERS,
            ...problemResponses([
              ...BODY_CODES,
              'unknown_currency',
              'account_not_found',
              'account_closed',
              'account_frozen',
              'account_of_bank',
              'same_account',
              'currency_mismatch',
              'insufficient_funds',
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
        const input = { ...request.body, ...request.params };
        const result = accepted(await mediator.send(PayOutSuspense, input, contextOf(request)), request);
        return sendTransfer(reply, result, readYourWrites);
      },
    );
  };

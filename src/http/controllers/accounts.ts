/** Routes of accounts: open, get, list, by owner, deposit and withdraw, transactions and raw events. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import {
  CreateBankAccount,
  createBankAccountFields,
} from '../../application/commands/create-bank-account.ts';
import { CreateDeposit } from '../../application/commands/create-deposit.ts';
import { CreateWithdrawal } from '../../application/commands/create-withdrawal.ts';
import { postingFields } from '../../application/commands/record-posting.ts';
import {
  EXAMINED_TRANSACTIONS_MAX,
  ListAccountTransactions,
  transactionListFields,
} from '../../application/queries/account-transactions.ts';
import {
  accountIdFields,
  GetAccount,
  GetAccountsByOwner,
  ListAccounts,
  ownerIdFields,
} from '../../application/queries/accounts.ts';
import { pageFields } from '../../application/queries/paging.ts';
import { ListAccountEvents, streamReadFields } from '../../application/queries/streams.ts';
import {
  accepted,
  contextOf,
  guardedContextOf,
  type Services,
  sendDocument,
  writtenHeaders,
} from '../messages.ts';
import {
  AMOUNT_CODES,
  BODY_CODES,
  DEBIT_CODES,
  GUARDED_CODES,
  LABEL_CODES,
  PAGE_CODES,
  READ_CODES,
  STORE_CODES,
  TEXT_CODES,
} from '../problem-groups.ts';
import { accountPageSchema, accountSchema, accountStateSchema, guardHeaders } from '../schemas/accounts.ts';
import { problemResponses } from '../schemas/problems.ts';
import { eventPageSchema } from '../schemas/streams.ts';
import { postingPageSchema, postingSchema } from '../schemas/transactions.ts';

const tags = ['accounts'];

const SEARCH_DESCRIPTION = `All that is asked for must hold. A page is full as long as there are more matches, with
one exception: a request looks at ${EXAMINED_TRANSACTIONS_MAX.toLocaleString('en-US')} transactions at most. Then the
page holds what was found so far, which may be nothing, and its \`next_cursor\` goes on from there; only a page without
\`next_cursor\` is the last. \`from\` and \`to\` are looked up, not searched for. A cursor belongs to its filter.`;

const shorthandPosting = postingFields.omit({ account_id: true });

export const accountsController =
  ({ mediator, readYourWrites }: Services): FastifyPluginAsyncZod =>
  async (app) => {
    app.post(
      '/accounts',
      {
        schema: {
          operationId: 'createAccount',
          tags,
          summary: 'Open an account',
          body: createBankAccountFields,
          response: {
            201: accountStateSchema.describe('Opened.'),
            ...problemResponses([
              ...BODY_CODES,
              'person_not_found',
              'invalid_id',
              'invalid_value',
              'unknown_currency',
              'amount_negative',
              ...AMOUNT_CODES,
              ...STORE_CODES,
            ]),
          },
        },
      },
      async (request, reply) => {
        const decision = await mediator.send(CreateBankAccount, request.body, contextOf(request));
        const result = accepted(decision, request);
        writtenHeaders(reply, result, readYourWrites);
        return reply
          .code(201)
          .header('location', `/api/v1/accounts/${result.account.id}`)
          .send(result.account);
      },
    );

    app.get(
      '/accounts',
      {
        schema: {
          operationId: 'listAccounts',
          tags,
          summary: 'List accounts, oldest first',
          querystring: z.strictObject(pageFields),
          response: { 200: accountPageSchema, ...problemResponses(PAGE_CODES) },
        },
      },
      async (request, reply) =>
        reply.send(accepted(await mediator.send(ListAccounts, request.query, contextOf(request)), request)),
    );

    app.get(
      '/accounts/by-owner/:owner_id',
      {
        schema: {
          operationId: 'getAccountsByOwner',
          tags,
          summary: "List an owner's accounts, oldest first",
          params: ownerIdFields,
          querystring: z.strictObject(pageFields),
          response: { 200: accountPageSchema, ...problemResponses(['person_not_found', ...PAGE_CODES]) },
        },
      },
      async (request, reply) => {
        const input = { ...request.query, ...request.params };
        return reply.send(
          accepted(await mediator.send(GetAccountsByOwner, input, contextOf(request)), request),
        );
      },
    );

    app.get(
      '/accounts/:id',
      {
        schema: {
          operationId: 'getAccount',
          tags,
          summary: 'Get an account with its balance',
          params: accountIdFields,
          response: {
            200: accountSchema,
            ...problemResponses(['account_not_found', 'invalid_id', ...READ_CODES]),
          },
        },
      },
      async (request, reply) => {
        const decision = await mediator.send(GetAccount, request.params, contextOf(request));
        const { account, settled } = accepted(decision, request);
        return sendDocument(request, reply, account, settled);
      },
    );

    for (const [path, message, word] of [
      ['deposit', CreateDeposit, 'Deposit into'],
      ['withdraw', CreateWithdrawal, 'Withdraw from'],
    ] as const) {
      app.post(
        `/accounts/:id/${path}`,
        {
          schema: {
            operationId: `${path}OnAccount`,
            tags,
            summary: `${word} this account`,
            params: accountIdFields,
            headers: guardHeaders,
            body: shorthandPosting,
            response: {
              201: postingSchema.describe('Recorded.'),
              ...problemResponses([
                ...BODY_CODES,
                ...GUARDED_CODES,
                ...(path === 'withdraw'
                  ? DEBIT_CODES
                  : (['account_frozen', 'balance_limit_exceeded'] as const)),
                ...LABEL_CODES,
                'amount_not_positive',
                ...AMOUNT_CODES,
                ...TEXT_CODES,
                ...STORE_CODES,
              ]),
            },
          },
        },
        async (request, reply) => {
          const input = { ...request.body, account_id: request.params.id };
          const result = accepted(await mediator.send(message, input, guardedContextOf(request)), request);
          writtenHeaders(reply, result, readYourWrites);
          const location = `/api/v1/transactions/${result.posting.transaction_id}`;
          return reply.code(201).header('location', location).send(result.posting);
        },
      );
    }

    app.get(
      '/accounts/:id/transactions',
      {
        schema: {
          operationId: 'listAccountTransactions',
          tags,
          summary: "List or search an account's transactions, newest first",
          description: SEARCH_DESCRIPTION,
          params: accountIdFields,
          querystring: transactionListFields,
          response: {
            200: postingPageSchema,
            ...problemResponses([
              'account_not_found',
              'invalid_time',
              'invalid_value',
              'invalid_range',
              'amount_negative',
              ...AMOUNT_CODES,
              'too_short',
              ...PAGE_CODES,
            ]),
          },
        },
      },
      async (request, reply) => {
        const input = { ...request.query, ...request.params };
        return reply.send(
          accepted(await mediator.send(ListAccountTransactions, input, contextOf(request)), request),
        );
      },
    );

    app.get(
      '/accounts/:id/events',
      {
        schema: {
          operationId: 'listAccountEvents',
          tags,
          summary: "An account's raw events, from its stream",
          params: accountIdFields,
          querystring: streamReadFields,
          response: {
            200: eventPageSchema,
            ...problemResponses(['account_not_found', 'invalid_value', ...PAGE_CODES]),
          },
        },
      },
      async (request, reply) => {
        const input = { ...request.query, ...request.params };
        return reply.send(
          accepted(await mediator.send(ListAccountEvents, input, contextOf(request)), request),
        );
      },
    );
  };

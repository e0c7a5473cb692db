/** Routes of transactions: deposit, withdrawal, interest, reversal, and one transaction by its id. */
import type { FastifyReply } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { CreateDeposit } from '../../application/commands/create-deposit.ts';
import { CreateWithdrawal } from '../../application/commands/create-withdrawal.ts';
import { PostInterest } from '../../application/commands/post-interest.ts';
import { type PostingResult, postingFields } from '../../application/commands/record-posting.ts';
import {
  ReverseTransaction,
  reverseTransactionFields,
} from '../../application/commands/reverse-transaction.ts';
import { GetTransaction, transactionIdFields } from '../../application/queries/transactions.ts';
import { accepted, contextOf, type Services, sendDocument, writtenHeaders } from '../messages.ts';
import type { ProblemCode } from '../problem-catalog.ts';
import {
  AMOUNT_CODES,
  BODY_CODES,
  DEBIT_CODES,
  LABEL_CODES,
  READ_CODES,
  STORE_CODES,
  TEXT_CODES,
} from '../problem-groups.ts';
import { problemResponses } from '../schemas/problems.ts';
import { postingSchema } from '../schemas/transactions.ts';
import { transferSchema } from '../schemas/transfers.ts';

const tags = ['transactions'];

const POSTING_CODES: readonly ProblemCode[] = [
  ...BODY_CODES,
  'account_not_found',
  'account_closed',
  'account_of_bank',
  'invalid_id',
  'amount_not_positive',
  ...LABEL_CODES,
  ...AMOUNT_CODES,
  ...TEXT_CODES,
  ...STORE_CODES,
];

const POSTING_ROUTES = [
  ['deposit', CreateDeposit, 'Deposit money', ['account_frozen', 'balance_limit_exceeded']],
  ['withdrawal', CreateWithdrawal, 'Withdraw money, within balance and overdraft', DEBIT_CODES],
  ['interest', PostInterest, 'Post interest that the bank pays', ['balance_limit_exceeded']],
] as const;

export const transactionsController =
  ({ mediator, readYourWrites }: Services): FastifyPluginAsyncZod =>
  async (app) => {
    function sendPosting(reply: FastifyReply, result: PostingResult) {
      writtenHeaders(reply, result, readYourWrites);
      const location = `/api/v1/transactions/${result.posting.transaction_id}`;
      return reply.code(201).header('location', location).send(result.posting);
    }

    for (const [path, message, summary, codes] of POSTING_ROUTES) {
      app.post(
        `/transactions/${path}`,
        {
          schema: {
            operationId: path,
            tags,
            summary,
            body: postingFields,
            response: {
              201: postingSchema.describe('Recorded.'),
              ...problemResponses([...POSTING_CODES, ...codes]),
            },
          },
        },
        async (request, reply) => {
          const result = accepted(await mediator.send(message, request.body, contextOf(request)), request);
          return sendPosting(reply, result);
        },
      );
    }

    app.post(
      '/transactions/:id/reversal',
      {
        config: { readsFirst: true },
        schema: {
          operationId: 'reverseTransaction',
          tags,
          summary: 'Undo a transaction, in full or in part, by an opposite one; of a transfer, both sides',
          params: transactionIdFields,
          body: reverseTransactionFields.omit({ id: true }),
          response: {
            201: postingSchema.describe('Recorded; of a transfer, both sides are.'),
            202: transferSchema.describe(
              'On record, and finished in the background: a store failed meanwhile. Or IN_SUSPENSE.',
            ),
            ...problemResponses([
              ...POSTING_CODES,
              'account_frozen',
              'transaction_not_found',
              'transfer_not_found',
              'not_reversible',
              'already_reversed',
              'reversal_too_late',
              'reversal_exceeds_original',
              'too_many_reversals',
              'insufficient_funds',
              'balance_limit_exceeded',
              ...READ_CODES,
            ]),
          },
        },
      },
      async (request, reply) => {
        const input = { ...request.body, ...request.params };
        const decision = await mediator.send(ReverseTransaction, input, contextOf(request));
        const result = accepted(decision, request);
        if ('posting' in result) return sendPosting(reply, result);
        writtenHeaders(reply, result, readYourWrites);
        reply.header('location', `/api/v1/transfers/${result.transfer.id}`);
        return reply.code(202).send(result.transfer);
      },
    );

    app.get(
      '/transactions/:id',
      {
        schema: {
          operationId: 'getTransaction',
          tags,
          summary: 'Get a transaction',
          params: transactionIdFields,
          response: {
            200: postingSchema,
            ...problemResponses(['transaction_not_found', 'invalid_id', ...READ_CODES]),
          },
        },
      },
      async (request, reply) =>
        sendDocument(
          request,
          reply,
          accepted(await mediator.send(GetTransaction, request.params, contextOf(request)), request),
        ),
    );
  };

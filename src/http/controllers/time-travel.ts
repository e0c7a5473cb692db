/** Routes of accounts as they were: balance and full state at a time or a revision, and what changed between two. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { GetAccountBalance, GetAccountState, pointFields } from '../../application/queries/account-at.ts';
import { changesFields, GetAccountChanges } from '../../application/queries/account-changes.ts';
import { accountIdFields } from '../../application/queries/accounts.ts';
import { accepted, contextOf, type Services } from '../messages.ts';
import { PAGE_CODES, QUERY_CODES, READ_CODES } from '../problem-groups.ts';
import { problemResponses } from '../schemas/problems.ts';
import { accountBalanceSchema, accountChangesSchema, accountMomentSchema } from '../schemas/time-travel.ts';

const tags = ['accounts'];

const POINT_DESCRIPTION = `Without \`at\` and \`revision\` it is the newest. At an instant, the account is what its stream
tells up to, and without, the first event that happened later; an event at exactly the instant counts. Times are those of
the decisions, so they survive a move to another store. An event of a clock that was behind counts from when the event
before it did.`;

const POINT_CODES = [
  'account_not_found',
  'account_not_open_yet',
  'revision_not_found',
  'history_removed',
  'invalid_id',
  'invalid_time',
  'time_in_future',
  'conflicting_fields',
] as const;

export const timeTravelController =
  ({ mediator }: Services): FastifyPluginAsyncZod =>
  async (app) => {
    app.get(
      '/accounts/:id/balance',
      {
        schema: {
          operationId: 'getAccountBalance',
          tags,
          summary: "Get an account's balance now, at a time, or at a revision",
          description: POINT_DESCRIPTION,
          params: accountIdFields,
          querystring: z.strictObject(pointFields),
          response: {
            200: accountBalanceSchema,
            ...problemResponses([...POINT_CODES, ...QUERY_CODES, ...READ_CODES]),
          },
        },
      },
      async (request, reply) => {
        const input = { ...request.query, ...request.params };
        return reply.send(
          accepted(await mediator.send(GetAccountBalance, input, contextOf(request)), request),
        );
      },
    );

    app.get(
      '/accounts/:id/state',
      {
        schema: {
          operationId: 'getAccountState',
          tags,
          summary: 'Get all that decisions on an account know: now, at a time, or at a revision',
          description: POINT_DESCRIPTION,
          params: accountIdFields,
          querystring: z.strictObject(pointFields),
          response: {
            200: accountMomentSchema,
            ...problemResponses([...POINT_CODES, ...QUERY_CODES, ...READ_CODES]),
          },
        },
      },
      async (request, reply) => {
        const input = { ...request.query, ...request.params };
        return reply.send(accepted(await mediator.send(GetAccountState, input, contextOf(request)), request));
      },
    );

    app.get(
      '/accounts/:id/changes',
      {
        schema: {
          operationId: 'getAccountChanges',
          tags,
          summary:
            'What changed in an account between two moments: fields, and the events with what each changed',
          description:
            'Compares the account at `from` with the account at `to`, as `/state` would tell them; the events are those ' +
            'after `from`, up to and including `to`. A `from` before the account was opened compares with nothing.',
          params: accountIdFields,
          querystring: changesFields,
          response: {
            200: accountChangesSchema,
            ...problemResponses([...POINT_CODES, 'invalid_range', ...PAGE_CODES]),
          },
        },
      },
      async (request, reply) => {
        const input = { ...request.query, ...request.params };
        return reply.send(
          accepted(await mediator.send(GetAccountChanges, input, contextOf(request)), request),
        );
      },
    );
  };

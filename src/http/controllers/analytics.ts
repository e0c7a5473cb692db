/** Routes of analytics: figures of an account and of an owner, and for operators those of the bank. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { accountIdFields } from '../../application/queries/accounts.ts';
import {
  analyticsFields,
  currencyAnalyticsFields,
  GetAccountAnalytics,
  GetBankAnalytics,
  GetOwnerAnalytics,
} from '../../application/queries/analytics.ts';
import { personIdFields } from '../../application/queries/persons.ts';
import { accepted, contextOf, type Services } from '../messages.ts';
import { QUERY_CODES, READ_CODES } from '../problem-groups.ts';
import { accountAnalyticsSchema, bankAnalyticsSchema, ownerAnalyticsSchema } from '../schemas/analytics.ts';
import { problemResponses } from '../schemas/problems.ts';

const DESCRIPTION = `A day is a day in UTC, by the time at which each transaction was recorded, as in statements. A date means
the whole day: \`to=2026-01-31\` counts the 31st. A time must be where a day begins, and \`to\` is before it. A transfer counts
on both of its accounts, a reversal as a transaction of its own. Holds move no money; captures do.`;

const RANGE_CODES = [
  'invalid_time',
  'not_a_whole_day',
  'time_in_future',
  'invalid_range',
  'range_too_large',
  'invalid_value',
  ...QUERY_CODES,
  ...READ_CODES,
] as const;

export const analyticsController =
  ({ mediator }: Services): FastifyPluginAsyncZod =>
  async (app) => {
    app.get(
      '/accounts/:id/analytics',
      {
        schema: {
          operationId: 'getAccountAnalytics',
          tags: ['accounts'],
          summary: "An account's totals, averages and flows between two days, by day, week or month",
          description: DESCRIPTION,
          params: accountIdFields,
          querystring: analyticsFields,
          response: {
            200: accountAnalyticsSchema,
            ...problemResponses(['account_not_found', 'account_not_open_yet', 'invalid_id', ...RANGE_CODES]),
          },
        },
      },
      async (request, reply) => {
        const input = { ...request.query, ...request.params };
        return reply.send(
          accepted(await mediator.send(GetAccountAnalytics, input, contextOf(request)), request),
        );
      },
    );

    app.get(
      '/persons/:id/analytics',
      {
        schema: {
          operationId: 'getOwnerAnalytics',
          tags: ['persons'],
          summary: 'The same of all accounts of an owner together, each currency apart',
          description: DESCRIPTION,
          params: personIdFields,
          querystring: currencyAnalyticsFields,
          response: {
            200: ownerAnalyticsSchema,
            ...problemResponses([
              'person_not_found',
              'person_not_registered_yet',
              'invalid_id',
              'unknown_currency',
              ...RANGE_CODES,
            ]),
          },
        },
      },
      async (request, reply) => {
        const input = { ...request.query, ...request.params };
        return reply.send(
          accepted(await mediator.send(GetOwnerAnalytics, input, contextOf(request)), request),
        );
      },
    );
  };

export const bankAnalyticsController =
  ({ mediator }: Services): FastifyPluginAsyncZod =>
  async (app) => {
    app.get(
      '/admin/analytics',
      {
        schema: {
          operationId: 'getBankAnalytics',
          tags: ['operations'],
          summary: 'The same of all accounts of the bank together, each currency apart',
          description: `${DESCRIPTION} The bank's own accounts count too.`,
          querystring: currencyAnalyticsFields,
          response: {
            200: bankAnalyticsSchema,
            ...problemResponses(['unknown_currency', ...RANGE_CODES]),
          },
        },
      },
      async (request, reply) =>
        reply.send(
          accepted(await mediator.send(GetBankAnalytics, request.query, contextOf(request)), request),
        ),
    );
  };

/** Route for operators: replays an account step by step. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { GetAccountReplay, replayFields } from '../../application/queries/account-replay.ts';
import { accountIdFields } from '../../application/queries/accounts.ts';
import { accepted, contextOf, type Services } from '../messages.ts';
import { QUERY_CODES } from '../problem-groups.ts';
import { problemResponses } from '../schemas/problems.ts';
import { accountReplaySchema } from '../schemas/replay.ts';

const CODES = [
  'account_not_found',
  'revision_not_found',
  'invalid_id',
  'invalid_value',
  'invalid_range',
  'invalid_cursor',
] as const;

export const accountReplayController =
  ({ mediator }: Pick<Services, 'mediator'>): FastifyPluginAsyncZod =>
  async (app) => {
    app.get(
      '/admin/accounts/:id/replay',
      {
        schema: {
          operationId: 'getAccountReplay',
          tags: ['operations'],
          summary: "Step through an account's events: what each changed, and where something broke",
          description:
            'Folds the account from its first event on, the archived ones too. An event that cannot be applied is a ' +
            'finding and changes nothing; the replay goes on behind it.',
          params: accountIdFields,
          querystring: replayFields,
          response: {
            200: accountReplaySchema,
            ...problemResponses([...CODES, ...QUERY_CODES, 'store_unavailable']),
          },
        },
      },
      async (request, reply) => {
        const input = { ...request.query, ...request.params };
        return reply.send(
          accepted(await mediator.send(GetAccountReplay, input, contextOf(request)), request),
        );
      },
    );
  };

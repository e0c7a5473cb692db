/** Routes of holds: place, list, get, capture, release. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { CaptureHold, captureHoldFields } from '../../application/commands/capture-hold.ts';
import { PlaceHold, placeHoldFields } from '../../application/commands/place-hold.ts';
import { ReleaseHold } from '../../application/commands/release-hold.ts';
import { accountIdFields } from '../../application/queries/accounts.ts';
import {
  accountHoldFields,
  GetHold,
  holdListFields,
  ListAccountHolds,
} from '../../application/queries/holds.ts';
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
  PAGE_CODES,
  READ_CODES,
  STORE_CODES,
  TEXT_CODES,
} from '../problem-groups.ts';
import { accountStateSchema, guardHeaders } from '../schemas/accounts.ts';
import { holdPageSchema, holdSchema } from '../schemas/holds.ts';
import { problemResponses } from '../schemas/problems.ts';
import { postingSchema } from '../schemas/transactions.ts';

const tags = ['holds'];
const HOLD_CODES = [...GUARDED_CODES, 'hold_not_found', 'hold_not_open'] as const;

export const holdsController =
  ({ mediator, readYourWrites }: Services): FastifyPluginAsyncZod =>
  async (app) => {
    app.post(
      '/accounts/:id/holds',
      {
        schema: {
          operationId: 'placeHold',
          tags,
          summary: 'Set money aside',
          params: accountIdFields,
          headers: guardHeaders,
          body: placeHoldFields.omit({ account_id: true }),
          response: {
            201: holdSchema.describe('Placed.'),
            ...problemResponses([
              ...BODY_CODES,
              ...GUARDED_CODES,
              ...DEBIT_CODES,
              'too_many_holds',
              'invalid_time',
              'expiry_not_in_future',
              'expiry_too_late',
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
        const result = accepted(await mediator.send(PlaceHold, input, guardedContextOf(request)), request);
        writtenHeaders(reply, result, readYourWrites);
        const { account_id, id } = result.hold;
        const location = `/api/v1/accounts/${account_id}/holds/${id}`;
        return reply.code(201).header('location', location).send(result.hold);
      },
    );

    app.get(
      '/accounts/:id/holds',
      {
        schema: {
          operationId: 'listAccountHolds',
          tags,
          summary: "List an account's holds, newest first",
          params: accountIdFields,
          querystring: holdListFields,
          response: {
            200: holdPageSchema,
            ...problemResponses(['account_not_found', 'invalid_value', ...PAGE_CODES]),
          },
        },
      },
      async (request, reply) => {
        const input = { ...request.query, ...request.params };
        return reply.send(
          accepted(await mediator.send(ListAccountHolds, input, contextOf(request)), request),
        );
      },
    );

    app.get(
      '/accounts/:id/holds/:hold_id',
      {
        schema: {
          operationId: 'getHold',
          tags,
          summary: 'Get a hold',
          params: accountHoldFields,
          response: {
            200: holdSchema,
            ...problemResponses(['account_not_found', 'hold_not_found', 'invalid_id', ...READ_CODES]),
          },
        },
      },
      async (request, reply) => {
        const decision = await mediator.send(GetHold, request.params, contextOf(request));
        const { hold, settled } = accepted(decision, request);
        return sendDocument(request, reply, hold, settled);
      },
    );

    app.post(
      '/accounts/:id/holds/:hold_id/capture',
      {
        schema: {
          operationId: 'captureHold',
          tags,
          summary: 'Take what is held, or a part of it, out of the account',
          params: accountHoldFields,
          headers: guardHeaders,
          body: captureHoldFields.omit({ account_id: true, hold_id: true }),
          response: {
            201: postingSchema.describe('Captured; what was not is available again.'),
            ...problemResponses([
              ...BODY_CODES,
              ...HOLD_CODES,
              'account_frozen',
              'capture_exceeds_hold',
              'amount_not_positive',
              ...AMOUNT_CODES,
              ...TEXT_CODES,
              ...STORE_CODES,
            ]),
          },
        },
      },
      async (request, reply) => {
        const { id: account_id, hold_id } = request.params;
        const input = { ...request.body, account_id, hold_id };
        const result = accepted(await mediator.send(CaptureHold, input, guardedContextOf(request)), request);
        writtenHeaders(reply, result, readYourWrites);
        const location = `/api/v1/transactions/${result.posting.transaction_id}`;
        return reply.code(201).header('location', location).send(result.posting);
      },
    );

    app.post(
      '/accounts/:id/holds/:hold_id/release',
      {
        schema: {
          operationId: 'releaseHold',
          tags,
          summary: 'Make what is held available again',
          params: accountHoldFields,
          headers: guardHeaders,
          response: {
            200: accountStateSchema.describe('Released.'),
            ...problemResponses([
              'invalid_idempotency_key',
              'idempotency_conflict',
              ...HOLD_CODES,
              ...STORE_CODES,
            ]),
          },
        },
      },
      async (request, reply) => {
        const { id: account_id, hold_id } = request.params;
        const result = accepted(
          await mediator.send(ReleaseHold, { account_id, hold_id }, guardedContextOf(request)),
          request,
        );
        return writtenHeaders(reply, result, readYourWrites).send(result.account);
      },
    );
  };

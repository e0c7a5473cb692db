/** Routes of persons: register, get, list, and an owner's summary. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { personFields, RegisterPerson } from '../../application/commands/register-person.ts';
import { pageFields } from '../../application/queries/paging.ts';
import {
  GetOwnerSummary,
  GetPerson,
  ListPersons,
  personIdFields,
} from '../../application/queries/persons.ts';
import type { Person } from '../../domain/person.ts';
import { accepted, contextOf, type Services, sendDocument, writtenHeaders } from '../messages.ts';
import { BODY_CODES, QUERY_CODES, READ_CODES, STORE_CODES } from '../problem-groups.ts';
import { ownerSummarySchema, personPageSchema, personSchema } from '../schemas/persons.ts';
import { problemResponses } from '../schemas/problems.ts';

const tags = ['persons'];

export const personsController =
  ({ mediator, readYourWrites }: Services): FastifyPluginAsyncZod =>
  async (app) => {
    app.post(
      '/persons',
      {
        schema: {
          operationId: 'registerPerson',
          tags,
          summary: 'Register a person',
          body: personFields,
          response: {
            201: personSchema.describe('Registered.'),
            ...problemResponses([
              ...BODY_CODES,
              'birth_date_in_future',
              'birth_date_too_early',
              'invalid_date',
              'invalid_value',
              'invalid_format',
              'invalid_text',
              'too_short',
              'too_long',
              ...STORE_CODES,
            ]),
          },
        },
      },
      async (request, reply) => {
        const decision = await mediator.send(RegisterPerson, request.body as Person, contextOf(request));
        const result = accepted(decision, request);
        writtenHeaders(reply, result, readYourWrites);
        return reply.code(201).header('location', `/api/v1/persons/${result.person.id}`).send(result.person);
      },
    );

    app.get(
      '/persons',
      {
        schema: {
          operationId: 'listPersons',
          tags,
          summary: 'List persons, oldest registration first',
          querystring: z.strictObject(pageFields),
          response: {
            200: personPageSchema,
            ...problemResponses([...QUERY_CODES, 'invalid_cursor', ...READ_CODES]),
          },
        },
      },
      async (request, reply) =>
        reply.send(accepted(await mediator.send(ListPersons, request.query, contextOf(request)), request)),
    );

    app.get(
      '/persons/:id',
      {
        schema: {
          operationId: 'getPerson',
          tags,
          summary: 'Get a person',
          params: personIdFields,
          response: {
            200: personSchema,
            ...problemResponses(['person_not_found', 'invalid_id', ...READ_CODES]),
          },
        },
      },
      async (request, reply) =>
        sendDocument(
          request,
          reply,
          accepted(await mediator.send(GetPerson, request.params, contextOf(request)), request),
        ),
    );

    app.get(
      '/persons/:id/summary',
      {
        schema: {
          operationId: 'getOwnerSummary',
          tags,
          summary: "An owner's accounts and balances in figures",
          params: personIdFields,
          response: {
            200: ownerSummarySchema,
            ...problemResponses(['person_not_found', 'invalid_id', ...READ_CODES]),
          },
        },
      },
      async (request, reply) =>
        reply.send(
          accepted(await mediator.send(GetOwnerSummary, request.params, contextOf(request)), request),
        ),
    );
  };

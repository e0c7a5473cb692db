/** Routes for operators: how the projections are, and rebuilds, pauses and their ends. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import {
  CancelRebuild,
  PauseProjection,
  type ProjectionAction,
  projectionNameFields,
  RebuildProjection,
  ResumeProjection,
} from '../../application/commands/projection-requests.ts';
import { accepted, contextOf, type Services } from '../messages.ts';
import type { ProblemCode } from '../problem-catalog.ts';
import { STORE_CODES } from '../problem-groups.ts';
import { problemResponses } from '../schemas/problems.ts';
import { projectionListSchema, projectionRequestSchema } from '../schemas/projections.ts';

const tags = ['operations'];

interface Route {
  readonly action: ProjectionAction;
  readonly operationId: string;
  readonly summary: string;
  readonly message: typeof RebuildProjection;
  readonly codes: readonly ProblemCode[];
}

const ROUTES: readonly Route[] = [
  {
    action: 'pause',
    operationId: 'pauseProjection',
    summary: 'Let a projection and its group stand still, its rebuild too',
    message: PauseProjection,
    codes: ['projection_paused'],
  },
  {
    action: 'rebuild',
    operationId: 'rebuildProjection',
    summary: 'Fill a projection and its group anew beside what is served, and swap when it has caught up',
    message: RebuildProjection,
    codes: ['rebuild_in_progress'],
  },
  {
    action: 'cancel',
    operationId: 'cancelRebuild',
    summary: 'Give up a rebuild; what is served stays',
    message: CancelRebuild,
    codes: ['no_rebuild', 'rebuild_required'],
  },
  {
    action: 'resume',
    operationId: 'resumeProjection',
    summary: 'Let a paused projection and its group go on',
    message: ResumeProjection,
    codes: ['projection_not_paused'],
  },
];

export const projectionsController =
  ({ mediator, projections }: Pick<Services, 'mediator' | 'projections'>): FastifyPluginAsyncZod =>
  async (app) => {
    app.get(
      '/admin/projections',
      {
        schema: {
          operationId: 'listProjections',
          tags,
          summary: 'List the projections: what is served, how far it is, and rebuilds under way',
          response: { 200: projectionListSchema, ...problemResponses(['store_unavailable']) },
        },
      },
      async (_request, reply) => reply.send({ items: await projections() }),
    );

    for (const { action, operationId, summary, message, codes } of ROUTES) {
      app.post(
        `/admin/projections/:name/${action}`,
        {
          schema: {
            operationId,
            tags,
            summary,
            params: projectionNameFields,
            response: {
              202: projectionRequestSchema.describe('On record; whoever leads the projections acts on it.'),
              ...problemResponses([
                'projection_not_found',
                'projection_not_led',
                'too_long',
                ...codes,
                ...STORE_CODES,
              ]),
            },
          },
        },
        async (request, reply) => {
          const decision = await mediator.send(message, request.params, contextOf(request));
          return reply.code(202).send(accepted(decision, request).request);
        },
      );
    }
  };

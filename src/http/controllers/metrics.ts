/** The route that Prometheus scrapes. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { HttpMetrics } from '../metrics.ts';
import { metricsPageSchema } from '../schemas/status.ts';

export const metricsController =
  ({ metrics }: { readonly metrics: Pick<HttpMetrics, 'page'> }): FastifyPluginAsyncZod =>
  async (app) => {
    app.get(
      '/metrics',
      {
        schema: {
          operationId: 'metrics',
          tags: ['operations'],
          summary: 'Figures for Prometheus, in its text format',
          response: { 200: { content: { 'text/plain': { schema: metricsPageSchema } } } },
        },
      },
      async (_request, reply) => {
        const { contentType, text } = await metrics.page();
        return reply.type(contentType).send(text);
      },
    );
  };

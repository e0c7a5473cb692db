/** Reads say which projections are served as an older version of the program left them. */
import type { FastifyInstance } from 'fastify';
import type { Services } from './messages.ts';

/** The names of those projections, with commas; absent while there are none. */
const HEADER = 'x-read-model-stale';

export function installStaleMark(app: FastifyInstance, staleProjections: Services['staleProjections']): void {
  app.addHook('preHandler', async (request, reply) => {
    if (request.method !== 'GET') return;
    const stale = await staleProjections();
    if (stale.length > 0) reply.header(HEADER, stale.join(', '));
  });
}

/** A read that carries `x-consistency-token` is answered only when the read models have seen that write. */
import type { FastifyInstance } from 'fastify';
import type { ReadYourWrites } from '../event-sourcing/read-your-writes.ts';
import { ProblemException, problem } from './problems.ts';

/** The longest that a read waits, in milliseconds; a projector that is well needs a few. */
const WAIT_MS_MAX = 2_000;

const READS: ReadonlySet<string> = new Set(['GET', 'HEAD']);

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The command begins with a look at the read models, so it may have to wait for them too. */
    readsFirst?: boolean;
  }
}

export function installConsistencyTokens(app: FastifyInstance, readYourWrites: ReadYourWrites): void {
  app.addHook('preHandler', (request, _reply, done) => {
    const token = request.headers['x-consistency-token'];
    const reads = READS.has(request.method) || request.routeOptions.config.readsFirst;
    if (token === undefined || !reads) return done();
    waitFor(String(token), readYourWrites).then(() => done(), done);
  });
}

async function waitFor(token: string, readYourWrites: ReadYourWrites): Promise<void> {
  const position = readYourWrites.parse(token);
  if (position === 'malformed') throw new ProblemException(problem('invalid_consistency_token'));
  if (position === 'of_another_store') throw new ProblemException(problem('foreign_consistency_token'));
  if (await readYourWrites.isBeyondTheLog(position)) {
    throw new ProblemException(problem('invalid_consistency_token'));
  }
  if (!(await readYourWrites.waitFor(position, WAIT_MS_MAX))) {
    throw new ProblemException(problem('read_model_behind'));
  }
}

/** Builds the HTTP application; it does not listen, so tests can talk to it through `inject`. */
import type { Server } from 'node:http';
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { z } from 'zod';
import { checkInput } from '../application/fields.ts';
import { installConsistencyTokens } from './consistency.ts';
import { accountChangesController } from './controllers/account-changes.ts';
import { accountReplayController } from './controllers/account-replay.ts';
import { accountsController } from './controllers/accounts.ts';
import { analyticsController, bankAnalyticsController } from './controllers/analytics.ts';
import { archiveController } from './controllers/archive.ts';
import { backupsController } from './controllers/backups.ts';
import { batchesController } from './controllers/batches.ts';
import { cloudEventsController } from './controllers/cloud-events.ts';
import { deadLettersController } from './controllers/dead-letters.ts';
import { healthController } from './controllers/health.ts';
import { holdsController } from './controllers/holds.ts';
import { metricsController } from './controllers/metrics.ts';
import { operationsController } from './controllers/operations.ts';
import { parkedCloudEventsController } from './controllers/parked-cloud-events.ts';
import { pastProjectionsController } from './controllers/past-projections.ts';
import { personsController } from './controllers/persons.ts';
import { projectionsController } from './controllers/projections.ts';
import { snapshotsController } from './controllers/snapshots.ts';
import { statementsController } from './controllers/statements.ts';
import { streamHealthController } from './controllers/stream-health.ts';
import { suspenseAccountsController } from './controllers/suspense-accounts.ts';
import { timeTravelController } from './controllers/time-travel.ts';
import { transactionsController } from './controllers/transactions.ts';
import { transferListController, transfersController } from './controllers/transfers.ts';
import { answerClientError, answerUnreadableUrl, installErrorHandler } from './error-handler.ts';
import { installJsonBody } from './json-body.ts';
import type { Services } from './messages.ts';
import { type HttpMetrics, installHttpMetrics, measure } from './metrics.ts';
import { type ExampleIds, installOpenApi } from './openapi.ts';
import { type InputPlace, inputProblem, ProblemException, problem, sendProblem } from './problems.ts';
import { installStaleMark } from './stale-mark.ts';

/** The largest body, in bytes: every request of this API is far smaller. */
const BODY_BYTES_MAX = 64 * 1024;
const REQUEST_TIMEOUT_MS = 30_000;
/** How long a closing service waits for its last answers; a read that waits for the read models takes less. */
const LAST_ANSWERS_MS_MAX = 3_000;
const HANG_UP_EVERY_MS = 20;
/** Characters of an id in the URL that the router hands on; the route's schema says what is wrong with a long one. */
const PARAMETER_LENGTH_MAX = 16 * 1024;
const CLIENT_REQUEST_ID = /^[\w.:-]{1,100}$/;

export interface AppOptions extends Services {
  readonly version: string;
  readonly logger: FastifyBaseLogger;
  readonly newId: () => string;
  readonly newestIds: ExampleIds;
  readonly metrics: HttpMetrics;
}

export type WorkerAppOptions = Pick<AppOptions, 'logger' | 'newId' | 'metrics' | 'status' | 'readiness'>;

export async function buildApp(options: AppOptions): Promise<FastifyInstance> {
  const { version, readYourWrites } = options;
  const app = createApp(options);
  await installOpenApi(app, version, options.newestIds);
  await app.register(
    async (api) => {
      installConsistencyTokens(api, readYourWrites);
      installStaleMark(api, options.staleProjections);
      await api.register(personsController(options));
      await api.register(accountsController(options));
      await api.register(accountChangesController(options));
      await api.register(holdsController(options));
      await api.register(statementsController(options));
      await api.register(timeTravelController(options));
      await api.register(analyticsController(options));
      await api.register(transactionsController(options));
      await api.register(transfersController(options));
      await api.register(batchesController(options));
      await api.register(cloudEventsController(options));
    },
    { prefix: '/api/v1' },
  );
  await app.register(healthController(options));
  await app.register(metricsController(options));
  await app.register(operationsController(options));
  await app.register(streamHealthController(options));
  await app.register(snapshotsController(options));
  await app.register(accountReplayController(options));
  await app.register(archiveController(options));
  await app.register(projectionsController(options));
  await app.register(deadLettersController(options));
  await app.register(parkedCloudEventsController(options));
  await app.register(backupsController(options));
  await app.register(pastProjectionsController(options));
  await app.register(transferListController(options));
  await app.register(suspenseAccountsController(options));
  await app.register(async (admin) => {
    installConsistencyTokens(admin, readYourWrites);
    installStaleMark(admin, options.staleProjections);
    await admin.register(bankAnalyticsController(options));
  });
  return app;
}

/** The application of a process that is only a worker. */
export async function buildWorkerApp(options: WorkerAppOptions): Promise<FastifyInstance> {
  const app = createApp(options);
  await app.register(healthController(options));
  await app.register(metricsController(options));
  return app;
}

/** What every application has in common: limits, input checks, problems, a graceful end. */
function createApp({ logger, newId, metrics }: Pick<AppOptions, 'logger' | 'newId' | 'metrics'>) {
  const app = Fastify({
    loggerInstance: logger,
    // The request id goes into each log line by name: a logger of its own for each request would cost more.
    childLoggerFactory: (parent) => parent,
    logController: new LogController({ disableRequestLogging: true }),
    routerOptions: { maxParamLength: PARAMETER_LENGTH_MAX },
    frameworkErrors: (error, request, reply) => {
      measure(request, reply, metrics.requests);
      answerUnreadableUrl(error, request, reply);
    },
    clientErrorHandler: answerClientError,
    bodyLimit: BODY_BYTES_MAX,
    requestTimeout: REQUEST_TIMEOUT_MS,
    requestIdHeader: false,
    return503OnClosing: false,
    genReqId: (request) => {
      const sent = request.headers['x-request-id'];
      return typeof sent === 'string' && CLIENT_REQUEST_ID.test(sent) ? sent : newId();
    },
  }).withTypeProvider<ZodTypeProvider>();
  app.setValidatorCompiler(({ schema, httpPart }) => validator(schema as z.ZodType, httpPart));
  // Answers are built by typed code and held to their schemas by the tests: no second check on every request.
  app.setSerializerCompiler(() => JSON.stringify);
  installJsonBody(app);
  installErrorHandler(app);
  installHttpMetrics(app, metrics.requests);
  let closing = false;
  app.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id);
    if (closing) sendProblem(reply.header('connection', 'close'), problem('shutting_down'));
    else done();
  });
  app.addHook('preClose', (done) => {
    closing = true;
    if (app.server.listening) hangUp(app.server);
    done();
  });
  return app;
}

/**
 * Closes connections as they become idle, because their clients would keep them open after the answer they waited for;
 * at last also those that never asked anything.
 */
function hangUp(server: Server): void {
  const startedAt = Date.now();
  const timer = setInterval(() => {
    if (Date.now() - startedAt < LAST_ANSWERS_MS_MAX) server.closeIdleConnections();
    else server.closeAllConnections();
  }, HANG_UP_EVERY_MS);
  server.once('close', () => clearInterval(timer));
}

const PLACES: Readonly<Record<string, InputPlace>> = { body: 'body', params: 'path', querystring: 'query' };

/** Fastify's validator made of a zod schema; what is wrong becomes a problem that points at the field. */
function validator(schema: z.ZodType, httpPart: string | undefined) {
  const place = PLACES[httpPart ?? ''] ?? 'body';
  return (value: unknown) => {
    if (place === 'body' && (value === undefined || value === null)) {
      return { error: new ProblemException(problem('missing_body')) };
    }
    const checked = checkInput(schema, value);
    if (checked.ok) return { value: checked.value };
    return { error: new ProblemException(inputProblem(checked.problems, place)) };
  };
}

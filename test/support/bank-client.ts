/** Speaks to a bank over HTTP and holds every answer, right or wrong, to what the API promises about it. */
import { expect } from 'vitest';
import { z } from 'zod';
import { isProblemCode, PROBLEM_CATALOG } from '../../src/http/problem-catalog.ts';
import { accountPageSchema, accountSchema, accountStateSchema } from '../../src/http/schemas/accounts.ts';
import {
  accountAnalyticsSchema,
  bankAnalyticsSchema,
  ownerAnalyticsSchema,
} from '../../src/http/schemas/analytics.ts';
import { archiveRunSchema, archiveSchema } from '../../src/http/schemas/archive.ts';
import { backupListSchema, backupStartedSchema } from '../../src/http/schemas/backups.ts';
import { batchAnswerSchema } from '../../src/http/schemas/batches.ts';
import {
  dataSchemaSchema,
  intakeAnswerSchema,
  parkedCloudEventsSchema,
  parkedRequestSchema,
} from '../../src/http/schemas/cloud-events.ts';
import { deadLetterRequestSchema, deadLettersSchema } from '../../src/http/schemas/dead-letters.ts';
import { holdPageSchema, holdSchema, holdSweepSchema } from '../../src/http/schemas/holds.ts';
import { interestStepSchema } from '../../src/http/schemas/interest.ts';
import {
  pastDocumentPageSchema,
  pastDocumentSchema,
  pastProjectionListSchema,
  pastProjectionSchema,
} from '../../src/http/schemas/past-projections.ts';
import { ownerSummarySchema, personPageSchema, personSchema } from '../../src/http/schemas/persons.ts';
import { problemSchema } from '../../src/http/schemas/problems.ts';
import { projectionListSchema, projectionRequestSchema } from '../../src/http/schemas/projections.ts';
import { accountReplaySchema } from '../../src/http/schemas/replay.ts';
import { snapshotListSchema, snapshotTakenSchema } from '../../src/http/schemas/snapshots.ts';
import { statementSchema } from '../../src/http/schemas/statements.ts';
import { metricsPageSchema, readinessSchema, statusSchema } from '../../src/http/schemas/status.ts';
import {
  streamHealthSummarySchema,
  streamStatePageSchema,
  wholeStreamStateSchema,
} from '../../src/http/schemas/stream-health.ts';
import { eventPageSchema, streamPageSchema } from '../../src/http/schemas/streams.ts';
import {
  accountBalanceSchema,
  accountChangesSchema,
  accountMomentSchema,
} from '../../src/http/schemas/time-travel.ts';
import { postingPageSchema, postingSchema } from '../../src/http/schemas/transactions.ts';
import { transferPageSchema, transferSchema } from '../../src/http/schemas/transfers.ts';

const livenessSchema = z.strictObject({ status: z.literal('live') });
const problemKindSchema = z.strictObject({
  code: z.string(),
  status: z.int(),
  title: z.string(),
  meaning: z.string(),
});

/** Every operation by its id: method, path, status and shape of the answer when all goes well. */
export const OPERATIONS = {
  registerPerson: ['POST', '/api/v1/persons', 201, personSchema],
  listPersons: ['GET', '/api/v1/persons', 200, personPageSchema],
  getPerson: ['GET', '/api/v1/persons/{id}', 200, personSchema],
  getOwnerSummary: ['GET', '/api/v1/persons/{id}/summary', 200, ownerSummarySchema],
  getOwnerAnalytics: ['GET', '/api/v1/persons/{id}/analytics', 200, ownerAnalyticsSchema],
  createAccount: ['POST', '/api/v1/accounts', 201, accountStateSchema],
  listAccounts: ['GET', '/api/v1/accounts', 200, accountPageSchema],
  getAccountsByOwner: ['GET', '/api/v1/accounts/by-owner/{owner_id}', 200, accountPageSchema],
  getAccount: ['GET', '/api/v1/accounts/{id}', 200, accountSchema],
  depositOnAccount: ['POST', '/api/v1/accounts/{id}/deposit', 201, postingSchema],
  withdrawOnAccount: ['POST', '/api/v1/accounts/{id}/withdraw', 201, postingSchema],
  changeOverdraftLimit: ['PUT', '/api/v1/accounts/{id}/overdraft-limit', 200, accountStateSchema],
  changeLimits: ['PUT', '/api/v1/accounts/{id}/limits', 200, accountStateSchema],
  changeTerms: ['PUT', '/api/v1/accounts/{id}/terms', 200, accountStateSchema],
  freezeAccount: ['POST', '/api/v1/accounts/{id}/freeze', 200, accountStateSchema],
  unfreezeAccount: ['POST', '/api/v1/accounts/{id}/unfreeze', 200, accountStateSchema],
  closeAccount: ['POST', '/api/v1/accounts/{id}/close', 200, accountStateSchema],
  placeHold: ['POST', '/api/v1/accounts/{id}/holds', 201, holdSchema],
  listAccountHolds: ['GET', '/api/v1/accounts/{id}/holds', 200, holdPageSchema],
  getHold: ['GET', '/api/v1/accounts/{id}/holds/{hold_id}', 200, holdSchema],
  captureHold: ['POST', '/api/v1/accounts/{id}/holds/{hold_id}/capture', 201, postingSchema],
  releaseHold: ['POST', '/api/v1/accounts/{id}/holds/{hold_id}/release', 200, accountStateSchema],
  listAccountTransactions: ['GET', '/api/v1/accounts/{id}/transactions', 200, postingPageSchema],
  getStatement: ['GET', '/api/v1/accounts/{id}/statements/{month}', 200, statementSchema],
  getAccountBalance: ['GET', '/api/v1/accounts/{id}/balance', 200, accountBalanceSchema],
  getAccountState: ['GET', '/api/v1/accounts/{id}/state', 200, accountMomentSchema],
  getAccountChanges: ['GET', '/api/v1/accounts/{id}/changes', 200, accountChangesSchema],
  getAccountAnalytics: ['GET', '/api/v1/accounts/{id}/analytics', 200, accountAnalyticsSchema],
  listAccountEvents: ['GET', '/api/v1/accounts/{id}/events', 200, eventPageSchema],
  deposit: ['POST', '/api/v1/transactions/deposit', 201, postingSchema],
  withdrawal: ['POST', '/api/v1/transactions/withdrawal', 201, postingSchema],
  interest: ['POST', '/api/v1/transactions/interest', 201, postingSchema],
  reverseTransaction: ['POST', '/api/v1/transactions/{id}/reversal', 201, postingSchema],
  transfer: ['POST', '/api/v1/transactions/transfer', 201, transferSchema],
  postBatch: ['POST', '/api/v1/transactions/batch', 200, batchAnswerSchema],
  getTransfer: ['GET', '/api/v1/transfers/{id}', 200, transferSchema],
  listTransfers: ['GET', '/admin/transfers', 200, transferPageSchema],
  getBankAnalytics: ['GET', '/admin/analytics', 200, bankAnalyticsSchema],
  listSuspenseAccounts: ['GET', '/admin/suspense-accounts', 200, accountPageSchema],
  payOutSuspense: ['POST', '/admin/suspense-accounts/{currency}/payouts', 201, transferSchema],
  getTransaction: ['GET', '/api/v1/transactions/{id}', 200, postingSchema],
  receiveCloudEvents: ['POST', '/api/v1/cloud-events', 200, intakeAnswerSchema],
  getCloudEventSchema: ['GET', '/api/v1/cloud-events/schemas/{type}', 200, dataSchemaSchema],
  listParkedCloudEvents: ['GET', '/admin/cloud-events/parked', 200, parkedCloudEventsSchema],
  replayParkedCloudEvents: ['POST', '/admin/cloud-events/parked/replay', 202, parkedRequestSchema],
  discardParkedCloudEvents: ['POST', '/admin/cloud-events/parked/discard', 202, parkedRequestSchema],
  live: ['GET', '/health/live', 200, livenessSchema],
  ready: ['GET', '/health/ready', 200, readinessSchema],
  metrics: ['GET', '/metrics', 200, metricsPageSchema],
  status: ['GET', '/admin/status', 200, statusSchema],
  listProjections: ['GET', '/admin/projections', 200, projectionListSchema],
  rebuildProjection: ['POST', '/admin/projections/{name}/rebuild', 202, projectionRequestSchema],
  cancelRebuild: ['POST', '/admin/projections/{name}/cancel', 202, projectionRequestSchema],
  pauseProjection: ['POST', '/admin/projections/{name}/pause', 202, projectionRequestSchema],
  resumeProjection: ['POST', '/admin/projections/{name}/resume', 202, projectionRequestSchema],
  listDeadLetters: ['GET', '/admin/dead-letters', 200, deadLettersSchema],
  retryDeadLetters: ['POST', '/admin/dead-letters/retry', 202, deadLetterRequestSchema],
  retryDeadLetter: ['POST', '/admin/dead-letters/{id}/retry', 202, deadLetterRequestSchema],
  discardDeadLetter: ['POST', '/admin/dead-letters/{id}/discard', 202, deadLetterRequestSchema],
  startBackup: ['POST', '/admin/backups', 202, backupStartedSchema],
  listBackups: ['GET', '/admin/backups', 200, backupListSchema],
  startPastProjection: ['POST', '/admin/past-projections', 202, pastProjectionSchema],
  listPastProjections: ['GET', '/admin/past-projections', 200, pastProjectionListSchema],
  getPastProjection: ['GET', '/admin/past-projections/{id}', 200, pastProjectionSchema],
  listPastDocuments: ['GET', '/admin/past-projections/{id}/documents', 200, pastDocumentPageSchema],
  getPastDocument: ['GET', '/admin/past-projections/{id}/documents/{key}', 200, pastDocumentSchema],
  removePastProjection: ['DELETE', '/admin/past-projections/{id}', 204, z.null()],
  listStreams: ['GET', '/admin/streams', 200, streamPageSchema],
  readStream: ['GET', '/admin/streams/{name}', 200, eventPageSchema],
  getStreamHealthSummary: ['GET', '/admin/stream-health', 200, streamHealthSummarySchema],
  listStreamHealth: ['GET', '/admin/stream-health/streams', 200, streamStatePageSchema],
  listOrphanTransfers: ['GET', '/admin/stream-health/orphan-transfers', 200, transferPageSchema],
  getStreamHealth: ['GET', '/admin/streams/{name}/health', 200, wholeStreamStateSchema],
  postMonth: ['POST', '/admin/interest-runs', 200, interestStepSchema],
  takeSnapshot: ['POST', '/admin/accounts/{id}/snapshots', 200, snapshotTakenSchema],
  listSnapshots: ['GET', '/admin/accounts/{id}/snapshots', 200, snapshotListSchema],
  getAccountReplay: ['GET', '/admin/accounts/{id}/replay', 200, accountReplaySchema],
  startArchiveRun: ['POST', '/admin/archive-runs', 202, archiveRunSchema],
  getArchive: ['GET', '/admin/archive', 200, archiveSchema],
  expireHolds: ['POST', '/admin/holds/expire', 200, holdSweepSchema],
  explainProblem: ['GET', '/problems/{code}', 200, problemKindSchema],
} as const satisfies Record<string, readonly [string, string, number, z.ZodType]>;

export type OperationId = keyof typeof OPERATIONS;
type BodyOf<K extends OperationId> = z.output<(typeof OPERATIONS)[K][3]>;
export type Problem = z.output<typeof problemSchema>;

/** `raw` is a body as it goes over the wire; `body` is sent as JSON. */
export interface CallOptions {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string | number | undefined>> | string;
  readonly body?: unknown;
  readonly raw?: string | Uint8Array<ArrayBuffer>;
  readonly headers?: Readonly<Record<string, string>>;
  /** The consistency token of a write that the answer must show. */
  readonly token?: string;
}

interface Head {
  readonly status: number;
  readonly headers: Headers;
  readonly etag: string | null;
  /** Empty after a read, and after a command that had nothing to change. */
  readonly token: string;
}

export interface Answer<T> extends Head {
  readonly ok: true;
  readonly body: T;
}

export interface Refusal extends Head {
  readonly ok: false;
  readonly problem: Problem;
}

/** Codes that come before a request has found its route, so that no operation documents them. */
const CODES_OF_NO_ROUTE: readonly string[] = ['route_not_found', 'malformed_request', 'headers_too_large'];
const NO_REQUEST: readonly number[] = [408, 431];
const WAITS_MAX = 5;
const REQUEST_MS_MAX = 15_000;

export class BankClient {
  readonly url: string;
  #documented: Promise<Map<string, readonly string[]>> | undefined;

  constructor(url: string) {
    this.url = url;
  }

  /** The answer of an operation that must succeed. */
  async call<K extends OperationId>(operation: K, options: CallOptions = {}): Promise<Answer<BodyOf<K>>> {
    let outcome = await this.try(operation, options);
    // On a machine that is busy with other things the read models may need more than one wait.
    for (let tries = 1; tries < WAITS_MAX && isBehind(outcome); tries += 1) {
      outcome = await this.try(operation, options);
    }
    if (!outcome.ok) throw new Error(`${operation} was refused: ${JSON.stringify(outcome.problem)}`);
    return outcome;
  }

  /** The refusal of an operation that must fail. */
  async refused(operation: OperationId, options: CallOptions = {}): Promise<Refusal> {
    const outcome = await this.try(operation, options);
    if (outcome.ok)
      throw new Error(
        `${operation} went through (${outcome.status}): ${JSON.stringify(outcome.body).slice(0, 300)}`,
      );
    return outcome;
  }

  /** Either outcome. Anything that is neither what the API promises nor a documented problem fails the test. */
  async try<K extends OperationId>(
    operation: K,
    options: CallOptions = {},
  ): Promise<Answer<BodyOf<K>> | Refusal> {
    const [method, template, status, schema] = OPERATIONS[operation];
    const path = template.replace(/\{(\w+)\}/g, (_, name: string) =>
      encodeURIComponent(options.params?.[name] ?? ''),
    );
    const response = await this.fetch(method, path, options);
    if (response.status !== status && !isUnderWay(operation, response))
      return this.#refusal(operation, response);
    const body = schema.parse(await bodyOf(response, schema)) as BodyOf<K>;
    expectAmounts(body);
    if (method !== 'GET' && path.startsWith('/api/')) expectHeadersOfWrite(response, body);
    return { ok: true, body, ...headOf(response) };
  }

  /** Any request, without a look at its answer. */
  fetch(method: string, path: string, options: CallOptions = {}): Promise<Response> {
    const { query, body, raw, headers = {}, token } = options;
    const sent = raw ?? (body === undefined ? undefined : JSON.stringify(body));
    const url = `${this.url}${path}${query === undefined ? '' : `?${queryOf(query)}`}`;
    return fetch(url, {
      method,
      headers: {
        // Bytes go out without a type of their own, so that a test can leave it out.
        ...(sent === undefined || sent instanceof Uint8Array ? {} : { 'content-type': 'application/json' }),
        ...(token ? { 'x-consistency-token': token } : {}),
        ...headers,
      },
      ...(sent === undefined ? {} : { body: sent }),
      signal: AbortSignal.timeout(REQUEST_MS_MAX),
    });
  }

  /** Checks that an answer is a problem as the catalog has it; `operation` must document it. */
  async problemOf(response: Response, operation?: OperationId): Promise<Problem> {
    const problem = problemSchema.parse(await jsonOf(response, 'application/problem+json'));
    const { code, status, type, title } = problem;
    if (!isProblemCode(code)) throw new Error(`${code} is not in the catalog`);
    expect({ status, title, type }).toEqual({
      status: response.status,
      title: PROBLEM_CATALOG[code].title,
      type: `/problems/${code}`,
    });
    expect(response.status).toBe(PROBLEM_CATALOG[code].status);
    for (const error of problem.errors ?? []) expect(PROBLEM_CATALOG).toHaveProperty(error.code);
    expect(JSON.stringify(problem)).not.toMatch(/\bat \S+ \(|\.ts:\d|node_modules/);
    if (operation && !CODES_OF_NO_ROUTE.includes(code)) {
      const documented = (await this.#documentation()).get(`${operation} ${response.status}`);
      expect(documented, `${operation} may answer ${response.status}`).toContain(code);
    }
    return problem;
  }

  async #refusal(operation: OperationId, response: Response): Promise<Refusal> {
    return { ok: false, problem: await this.problemOf(response, operation), ...headOf(response) };
  }

  /** Which codes the served document lists, by operation and status. */
  #documentation(): Promise<Map<string, readonly string[]>> {
    this.#documented ??= this.fetch('GET', '/api/docs/json').then(async (response) =>
      codesByOperation(documentSchema.parse(await response.json())),
    );
    return this.#documented;
  }
}

/** A transfer that is on record, but could not be finished at once. */
function isUnderWay(operation: OperationId, { status }: Response): boolean {
  return operation === 'transfer' && status === 202;
}

function isBehind(outcome: Answer<unknown> | Refusal): boolean {
  return !outcome.ok && outcome.problem.code === 'read_model_behind';
}

const documentSchema = z.object({
  paths: z.record(
    z.string(),
    z.record(
      z.string(),
      z.object({
        operationId: z.string(),
        responses: z.record(
          z.string(),
          z.object({
            content: z
              .record(z.string(), z.object({ examples: z.record(z.string(), z.unknown()).optional() }))
              .optional(),
          }),
        ),
      }),
    ),
  ),
});

function codesByOperation({ paths }: z.output<typeof documentSchema>): Map<string, readonly string[]> {
  const operations = Object.values(paths).flatMap((methods) => Object.values(methods));
  return new Map(
    operations.flatMap(({ operationId, responses }) =>
      Object.entries(responses).map(
        ([status, { content }]) =>
          [
            `${operationId} ${status}`,
            Object.keys(content?.['application/problem+json']?.examples ?? {}),
          ] as const,
      ),
    ),
  );
}

function queryOf(query: NonNullable<CallOptions['query']>): string {
  if (typeof query === 'string') return query;
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  return new URLSearchParams(
    Object.fromEntries(given.map(([name, value]) => [name, String(value)])),
  ).toString();
}

async function jsonOf(response: Response, mediaType: string): Promise<unknown> {
  return JSON.parse(await textOf(response, `${mediaType}; charset=utf-8`));
}

function bodyOf(response: Response, schema: z.ZodType): Promise<unknown> {
  if (schema instanceof z.ZodNull) return nothingOf(response);
  return schema instanceof z.ZodString ? pageOf(response) : jsonOf(response, 'application/json');
}

/** What was removed leaves no body. */
async function nothingOf(response: Response): Promise<null> {
  expect([await response.text(), response.headers.get('content-type')]).toEqual(['', null]);
  return null;
}

/** The metrics are the one answer that is not JSON. */
function pageOf(response: Response): Promise<string> {
  return textOf(response, 'text/plain; version=0.0.4; charset=utf-8');
}

async function textOf(response: Response, contentType: string): Promise<string> {
  const text = await response.text();
  const type = response.headers.get('content-type');
  expect(type, `${response.status} ${response.url} ${text.slice(0, 500)}`).toBe(contentType);
  // What never became a request has no id.
  if (!NO_REQUEST.includes(response.status)) {
    expect(response.headers.get('x-request-id')).toMatch(/^[\w.:-]+$/);
  }
  return text;
}

function headOf(response: Response): Head {
  const { status, headers } = response;
  return {
    status,
    headers,
    etag: headers.get('etag'),
    token: headers.get('x-consistency-token') ?? '',
  };
}

const AMOUNT_FIELD =
  /^(amount|balance|opening_balance|closing_balance|available_balance|held|captured_amount|released_amount|overdraft_limit|total_credits|total_debits|net_flow|largest_transaction)$/;

/** Amounts leave the bank as decimal text only. */
function expectAmounts(body: unknown): void {
  if (typeof body !== 'object' || body === null) return;
  for (const [name, value] of Object.entries(body)) {
    if (AMOUNT_FIELD.test(name)) expect(value).toMatch(/^-?\d+(\.\d+)?$/);
    // Raw events are shown as they were written, however long ago; a JSON Schema describes its fields by their names.
    else if (name !== 'data' && name !== 'properties') expectAmounts(value);
  }
}

function expectHeadersOfWrite(response: Response, body: unknown): void {
  const { revision, items } = body as { revision?: number; items?: unknown };
  // A batch has no one revision.
  if (items !== undefined) return;
  expect(response.headers.get('etag')).toBe(`"${revision}"`);
  const token = response.headers.get('x-consistency-token');
  // A command that had nothing to change wrote nothing that a reader could wait for.
  if (response.status === 201 || token !== null) expect(token).toMatch(/^[0-9a-f]{16}:\d+$/);
  if (response.status === 201)
    expect(response.headers.get('location')).toMatch(/^\/api\/v1(\/\w+\/[0-9a-f-]{36})+$/);
}

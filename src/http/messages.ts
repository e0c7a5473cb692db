/** The steps that every controller shares: who asks, what was decided, and the headers of an answer. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Written } from '../application/bank.ts';
import type { CloudEventNames } from '../application/cloud-events.ts';
import type { Mediator, RequestContext } from '../application/mediator.ts';
import type { Decision } from '../domain/decision.ts';
import type { ReadYourWrites } from '../event-sourcing/read-your-writes.ts';
import { ProblemException, problem, rejectionProblem } from './problems.ts';
import type { BackupService } from './schemas/backups.ts';
import type { PastProjectionService } from './schemas/past-projections.ts';
import type { ProjectionStatus } from './schemas/projections.ts';
import type { Readiness, Status } from './schemas/status.ts';

/** What controllers work with. */
export interface Services {
  readonly mediator: Mediator;
  readonly readYourWrites: ReadYourWrites;
  readonly cloudEventNames: CloudEventNames;
  readonly status: () => Promise<Status>;
  readonly readiness: () => Promise<Readiness>;
  readonly projections: () => Promise<ProjectionStatus[]>;
  /** Names of the projections that are served as an older program left them. */
  readonly staleProjections: () => Promise<readonly string[]>;
  readonly backups: BackupService;
  readonly pastProjections: PastProjectionService;
}

const TRACE_ID = /^[\w.:-]{1,100}$/;
/** Printable ASCII: what the draft of the header allows in its string, quotes included. */
const IDEMPOTENCY_KEY = /^[\x20-\x7e]{1,255}$/;
const ETAG = /^"(0|[1-9]\d{0,14})"$/;

export function isTraceId(text: string): boolean {
  return TRACE_ID.test(text);
}

/**
 * Ids for tracing: the correlation id comes from the client, or else it is the request's own id. With them the key that
 * makes a command safe to repeat.
 * @throws ProblemException `invalid_idempotency_key`
 */
export function contextOf(request: FastifyRequest): RequestContext {
  const { 'x-correlation-id': sent, 'idempotency-key': key } = request.headers;
  const correlation = typeof sent === 'string' && TRACE_ID.test(sent) ? sent : request.id;
  const ids = { correlation_id: correlation, causation_id: request.id };
  if (key === undefined || request.method === 'GET') return ids;
  if (typeof key !== 'string' || !IDEMPOTENCY_KEY.test(key)) {
    throw new ProblemException(problem('invalid_idempotency_key'));
  }
  if (isJoined(key, request)) {
    throw new ProblemException(
      problem('invalid_idempotency_key', 'Idempotency-Key was sent more than once.'),
    );
  }
  return { ...ids, idempotencyKey: key };
}

/** Whether the key came in several headers: Node.js makes one of them, with commas, a key that nobody sent. */
function isJoined(key: string, { raw }: FastifyRequest): boolean {
  if (!key.includes(',')) return false;
  const names = raw.rawHeaders.filter((_text, index) => index % 2 === 0);
  return names.filter((name) => name.toLowerCase() === 'idempotency-key').length > 1;
}

/** As `contextOf`, with the revision that the client insists on. @throws ProblemException `invalid_if_match` */
export function guardedContextOf(request: FastifyRequest): RequestContext {
  const ifMatch = request.headers['if-match'];
  if (ifMatch === undefined || ifMatch === '*') return contextOf(request);
  const match = ETAG.exec(ifMatch);
  if (!match) throw new ProblemException(problem('invalid_if_match'));
  return { ...contextOf(request), expectedRevision: Number(match[1]) };
}

/** The value that was decided. @throws ProblemException for a rejection */
export function accepted<T>(decision: Decision<T>, request: FastifyRequest): T {
  if (decision.ok) return decision.value;
  throw new ProblemException(rejectionProblem(decision.rejection, request));
}

/** Puts the write's revision and consistency token into the headers, and marks an answer that was given before. */
export function writtenHeaders(
  reply: FastifyReply,
  written: Written,
  readYourWrites: ReadYourWrites,
): FastifyReply {
  reply.header('etag', `"${written.revision}"`);
  if (written.position !== undefined) {
    reply.header('x-consistency-token', readYourWrites.token(written.position));
  }
  if (written.replayed) reply.header('idempotent-replayed', 'true');
  return reply;
}

/**
 * Answers a document with its revision as ETag, or 304 when the client has that one already.
 * @param settled whether the revision says all; time may have changed what is shown, and then the answer is always whole
 */
export function sendDocument<T extends { readonly revision: number }>(
  request: FastifyRequest,
  reply: FastifyReply,
  document: T,
  settled = true,
): FastifyReply {
  const etag = `"${document.revision}"`;
  reply.header('etag', etag);
  return settled && namesRevision(request.headers['if-none-match'], etag)
    ? reply.code(304).send()
    : reply.send(document);
}

/** Whether If-None-Match names the ETag; weak tags do too, because a proxy that compresses weakens them. */
function namesRevision(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  return ifNoneMatch.split(',').some((tag) => ['*', etag, `W/${etag}`].includes(tag.trim()));
}

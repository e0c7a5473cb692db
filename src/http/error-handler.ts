/** The one place where whatever was thrown becomes a problem. */
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type EventPlace, StoreError } from '../event-sourcing/store-error.ts';
import type { ProblemCode } from './problem-catalog.ts';
import { type Problem, ProblemException, problem, sendProblem } from './problems.ts';

export function installErrorHandler(app: FastifyInstance): void {
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const body = toProblem(error);
    if (body.status >= 500) report(error, body, request);
    return sendProblem(reply, body);
  });
  app.setNotFoundHandler((request: FastifyRequest, reply: FastifyReply) => {
    return sendProblem(
      reply,
      problem('route_not_found', `There is no route ${request.method} ${pathOf(request)}.`),
    );
  });
}

/** A URL that cannot be decoded reaches no route, and so none of the hooks either. */
export function answerUnreadableUrl(
  _error: FastifyError,
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  reply.header('x-request-id', request.id);
  sendProblem(reply, problem('malformed_request', 'The URL cannot be decoded.'));
}

/** What is no HTTP request, or none that came in time, is answered on the socket itself. */
export function answerClientError(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  const body = problem(clientErrorCode(error.code));
  const json = JSON.stringify(body);
  const head = [
    `HTTP/1.1 ${body.status} ${STATUS_CODES[body.status]}`,
    'content-type: application/problem+json; charset=utf-8',
    `content-length: ${Buffer.byteLength(json)}`,
    'connection: close',
  ];
  if (socket.writable) socket.write(`${head.join('\r\n')}\r\n\r\n${json}`);
  socket.destroy(error);
}

function clientErrorCode(code: string | undefined): ProblemCode {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return 'request_timeout';
  return code === 'HPE_HEADER_OVERFLOW' ? 'headers_too_large' : 'malformed_request';
}

/** Whatever was thrown, in the words of the catalog. */
export function toProblem(error: FastifyError): Problem {
  if (error instanceof ProblemException) return error.problem;
  if (error instanceof StoreError) return storeProblem(error);
  switch (error.code) {
    case 'FST_ERR_CTP_EMPTY_JSON_BODY':
      return problem('missing_body');
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return problem('unsupported_media_type');
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return problem('body_too_large');
    case 'FST_ERR_CTP_INVALID_JSON_BODY':
      return problem('malformed_json');
  }
  if (error instanceof SyntaxError && error.statusCode === 400) return problem('malformed_json');
  if (error.statusCode !== undefined && error.statusCode < 500)
    return problem('malformed_request', error.message);
  return problem('internal_error');
}

function storeProblem(error: StoreError): Problem {
  switch (error.code) {
    case 'busy':
      return problem('store_busy');
    case 'disk_full':
      return problem('store_disk_full');
    case 'closed':
      return problem('shutting_down');
    case 'unavailable':
      return problem('store_unavailable');
    case 'archive_damaged':
      return error.volume === undefined ? problem('archive_damaged') : damagedVolume(error.volume);
    case 'corrupt':
      return error.place ? unreadableEvent(error.place) : problem('internal_error');
    default:
      return problem('internal_error');
  }
}

/** What is wrong with it stands in the log; a client can do nothing about it but avoid it. */
function unreadableEvent({ stream, revision }: EventPlace): Problem {
  const detail = `Revision ${revision} of ${stream} cannot be read or applied, and what it did cannot be left out. An operator has to look; earlier revisions can be asked for.`;
  return problem('event_unreadable', detail, { facts: { stream, revision } });
}

/** Where it lies, and what is wrong with it, stands in the log. */
function damagedVolume(volume: string): Problem {
  const detail = `Old events that it takes lie in the volume ${volume} of the archive, which is missing or altered. An operator has to put it back; accounts without events in it are not concerned.`;
  return problem('archive_damaged', detail, { facts: { volume } });
}

/** The log names the request and the error; neither the body nor the URL's values go with it. */
function report(error: FastifyError, body: Problem, request: FastifyRequest): void {
  const route = request.routeOptions.url ?? 'unknown route';
  const facts = { request_id: request.id, method: request.method, route, code: body.code };
  // A problem that the API itself decided on, such as read models that are behind, has no stack worth a line.
  if (error instanceof ProblemException) request.log.warn(facts, body.title);
  else request.log.error({ ...facts, err: error }, body.title);
}

function pathOf(request: FastifyRequest): string {
  return request.url.split('?', 1)[0] ?? request.url;
}

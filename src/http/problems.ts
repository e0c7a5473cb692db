/** Answers that something is wrong: RFC 9457 problem details with a stable code, never a stack trace. */
import type { FastifyReply } from 'fastify';
import type { InputProblem } from '../application/fields.ts';
import type { Rejection } from '../domain/decision.ts';
import { isProblemCode, PROBLEM_CATALOG, type ProblemCode } from './problem-catalog.ts';

/** Where in the request a field stands. */
export type InputPlace = 'body' | 'path' | 'query';

export interface ProblemError {
  readonly in: InputPlace;
  /** JSON pointer (RFC 6901) within that part of the request. */
  readonly pointer: string;
  readonly code: string;
  readonly detail: string;
}

/** RFC 9457 body; `code` is the stable part, further members carry figures. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  readonly errors?: readonly ProblemError[];
  readonly [extension: string]: unknown;
}

/** Thrown inside a route; the error handler sends its problem. */
export class ProblemException extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail);
    this.problem = problem;
  }
}

export function problem(
  code: ProblemCode,
  detail: string = PROBLEM_CATALOG[code].meaning,
  more: { errors?: readonly ProblemError[]; facts?: Rejection['facts'] } = {},
): Problem {
  const { status, title } = PROBLEM_CATALOG[code];
  const errors = more.errors && more.errors.length > 0 ? { errors: more.errors } : {};
  return { type: `/problems/${code}`, title, status, detail, code, ...errors, ...more.facts };
}

/** A domain rejection as a problem; it points at a field only where the request's body or query has that field. */
export function rejectionProblem(
  rejection: Rejection,
  request: { readonly body: unknown; readonly query: unknown },
): Problem {
  const { code, detail, field, facts } = rejection;
  if (!isProblemCode(code)) throw new Error(`the rejection ${code} is not in the problem catalog`);
  const place = (['body', 'query'] as const).find((part) => hasField(request[part], field));
  const errors = place ? [{ in: place, pointer: pointerTo([field as string]), code, detail }] : [];
  return problem(code, detail, { errors, ...(facts ? { facts } : {}) });
}

function hasField(part: unknown, field: string | undefined): boolean {
  return field !== undefined && typeof part === 'object' && part !== null && Object.hasOwn(part, field);
}

/** A body of thousands of unknown fields is not answered with thousands of errors. */
const LISTED_ERRORS_MAX = 20;

/** What is wrong with the request's shape; the first finding names the problem, all are listed. */
export function inputProblem(problems: readonly InputProblem[], place: InputPlace): Problem {
  const errors = problems.slice(0, LISTED_ERRORS_MAX).map(({ path, code, detail }) => ({
    in: place,
    pointer: pointerTo(path),
    code,
    detail: `${path.join('.') || `The ${place}`} ${detail}`,
  }));
  const [first] = errors;
  if (!first || !isProblemCode(first.code)) throw new Error(`${first?.code} is not in the problem catalog`);
  return problem(first.code, first.detail, { errors });
}

export function sendProblem(reply: FastifyReply, body: Problem): FastifyReply {
  if (body.status === 503) reply.header('retry-after', '1');
  return reply.code(body.status).type('application/problem+json; charset=utf-8').send(body);
}

function pointerTo(path: readonly (string | number)[]): string {
  return path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

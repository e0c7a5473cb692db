/** Calls the bank's public API as any client would. */
import { CliError } from './cli-error.ts';

const ANSWER_WITHIN_MS = 30_000;

export type Body = Readonly<Record<string, unknown>>;

/** What the bank answered, a refusal too. */
export interface Answer {
  readonly status: number;
  readonly ok: boolean;
  /** Without parameters, such as `application/json`. */
  readonly mediaType: string;
  /** The body as it came over the wire. */
  readonly text: string;
  /** The body as JSON; undefined when it is no JSON object. */
  readonly body: Body | undefined;
  /** The store position that a later read can wait for. */
  readonly token: string | null;
}

/** What goes with a request beside its body. */
export interface RequestHeaders {
  /** The consistency token of a write that the answer must show. */
  readonly token?: string | undefined;
  /** The ETag that an account must still have. */
  readonly ifMatch?: string | undefined;
  /** Names the write, so that repeating it does not do it twice. */
  readonly idempotencyKey?: string | undefined;
}

/** Nobody answered, or not in time. Whether the bank got the request is not known. */
export class NoAnswerError extends CliError {
  /** Whether nobody was there to take the request, so that nothing can have come of it. */
  readonly refusedToConnect: boolean;

  constructor(method: string, path: string, error: unknown) {
    const { message, cause } = error as Error;
    const why = cause instanceof Error ? cause.message : message;
    super(`The bank did not answer ${method} ${path}: ${why || 'the connection failed'}.`);
    this.refusedToConnect = codeOf(cause) === 'ECONNREFUSED';
  }
}

/** Sends requests to one bank. */
export class BankClient {
  readonly #url: string;

  /** @param url of the service, without a path */
  constructor(url: string) {
    this.#url = url;
  }

  /**
   * Sends a request below `/api/v1`, or one to a route of operators, which begin with `/admin/`; a refusal by the bank is an answer too.
   * @throws NoAnswerError when there is none within a bounded time
   */
  async send(method: string, path: string, body?: object, headers: RequestHeaders = {}): Promise<Answer> {
    const base = path.startsWith('/admin/') ? this.#url : `${this.#url}/api/v1`;
    try {
      const response = await fetch(base + path, {
        method,
        redirect: 'manual',
        headers: { ...(body ? { 'content-type': 'application/json' } : {}), ...wireHeaders(headers) },
        ...(body ? { body: JSON.stringify(body) } : {}),
        signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
      });
      const { status, ok } = response;
      const token = response.headers.get('x-consistency-token');
      const [mediaType = ''] = (response.headers.get('content-type') ?? '').split(';');
      const text = await response.text();
      return { status, ok, token, mediaType, text, body: bodyOf(text) };
    } catch (error) {
      throw new NoAnswerError(method, path, error);
    }
  }
}

function wireHeaders({ token, ifMatch, idempotencyKey }: RequestHeaders): Record<string, string> {
  return {
    ...(token === undefined ? {} : { 'x-consistency-token': token }),
    ...(ifMatch === undefined ? {} : { 'if-match': ifMatch }),
    ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
  };
}

/** A host with several addresses fails with the errors of all of them. */
function codeOf(cause: unknown): unknown {
  const error = cause instanceof AggregateError ? cause.errors[0] : cause;
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

function bodyOf(text: string): Body | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Body) : undefined;
  } catch {
    return undefined;
  }
}

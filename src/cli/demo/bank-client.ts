/** Calls the bank's public API as any client would. */
import { CliError } from '../cli-error.ts';

const ANSWER_WITHIN_MS = 30_000;

/** What the bank answered: a body, and for a refusal its problem code. */
export interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
  /** The store position that a later read can wait for. */
  readonly token: string | null;
}

/** A client of one bank. */
export class BankClient {
  readonly #base: string;

  constructor(url: string) {
    this.#base = `${url}/api/v1`;
  }

  /**
   * Sends a request; a refusal by the bank is an answer too.
   * @throws CliError when the bank does not answer, or not in JSON.
   */
  async send(method: string, path: string, body?: object, token?: string): Promise<Answer> {
    try {
      const response = await fetch(this.#base + path, {
        method,
        headers: {
          ...(body ? { 'content-type': 'application/json' } : {}),
          ...(token ? { 'x-consistency-token': token } : {}),
        },
        ...(body ? { body: JSON.stringify(body) } : {}),
        signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
      });
      return {
        status: response.status,
        body: (await response.json()) as Answer['body'],
        token: response.headers.get('x-consistency-token'),
      };
    } catch (error) {
      const { message, cause } = error as Error;
      const why = cause instanceof Error ? cause.message : message;
      throw new CliError(`The bank did not answer ${method} ${path}: ${why || 'the connection failed'}.`);
    }
  }

  /**
   * Sends a request that has to succeed.
   * @throws CliError with the bank's own words when it refuses.
   */
  async expect(method: string, path: string, body?: object, token?: string): Promise<Answer> {
    const answer = await this.send(method, path, body, token);
    if (answer.status >= 200 && answer.status < 300) return answer;
    throw unexpected(method, path, answer);
  }
}

/** The error for an answer that the demo did not count on. */
export function unexpected(method: string, path: string, { status, body }: Answer): CliError {
  const what = `${status} ${body.code ?? ''}`.trim();
  return new CliError(
    `The demo stopped: the bank answered ${method} ${path} with ${what}: ${body.detail ?? 'no reason'}`,
  );
}

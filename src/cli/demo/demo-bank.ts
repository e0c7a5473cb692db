/** The bank as the demo uses it: a refusal that was not planned for stops the demo. */
import { type Answer, BankClient, type Body } from '../bank-client.ts';
import { CliError } from '../cli-error.ts';

/** An answer in JSON; for a refusal the body holds the problem. */
export interface DemoAnswer extends Answer {
  readonly body: Body;
}

export class DemoBank {
  readonly #client: BankClient;

  /** @param url of the service, without a path */
  constructor(url: string) {
    this.#client = new BankClient(url);
  }

  /**
   * Sends a request; a refusal by the bank is an answer too.
   * @throws CliError when the bank does not answer, or not in JSON
   */
  async send(method: string, path: string, body?: object, token?: string): Promise<DemoAnswer> {
    const answer = await this.#client.send(method, path, body, { token });
    if (answer.body) return { ...answer, body: answer.body };
    throw new CliError(`The bank did not answer ${method} ${path} in JSON.`);
  }

  /**
   * Sends a request that has to succeed.
   * @throws CliError with the bank's own words when it refuses
   */
  async expect(method: string, path: string, body?: object, token?: string): Promise<DemoAnswer> {
    const answer = await this.send(method, path, body, token);
    if (answer.ok) return answer;
    throw unexpected(method, path, answer);
  }
}

/** The error for an answer that the demo did not count on. */
export function unexpected(method: string, path: string, { status, body }: DemoAnswer): CliError {
  const what = `${status} ${body.code ?? ''}`.trim();
  return new CliError(
    `The demo stopped: the bank answered ${method} ${path} with ${what}: ${body.detail ?? 'no reason'}`,
  );
}

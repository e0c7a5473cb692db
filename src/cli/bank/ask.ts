/** One request to the bank that this configuration names; whatever is not an answer becomes a sentence. */
import { type Answer, BankClient, type Body, NoAnswerError, type RequestHeaders } from '../bank-client.ts';
import { CliError, EXIT } from '../cli-error.ts';
import { baseUrl, readConfig } from '../project.ts';
import { findService } from '../service-process.ts';
import { judge } from '../service-verdict.ts';
import { refusalOf } from './refusal.ts';

/** A request below `/api/v1`, or to a route of operators: those begin with `/admin/`. */
export interface Request {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly path: string;
  readonly body?: Body;
  /** What is asked for; JSON unless said otherwise. */
  readonly mediaType?: string;
}

/** An answer that is no refusal. */
export interface Success extends Answer {
  /** Empty where something else than JSON was asked for. */
  readonly body: Body;
}

/**
 * Sends a request to the bank.
 * @throws Refusal when the bank says no
 * @throws CliError with the sentence and the exit code of `status` when the bank is not there
 */
export async function ask(request: Request, headers: RequestHeaders = {}): Promise<Success> {
  const config = readConfig();
  const answer = await send(new BankClient(baseUrl(config)), request, headers);
  if (answer === undefined) throw await absence(`OpenBank took no connection at ${baseUrl(config)}.`);
  if (answer.ok && isAskedFor(request, answer)) return { ...answer, body: answer.body ?? {} };
  const refusal = refusalOf(answer);
  if (refusal) throw refusal;
  const { method, path } = request;
  throw await absence(
    `The answer to ${method} ${path} (status ${answer.status}) is none that OpenBank would give.`,
  );
}

/** A proxy, or another program, answers with pages of its own. */
function isAskedFor({ mediaType = 'application/json' }: Request, answer: Answer): boolean {
  return answer.mediaType === mediaType && (answer.body !== undefined || mediaType !== 'application/json');
}

/** Undefined when nobody took the connection. */
async function send(
  client: BankClient,
  { method, path, body }: Request,
  headers: RequestHeaders,
): Promise<Answer | undefined> {
  try {
    return await client.send(method, path, body, headers);
  } catch (error) {
    if (!(error instanceof NoAnswerError)) throw error;
    if (error.refusedToConnect) return undefined;
    throw method === 'GET' ? error : new CliError(`${error.message} ${afterLostWrite(headers)}`);
  }
}

function afterLostWrite({ idempotencyKey }: RequestHeaders): string {
  return idempotencyKey === undefined
    ? 'It may have been carried out all the same: look before you repeat it.'
    : 'It may have been carried out all the same: repeat it with the same --idempotency-key.';
}

/** What `status` would say; a bank that is well after all leaves the sentence of the failed request. */
async function absence(otherwise: string): Promise<CliError> {
  const config = readConfig();
  const { state, message } = judge(config, await findService(config));
  if (state === 'not_running') return new CliError(message, EXIT.notRunning);
  return new CliError(state === 'ready' ? otherwise : message);
}

/**
 * An id as a part of a path.
 * @throws CliError for a text that would name another path
 */
export function segment(id: string): string {
  if (/^\.{0,2}$/.test(id)) throw new CliError(`'${id}' is not an id.`, EXIT.usage);
  return encodeURIComponent(id);
}

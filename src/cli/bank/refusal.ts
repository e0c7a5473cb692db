/** What the bank says when it refuses, RFC 9457 problem details, as one sentence. */
import type { Answer, Body } from '../bank-client.ts';
import { CliError, EXIT } from '../cli-error.ts';
import { plain } from './table.ts';

/** The bank understood the request and said no, or failed at it. */
export class Refusal extends CliError {
  /** The problem as it came over the wire. */
  readonly text: string;

  constructor(sentence: string, exitCode: number, text: string) {
    super(sentence, exitCode);
    this.text = text;
  }
}

/** Undefined for an answer that holds no problem of the bank. */
export function refusalOf({ status, body, text }: Answer): Refusal | undefined {
  if (status < 400 || typeof body?.code !== 'string' || typeof body.detail !== 'string') return undefined;
  // A failure of the bank itself is no answer to the question.
  return new Refusal(sentenceOf(body), status < 500 ? EXIT.refused : EXIT.failed, text);
}

function sentenceOf({ title, detail, errors }: Body): string {
  const listed = Array.isArray(errors) ? (errors as readonly Body[]) : [];
  const reasons = listed.length === 0 ? [withoutStop(String(detail))] : listed.map(reasonOf);
  return plain(`${title}: ${reasons.join('; ')}.`);
}

/** What is wrong with one field, and the JSON pointer to it. */
function reasonOf({ detail, pointer }: Body): string {
  const reason = withoutStop(String(detail));
  return pointer ? `${reason} (${pointer})` : reason;
}

function withoutStop(sentence: string): string {
  return sentence.replace(/\.$/, '');
}

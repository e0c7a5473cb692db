/** Reads JSON bodies without losing a digit: a number that a double cannot hold exactly keeps the text that was sent. */
import { isUtf8 } from 'node:buffer';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { LongNumber } from '../application/fields.ts';
import { ProblemException, problem } from './problems.ts';

/** Significant digits that every double carries exactly. */
const EXACT_DIGITS = 15;
/**
 * Cheap test for "there may be such a number", where a number may begin; a match inside a text only costs the slower way.
 * Texts that begin with digits, such as ids, do not match.
 */
const LONG_NUMBER = /(?:^|[[:,\s])-?(?:\d[\d.]{15}|\d[\d.]*[eE]-\d{3})/;

export function installJsonBody(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  addJsonParser(app, ['application/json']);
}

/** Reads further media types as JSON, in the routes of this plugin. */
export function addJsonParser(app: FastifyInstance, mediaTypes: string[]): void {
  const parseSafely = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser<Buffer>(mediaTypes, { parseAs: 'buffer' }, (request, bytes, done) => {
    if (!isPlainUtf8(request)) return done(new ProblemException(problem('unsupported_media_type')));
    if (!isUtf8(bytes))
      return done(new ProblemException(problem('malformed_json', 'The body is not UTF-8.')));
    const body = bytes.toString();
    parseSafely(request, body, (error, value) => {
      done(error, error || !LONG_NUMBER.test(body) ? value : withLongNumbers(body));
    });
  });
}

/** JSON is UTF-8 (RFC 8259), and the API takes no compressed bodies. */
function isPlainUtf8({ headers }: FastifyRequest): boolean {
  const charset = /charset="?([^";\s]+)/i.exec(headers['content-type'] ?? '')?.[1] ?? 'utf-8';
  return /^utf-?8$/i.test(charset) && (headers['content-encoding'] ?? 'identity') === 'identity';
}

function withLongNumbers(body: string): unknown {
  // The first parser has passed over a byte order mark; this one would not.
  return JSON.parse(body.replace(/^\ufeff/, ''), keepLongNumbers as (key: string, value: unknown) => unknown);
}

/** `context.source` is the number as it was sent (ECMAScript "JSON.parse source text access"). */
function keepLongNumbers(_key: string, value: unknown, context: { source?: string }): unknown {
  if (typeof value !== 'number' || context.source === undefined) return value;
  const [digits = ''] = context.source.split(/[eE]/);
  const vanished = value === 0 && /[1-9]/.test(digits);
  return vanished || digits.replace(/\D/g, '').length > EXACT_DIGITS ? new LongNumber(context.source) : value;
}

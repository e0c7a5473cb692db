/** Reads JSON bodies without losing a digit: a number that a double cannot hold exactly keeps the text that was sent. */
import type { FastifyInstance } from 'fastify';
import { LongNumber } from '../application/fields.ts';

/** Significant digits that every double carries exactly. */
const EXACT_DIGITS = 15;
/** Cheap test for "there may be such a number"; a match inside a text only costs the slower way. */
const LONG_NUMBER = /\d[\d.]{15}|\d[eE]-\d{3}/;

export function installJsonBody(app: FastifyInstance): void {
  const parseSafely = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, body, done) => {
    parseSafely(request, body, (error, value) => {
      done(error, error || !LONG_NUMBER.test(body) ? value : withLongNumbers(body));
    });
  });
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

/** Reads JSON bodies without losing a digit: a number that a double cannot hold exactly arrives as the text that was sent. */
import type { FastifyInstance } from 'fastify';

/** Significant digits that every double carries exactly. */
const EXACT_DIGITS = 15;
/** Cheap test for "there may be such a number"; a match inside a text only costs the slower way. */
const LONG_NUMBER = /\d[\d.]{15}/;

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
  return JSON.parse(body, keepLongNumbers as (key: string, value: unknown) => unknown);
}

/** `context.source` is the number as it was sent (ECMAScript "JSON.parse source text access"). */
function keepLongNumbers(_key: string, value: unknown, context: { source?: string }): unknown {
  if (typeof value !== 'number' || context.source === undefined) return value;
  return context.source.replace(/\D/g, '').length > EXACT_DIGITS ? context.source : value;
}

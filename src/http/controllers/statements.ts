/** The route of monthly statements: as JSON, as CSV, or as a page to print. */
import type { FastifyReply } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { GetStatement, type Statement, statementFields } from '../../application/queries/statement.ts';
import { acceptedFormat } from '../accepted-format.ts';
import { accepted, contextOf, type Services } from '../messages.ts';
import { READ_CODES } from '../problem-groups.ts';
import { ProblemException, problem } from '../problems.ts';
import { problemResponses } from '../schemas/problems.ts';
import { statementSchema } from '../schemas/statements.ts';
import { statementCsv } from '../statement-csv.ts';
import { STATEMENT_SECURITY_POLICY, statementHtml } from '../statement-html.ts';

/** The first one is for a client that takes any. */
const MEDIA_TYPES = { json: 'application/json', csv: 'text/csv', html: 'text/html' } as const;

const formatFields = z.strictObject({
  format: z
    .enum(['json', 'csv', 'html'])
    .optional()
    .meta({ description: 'Goes before the Accept header, so that a link can name the format.' }),
});

export const statementsController =
  ({ mediator }: Services): FastifyPluginAsyncZod =>
  async (app) => {
    app.get(
      '/accounts/:id/statements/:month',
      {
        schema: {
          operationId: 'getStatement',
          tags: ['accounts'],
          summary: "Get an account's statement of one month",
          description:
            'A month begins and ends in UTC, by the time at which each transaction was recorded. The closing balance ' +
            'of a month that is over is the opening balance of the next one.',
          params: statementFields,
          querystring: formatFields,
          response: {
            200: {
              description: 'The statement, as `format` or `Accept` ask for it.',
              content: {
                'application/json': { schema: statementSchema },
                'text/csv': { schema: z.string().meta({ description: 'RFC 4180, with a header.' }) },
                'text/html': { schema: z.string().meta({ description: 'Self-contained; prints on A4.' }) },
              },
            },
            ...problemResponses([
              'account_not_found',
              'invalid_id',
              'invalid_month',
              'invalid_value',
              'invalid_type',
              'unknown_field',
              'month_in_future',
              'month_before_account',
              'statement_too_large',
              'not_acceptable',
              ...READ_CODES,
            ]),
          },
        },
      },
      async (request, reply) => {
        const format = request.query.format ?? acceptedFormat(MEDIA_TYPES, request.headers.accept);
        if (!format) throw new ProblemException(problem('not_acceptable'));
        const statement = accepted(
          await mediator.send(GetStatement, request.params, contextOf(request)),
          request,
        );
        reply.header('vary', 'accept');
        if (format === 'json') return reply.send(statement);
        reply.type(`${MEDIA_TYPES[format]}; charset=utf-8`).header('x-content-type-options', 'nosniff');
        if (format === 'html') reply.header('content-security-policy', STATEMENT_SECURITY_POLICY);
        else reply.header('content-disposition', `attachment; filename="${fileName(statement)}"`);
        return sendLines(reply, format === 'html' ? statementHtml(statement) : statementCsv(statement));
      },
    );
  };

/** Characters that are put together before they are encoded: one text of megabytes is copied several times. */
const PIECE_CHARACTERS = 64 * 1024;

function sendLines(reply: Pick<FastifyReply, 'send'>, lines: Iterable<string>) {
  const pieces: Buffer[] = [];
  let text = '';
  for (const line of lines) {
    text += line;
    if (text.length < PIECE_CHARACTERS) continue;
    pieces.push(Buffer.from(text));
    text = '';
  }
  return reply.send(Buffer.concat([...pieces, Buffer.from(text)]));
}

function fileName({ account, period }: Statement): string {
  return `statement-${account.id}-${period.month}.csv`;
}

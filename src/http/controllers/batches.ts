/** Route of batches: many postings and transfers in one request, each with an answer of its own. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { FastifyError, FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { type BatchOutcome, PostBatch } from '../../application/commands/post-batch.ts';
import { toProblem } from '../error-handler.ts';
import { accepted, contextOf, type Services } from '../messages.ts';
import { BODY_CODES, STORE_CODES } from '../problem-groups.ts';
import { inputProblem, type Problem, rejectionProblem } from '../problems.ts';
import {
  type BatchAnswer,
  type BatchAnswerItem,
  batchAnswerSchema,
  batchBodySchema,
} from '../schemas/batches.ts';
import { problemResponses } from '../schemas/problems.ts';

/** Some 400 bytes an item, in bytes: twice what most items take. */
const BODY_BYTES_MAX = 4 * 1024 * 1024;
/** Answers written in one turn of the event loop. */
const ANSWERS_PER_TURN = 500;

export const batchesController =
  ({ mediator, readYourWrites }: Services): FastifyPluginAsyncZod =>
  async (app) => {
    app.post(
      '/transactions/batch',
      {
        bodyLimit: BODY_BYTES_MAX,
        schema: {
          operationId: 'postBatch',
          tags: ['transactions'],
          summary: 'Post up to 10,000 deposits, withdrawals and transfers, each with an answer of its own',
          body: batchBodySchema,
          response: {
            200: batchAnswerSchema.describe('Worked through; each item says what became of it.'),
            ...problemResponses([
              ...BODY_CODES.filter((code) => code !== 'unknown_field' && code !== 'missing_field'),
              'batch_too_large',
              ...STORE_CODES,
            ]),
          },
        },
      },
      async (request, reply) => {
        const items: readonly unknown[] = request.body;
        const { idempotencyKey: key, ...context } = contextOf(request);
        const input = { items: [...items], ...(key === undefined ? {} : { key }) };
        const { outcomes, position } = accepted(await mediator.send(PostBatch, input, context), request);
        if (position !== undefined) reply.header('x-consistency-token', readYourWrites.token(position));
        reportFailures(outcomes, request);
        reply.type('application/json; charset=utf-8');
        return reply.send((await answerText(outcomes, items)) as unknown as BatchAnswer);
      },
    );
  };

/** The answer as JSON, written piece by piece so that other requests get their turn. */
async function answerText(outcomes: readonly BatchOutcome[], items: readonly unknown[]): Promise<string> {
  const counts = { posted: 0, replayed: 0, refused: 0, failed: 0 };
  const texts: string[] = [];
  for (let from = 0; from < outcomes.length; from += ANSWERS_PER_TURN) {
    const piece = outcomes
      .slice(from, from + ANSWERS_PER_TURN)
      .map((outcome, offset) => answerOf(outcome, items[from + offset]));
    for (const { outcome } of piece) counts[outcome] += 1;
    texts.push(JSON.stringify(piece).slice(1, -1));
    await nextTurn();
  }
  return `${JSON.stringify(counts).slice(0, -1)},"items":[${texts.join(',')}]}`;
}

function answerOf(outcome: BatchOutcome, item: unknown): BatchAnswerItem {
  switch (outcome.kind) {
    case 'done': {
      const { result } = outcome;
      const done = result.replayed ? 'replayed' : 'posted';
      if ('posting' in result) return { outcome: done, status: 201, posting: result.posting };
      return { outcome: done, status: result.finished ? 201 : 202, transfer: result.transfer };
    }
    case 'invalid':
      return notDone('refused', inputProblem(outcome.problems, 'body'));
    case 'refused':
      return notDone('refused', rejectionProblem(outcome.rejection, { body: item, query: undefined }));
    case 'failed':
      return notDone('failed', toProblem(outcome.error as FastifyError));
  }
}

/** One line a batch: what failed one of its items has mostly failed the others too. */
function reportFailures(outcomes: readonly BatchOutcome[], request: FastifyRequest): void {
  const failed = outcomes.filter(({ kind }) => kind === 'failed');
  const [first] = failed;
  if (first?.kind !== 'failed') return;
  const facts = { request_id: request.id, failed: failed.length, err: first.error };
  request.log.error(facts, 'items of a batch failed');
}

type Refused = Extract<BatchAnswerItem, { problem: unknown }>;

function notDone(outcome: 'refused' | 'failed', problem: Problem): BatchAnswerItem {
  return { outcome, status: problem.status, problem: problem as Refused['problem'] };
}

/** Routes that change an account itself and answer it as it is then: its limits, freezing, closing. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { z } from 'zod';
import type { AccountState, Written } from '../../application/bank.ts';
import { ChangeLimits, changeLimitsFields } from '../../application/commands/change-limits.ts';
import {
  ChangeOverdraftLimit,
  changeOverdraftLimitFields,
} from '../../application/commands/change-overdraft-limit.ts';
import { ChangeTerms, changeTermsFields } from '../../application/commands/change-terms.ts';
import { CloseBankAccount, closeBankAccountFields } from '../../application/commands/close-bank-account.ts';
import { FreezeAccount, freezeAccountFields } from '../../application/commands/freeze-account.ts';
import { UnfreezeAccount, unfreezeAccountFields } from '../../application/commands/unfreeze-account.ts';
import type { Message } from '../../application/mediator.ts';
import { accountIdFields } from '../../application/queries/accounts.ts';
import { accepted, guardedContextOf, type Services, writtenHeaders } from '../messages.ts';
import type { ProblemCode } from '../problem-catalog.ts';
import { AMOUNT_CODES, BODY_CODES, GUARDED_CODES, STORE_CODES, TEXT_CODES } from '../problem-groups.ts';
import { accountStateSchema, guardHeaders } from '../schemas/accounts.ts';
import { problemResponses } from '../schemas/problems.ts';

/** One command to an account: the path's `id` is its `account_id`, the body has all its other fields. */
interface Change {
  readonly method: 'POST' | 'PUT';
  readonly path: string;
  readonly operationId: string;
  readonly summary: string;
  readonly done: string;
  readonly message: Message<unknown, { account: AccountState } & Written>;
  readonly body: z.ZodType<object>;
  /** What it may answer beside the codes that all of them have in common. */
  readonly codes: readonly ProblemCode[];
}

const LIMIT_CODES = ['amount_negative', ...AMOUNT_CODES] as const;

const CHANGES: readonly Change[] = [
  {
    method: 'PUT',
    path: 'overdraft-limit',
    operationId: 'changeOverdraftLimit',
    summary: 'Change the overdraft limit',
    done: 'Changed, or as it was already.',
    message: ChangeOverdraftLimit,
    body: changeOverdraftLimitFields.omit({ account_id: true }),
    codes: ['overdraft_in_use', ...LIMIT_CODES],
  },
  {
    method: 'PUT',
    path: 'limits',
    operationId: 'changeLimits',
    summary: 'Set what customers may take out at once and in a day',
    done: 'Set, or as it was already.',
    message: ChangeLimits,
    body: changeLimitsFields.omit({ account_id: true }),
    codes: LIMIT_CODES,
  },
  {
    method: 'PUT',
    path: 'terms',
    operationId: 'changeTerms',
    summary: 'Set interest rates and the monthly fee',
    done: 'Set, or as they were already.',
    message: ChangeTerms,
    body: changeTermsFields.omit({ account_id: true }),
    codes: ['rate_too_high', ...LIMIT_CODES],
  },
  {
    method: 'POST',
    path: 'freeze',
    operationId: 'freezeAccount',
    summary: 'Freeze an account for debits, credits or both',
    done: 'Frozen, or as it was already.',
    message: FreezeAccount,
    body: freezeAccountFields.omit({ account_id: true }),
    codes: ['invalid_value', ...TEXT_CODES],
  },
  {
    method: 'POST',
    path: 'unfreeze',
    operationId: 'unfreezeAccount',
    summary: 'End the freeze of an account',
    done: 'Active, or as it was already.',
    message: UnfreezeAccount,
    body: unfreezeAccountFields.omit({ account_id: true }),
    codes: TEXT_CODES,
  },
  {
    method: 'POST',
    path: 'close',
    operationId: 'closeAccount',
    summary: 'Close an account whose balance is zero',
    done: 'Closed.',
    message: CloseBankAccount,
    body: closeBankAccountFields.omit({ account_id: true }),
    codes: ['account_frozen', 'balance_not_zero', 'holds_open', ...TEXT_CODES],
  },
];

export const accountChangesController =
  ({ mediator, readYourWrites }: Services): FastifyPluginAsyncZod =>
  async (app) => {
    for (const { method, path, operationId, summary, done, message, body, codes } of CHANGES) {
      app.route({
        method,
        url: `/accounts/:id/${path}`,
        schema: {
          operationId,
          tags: ['accounts'],
          summary,
          params: accountIdFields,
          headers: guardHeaders,
          body,
          response: {
            200: accountStateSchema.describe(done),
            ...problemResponses([...BODY_CODES, ...GUARDED_CODES, ...codes, ...STORE_CODES]),
          },
        },
        handler: async (request, reply) => {
          const input = { ...request.body, account_id: request.params.id };
          const decision = await mediator.send(message, input, guardedContextOf(request));
          const result = accepted(decision, request);
          return writtenHeaders(reply, result, readYourWrites).send(result.account);
        },
      });
    }
  };

/** What CloudEvents from outside may ask of the bank: each type becomes the command that an HTTP route would send. */
import type { z } from 'zod';
import type { Rejection } from '../domain/decision.ts';
import type { Written } from './bank.ts';
import type { CloudEventNames } from './cloud-events.ts';
import { ChangeOverdraftLimit } from './commands/change-overdraft-limit.ts';
import { CloseBankAccount } from './commands/close-bank-account.ts';
import { CreateBankAccount } from './commands/create-bank-account.ts';
import { CreateDeposit } from './commands/create-deposit.ts';
import { CreateWithdrawal } from './commands/create-withdrawal.ts';
import { RegisterPerson } from './commands/register-person.ts';
import { checkInput, type InputProblem } from './fields.ts';
import type { Mediator, Message, RequestContext } from './mediator.ts';
import { operationFor } from './operation.ts';

/** The envelope is checked by then; the data are not. */
export interface IncomingCloudEvent {
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly data: unknown;
}

/** What a CloudEvent asked for, done: the answer that the route of the same command gives. */
export interface Intake {
  readonly result: object;
  readonly written: Written;
}

export type IntakeOutcome =
  | { readonly kind: 'done'; readonly intake: Intake }
  | { readonly kind: 'unknown_type' }
  | { readonly kind: 'invalid_data'; readonly problems: readonly InputProblem[] }
  | { readonly kind: 'refused'; readonly rejection: Rejection };

type Request = (
  mediator: Mediator,
  event: IncomingCloudEvent,
  context: RequestContext,
) => Promise<IntakeOutcome>;

/** @param answer picks what the command's result shows to clients */
function request<I, R extends Written>(message: Message<I, R>, answer: (result: R) => object): Request {
  return async (mediator, event, context) => {
    const checked = checkInput(message.input as z.ZodType<I>, event.data);
    if (!checked.ok) return { kind: 'invalid_data', problems: checked.problems };
    const asked = { message: message.name, input: checked.value };
    const operation = operationFor('cloudevents', JSON.stringify([event.source, event.id]), asked);
    const decision = await mediator.send(message, checked.value, { ...context, operation });
    if (!decision.ok) return { kind: 'refused', rejection: decision.rejection };
    return { kind: 'done', intake: { result: answer(decision.value), written: decision.value } };
  };
}

/** By type, without the prefix. */
const REQUESTS: Readonly<Record<string, Request>> = {
  'person.registration.requested.v1': request(RegisterPerson, ({ person }) => person),
  'account.opening.requested.v1': request(CreateBankAccount, ({ account }) => account),
  'account.overdraft-limit-change.requested.v1': request(ChangeOverdraftLimit, ({ account }) => account),
  'account.closing.requested.v1': request(CloseBankAccount, ({ account }) => account),
  'deposit.requested.v1': request(CreateDeposit, ({ posting }) => posting),
  'withdrawal.requested.v1': request(CreateWithdrawal, ({ posting }) => posting),
};

/** The types that are understood, without the prefix. */
export const REQUESTED_TYPES: readonly string[] = Object.keys(REQUESTS);

/**
 * Does what an event asks for, once: a second event of the same source and id gets the first answer again.
 * @throws StoreError when the store could not do it; sending the event again is safe
 */
export async function receiveCloudEvent(
  mediator: Mediator,
  names: Pick<CloudEventNames, 'typePrefix'>,
  event: IncomingCloudEvent,
  context: RequestContext,
): Promise<IntakeOutcome> {
  const prefix = `${names.typePrefix}.`;
  const name = event.type.startsWith(prefix) ? event.type.slice(prefix.length) : '';
  const handle = Object.hasOwn(REQUESTS, name) ? REQUESTS[name] : undefined;
  return handle ? handle(mediator, event, context) : { kind: 'unknown_type' };
}

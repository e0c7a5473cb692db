/** The steps that every message passes: a log line that names stream and revision, validation, the operation's id. */
import type { Decision, Rejection } from '../domain/decision.ts';
import { checkInput } from './fields.ts';
import type { Behaviour } from './mediator.ts';
import { operationOfKey } from './operation.ts';

/** The part of a pino logger that the pipeline uses. */
export interface Logger {
  isLevelEnabled(level: string): boolean;
  info(facts: object, message: string): void;
  debug(facts: object, message: string): void;
}

/** Refuses input of the wrong shape, whichever way it came in: HTTP has checked its own part already. */
export const validation: Behaviour = (message, input, _context, next) => {
  const checked = checkInput(message.input, input);
  if (checked.ok) return next(checked.value);
  const [first] = checked.problems;
  const rejection: Rejection = {
    code: first?.code ?? 'invalid_input',
    detail: first?.detail ?? 'The input is not valid.',
    ...(first ? { field: first.path.join('.') } : {}),
  };
  return Promise.resolve({ ok: false, rejection });
};

/** A client's key names the operation that a command is; what goes on from here knows operations only. */
export const operations: Behaviour = (message, input, context, next) => {
  if (message.kind !== 'command' || context.idempotencyKey === undefined) return next(input);
  // From here on the key itself is gone: the log has its hash.
  const { idempotencyKey, ...rest } = context;
  const operation = context.operation ?? operationOfKey(idempotencyKey, message.name, input);
  return next(input, { ...rest, operation });
};

/** One line a message: commands at info, queries at debug. It holds ids and figures, never what a person typed. */
export function logging(logger: Logger): Behaviour {
  return (message, input, context, next) => {
    const level = message.kind === 'command' ? 'info' : 'debug';
    return logger.isLevelEnabled(level) ? logged(level, message, input, context, next) : next(input);
  };

  async function logged(level: 'info' | 'debug', ...[message, input, context, next]: Parameters<Behaviour>) {
    const startedAt = performance.now();
    const decision = await next(input);
    const facts = {
      message: message.name,
      correlation_id: context.correlation_id,
      ...outcome(decision),
      duration_ms: Math.round((performance.now() - startedAt) * 100) / 100,
    };
    logger[level](facts, decision.ok ? 'done' : 'refused');
    return decision;
  }
}

function outcome(decision: Decision<unknown>): object {
  if (!decision.ok) return { code: decision.rejection.code };
  const { stream, revision } = decision.value as { stream?: string; revision?: number };
  return stream === undefined ? {} : { stream, revision };
}

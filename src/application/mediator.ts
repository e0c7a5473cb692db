/** Takes a command or query from whoever asks to its one handler, through a pipeline that every message passes. */
import type { z } from 'zod';
import type { Decision } from '../domain/decision.ts';
import type { CommandContext } from '../event-sourcing/repository.ts';

/** The name of a message, the shape of its input, and (for the types alone) of its result. */
export interface Message<I, R> {
  readonly kind: 'command' | 'query';
  readonly name: string;
  readonly input: z.ZodType<I>;
  readonly resultType?: R;
}

/** Who asks: ids for tracing, and the revision that the client insists on (If-Match). */
export interface RequestContext extends CommandContext {
  readonly expectedRevision?: number;
  /** Makes a command safe to repeat, in the client's own words. */
  readonly idempotencyKey?: string;
}

export type Handler<I, R> = (input: I, context: RequestContext) => Promise<Decision<R>>;

/** A step around every handler; it calls `next` once, or answers by itself. */
export type Behaviour = (
  message: Message<unknown, unknown>,
  input: unknown,
  context: RequestContext,
  next: (input: unknown, context?: RequestContext) => Promise<Decision<unknown>>,
) => Promise<Decision<unknown>>;

export function command<R>() {
  return <I>(name: string, input: z.ZodType<I>): Message<I, R> => ({ kind: 'command', name, input });
}

export function query<R>() {
  return <I>(name: string, input: z.ZodType<I>): Message<I, R> => ({ kind: 'query', name, input });
}

export class Mediator {
  readonly #handlers = new Map<string, Handler<unknown, unknown>>();
  readonly #behaviours: readonly Behaviour[];

  /** @param behaviours the pipeline, outermost first */
  constructor(behaviours: readonly Behaviour[]) {
    this.#behaviours = behaviours;
  }

  /** Names the one handler of a message. */
  register<I, R>(message: Message<I, R>, handler: Handler<I, R>): this {
    if (this.#handlers.has(message.name)) throw new Error(`${message.name} has a handler already`);
    const run = this.#behaviours.reduceRight<Handler<unknown, unknown>>(
      (next, behaviour) => (input, context) =>
        behaviour(message, input, context, (changed, changedContext = context) =>
          next(changed, changedContext),
        ),
      handler as Handler<unknown, unknown>,
    );
    this.#handlers.set(message.name, run);
    return this;
  }

  /** Answers with what the handler decided; throws only what the handler threw (a store that failed). */
  send<I, R>(message: Message<I, R>, input: I, context: RequestContext): Promise<Decision<R>> {
    const handler = this.#handlers.get(message.name);
    if (!handler) throw new Error(`${message.name} has no handler`);
    return handler(input, context) as Promise<Decision<R>>;
  }
}

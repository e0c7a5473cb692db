/** Metrics of what the application is asked: commands and queries by name and outcome, refusals by code. */
import type { Registry } from 'prom-client';
import type { Behaviour, Message } from '../application/mediator.ts';
import type { Decision } from '../domain/decision.ts';
import { registerTally, type Tally } from './tally.ts';

/** One message's counters; the codes appear as they come. */
interface MessageTallies {
  readonly ok: Tally;
  readonly rejected: Tally;
  readonly error: Tally;
  readonly codes: Map<string, Tally>;
}

/** The step around every handler that counts. */
export function messageMetrics(registry: Registry): Behaviour {
  const commands = registerTally(registry, {
    name: 'openbank_commands_total',
    help: 'Commands by name and outcome: ok, rejected (by a rule or its input), error (a store failed).',
    labelNames: ['command', 'outcome'],
  });
  const queries = registerTally(registry, {
    name: 'openbank_queries_total',
    help: 'Queries by name and outcome: ok, rejected (not found, wrong input, blocked), error (a store failed).',
    labelNames: ['query', 'outcome'],
  });
  const rejections = registerTally(registry, {
    name: 'openbank_rejections_total',
    help: 'Commands and queries that were rejected, by name and problem code.',
    labelNames: ['message', 'code'],
  });
  const messages = new Map<string, MessageTallies>();

  function talliesOf({ name, kind }: Message<unknown, unknown>): MessageTallies {
    const known = messages.get(name);
    if (known) return known;
    const tally = (outcome: string) =>
      kind === 'command' ? commands({ command: name, outcome }) : queries({ query: name, outcome });
    const made = { ok: tally('ok'), rejected: tally('rejected'), error: tally('error'), codes: new Map() };
    messages.set(name, made);
    return made;
  }

  /** Codes are constants of the program, so there are few. */
  function rejected({ rejected, codes }: MessageTallies, message: string, code: string): void {
    rejected.add(1);
    let tally = codes.get(code);
    if (!tally) {
      tally = rejections({ message, code });
      codes.set(code, tally);
    }
    tally.add(1);
  }

  return async (message, input, _context, next) => {
    const tallies = talliesOf(message);
    let decision: Decision<unknown>;
    try {
      decision = await next(input);
    } catch (error) {
      tallies.error.add(1);
      throw error;
    }
    if (decision.ok) tallies.ok.add(1);
    else rejected(tallies, message.name, decision.rejection.code);
    return decision;
  };
}

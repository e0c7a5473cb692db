/** Puts together what the bank does by the clock. It runs where the write side is, and computes little. */
import type { Bank } from '../application/bank.ts';
import { holdExpiryTimer, interestTimer } from '../application/due-work.ts';
import { RunningTimer, type TimerProblem, type TimerStatus } from '../application/timers.ts';
import type { Config } from '../config.ts';
import { newId } from '../new-id.ts';
import type { WriteSide } from './compose-transfers.ts';
import type { Parts } from './parts.ts';

/** Told apart from the problems of others. */
export interface TimersProblem {
  readonly kind: 'timers';
  readonly problem: TimerProblem;
}

/**
 * Starts the timers that are not switched off, until the service ends.
 * @returns how they are doing
 */
export function startTimers(
  { holdExpirySeconds, interestSeconds }: Pick<Config, 'holdExpirySeconds' | 'interestSeconds'>,
  { accounts, codec }: Pick<WriteSide, 'accounts' | 'codec'>,
  stores: Pick<Bank, 'events' | 'readModels'>,
  report: (problem: TimersProblem) => void,
  parts: Parts,
): () => TimerStatus[] {
  const bank = { accounts, codec, ...stores, newId, now: () => new Date() };
  const timers = [
    holdExpiryTimer(bank, holdExpirySeconds * 1000),
    interestTimer(bank, interestSeconds * 1000),
  ]
    .filter(({ everyMs }) => everyMs > 0)
    .map((timer) => new RunningTimer(timer, (problem) => report({ kind: 'timers', problem })));
  const stopping = new AbortController();
  const running = timers.map((timer) => timer.run(stopping.signal));
  parts.closeLater({
    async close() {
      stopping.abort();
      await Promise.all(running);
    },
  });
  return () => timers.map((timer) => timer.status());
}

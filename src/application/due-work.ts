/** What the bank does by the clock: it records that holds have expired, and posts interest and fees of the last month. */
import { monthBefore } from '../domain/bank-account.ts';
import type { Decision } from '../domain/decision.ts';
import type { EventReader } from '../event-sourcing/event-store.ts';
import type { ReadModelReader } from '../event-sourcing/read-model-store.ts';
import { accounts } from '../projections/accounts.ts';
import type { ChangingBank } from './bank.ts';
import { expireHoldsHandler } from './commands/expire-holds.ts';
import { type InterestStep, postInterestForPeriodHandler } from './commands/post-interest-for-period.ts';
import { PAGE_ITEMS_MAX } from './queries/paging.ts';
import type { Timer } from './timers.ts';

/** Pages of open holds that one run looks at, 200 holds each; the next run goes on from there. */
const HOLD_PAGES_MAX = 50;
/** Accounts that refused, as an error names them. */
const FAILURES_NAMED_MAX = 5;

/** Records that holds have expired, for accounts on which nothing else happens. */
export function holdExpiryTimer(bank: ChangingBank, everyMs: number): Timer {
  const expire = expireHoldsHandler(bank);
  let cursor: string | undefined;
  return {
    name: 'hold_expiry',
    everyMs,
    async run(signal) {
      const from = cursor;
      // A place that could not be read is not begun with again.
      cursor = undefined;
      let next = from;
      for (let pages = 0; pages < HOLD_PAGES_MAX && !signal.aborted; pages += 1) {
        const step = await expire({ limit: PAGE_ITEMS_MAX, cursor: next }, traceOf(bank));
        next = accepted(step).next_cursor;
        if (next === undefined) return;
      }
      cursor = next;
    },
  };
}

/**
 * Posts the interest and fees of the month before this one, and through it of months before that were left out. Once it
 * went through without a refusal it is done, as far as this process knows; after a restart it is done again, and the
 * accounts know that there is nothing left to post.
 */
export function interestTimer(bank: ChangingBank, everyMs: number): Timer {
  const post = postInterestForPeriodHandler(bank);
  let done: string | undefined;
  return {
    name: 'interest',
    everyMs,
    async run(signal) {
      const now = bank.now().toISOString();
      const period = monthBefore(now);
      // Accounts that got their terms in the last minute of the month must be among those that are found.
      if (done === period || !(await haveSeenMonth(bank, now))) return;
      const failures: InterestStep['failures'] = [];
      let cursor: string | undefined;
      do {
        if (signal.aborted) return;
        const step = accepted(await post({ period, limit: PAGE_ITEMS_MAX, cursor }, traceOf(bank)));
        failures.push(...step.failures.slice(0, FAILURES_NAMED_MAX + 1 - failures.length));
        cursor = step.next_cursor;
      } while (cursor !== undefined);
      if (failures.length > 0) throw new Error(failed(period, failures));
      done = period;
    },
  };
}

function failed(period: string, failures: InterestStep['failures']): string {
  const named = failures
    .slice(0, FAILURES_NAMED_MAX)
    .map(({ account_id, code }) => `${account_id} (${code})`);
  const more = failures.length > named.length ? ' and others' : '';
  return `Accounts took no posting for ${period}: ${named.join(', ')}${more}.`;
}

/** Whether the read model of accounts tells all that was recorded before the month of `now`. */
async function haveSeenMonth(
  { readModels, events }: { readModels: ReadModelReader; events: EventReader },
  now: string,
): Promise<boolean> {
  const checkpoints = await readModels.checkpoints();
  const own = checkpoints.find((one) => one.projection === accounts.name && one.version === accounts.version);
  if (!own) return false;
  // Not from the position after: a server knows only those where something stands.
  for await (const event of events.readAll({ from: own.position, limit: 2 })) {
    if (event.position <= own.position) continue;
    // An imported event was recorded lately, however old it is; one of others may have no time of its own.
    const at = event.metadata.timestamp || event.recordedAt;
    return at.slice(0, 7) >= now.slice(0, 7);
  }
  return true;
}

function traceOf({ newId }: ChangingBank) {
  return { correlation_id: newId(), causation_id: newId() };
}

/** @throws Error for a rejection, which a timer reports */
function accepted<T>(decision: Decision<T>): T {
  if (decision.ok) return decision.value;
  throw new Error(decision.rejection.detail);
}

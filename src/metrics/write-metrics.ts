/** Metrics of the write side: appends to the event store, and how often an aggregate was in memory. */
import { Histogram, type Registry } from 'prom-client';
import type { RepositoryObserver } from '../event-sourcing/repository.ts';
import { registerTally } from './tally.ts';

/** From a group commit on a fast disk to a server on its knees. */
const SECONDS_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5];

/** @returns makes the observer of one repository, by the name of its aggregate, such as `BankAccount` */
export function writeMetrics(registry: Registry): (aggregate: string) => RepositoryObserver {
  const appends = registerTally(registry, {
    name: 'openbank_appends_total',
    help: 'Appends to the event store, by outcome: ok, conflict (another writer was faster), error.',
    labelNames: ['aggregate', 'outcome'],
  });
  const appendedEvents = registerTally(registry, {
    name: 'openbank_appended_events_total',
    help: 'Events that appends made durable.',
    labelNames: ['aggregate'],
  });
  const lookups = registerTally(registry, {
    name: 'openbank_aggregate_lookups_total',
    help: 'How often the state of an aggregate was asked for, by whether it was in memory: hit, miss.',
    labelNames: ['aggregate', 'result'],
  });
  const durations = new Histogram({
    name: 'openbank_append_duration_seconds',
    help: 'Time that an append to the event store takes until it is durable, or has failed.',
    buckets: SECONDS_BUCKETS,
    registers: [registry],
  });
  return (aggregate) => {
    const events = appendedEvents({ aggregate });
    const byOutcome = {
      ok: appends({ aggregate, outcome: 'ok' }),
      conflict: appends({ aggregate, outcome: 'conflict' }),
      error: appends({ aggregate, outcome: 'error' }),
    };
    const hits = lookups({ aggregate, result: 'hit' });
    const misses = lookups({ aggregate, result: 'miss' });
    return {
      onAppend(outcome, count, seconds) {
        byOutcome[outcome].add(1);
        if (outcome === 'ok') events.add(count);
        durations.observe(seconds);
      },
      onLookup(cached) {
        (cached ? hits : misses).add(1);
      },
    };
  };
}

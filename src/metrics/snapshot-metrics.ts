/** Metrics of snapshots: taken, used, missed, not trusted. */
import type { Registry } from 'prom-client';
import type { SnapshotObserver } from '../event-sourcing/snapshots/snapshot-keeper.ts';
import { registerTally, type Tally } from './tally.ts';

const REASONS = ['events', 'age', 'slow_load', 'replacement', 'request'] as const;
const SKIPS = ['overloaded', 'failed'] as const;
const LOADS = ['used', 'missed'] as const;
const DISCARDS = ['checksum', 'unreadable', 'version', 'anchor', 'wrong'] as const;
const AUDITS = ['sound', 'repaired', 'skipped', 'failed'] as const;

/** @returns makes the observer of the snapshots of one kind of aggregate, such as `BankAccount` */
export function snapshotMetrics(registry: Registry): (aggregate: string) => SnapshotObserver {
  const written = registerTally(registry, {
    name: 'openbank_snapshots_written_total',
    help: 'Snapshots written, by why: events, age, slow_load, replacement, request.',
    labelNames: ['aggregate', 'reason'],
  });
  const skipped = registerTally(registry, {
    name: 'openbank_snapshots_skipped_total',
    help: 'Snapshots that were due and not written: overloaded (too many waited) or failed.',
    labelNames: ['aggregate', 'reason'],
  });
  const loads = registerTally(registry, {
    name: 'openbank_snapshot_loads_total',
    help: 'Aggregates read from the event store: used a snapshot, or missed one and read all events.',
    labelNames: ['aggregate', 'result'],
  });
  const discarded = registerTally(registry, {
    name: 'openbank_snapshots_discarded_total',
    help: 'Snapshots that were not trusted, by reason: checksum, unreadable, version, anchor, wrong.',
    labelNames: ['aggregate', 'reason'],
  });
  const audits = registerTally(registry, {
    name: 'openbank_snapshot_audits_total',
    help: 'Comparisons of all snapshots of an aggregate with its events: sound, repaired, skipped, failed.',
    labelNames: ['aggregate', 'outcome'],
  });
  return (aggregate) => {
    const writtenFor = each(REASONS, (reason) => written({ aggregate, reason }));
    const skippedFor = each(SKIPS, (reason) => skipped({ aggregate, reason }));
    const loadsBy = each(LOADS, (result) => loads({ aggregate, result }));
    const discardedFor = each(DISCARDS, (reason) => discarded({ aggregate, reason }));
    const auditsBy = each(AUDITS, (outcome) => audits({ aggregate, outcome }));
    return {
      onWritten: (reason) => writtenFor[reason].add(1),
      onSkipped: (reason) => skippedFor[reason].add(1),
      onLoad: (result) => loadsBy[result].add(1),
      onDiscarded: (reason) => discardedFor[reason].add(1),
      onAudit: (outcome) => auditsBy[outcome].add(1),
    };
  };
}

function each<L extends string>(labels: readonly L[], make: (label: L) => Tally): Record<L, Tally> {
  return Object.fromEntries(labels.map((label) => [label, make(label)])) as Record<L, Tally>;
}

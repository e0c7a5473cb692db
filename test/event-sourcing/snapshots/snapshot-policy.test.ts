/** When a snapshot is due. */
import { describe, expect, it } from 'vitest';
import type { Known } from '../../../src/event-sourcing/decide-all.ts';
import { OperationLog, REMEMBERED_OPERATIONS_MAX } from '../../../src/event-sourcing/operation-log.ts';
import {
  dueReason,
  SNAPSHOT_OPERATIONS_MAX,
  type SnapshotPolicy,
  snapshotOf,
} from '../../../src/event-sourcing/snapshots/snapshot-policy.ts';

const SINCE = '2026-03-01T00:00:00.000Z';
const DAY_MS = 86_400_000;
const at = (days: number) => Date.parse(SINCE) + days * DAY_MS;
const POLICY: SnapshotPolicy = { everyEvents: 100, ageMs: 7 * DAY_MS, slowLoadMs: 100 };

const known = (revision: number, covered = -1, uncoveredSince = SINCE): Known<string> => ({
  state: 'state',
  revision,
  operations: undefined,
  tip: { eventId: 'event', latest: SINCE, covered, uncoveredSince },
});
const quick = { ms: 1, discarded: false };

describe('a snapshot is due', () => {
  it('after so many events without one, also when an append went past the number', () => {
    expect(dueReason(POLICY, known(98), at(0))).toBeUndefined();
    expect(dueReason(POLICY, known(99), at(0))).toBe('events');
    expect(dueReason(POLICY, known(150, 49), at(0))).toBe('events');
    expect(dueReason(POLICY, known(148, 49), at(0))).toBeUndefined();
  });

  it('when ten events have been without one for so long, and not for fewer', () => {
    expect(dueReason(POLICY, known(9), at(6.99))).toBeUndefined();
    expect(dueReason(POLICY, known(9), at(7))).toBe('age');
    expect(dueReason(POLICY, known(8), at(700))).toBeUndefined();
  });

  it('after a load that took long', () => {
    expect(dueReason(POLICY, known(3), at(0), { ms: 99.9, discarded: false })).toBeUndefined();
    expect(dueReason(POLICY, known(3), at(0), { ms: 100, discarded: false })).toBe('slow_load');
  });

  it('when there was one that could not be used', () => {
    expect(dueReason(POLICY, known(3), at(0), { ms: 1, discarded: true })).toBe('replacement');
  });

  it('never for events of which there is one', () => {
    const slow = { ms: 5_000, discarded: true };
    expect(dueReason(POLICY, known(100, 100), at(700), slow)).toBeUndefined();
  });

  it('for no reason that is switched off', () => {
    expect(dueReason({ ageMs: 1, slowLoadMs: 1 }, known(5_000, 4_995), at(9), quick)).toBe('slow_load');
    expect(dueReason({ everyEvents: 9 }, known(7), at(900), { ms: 9_000, discarded: false })).toBeUndefined();
    expect(dueReason({}, known(5_000), at(900), quick)).toBeUndefined();
  });
});

describe('the memory of operations in a snapshot', () => {
  const operation = (index: number) => ({ id: `key-${index}`, contentHash: `hash-${index}` });
  const logOf = (count: number) => {
    const log = new OperationLog();
    for (let index = 0; index < count; index += 1) log.note(operation(index), index, index);
    return log;
  };
  const remembering = (operations: OperationLog, revision: number) =>
    snapshotOf({ ...known(revision), operations })?.operations;

  it('ends where the state ends, even when the log is ahead of it', () => {
    const ids = remembering(logOf(6), 3)?.recent.map(({ id }) => id);
    expect(ids).toEqual(['key-1', 'key-2', 'key-3']);
    expect(remembering(logOf(6), 3)).toMatchObject({ creation: { id: 'key-0' }, hasForgotten: false });
  });

  it('knows that there were older ones, and makes a log that does', () => {
    const remembered = remembering(logOf(SNAPSHOT_OPERATIONS_MAX + 5), 5_000);
    expect(remembered?.recent).toHaveLength(SNAPSHOT_OPERATIONS_MAX);
    expect(remembered?.hasForgotten).toBe(true);
    const log = remembered && OperationLog.of(remembered);
    expect(log?.horizon).toBe('key-5');
    expect(log?.find('key-0')).toMatchObject({ firstRevision: 0 });
    expect(log?.remembered(5_000)).toEqual(remembered);
    expect(remembering(logOf(SNAPSHOT_OPERATIONS_MAX + 1), 5_000)?.hasForgotten).toBe(false);
  });

  it('is no memory when the log has forgotten all that the state knows: then there is no snapshot', () => {
    expect(snapshotOf({ ...known(2), operations: logOf(REMEMBERED_OPERATIONS_MAX + 9) })).toBeUndefined();
  });
});

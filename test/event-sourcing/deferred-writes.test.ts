/** Which documents a commit may leave out, told by what was committed before. */
import { expect, it } from 'vitest';
import { DeferredWrites } from '../../src/event-sourcing/deferred-writes.ts';
import type { RecordedEvent } from '../../src/event-sourcing/event-store.ts';

const LONG_MS = 60_000;
const PROJECTIONS = [
  { name: 'health', patient: true },
  { name: 'postings', writeOnce: true },
] as const;
const NONE = new Set<string>();
const HEALTH = new Set(['health']);

/** A part of the log; how many events it has is all that counts. */
function part(events: number, caughtUp: boolean) {
  return { events: new Array<RecordedEvent>(events), position: 1n, caughtUp };
}

function writes({ pace, patienceMs = LONG_MS, full = false }: Partial<Setting> = {}) {
  return new DeferredWrites({ projections: PROJECTIONS, session: { isFull: () => full }, pace, patienceMs });
}

interface Setting {
  pace: { busy: boolean };
  patienceMs: number;
  full: boolean;
}

it('patient documents wait under load at the end of the log, and nowhere else', () => {
  expect(writes().keptBack(part(50, true))).toEqual(HEALTH);
  expect(writes().keptBack(part(49, true))).toEqual(NONE);
  expect(writes().keptBack(part(5_000, false))).toEqual(NONE);
});

it('they wait until patience ends, or as long as they fit into memory', () => {
  expect(writes({ patienceMs: 0 }).keptBack(part(50, true))).toEqual(NONE);
  expect(writes({ full: true }).keptBack(part(50, true))).toEqual(NONE);
});

it('a rebuild that disturbs nobody collects what changes again and again, up to a bound', () => {
  const pace = { busy: false };
  const rebuild = writes({ pace });
  expect(rebuild.keptBack(part(1, false))).toEqual(HEALTH);
  rebuild.committed(HEALTH, 131_071);
  expect(rebuild.keptBack(part(1, false))).toEqual(HEALTH);
  rebuild.committed(HEALTH, 1);
  expect(rebuild.keptBack(part(1, false))).toEqual(NONE);
  rebuild.committed(NONE, 1);
  expect(rebuild.keptBack(part(1, false))).toEqual(HEALTH);
});

it('a rebuild writes all at once where others need the thread, at the end of the log, and when memory is full', () => {
  expect(writes({ pace: { busy: true } }).keptBack(part(1, false))).toEqual(NONE);
  expect(writes({ pace: { busy: false } }).keptBack(part(1, true))).toEqual(NONE);
  expect(writes({ pace: { busy: false }, full: true }).keptBack(part(1, false))).toEqual(NONE);
});

it('something waits from a commit that left documents out to one that did not', () => {
  const deferred = writes();
  expect(deferred.areWaiting).toBe(false);
  deferred.committed(HEALTH, 50);
  expect(deferred.areWaiting).toBe(true);
  deferred.committed(NONE, 0);
  expect(deferred.areWaiting).toBe(false);
  deferred.committed(HEALTH, 50);
  deferred.forget();
  expect(deferred.areWaiting).toBe(false);
});

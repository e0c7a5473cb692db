/** The read model of operations: one document for each, whatever number of events it left. */
import { expect, it } from 'vitest';
import type { BankEvent } from '../../src/domain/bank-event.ts';
import type { Recorded } from '../../src/event-sourcing/codec.ts';
import { operations } from '../../src/projections/operations.ts';
import { newEvent, newMetadata } from '../support/event-builders.ts';

const NOTHING = { get: () => undefined };

function recorded(revision: number, idempotency_key?: string): Recorded<BankEvent> {
  const key = idempotency_key === undefined ? {} : { idempotency_key, idempotency_hash: 'content' };
  const metadata = { ...newMetadata({ aggregate_type: 'BankAccount', aggregate_id: 'one' }), ...key };
  const place = { stream: 'bank-account-one', revision, position: BigInt(revision + 1), recordedAt: '' };
  return { ...newEvent({ metadata }), ...place } as unknown as Recorded<BankEvent>;
}

it('ignores events that nobody named an operation for', () => {
  expect(operations.keys(recorded(0), NOTHING)).toEqual([]);
});

it('keeps one document for each of its names', () => {
  const event = recorded(4, 'op');
  const alias = { idempotency_alias: 'name', idempotency_alias_hash: 'other content' };
  const named = { ...event, metadata: { ...event.metadata, ...alias } };
  const keys = ['BankAccount/one/op', 'BankAccount/one/name'];
  expect(operations.keys(named, NOTHING)).toEqual(keys);
  expect(keys.map((key) => operations.fold(undefined, named, NOTHING, key))).toMatchObject([
    { operation_id: 'op', content_hash: 'content' },
    { operation_id: 'name', content_hash: 'other content' },
  ]);
});

it('keeps from where to where the events of an operation stand', () => {
  const key = 'BankAccount/one/op';
  expect(operations.keys(recorded(4, 'op'), NOTHING)).toEqual([key]);
  const first = operations.fold(undefined, recorded(4, 'op'), NOTHING, key);
  expect(operations.fold(first, recorded(5, 'op'), NOTHING, key)).toEqual({
    aggregate_type: 'BankAccount',
    aggregate_id: 'one',
    operation_id: 'op',
    content_hash: 'content',
    first_revision: 4,
    last_revision: 5,
  });
});

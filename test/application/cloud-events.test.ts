/** What the bank's events look like from the outside, and what happens to those that cannot be told. */
import { CloudEvent, type CloudEventV1 } from 'cloudevents';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createBankCodec } from '../../src/application/bank-codec.ts';
import { deliverAsCloudEvent } from '../../src/application/cloud-event-publisher.ts';
import { dataSchemaOf, PUBLISHED_TYPES, toCloudEvent } from '../../src/application/cloud-events.ts';
import { BANK_ACCOUNT_EVENT_TYPES } from '../../src/domain/bank-account.ts';
import { PERSON_EVENT_TYPES } from '../../src/domain/person.ts';
import { TRANSFER_EVENT_TYPES } from '../../src/domain/transfer.ts';
import type { EventReader, RecordedEvent } from '../../src/event-sourcing/event-store.ts';
import { StoreError } from '../../src/event-sourcing/store-error.ts';
import { booksClosed } from '../support/account-history.ts';
import { ALICE, BankLog, created, posted, usd } from '../support/bank-events.ts';

const NAMES = {
  source: 'openbank',
  typePrefix: 'bank',
  schemas: 'https://bank.example/api/v1/cloud-events/schemas',
};
const OWNER = '0199aaaa-0000-7000-8000-000000000001';
const ACCOUNT = '0199aaaa-0000-7000-8000-000000000002';
const TRANSACTION = '0199aaaa-0000-7000-8000-000000000003';
const codec = createBankCodec('USD');

const log = new BankLog()
  .registered(OWNER)
  .account(
    ACCOUNT,
    created(OWNER, { currency: 'USD', overdraft_limit: '500.00' }),
    posted(TRANSACTION, { ...usd('CREDIT', '25.00', '25.00'), to_account_id: ACCOUNT }),
    {
      type: 'BankAccountOverdraftLimitChangedDomainEventV1',
      data: { old_limit: '500.00', new_limit: '0.00' },
    },
    { type: 'BankAccountClosedDomainEventV1', data: { reason: 'moved', final_balance: '0.00' } },
  )
  .accountV1('old', OWNER, 12);

/** A reader that knows nothing but single streams. */
const reader = {
  async *readStream(stream: string) {
    yield* log.events.filter((event) => event.stream === stream);
  },
} as unknown as EventReader;

async function delivered(event: RecordedEvent, from = reader) {
  let sent: CloudEventV1<object> | undefined;
  const deliver = deliverAsCloudEvent({
    reader: from,
    codec,
    names: NAMES,
    send: async (one) => {
      sent = one;
      return { kind: 'delivered' };
    },
  });
  const outcome = await deliver(event, new AbortController().signal);
  return { outcome, sent };
}

describe('a published event', () => {
  it('carries its envelope in the attributes of CloudEvents', async () => {
    const event = log.events[2] as RecordedEvent;
    const { sent } = await delivered({
      ...event,
      metadata: { ...event.metadata, traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' },
    });
    expect(sent).toEqual({
      specversion: '1.0',
      id: event.id,
      source: 'openbank',
      type: 'bank.transaction.v1',
      subject: ACCOUNT,
      time: event.metadata.timestamp,
      datacontenttype: 'application/json',
      dataschema: `${NAMES.schemas}/bank.transaction.v1`,
      correlationid: event.metadata.correlation_id,
      causationid: event.metadata.causation_id,
      partitionkey: event.stream,
      sequence: '0000000001',
      traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
      data: {
        account_id: ACCOUNT,
        transaction_id: TRANSACTION,
        type: 'DEPOSIT',
        direction: 'CREDIT',
        amount: '25.00',
        currency: 'USD',
        balance: '25.00',
        to_account_id: ACCOUNT,
        description: `posting ${TRANSACTION}`,
      },
    });
  });

  it.each([
    ['bank.person.registered.v1', 0, { person_id: OWNER, ...ALICE }],
    [
      'bank.account.created.v1',
      1,
      {
        account_id: ACCOUNT,
        owner_id: OWNER,
        overdraft_limit: '500.00',
        account_type: 'CHECKING',
        currency: 'USD',
      },
    ],
    [
      'bank.account.overdraft-limit-changed.v1',
      3,
      { account_id: ACCOUNT, old_limit: '500.00', new_limit: '0.00', currency: 'USD' },
    ],
    [
      'bank.account.closed.v1',
      4,
      { account_id: ACCOUNT, reason: 'moved', final_balance: '0.00', currency: 'USD' },
    ],
    [
      'bank.account.created.v1',
      5,
      {
        account_id: 'old',
        owner_id: OWNER,
        overdraft_limit: '12.00',
        account_type: 'CHECKING',
        currency: 'USD',
      },
    ],
  ])('%s says what happened', async (type, index, data) => {
    const { sent } = await delivered(log.events[index] as RecordedEvent);
    expect(sent?.type).toBe(type);
    expect(sent?.data).toEqual(data);
  });

  it('of closed books tells what they came to, and keeps to itself what only folds need', async () => {
    const { sent } = await delivered({ ...(log.events[4] as RecordedEvent), ...booksClosed });
    expect(sent).toMatchObject({ type: 'bank.account.books-closed.v1', subject: ACCOUNT });
    const { period_end, balance, currency, totals } = booksClosed.data as Record<string, unknown>;
    expect(sent?.data).toEqual({ account_id: ACCOUNT, period_end, balance, currency, totals });
  });

  it('is a valid CloudEvent, and its data fits the schema that it names', async () => {
    for (const event of log.events.slice(0, 5)) {
      const { sent } = await delivered(event);
      expect(() => new CloudEvent(sent ?? {})).not.toThrow();
      const schema = dataSchemaOf(sent?.type ?? '', NAMES);
      expect(schema?.$id).toBe(sent?.dataschema);
      const { $id: _id, ...rest } = schema ?? {};
      expect(z.fromJSONSchema(rest).parse(sent?.data)).toEqual(sent?.data);
      const properties = (schema as { properties?: object } | undefined)?.properties;
      for (const field of Object.keys(sent?.data ?? {})) expect(properties).toHaveProperty(field);
    }
  });

  it('goes by the prefix and the source that are configured', () => {
    const names = { ...NAMES, source: '/branches/7', typePrefix: 'org.example.bank' };
    const event = toCloudEvent(codec.decode(log.events[0] as RecordedEvent), names);
    expect(event).toMatchObject({ source: '/branches/7', type: 'org.example.bank.person.registered.v1' });
    expect(dataSchemaOf('bank.person.registered.v1', names)).toBeUndefined();
    const eventTypes = [...PERSON_EVENT_TYPES, ...BANK_ACCOUNT_EVENT_TYPES, ...TRANSFER_EVENT_TYPES];
    expect(new Set(PUBLISHED_TYPES).size).toBe(eventTypes.length);
  });
});

describe('an event that cannot be told', () => {
  const some = log.events[3] as RecordedEvent;
  const failing = (error: Error) =>
    ({
      // biome-ignore lint/correctness/useYield: it fails before it gives anything
      async *readStream() {
        throw error;
      },
    }) as unknown as EventReader;

  it('because its type is unknown is unpublishable', async () => {
    const { outcome, sent } = await delivered({ ...some, type: 'FromTheFuture' });
    expect(outcome).toMatchObject({
      kind: 'unpublishable',
      reason: expect.stringContaining('FromTheFuture'),
    });
    expect(sent).toBeUndefined();
  });

  it('because the first event of its account is gone is unpublishable', async () => {
    const { outcome } = await delivered({ ...some, stream: 'bank-account-gone' });
    expect(outcome.kind).toBe('unpublishable');
  });

  it.each(['unavailable', 'closed', 'busy'] as const)(
    'because the store is %s can be told later',
    async (code) => {
      const { outcome } = await delivered(some, failing(new StoreError(code, 'not now')));
      expect(outcome).toEqual({ kind: 'busy', reason: 'not now' });
    },
  );
});

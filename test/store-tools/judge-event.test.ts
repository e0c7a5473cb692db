/** What is wrong with events that nobody has decided on: each by itself, and each where it stands. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { RecordedEvent } from '../../src/event-sourcing/event-store.ts';
import { eventJudge } from '../../src/store-tools/judge-event.ts';
import { booksClosed, opened, posted, TRANSACTION } from '../support/account-history.ts';
import { ACCOUNT_LIFE } from '../support/account-life.ts';
import { newEvent, newMetadata } from '../support/event-builders.ts';

const judge = eventJudge('USD');
const GOLDEN = join(import.meta.dirname, '../golden-streams');
const PREFIXES: Readonly<Record<string, string>> = {
  person: 'person-1',
  account: 'bank-account-1',
  transfer: 'transfer-1',
};

interface Told {
  readonly type: string;
  readonly data: object;
  readonly timestamp?: string;
}

/** What is wrong with each of these events in a stream. */
function faultsIn(stream: string, events: readonly Told[]) {
  let before: { readonly state: unknown } = { state: undefined };
  return events.map(({ type, data, timestamp }, revision) => {
    const judged = judge(
      recorded(stream, revision, { type, data, ...(timestamp ? { timestamp } : {}) }),
      before,
    );
    before = { state: judged.state };
    return judged.fault;
  });
}

function recorded(stream: string, revision: number, { type, data, timestamp }: Told): RecordedEvent {
  const metadata = newMetadata(timestamp === undefined ? {} : { timestamp });
  const place = { stream, revision, position: BigInt(revision + 1), recordedAt: metadata.timestamp };
  return { ...newEvent({ type, data, metadata }), ...place };
}

const deposit = (fields: object) => {
  const { type, data } = posted({ type: 'DEPOSIT', direction: 'CREDIT', amount: '1.00', balance: '1.00' });
  return { type, data: { ...data, ...fields } };
};
const kinds = (stream: string, ...events: readonly Told[]) =>
  faultsIn(stream, events).map((fault) => fault?.kind);

describe('nothing is wrong', () => {
  it.each(readdirSync(GOLDEN))('with the events in %s', (file) => {
    const { events } = JSON.parse(readFileSync(join(GOLDEN, file), 'utf8')) as { events: readonly Told[] };
    const stream = PREFIXES[file.split(/[-.]/, 1)[0] ?? ''] ?? '';
    expect(faultsIn(stream, events)).toEqual(events.map(() => undefined));
  });

  it('with all that can happen to an account, and with what is not of the bank', () => {
    const life = ACCOUNT_LIFE.map(([timestamp, event]) => ({ ...event, timestamp }));
    expect(faultsIn('bank-account-1', life).filter((fault) => fault)).toEqual([]);
    expect(kinds('operator-requests', { type: 'ProjectionPausedV1', data: {} })).toEqual([undefined]);
  });
});

describe('something is wrong', () => {
  it.each<[string, Told, string]>([
    [
      'a type that nobody knows',
      { type: 'BankAccountTeleportedDomainEventV9', data: {} },
      'unknown_event_type',
    ],
    ['an amount that is none', deposit({ amount: 'a lot' }), 'not_applicable'],
    ['an amount with too many decimals', deposit({ amount: '1.001' }), 'not_applicable'],
    ['another currency', deposit({ currency: 'EUR' }), 'not_applicable'],
    ['a second opening', opened(), 'not_applicable'],
    ['a direction that is none', deposit({ direction: 'SIDEWAYS' }), 'malformed'],
    ['a missing field', deposit({ description: undefined }), 'malformed'],
    ['fields of another kind', deposit({ transaction_id: 7 }), 'malformed'],
    [
      'books that cannot be read, although nobody needs them yet',
      { type: booksClosed.type, data: { ...booksClosed.data, balance: '1.0001' } },
      'malformed',
    ],
  ])('with %s', (_what, event, kind) => {
    expect(kinds('bank-account-1', opened(), event)).toEqual([undefined, kind]);
  });

  it.each<[string, object]>([
    ['accrual that is missing', { accrual: undefined }],
    ['accrual of no day', { accrual: { from: 'x', periods: [], carry: { credit: '0', overdraft: '0' } } }],
    [
      'accrual in numbers',
      { accrual: { from: '2026-01-01', periods: [], carry: { credit: 0, overdraft: '0' } } },
    ],
    [
      'accrual of a month that is none',
      {
        accrual: {
          from: '2026-01-01',
          periods: [{ period: 'May', credit: '1', overdraft: '0', fee: '0.00' }],
          carry: { credit: '0', overdraft: '0' },
        },
      },
    ],
    ['totals that are no money', { totals: { transactions: 1, credits: '1.0001', debits: '0.00' } }],
    ['less than nothing held', { held: '-1.00' }],
    ['a day that is none', { debited: { day: 'today', amount: '1.00' } }],
    ['a hold of no day', { holds: [{ hold_id: 'h', amount: '1.00', description: '', placed_on: '' }] }],
  ])('with books that tell of %s', (_what, fields) => {
    const { type, data } = booksClosed;
    expect(kinds('bank-account-1', opened(), { type, data })).toEqual([undefined, undefined]);
    const altered = { type, data: { ...data, ...fields } };
    expect(kinds('bank-account-1', opened(), altered)).toEqual([undefined, 'malformed']);
  });

  it.each<[string, Told]>([
    ['a posting', deposit({ amount: '-1.00' })],
    ['a balance with too many decimals', deposit({ balance: '1.001' })],
    [
      'a limit',
      {
        type: 'BankAccountLimitsChangedDomainEventV1',
        data: { transaction_limit: '-1.00', daily_limit: null },
      },
    ],
    [
      'an overdraft limit',
      {
        type: 'BankAccountOverdraftLimitChangedDomainEventV1',
        data: { old_limit: '0.00', new_limit: '-1.00' },
      },
    ],
  ])('with money that is none, or less than none: %s', (_what, event) => {
    expect(kinds('bank-account-1', opened(), event)).toEqual([undefined, 'malformed']);
  });

  it.each(['1.001', '-1.00'])('with a transfer of %s', (amount) => {
    const data = { from_account_id: 'a', to_account_id: 'b', amount, currency: 'USD', description: '' };
    expect(kinds('transfer-1', { type: 'TransferRequestedDomainEventV1', data })).toEqual(['malformed']);
  });

  it('with an event of another kind of stream, which leaves the state as it is', () => {
    const debited = { type: 'TransferDebitedDomainEventV1', data: { transaction_id: TRANSACTION } };
    expect(kinds('bank-account-1', opened(), debited, deposit({}))).toEqual([
      undefined,
      'not_applicable',
      undefined,
    ]);
    expect(kinds('person-1', deposit({}))).toEqual(['not_applicable']);
    const alone = judge(recorded('bank-account-1', 5, debited), undefined);
    expect(alone.fault?.kind).toBe('not_applicable');
  });

  it('with the currency on record, without which no bank starts', () => {
    const note = (type: string, data: object) => kinds('operator-default-currency', { type, data });
    expect(note('DefaultCurrencyNotedV1', { currency: 'EUR' })).toEqual([undefined]);
    expect(note('DefaultCurrencyNotedV1', { currency: 'euro' })).toEqual(['malformed']);
    expect(note('DefaultCurrencyNotedV2', { currency: 'EUR' })).toEqual(['malformed']);
  });

  it('with persons and transfers, too', () => {
    expect(kinds('person-1', { type: 'PersonRegisteredDomainEventV1', data: { first_name: 'A' } })).toEqual([
      'malformed',
    ]);
    const debited = { type: 'TransferDebitedDomainEventV1', data: { transaction_id: TRANSACTION } };
    expect(kinds('transfer-1', debited)).toEqual(['not_applicable']);
  });

  it('by itself only, where it is not known what came before', () => {
    const alone = (event: Told) => judge(recorded('bank-account-1', 5, event), undefined).fault?.kind;
    expect(alone(deposit({}))).toBeUndefined();
    expect(alone(deposit({ direction: 'SIDEWAYS' }))).toBe('malformed');
    expect(alone({ type: 'X', data: {} })).toBe('unknown_event_type');
  });
});

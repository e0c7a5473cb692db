/** Replaying an account: what breaks is marked where it broke, and today's rules are asked about each event. */
import { describe, expect, it } from 'vitest';
import { createBankCodec } from '../../src/application/bank-codec.ts';
import { replayAccount, type ShownStep } from '../../src/application/replay/replay-account.ts';
import { suspenseAccountId } from '../../src/application/suspense.ts';
import { legOperation } from '../../src/application/transfer-legs.ts';
import {
  type BankAccount,
  type BankAccountEvent,
  bankAccountStream,
  changeTerms,
  closeBooks,
  creditForTransfer,
  debitForReversal,
  debitForTransfer,
  evolveBankAccount,
  freezeAccount,
  openAccount,
  postPeriod,
  type ReversalLeg,
  refundTransfer,
  settleLeg,
  suspendTransfer,
} from '../../src/domain/bank-account.ts';
import type { Decision } from '../../src/domain/decision.ts';
import type { RecordedEvent } from '../../src/event-sourcing/event-store.ts';
import type { Operation } from '../../src/event-sourcing/operation-log.ts';
import {
  ACCOUNT,
  booksClosed,
  captured,
  closed,
  HOLD,
  held,
  leg,
  OTHER_ACCOUNT,
  OWNER,
  opened,
  posted,
  released,
  TRANSACTION,
  TRANSFER,
} from '../support/account-history.ts';
import { ACCOUNT_LIFE } from '../support/account-life.ts';
import { ArrayReader } from '../support/array-reader.ts';
import { collect, newEvent, newMetadata } from '../support/event-builders.ts';

const minute = (number: number) => new Date(Date.UTC(2026, 0, 15, 9, number)).toISOString();

/** A stream of these events, a minute apart; `change` spoils one. */
function streamOf(
  events: readonly { readonly type: string; readonly data: object }[],
  change: (event: RecordedEvent) => RecordedEvent = (event) => event,
): RecordedEvent[] {
  return events.map(({ type, data }, revision) => {
    const metadata = newMetadata({
      aggregate_type: 'BankAccount',
      aggregate_id: ACCOUNT,
      timestamp: minute(revision),
    });
    const place = {
      stream: bankAccountStream(ACCOUNT),
      revision,
      position: BigInt(revision),
      recordedAt: minute(0),
    };
    return change({ ...newEvent({ type, data, metadata }), ...place });
  });
}

function replayOf(
  events: readonly RecordedEvent[],
  options: { from?: number; to?: number; rules?: boolean } = {},
) {
  const { from = 0, to = 1_000, rules = false } = options;
  const source = { reader: new ArrayReader(events), codec: createBankCodec('USD') };
  return collect(replayAccount(source, { accountId: ACCOUNT, from, to, byTodaysRules: rules }));
}

const stateAfterAll = (events: readonly BankAccountEvent[]) =>
  events.reduce<BankAccount | undefined>(
    (before, event, revision) => evolveBankAccount(before, event, minute(revision)),
    undefined,
  ) as BankAccount;

const findingsOf = (steps: readonly ShownStep[]) =>
  steps.flatMap(({ revision, findings }) => findings.map(({ severity, code }) => [revision, severity, code]));

const deposit = (amount: string, balance: string) =>
  posted({ type: 'DEPOSIT', direction: 'CREDIT', amount, balance });
const withdrawal = (amount: string, balance: string) =>
  posted({ type: 'WITHDRAWAL', direction: 'DEBIT', amount, balance });

describe('a step', () => {
  it('shows the event, and each field before and after it', async () => {
    const [first, second] = await replayOf(streamOf([opened('50.00'), deposit('10.00', '10.00')]));
    expect(first?.changes).toContainEqual({ field: 'overdraft_limit', before: null, after: '50.00' });
    expect(second).toMatchObject({ revision: 1, at: minute(1), type: deposit('1', '1').type, findings: [] });
    expect(second?.changes).toEqual([
      { field: 'balance', before: '0.00', after: '10.00' },
      { field: 'available_balance', before: '50.00', after: '60.00' },
    ]);
    expect(second?.today).toBeUndefined();
  });

  it('is shown from and to the revisions that are asked for, and what comes before still counts', async () => {
    const events = streamOf([
      opened(),
      deposit('10.00', '10.00'),
      withdrawal('4.00', '6.00'),
      deposit('1.00', '7.00'),
    ]);
    const steps = await replayOf(events, { from: 2, to: 2 });
    expect(steps.map(({ revision }) => revision)).toEqual([2]);
    expect(steps[0]?.changes[0]).toEqual({ field: 'balance', before: '10.00', after: '6.00' });
    expect(findingsOf(steps)).toEqual([]);
  });
});

describe('an event that nobody of this program wrote', () => {
  it('is malformed where findings cannot read it, and not judged where rules cannot', async () => {
    const events = [
      opened('50.00'),
      { ...withdrawal('1.00', '-1.00'), data: { ...withdrawal('1.00', '-1.00').data, balance: undefined } },
      posted({ type: 'GIFT' as never, direction: 'CREDIT', amount: '1.00', balance: '0.00' }),
      deposit('1.00', '1.00'),
    ];
    const steps = await replayOf(streamOf(events), { rules: true });
    expect(findingsOf(steps)).toEqual([[1, 'broken', 'malformed']]);
    expect(steps.map(({ today }) => today?.kind)).toEqual(['same', 'otherwise', 'not_judged', 'same']);
  });

  // One of them shows most mistakes; the long tier tries all.
  const others = process.env.SLOW === '1' ? [undefined, 'x', 5] : [undefined];

  it('ends no replay, whichever of its fields is another one', async () => {
    const life = ACCOUNT_LIFE.map(([, event]) => JSON.parse(JSON.stringify(event)));
    for (const [revision, { data }] of life.entries()) {
      for (const field of Object.keys(data)) {
        for (const value of others) {
          const events = streamOf(life, (one) =>
            one.revision === revision ? { ...one, data: { ...data, [field]: value } } : one,
          );
          const steps = await replayOf(events, { rules: true });
          expect(steps.length, `${field} of revision ${revision}`).toBe(life.length);
        }
      }
    }
  });
});

describe('what broke is marked where it broke:', () => {
  const fine = [opened(), deposit('10.00', '10.00')] as const;
  const limitChanged = (old_limit: string, new_limit: string): BankAccountEvent => ({
    type: 'BankAccountOverdraftLimitChangedDomainEventV1',
    data: { old_limit, new_limit },
  });
  it.each([
    ['overdrawn', [withdrawal('10.01', '-0.01')]],
    ['overdrawn', [held('10.01')]],
    ['overdrawn', [limitChanged('0.00', '5.00'), withdrawal('12.00', '-2.00'), limitChanged('5.00', '1.99')]],
    ['balance_differs', [withdrawal('1.00', '9.01')]],
    ['amount_out_of_range', [deposit('0.00', '10.00')]],
    ['amount_out_of_range', [deposit('-1.00', '9.00')]],
    ['amount_out_of_range', [deposit('10000000000000.00', '10000000000010.00')]],
    ['limit_differs', [limitChanged('1.00', '2.00')]],
    ['hold_differs', [held('5.00'), released('4.00')]],
    ['hold_differs', [held('5.00'), captured('2.00', '2.00')]],
    ['closed_with_money', [closed]],
    ['closed_with_money', [limitChanged('0.00', '50.00'), held('5.00'), withdrawal('10.00', '0.00'), closed]],
    ['books_differ', [booksClosed]],
    ['changed_after_closing', [withdrawal('10.00', '0.00'), closed, deposit('1.00', '1.00')]],
    ['not_applicable', [released('5.00')]],
    ['not_applicable', [opened()]],
    ['unknown_event_type', [{ type: 'BankAccountRenamedDomainEventV1', data: {} }]],
    [
      'not_applicable',
      [posted({ type: 'DEPOSIT', direction: 'CREDIT', amount: '1', balance: '1', currency: 'JPY' })],
    ],
  ] as const)('%s, %#', async (code, events) => {
    const steps = await replayOf(streamOf([...fine, ...events]));
    expect(findingsOf(steps)).toEqual([[1 + events.length, 'broken', code]]);
  });

  it('balance_out_of_range', async () => {
    const most = '9999999999999.99';
    const deposits = Array.from({ length: 101 }, () => deposit(most, '0'));
    const codes = findingsOf(await replayOf(streamOf([opened(), ...deposits]))).filter(
      ([, , code]) => code === 'balance_out_of_range',
    );
    expect(codes).toEqual([[101, 'broken', 'balance_out_of_range']]);
  });

  it('balance_out_of_range, below zero too', async () => {
    const most = '9999999999999.99';
    const fee = posted({ type: 'FEE', direction: 'DEBIT', amount: most, balance: '0' });
    const codes = findingsOf(await replayOf(streamOf([opened(), ...Array(101).fill(fee)])));
    expect(codes.filter(([, , code]) => code === 'balance_out_of_range')).toEqual([
      [101, 'broken', 'balance_out_of_range'],
    ]);
  });

  it('revision_gap, also where the stream does not begin with its first event', async () => {
    const events = streamOf([
      opened(),
      deposit('1.00', '1.00'),
      deposit('1.00', '2.00'),
      deposit('1.00', '3.00'),
    ]);
    const gap = events.filter(({ revision }) => revision !== 2);
    expect(findingsOf(await replayOf(gap))).toEqual([
      [3, 'broken', 'revision_gap'],
      [3, 'broken', 'balance_differs'],
    ]);
    expect(findingsOf(await replayOf(events.slice(1)))[0]).toEqual([1, 'broken', 'revision_gap']);
  });

  it('an event that changes nothing, and what follows is replayed all the same', async () => {
    const events = [...fine, { type: 'Foreign', data: {} }, deposit('1.00', '11.00')];
    const steps = await replayOf(streamOf(events), { rules: true });
    expect(steps[2]?.changes).toEqual([]);
    expect(steps[2]?.today?.kind).toBe('not_judged');
    expect(steps[3]?.changes[0]).toEqual({ field: 'balance', before: '10.00', after: '11.00' });
  });

  it('a note where a clock stepped back, which breaks nothing', async () => {
    const back = streamOf([opened(), deposit('1.00', '1.00'), deposit('1.00', '2.00')], (event) =>
      event.revision === 1 ? { ...event, metadata: { ...event.metadata, timestamp: minute(30) } } : event,
    );
    expect(findingsOf(await replayOf(back))).toEqual([[2, 'note', 'clock_stepped_back']]);
  });

  it('a note also behind an event that tells no time', async () => {
    const minutes = [5, undefined, 4];
    const events = streamOf(
      [opened(), { type: 'Unreadable', data: {} }, deposit('1.00', '1.00')],
      (event) => {
        const told = minutes[event.revision];
        const metadata = told === undefined ? {} : { ...event.metadata, timestamp: minute(told) };
        return { ...event, metadata: metadata as RecordedEvent['metadata'] };
      },
    );
    const steps = await replayOf(events);
    expect(findingsOf(steps)).toEqual([
      [1, 'broken', 'unreadable'],
      [2, 'note', 'clock_stepped_back'],
    ]);
    expect(steps[1]?.at).toBe(events[1]?.recordedAt);
  });

  it('a note for each event that is stamped earlier than any before it', async () => {
    const stamps = [5, 3, 4, 5];
    const deposits = ['1.00', '2.00', '3.00'].map((balance) => deposit('1.00', balance));
    const back = streamOf([opened(), ...deposits], (event) => ({
      ...event,
      metadata: { ...event.metadata, timestamp: minute(stamps[event.revision] as number) },
    }));
    expect(findingsOf(await replayOf(back)).map(([revision]) => revision)).toEqual([1, 2]);
  });

  it('not what a closed account must take: the record of a refused leg, and all that goes to a suspense account', async () => {
    const emptied = [opened(), deposit('10.00', '10.00'), withdrawal('10.00', '0.00'), closed];
    const refused = settleLeg('CREDIT', TRANSFER, creditForTransfer(stateAfterAll(emptied), leg('1.00')));
    if (!refused.ok) throw new Error(refused.rejection.detail);
    expect(findingsOf(await replayOf(streamOf([...emptied, ...refused.value])))).toEqual([]);
    const suspense = streamOf([...emptied, deposit('1.00', '1.00')], (event) => ({
      ...event,
      metadata: { ...event.metadata, aggregate_id: suspenseAccountId('USD') },
    }));
    expect(findingsOf(await replayOf(suspense))).toEqual([]);
  });

  it('not how much the interest of a month comes to', async () => {
    const interest = posted({
      type: 'INTEREST',
      direction: 'CREDIT',
      amount: '10000000000000.00',
      balance: '10000000000000.00',
      period: '2025-12',
    });
    expect(findingsOf(await replayOf(streamOf([opened(), interest])))).toEqual([]);
  });

  it('not the books of an account that tell what the events before them make, after any of its events', async () => {
    const life = ACCOUNT_LIFE.filter(([, { type }]) => type !== booksClosed.type);
    const frame = {
      period_end: '2026-01-01T00:00:00.000Z',
      latest_event_at: '2026-01-01T00:00:00.000Z',
      totals: { transactions: 0, credits: '0.00', debits: '0.00' },
      operations: { creation: null, recent: [], has_forgotten: false },
    };
    let state: BankAccount | undefined;
    for (const [revision, [at, event]] of life.entries()) {
      state = evolveBankAccount(state, event, at);
      const books = closeBooks(state, frame, at);
      if (!books.ok) throw new Error(books.rejection.detail);
      const events = [...life.slice(0, revision + 1).map(([, one]) => one), ...books.value];
      // As a store gives them back.
      const stream = streamOf(JSON.parse(JSON.stringify(events)), (one) => {
        const timestamp = one.revision > revision ? at : (life[one.revision]?.[0] ?? at);
        return { ...one, metadata: { ...one.metadata, timestamp } };
      });
      const steps = await replayOf(stream, { from: revision + 1 });
      expect(findingsOf(steps), `behind revision ${revision}`).toEqual([]);
    }
  });

  it('not what the bank itself may do: charge beyond the limit, or end a hold when nothing is left', async () => {
    const fee = posted({
      type: 'FEE',
      direction: 'DEBIT',
      amount: '9.00',
      balance: '-4.00',
      period: '2025-12',
    });
    const events = [opened(), deposit('5.00', '5.00'), held('5.00'), fee, captured('5.00', '0.00')];
    const posting = posted({ type: 'HOLD', direction: 'DEBIT', amount: '5.00', balance: '-9.00' });
    expect(findingsOf(await replayOf(streamOf([...events, posting])))).toEqual([]);
  });
});

/** An account that its own decisions make: each is asked a minute after the one before it. */
class Lived {
  readonly id: string;
  readonly events: RecordedEvent[] = [];
  #state: BankAccount | undefined;
  #minute = 0;

  constructor(id: string = ACCOUNT) {
    this.id = id;
  }

  decides(
    decide: (state: BankAccount, now: string) => Decision<BankAccountEvent[]>,
    { at = minute(this.#minute), operation }: { at?: string; operation?: Operation } = {},
  ): this {
    this.#minute += 1;
    const decision = decide(this.#state as BankAccount, at);
    if (!decision.ok) throw new Error(decision.rejection.detail);
    for (const { type, data } of decision.value) {
      this.#state = evolveBankAccount(this.#state, { type, data } as BankAccountEvent, at);
      const key = operation && { idempotency_key: operation.id, idempotency_hash: operation.contentHash };
      const metadata = newMetadata({
        aggregate_type: 'BankAccount',
        aggregate_id: this.id,
        timestamp: at,
        ...key,
      });
      const revision = this.events.length;
      const place = {
        stream: bankAccountStream(this.id),
        revision,
        position: BigInt(revision),
        recordedAt: at,
      };
      this.events.push({ ...newEvent({ type, data, metadata }), ...place });
    }
    return this;
  }

  async verdicts(): Promise<unknown[]> {
    const source = { reader: new ArrayReader(this.events), codec: createBankCodec('USD') };
    const request = { accountId: this.id, from: 0, to: 1_000, byTodaysRules: true };
    const steps = await collect(replayAccount(source, request));
    expect(findingsOf(steps)).toEqual([]);
    return steps.map(({ today }) => today?.kind);
  }
}

const opening = (account_id = ACCOUNT) => {
  const account = { account_id, owner_id: OWNER, account_type: 'CHECKING', currency: 'USD' } as const;
  const amounts = { overdraft_limit: '10.00', initial_balance: '100.00', transaction_id: TRANSACTION };
  return () => openAccount(undefined, { ...account, ...amounts });
};

describe("today's rules", () => {
  it('agree with transfers: taken out, given back, and put in', async () => {
    const refund = legOperation('REFUND', TRANSFER);
    const giver = new Lived()
      .decides(opening())
      .decides((state, now) => debitForTransfer(state, leg('30.00'), now), {
        operation: legOperation('DEBIT', TRANSFER),
      })
      // A frozen account takes its own money back, but no other.
      .decides((state) => freezeAccount(state, 'ALL', 'Court order'))
      .decides((state) => refundTransfer(state, leg('30.00')), { operation: refund });
    expect(await giver.verdicts()).toEqual(['same', 'same', 'same', 'same', 'same']);
    const taker = new Lived(OTHER_ACCOUNT)
      .decides(opening(OTHER_ACCOUNT))
      .decides((state) => creditForTransfer(state, leg('30.00')));
    expect(await taker.verdicts()).toEqual(['same', 'same', 'same']);
  });

  it('agree with a transfer taken back, and with what was restored when that failed', async () => {
    const reverses = {
      amount: '30.00',
      debit_transaction_id: OTHER_ACCOUNT,
      credit_transaction_id: HOLD,
      completed_at: minute(0),
    };
    const accounts = { from_account_id: OTHER_ACCOUNT, to_account_id: ACCOUNT };
    const there = { ...leg('30.00'), ...accounts, transaction_id: HOLD };
    const back: ReversalLeg = { ...leg('30.00'), reverses };
    const taker = new Lived()
      .decides(opening())
      .decides((state) => creditForTransfer(state, there))
      .decides((state, now) => debitForReversal(state, back, now))
      .decides((state) => refundTransfer(state, back), { operation: legOperation('REFUND', TRANSFER) });
    expect(await taker.verdicts()).toEqual(['same', 'same', 'same', 'same', 'same']);
  });

  it('agree with money that the bank keeps, and cannot judge a leg that was refused', async () => {
    const id = suspenseAccountId('USD');
    const bank = { owner_id: OWNER, account_id: id };
    const kept = new Lived(id).decides((_state, now) => suspendTransfer(undefined, leg('30.00'), bank, now));
    kept.decides((state, now) => suspendTransfer(state, leg('5.00'), bank, now));
    expect(await kept.verdicts()).toEqual(['same', 'same', 'same']);
    const refused = new Lived()
      .decides(opening())
      .decides((state, now) => settleLeg('DEBIT', TRANSFER, debitForTransfer(state, leg('999.00'), now)));
    expect(await refused.verdicts()).toEqual(['same', 'same', 'not_judged']);
  });

  it('agree with interest and fees of several months at once', async () => {
    const terms = { credit_rate: '5', overdraft_rate: '12', monthly_fee: '1.00' };
    const period = { account_id: ACCOUNT, period: '2026-02', newTransactionId: () => TRANSACTION };
    const saver = new Lived()
      .decides(opening())
      .decides((state) => changeTerms(state, terms))
      .decides((state, now) => postPeriod(state, period, now), { at: '2026-03-05T00:00:00.000Z' });
    expect(saver.events.length).toBe(7);
    expect(await saver.verdicts()).toEqual(saver.events.map(() => 'same'));
  });

  const verdictOf = async (...events: readonly { readonly type: string; readonly data: object }[]) =>
    (await replayOf(streamOf(events), { rules: true })).at(-1)?.today;

  it('agree with what they decided themselves', async () => {
    expect(await verdictOf(opened('5.00'))).toEqual({ kind: 'same' });
    expect(await verdictOf(opened('5.00'), withdrawal('5.00', '-5.00'))).toEqual({ kind: 'same' });
  });

  it('would refuse what broke them, and say why', async () => {
    expect(await verdictOf(opened(), withdrawal('0.01', '-0.01'))).toMatchObject({
      kind: 'refused',
      code: 'insufficient_funds',
    });
    expect(await verdictOf(opened(), closed, deposit('1.00', '1.00'))).toMatchObject({
      code: 'account_closed',
    });
  });

  it('would accept with other content', async () => {
    expect(await verdictOf(opened(), deposit('1.00', '7.00'))).toEqual({
      kind: 'otherwise',
      differences: [{ field: 'balance', recorded: '"7.00"', today: '"1.00"' }],
    });
  });

  it('would record nothing where nothing changes, or where a hold has not expired yet', async () => {
    const unfrozen = { type: 'BankAccountUnfrozenDomainEventV1', data: { reason: 'x' } };
    expect(await verdictOf(opened(), unfrozen)).toEqual({ kind: 'nothing' });
    const hold = held('1.00', { expires_at: minute(59) });
    const expired = released('1.00', { reason: 'EXPIRED' });
    expect(await verdictOf(opened('5.00'), hold, expired)).toEqual({ kind: 'nothing' });
    const short = held('1.00', { expires_at: minute(2) });
    expect(await verdictOf(opened('5.00'), short, expired)).toEqual({ kind: 'same' });
  });

  it('undo a posting that they find in the stream, and judge none that they do not', async () => {
    const reversal = (id: string) =>
      posted({
        type: 'REVERSAL',
        direction: 'DEBIT',
        amount: '4.00',
        balance: '6.00',
        description: 'mistake',
        transaction_id: '01890a5d-ac96-774b-bcce-b302099a8070',
        reverses_transaction_id: id,
      });
    const paid = deposit('10.00', '10.00');
    const undone = await verdictOf(opened(), paid, reversal(paid.data.transaction_id));
    expect(undone).toEqual({ kind: 'same' });
    expect(await verdictOf(opened(), paid, reversal('unknown'))).toMatchObject({ kind: 'not_judged' });
  });
});

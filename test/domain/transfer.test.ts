/** The Transfer process: what is asked for, which step follows which, and what each outcome is taken down as. */
import { describe, expect, it } from 'vitest';
import {
  completeTransfer,
  evolveTransfer,
  type Leg,
  type LegOutcome,
  nextStep,
  recordLeg,
  requestTransfer,
  TRANSFER_EVENT_TYPES,
  TRANSFER_STATUSES,
  type Transfer,
  type TransferEvent,
  transferStream,
  UNFINISHED_STATUSES,
} from '../../src/domain/transfer.ts';
import { ACCOUNT, NOW, OTHER_ACCOUNT, TRANSACTION } from '../support/account-history.ts';
import { givenFor } from '../support/given-when-then.ts';

const given = givenFor<Transfer, TransferEvent>((state, event) => evolveTransfer(state, event, NOW));

const request = {
  from_account_id: ACCOUNT,
  to_account_id: OTHER_ACCOUNT,
  amount: '25.00',
  currency: 'USD',
  description: 'rent',
};
const requested: TransferEvent = { type: 'TransferRequestedDomainEventV1', data: request };
const step = (type: Exclude<TransferEvent['type'], 'TransferRequestedDomainEventV1'>): TransferEvent =>
  ({ type, data: data(type) }) as TransferEvent;
const data = (type: string) => {
  if (type.includes('Completed')) return {};
  return /Refused|Rejected/.test(type) ? refusal : { transaction_id: TRANSACTION };
};
const refusal = { code: 'account_closed', detail: 'The account is closed.' };
const debited = step('TransferDebitedDomainEventV1');
const creditRefused = step('TransferCreditRefusedDomainEventV1');
const refundRefused = step('TransferRefundRefusedDomainEventV1');

const posted: LegOutcome = { posted: true, transaction_id: TRANSACTION };
const refused: LegOutcome = { posted: false, rejection: refusal };

describe('a request', () => {
  it('begins a transfer, with its amount in all decimals', () => {
    given
      .nothing()
      .when(() => requestTransfer(undefined, { ...request, amount: '25' }))
      .thenEvents([requested]);
  });

  it('is refused to the same account, of nothing, and a second time', () => {
    const to = given.nothing();
    to.when(() => requestTransfer(undefined, { ...request, to_account_id: ACCOUNT })).thenRejected(
      'same_account',
      { field: 'to_account_id' },
    );
    to.when(() => requestTransfer(undefined, { ...request, amount: '0' })).thenRejected(
      'amount_not_positive',
      { field: 'amount' },
    );
    given([requested])
      .when((state) => requestTransfer(state, request))
      .thenRejected('transfer_already_exists');
  });
});

const LEGS: readonly {
  readonly leg: Leg;
  readonly before: readonly TransferEvent[];
  readonly whenPosted: readonly TransferEvent[];
  readonly whenRefused?: TransferEvent;
}[] = [
  { leg: 'DEBIT', before: [], whenPosted: [debited], whenRefused: step('TransferRejectedDomainEventV1') },
  {
    leg: 'CREDIT',
    before: [debited],
    whenPosted: [step('TransferCreditedDomainEventV1'), step('TransferCompletedDomainEventV1')],
    whenRefused: creditRefused,
  },
  {
    leg: 'REFUND',
    before: [debited, creditRefused],
    whenPosted: [step('TransferRefundedDomainEventV1')],
    whenRefused: refundRefused,
  },
  {
    leg: 'SUSPENSE',
    before: [debited, creditRefused, refundRefused],
    whenPosted: [step('TransferSuspendedDomainEventV1')],
  },
];

describe.each(LEGS)('the $leg', ({ leg, before, whenPosted, whenRefused }) => {
  const there = () => given([requested, ...before]);

  it('comes next, and what became of it is taken down', () => {
    there()
      .when((state) => {
        expect(nextStep(state)).toBe(leg);
        return recordLeg(state, leg, posted);
      })
      .thenEvents(whenPosted);
    if (whenRefused)
      there()
        .when((state) => recordLeg(state, leg, refused))
        .thenEvents([whenRefused]);
    else expect(() => there().when((state) => recordLeg(state, leg, refused))).toThrow('suspense');
  });

  it('is taken down once, and in its turn', () => {
    given([requested, ...before, ...whenPosted])
      .when((state) => recordLeg(state, leg, posted))
      .thenEvents([]);
    for (const { leg: other } of LEGS.filter((one) => one.leg !== leg)) {
      there()
        .when((state) => recordLeg(state, other, posted))
        .thenEvents([]);
    }
  });
});

it('a credit that was taken down without its end is completed', () => {
  const credited = step('TransferCreditedDomainEventV1');
  given([requested, debited, credited])
    .when((state) => {
      expect(nextStep(state)).toBe('COMPLETION');
      return completeTransfer(state);
    })
    .thenEvents([step('TransferCompletedDomainEventV1')]);
  given([requested, debited]).when(completeTransfer).thenEvents([]);
});

it('a transfer tells all its steps, each with its time', () => {
  given([requested, debited, creditRefused]).thenState({
    ...request,
    status: 'CREDIT_REFUSED',
    steps: [
      { status: 'REQUESTED', at: NOW },
      { status: 'DEBITED', at: NOW, transaction_id: TRANSACTION },
      { status: 'CREDIT_REFUSED', at: NOW, ...refusal },
    ],
  });
});

it('a stream that does not begin with its one request is corrupt', () => {
  expect(() => evolveTransfer(undefined, debited, NOW)).toThrow('before');
  expect(() => given([requested, requested])).toThrow('twice');
});

it('what is stored never changes', () => {
  expect(transferStream(ACCOUNT)).toBe(`transfer-${ACCOUNT.replaceAll('-', '')}`);
  expect(TRANSFER_EVENT_TYPES).toStrictEqual([
    'TransferRequestedDomainEventV1',
    'TransferDebitedDomainEventV1',
    'TransferRejectedDomainEventV1',
    'TransferCreditedDomainEventV1',
    'TransferCompletedDomainEventV1',
    'TransferCreditRefusedDomainEventV1',
    'TransferRefundedDomainEventV1',
    'TransferRefundRefusedDomainEventV1',
    'TransferSuspendedDomainEventV1',
    'TransferReversedDomainEventV1',
  ]);
  const final = TRANSFER_STATUSES.filter((status) => !UNFINISHED_STATUSES.includes(status));
  expect(final).toStrictEqual(['REJECTED', 'COMPLETED', 'REFUNDED', 'IN_SUSPENSE']);
});

/** Taking a transfer back: what is asked for, how it goes, and what the original takes down. */
import { describe, expect, it } from 'vitest';
import {
  completeTransfer,
  evolveTransfer,
  nextStep,
  recordLeg,
  type Transfer,
  type TransferEvent,
} from '../../src/domain/transfer.ts';
import {
  recordReversal,
  requestReversal,
  reversedAmount,
  TRANSFER_REVERSALS_MAX,
} from '../../src/domain/transfer-reversal.ts';
import { ACCOUNT, NOW, OTHER_ACCOUNT, TRANSACTION, TRANSFER } from '../support/account-history.ts';
import { givenFor } from '../support/given-when-then.ts';

const given = givenFor<Transfer, TransferEvent>((state, event) => evolveTransfer(state, event, NOW));

const CREDIT = '01890a5d-ac96-774b-bcce-b302099a8071';
const REVERSAL = '01890a5d-ac96-774b-bcce-b302099a8072';

const request = {
  from_account_id: ACCOUNT,
  to_account_id: OTHER_ACCOUNT,
  amount: '25.00',
  currency: 'USD',
  description: 'rent',
};
const requested: TransferEvent = { type: 'TransferRequestedDomainEventV1', data: request };
const debited: TransferEvent = {
  type: 'TransferDebitedDomainEventV1',
  data: { transaction_id: TRANSACTION },
};
const credited: TransferEvent = { type: 'TransferCreditedDomainEventV1', data: { transaction_id: CREDIT } };
const completed: TransferEvent = { type: 'TransferCompletedDomainEventV1', data: {} };
const COMPLETED: [TransferEvent, ...TransferEvent[]] = [requested, debited, credited, completed];

const reverses = {
  transfer_id: TRANSFER,
  amount: '25.00',
  debit_transaction_id: TRANSACTION,
  credit_transaction_id: CREDIT,
  completed_at: NOW,
};
const reversalRequested: TransferEvent = {
  type: 'TransferRequestedDomainEventV1',
  data: {
    from_account_id: OTHER_ACCOUNT,
    to_account_id: ACCOUNT,
    amount: '10.00',
    currency: 'USD',
    description: 'returned',
    reverses,
  },
};
const reversed = (reversal_transfer_id = REVERSAL): TransferEvent => ({
  type: 'TransferReversedDomainEventV1',
  data: { reversal_transfer_id, amount: '10.00', currency: 'USD' },
});

const reversing =
  (amount = '10') =>
  (transfer: Transfer) =>
    requestReversal(undefined, { transfer_id: TRANSFER, transfer, amount, reason: 'returned' });

describe('the request to take a transfer back', () => {
  it('begins one the other way round, which says what it reverses', () => {
    given(COMPLETED).when(reversing()).thenEvents([reversalRequested]);
    given([...COMPLETED, reversed()])
      .when(reversing())
      .thenEvents([reversalRequested]);
  });

  it('is refused for one that is not complete, or gave its money back by itself', () => {
    const refused = { type: 'TransferCreditRefusedDomainEventV1', data: { code: 'x', detail: 'y' } } as const;
    const refunded = { type: 'TransferRefundedDomainEventV1', data: { transaction_id: CREDIT } } as const;
    for (const [status, events] of [
      ['REQUESTED', []],
      ['DEBITED', [debited]],
      ['CREDITED', [debited, credited]],
      ['REFUNDED', [debited, refused, refunded]],
    ] as const) {
      given([requested, ...events])
        .when(reversing())
        .thenRejected('not_reversible', { facts: { transfer_id: TRANSFER, transfer_status: status } });
    }
  });

  it('is refused for a reversal', () => {
    given([reversalRequested, debited, credited, completed])
      .when(reversing())
      .thenRejected('not_reversible', { facts: { transfer_id: TRANSFER, transfer_status: 'COMPLETED' } });
  });

  it('is refused when there were too many, and for no amount', () => {
    const many = Array.from({ length: TRANSFER_REVERSALS_MAX }, (_, index) => reversed(`reversal ${index}`));
    given([...COMPLETED, ...many])
      .when(reversing())
      .thenRejected('too_many_reversals', { facts: { maximum: TRANSFER_REVERSALS_MAX } });
    given([...COMPLETED, ...many.slice(1)])
      .when(reversing())
      .thenEvents([reversalRequested]);
    given(COMPLETED).when(reversing('0')).thenRejected('amount_not_positive', { field: 'amount' });
  });
});

describe('a reversal', () => {
  const outcome = { posted: true, transaction_id: CREDIT } as const;

  it('that was credited is not complete before the original knows of it', () => {
    given([reversalRequested, debited])
      .when((state) => recordLeg(state, 'CREDIT', outcome))
      .thenEvents([credited]);
    given([reversalRequested, debited, credited])
      .when((state) => {
        expect(nextStep(state)).toBe('COMPLETION');
        return completeTransfer(state);
      })
      .thenEvents([completed]);
  });

  it('is taken down on the original once', () => {
    const recording = (state: Transfer) => recordReversal(state, { transfer_id: REVERSAL, amount: '10.00' });
    given(COMPLETED).when(recording).thenEvents([reversed()]);
    given([...COMPLETED, reversed()])
      .when(recording)
      .thenEvents([]);
  });

  it('leaves the original completed, with a list of what was given back', () => {
    const state = [...COMPLETED, reversed('first'), reversed('second')].reduce<Transfer | undefined>(
      (folded, event) => evolveTransfer(folded, event, NOW),
      undefined,
    ) as Transfer;
    expect(state.status).toBe('COMPLETED');
    expect(state.steps).toHaveLength(4);
    expect(state.reversals).toEqual([
      { transfer_id: 'first', amount: '10.00', at: NOW },
      { transfer_id: 'second', amount: '10.00', at: NOW },
    ]);
    expect(reversedAmount(state)).toBe(2_000n);
  });

  it('cannot be the first event of a stream', () => {
    expect(() => evolveTransfer(undefined, reversed(), NOW)).toThrow('before');
  });
});

/** Read model `transfers`: each transfer with all its steps; by status, so that operators and the worker find what is open. */
import { type DecimalString, toDecimal, toMinor } from '../domain/money.ts';
import {
  evolveTransfer,
  type ReversedTransfer,
  TRANSFER_EVENT_TYPES,
  type Transfer,
  type TransferEvent,
  type TransferReversal,
  type TransferStep,
  transferStream,
} from '../domain/transfer.ts';
import { reversedAmount } from '../domain/transfer-reversal.ts';
import { defineProjection } from '../event-sourcing/projection.ts';

/** All of the transfer, and: */
export type TransferDocument = {
  readonly [field in Exclude<keyof Transfer, 'steps' | 'reverses' | 'reversals'>]: Transfer[field];
} & {
  readonly steps: TransferStep[];
  readonly reverses?: ReversedTransfer;
  readonly reversals?: TransferReversal[];
  /** The sum of the reversals; missing when there is none. */
  readonly reversed_amount?: DecimalString;
  readonly id: string;
  readonly requested_at: string;
  readonly updated_at: string;
  readonly revision: number;
};

export const transfers = defineProjection<TransferEvent, TransferDocument>({
  name: 'transfers',
  version: 1,
  indexes: ['status'],
  listed: true,
  eventTypes: TRANSFER_EVENT_TYPES,
  minorUnits: ({ amount, currency }) => ({ amount: toMinor(amount, currency) }),
  stream: transferStream,
  keys: (event) => [event.metadata.aggregate_id],
  fold: (document, event, _lookup, id) =>
    transferDocument(id, evolveTransfer(document, event, event.metadata.timestamp), event.revision),
});

/** A transfer as the API shows it. */
export function transferDocument(id: string, transfer: Transfer, revision: number): TransferDocument {
  const { from_account_id, to_account_id, amount, currency, description, status, steps, reverses } = transfer;
  const requested_at = steps[0]?.at ?? '';
  const updated_at = (transfer.reversals ?? steps).at(-1)?.at ?? '';
  return {
    id,
    from_account_id,
    to_account_id,
    amount,
    currency,
    description,
    status,
    steps: [...steps],
    ...(reverses ? { reverses } : {}),
    ...reversalsOf(transfer),
    requested_at,
    updated_at,
    revision,
  };
}

function reversalsOf(transfer: Transfer): Pick<TransferDocument, 'reversals' | 'reversed_amount'> {
  const { reversals, currency } = transfer;
  if (!reversals) return {};
  return { reversals: [...reversals], reversed_amount: toDecimal(reversedAmount(transfer), currency) };
}

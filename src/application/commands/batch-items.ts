/** The items of a batch: their shapes, and how one that came from outside is read. */
import { z } from 'zod';
import { checkInput, type InputProblem } from '../fields.ts';
import { type PostingInput, postingFields } from './record-posting.ts';
import { requestTransferFields, type TransferInput } from './request-transfer.ts';

export const BATCH_ITEMS_MAX = 10_000;

export const BATCH_ITEM_TYPES = ['DEPOSIT', 'WITHDRAWAL', 'TRANSFER'] as const;

/** What a batch may ask for, each by the input of its own command. */
export type BatchItem = { readonly key: string | undefined } & (
  | { readonly type: 'DEPOSIT' | 'WITHDRAWAL'; readonly input: PostingInput }
  | { readonly type: 'TRANSFER'; readonly input: TransferInput }
);

/** An item that has not the shape of one. */
export interface UnreadItem {
  readonly problems: readonly InputProblem[];
}

/** Printable ASCII, as in the header of a single request. */
const KEY = /^[\x20-\x7e]{1,255}$/;

const key = z
  .string()
  .refine((value) => KEY.test(value), {
    message: 'must have 1 to 255 printable ASCII characters.',
    params: { code: 'invalid_idempotency_key' },
  })
  .optional()
  .meta({
    description:
      "Makes this item safe to repeat; the same as the header of a single request. Without it, the batch's own key counts, if it has one.",
    examples: ['payroll-2026-01/17'],
  });

const typed = <T extends (typeof BATCH_ITEM_TYPES)[number]>(type: T) =>
  z.literal(type).meta({ description: 'What to do.' });

export const BATCH_ITEM_SCHEMAS = {
  DEPOSIT: z.strictObject({ type: typed('DEPOSIT'), idempotency_key: key, ...postingFields.shape }),
  WITHDRAWAL: z.strictObject({ type: typed('WITHDRAWAL'), idempotency_key: key, ...postingFields.shape }),
  TRANSFER: z.strictObject({ type: typed('TRANSFER'), idempotency_key: key, ...requestTransferFields.shape }),
} as const;

/** Says what is wrong with an item that names none of the types. */
const ANY_ITEM = z.looseObject({ type: z.enum(BATCH_ITEM_TYPES) });

export function readBatchItem(value: unknown): BatchItem | UnreadItem {
  const type = (value as { type?: unknown } | null | undefined)?.type;
  switch (type) {
    case 'DEPOSIT':
    case 'WITHDRAWAL': {
      const checked = checkInput(BATCH_ITEM_SCHEMAS[type] as typeof BATCH_ITEM_SCHEMAS.DEPOSIT, value);
      if (!checked.ok) return checked;
      const { type: _named, idempotency_key, ...input } = checked.value;
      return { type, key: idempotency_key, input };
    }
    case 'TRANSFER': {
      const checked = checkInput(BATCH_ITEM_SCHEMAS.TRANSFER, value);
      if (!checked.ok) return checked;
      const { type: _named, idempotency_key, ...input } = checked.value;
      return { type, key: idempotency_key, input };
    }
    default: {
      const checked = checkInput(ANY_ITEM, value);
      return checked.ok ? { problems: [] } : checked;
    }
  }
}

/** What the shapes of the API share: examples, fields of one kind, and pages. */
import { z } from 'zod';

/** Ids in examples; the served document replaces them with ids that exist. */
export const EXAMPLE_IDS = {
  person: '01990d2e-7c1b-7a52-9d5e-0c8f7f4b1a01',
  account: '01990d2e-7c1b-7a52-9d5e-0c8f7f4b1a02',
  transaction: '01990d2e-7c1b-7a52-9d5e-0c8f7f4b1a03',
  hold: '01990d2e-7c1b-7a52-9d5e-0c8f7f4b1a05',
  transfer: '01990d2e-7c1b-7a52-9d5e-0c8f7f4b1a06',
  other_account: '01990d2e-7c1b-7a52-9d5e-0c8f7f4b1a07',
} as const;

/** In the future, when it is served. */
export const EXAMPLE_EXPIRY = '2030-01-31T12:00:00.000Z';

const EXAMPLE_TIME = '2026-01-15T09:30:00.000Z';

export const uuid = (example: string) => z.uuid().meta({ examples: [example] });
export const money = (example: string) =>
  z.string().meta({ description: 'Decimal, all digits of the currency.', examples: [example] });
export const time = z.iso.datetime().meta({ description: 'RFC 3339, UTC.', examples: [EXAMPLE_TIME] });
export const revision = z
  .int()
  .min(0)
  .meta({ description: 'Stream revision; also the ETag.', examples: [1] });
export const count = z.int().min(0);
export const currency = z.string().meta({ description: 'ISO 4217.', examples: ['USD'] });

export function pageOf<T extends z.ZodType>(item: T, id: string) {
  return z
    .strictObject({
      items: z.array(item),
      next_cursor: z.string().optional().meta({ description: 'Absent on the last page.' }),
    })
    .meta({ id });
}

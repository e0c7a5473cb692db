/** Shapes of what the API answers about snapshots. */
import { z } from 'zod';
import { EXAMPLE_IDS, uuid } from './fields.ts';

export const snapshotTakenSchema = z
  .strictObject({
    account_id: uuid(EXAMPLE_IDS.account),
    revision: z.int().meta({ description: 'Of the account, to which the snapshot leads.' }),
    written: z.boolean().meta({ description: 'False when there was a snapshot of this revision already.' }),
  })
  .meta({ id: 'SnapshotTaken' });

export const snapshotListSchema = z
  .strictObject({
    items: z
      .array(
        z.strictObject({
          kind: z
            .enum(['NEWEST', 'MILESTONE'])
            .meta({ description: 'The newest ones push older ones out; milestones are kept for good.' }),
          revision: z.int().nullable(),
          taken_at: z.iso.datetime().nullable(),
          usable: z.boolean(),
          reason: z
            .string()
            .nullable()
            .meta({ description: 'Why it cannot be used: `checksum`, `unreadable` or `version`.' }),
        }),
      )
      .readonly(),
  })
  .meta({ id: 'SnapshotList' });

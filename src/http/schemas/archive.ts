/** What the archive's routes answer. */
import { z } from 'zod';

const time = (description: string) =>
  z.string().meta({ description, examples: ['2026-12-31T23:59:59.999Z'] });
const count = (description: string) => z.int().meta({ description, examples: [12_345] });

export const archiveRunSchema = z
  .strictObject({
    run_id: z.string().meta({ examples: ['01990d2e-7c1b-7a52-9d5e-0c8f7f4b1a09'] }),
    state: z.enum(['RUNNING', 'FINISHED', 'FAILED']),
    dry_run: z.boolean(),
    up_to: time('The end of the period, UTC.'),
    min_events: z.int().meta({ examples: [1_000] }),
    started_at: time('When it was started.'),
    finished_at: time('When it ended.').nullable(),
    examined: count('Accounts that were looked at.'),
    accounts: count('Accounts whose books were closed.'),
    events: count('Events that leave the store.'),
    skipped: count('Accounts whose books could not be closed; the log says why.'),
    more: z
      .boolean()
      .meta({ description: 'It ended at the most accounts that it takes: another run goes on.' }),
    volume: z
      .string()
      .nullable()
      .meta({ description: 'What was written.', examples: ['00000001-8f7f4b1a'] }),
    error: z
      .strictObject({ code: z.string(), detail: z.string() })
      .nullable()
      .meta({ description: 'Why it failed. No event is lost; the next run goes on.' }),
  })
  .meta({ id: 'ArchiveRun' });

export const archiveSchema = z
  .strictObject({
    directory: z.string().nullable().meta({ description: 'Null where nothing can be archived.' }),
    volume_count: count('Volumes.'),
    events: count('Events in them.'),
    bytes: count('Size of their files.'),
    volumes: z
      .array(
        z
          .strictObject({
            volume: z.string().meta({ examples: ['00000001-8f7f4b1a'] }),
            created_at: time('When it was written.'),
            streams: count('Accounts of which it has a piece.'),
            events: count('Events in it.'),
            segments: z.int().meta({ examples: [3] }),
            bytes: count('Size of its files.'),
            digest: z.string().meta({ description: 'Checksum of its events, as an export has one of all.' }),
            cut: z.boolean().meta({ description: 'Whether all of its events have left the store.' }),
          })
          .meta({ id: 'ArchiveVolume' }),
      )
      .meta({ description: 'The newest 100, the newest first.' }),
    run: archiveRunSchema.nullable().meta({ description: 'The newest one of this process.' }),
  })
  .meta({ id: 'Archive' });

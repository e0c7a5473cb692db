/** What the routes of backups answer, and what they need of whoever makes them. */
import { z } from 'zod';
import { count } from './fields.ts';

const time = z.iso.datetime();

const backupRunSchema = z
  .strictObject({
    number: z.int().min(1),
    started_at: time,
    as_of: time.meta({ description: 'What was acknowledged before is in it, and nothing that came later.' }),
    verified_at: time.meta({ description: 'When all that it wrote had been read again.' }),
    events: count.meta({ description: 'Of this run and those before it.' }),
    new_events: count,
    segments: count,
    head_position: z.string(),
    digest: z.string(),
  })
  .meta({ id: 'BackupRun' });

const runningSchema = z.strictObject({
  started_at: time,
  phase: z.enum(['starting', 'checking', 'exporting', 'verifying']),
  events: count.meta({ description: 'Handled in this phase.' }),
});

export const backupStartedSchema = z
  .strictObject({ status: z.literal('running'), started_at: time })
  .meta({ id: 'BackupStarted' });

export const backupListSchema = z
  .strictObject({
    configured: z.boolean().meta({ description: 'Whether OPENBANK_BACKUP_DIR names a directory.' }),
    running: runningSchema.nullable(),
    last_failure: z
      .strictObject({ failed_at: time, code: z.string(), detail: z.string() })
      .nullable()
      .meta({ description: 'Of the newest try of this process, if it came to nothing.' }),
    damage: z.string().nullable().meta({ description: 'Why the list of runs cannot be read.' }),
    items: z
      .array(backupRunSchema)
      .meta({ description: 'Finished and verified; newest first, 100 at most.' }),
  })
  .meta({ id: 'BackupList' });

export type BackupList = z.output<typeof backupListSchema>;
export type BackupRunning = z.output<typeof runningSchema>;

/** Makes backups for the API, one at a time. */
export interface BackupService {
  list(): Promise<BackupList>;
  /** Begins one; it goes on behind the answer. */
  start(): { readonly started_at: string } | BackupRefusal;
  /** Ends what is under way; the next one goes on there. */
  stop(): Promise<void>;
}

export type BackupRefusal = 'backup_in_progress' | 'backups_not_configured' | 'not_supported';

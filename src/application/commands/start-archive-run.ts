/** Command: starts a run of the archive, which goes on in the background. */
import { z } from 'zod';
import { type ArchiveRun, notArchiving } from '../archive-runs.ts';
import type { Bank } from '../bank.ts';
import { command, type Handler } from '../mediator.ts';
import { pastInstant } from '../queries/point-in-time.ts';

/** Bounds of what one run takes; 100,000 entries take some 30 MB. */
const ACCOUNTS_MAX = 100_000;

export const archiveRunFields = z.strictObject({
  up_to: z.iso
    .datetime({ offset: true })
    .optional()
    .meta({
      description: 'The end of the period: accounts count that had enough events by then. Default: now.',
      examples: ['2025-12-31T23:59:59Z'],
    }),
  min_events: z
    .int()
    .min(2)
    .max(1_000_000_000)
    .default(1_000)
    .meta({ description: 'Events that an account must have in the store itself.', examples: [1_000] }),
  accounts_max: z
    .int()
    .min(1)
    .max(ACCOUNTS_MAX)
    .default(10_000)
    .meta({
      description: `Accounts of this run, at most ${ACCOUNTS_MAX}; another run takes more.`,
      examples: [10_000],
    }),
  dry_run: z
    .boolean()
    .default(false)
    .meta({ description: 'Only count; nothing is written.', examples: [true] }),
});

type Input = z.output<typeof archiveRunFields>;

export const StartArchiveRun = command<ArchiveRun>()('StartArchiveRun', archiveRunFields);

/** Rejects with `not_supported`, `archive_run_in_progress`, `invalid_time` or `time_in_future`. */
export function startArchiveRunHandler(bank: Pick<Bank, 'archive' | 'now'>): Handler<Input, ArchiveRun> {
  return async ({ up_to, min_events, accounts_max, dry_run }, context) => {
    const { archive, now } = bank;
    if (!archive) return notArchiving();
    const upTo = pastInstant(bank, up_to ?? now().toISOString(), 'up_to');
    if (!upTo.ok) return upTo;
    const { correlation_id, causation_id, actor, traceparent } = context;
    const request = { upTo: upTo.value, minEvents: min_events, accountsMax: accounts_max, dryRun: dry_run };
    return archive.start(request, {
      correlation_id,
      causation_id,
      ...(actor === undefined ? {} : { actor }),
      ...(traceparent === undefined ? {} : { traceparent }),
    });
  };
}

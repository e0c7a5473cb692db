/** Shapes of what the API answers about the health of streams. */
import { z } from 'zod';
import { STREAM_CATEGORIES, STREAM_FAULTS } from '../../application/stream-state.ts';
import { count, pageOf } from './fields.ts';

const time = z.iso.datetime({ offset: true }).meta({ examples: ['2026-01-15T09:30:00.000Z'] });
const category = z.enum(STREAM_CATEGORIES as [string, ...string[]]).meta({ examples: ['bank-account'] });

const streamStateFields = {
  stream: z.string().meta({ examples: ['bank-account-01990d2e7c1b7a529d5e0c8f7f4b1a02'] }),
  category,
  first_revision: count.describe('0, unless what came before was cut off before anybody looked.'),
  length: count.describe('The newest revision and one.').meta({ examples: [120] }),
  events: count.describe('Events that were seen.').meta({ examples: [120] }),
  bytes: count.describe('Of their data and metadata, as JSON.').meta({ examples: [81_240] }),
  first_event_at: time,
  last_event_at: time,
  age_days: count.describe('Since the first event.'),
  quiet_days: count.describe('Since the newest event.'),
  events_last_7_days: count,
  events_per_day: z.number().describe('Over the last seven days, or over its age where it is younger.'),
  problems: z
    .array(z.enum([...STREAM_FAULTS, 'snapshot_lag']))
    .readonly()
    .describe('What is wrong with it; `snapshot_lag` only where snapshots were looked at.'),
  faults: z
    .array(
      z.strictObject({
        fault: z.enum(STREAM_FAULTS),
        count,
        since_revision: count,
        newest_revision: count,
        newest_type: z.string(),
      }),
    )
    .readonly()
    .describe('What was seen, how often, and the newest event at which.'),
  gaps: z
    .array(
      z.strictObject({
        after_revision: z.int(),
        next_revision: count,
        cut_off: z.boolean().describe('What is missing was cut off on purpose, and is no problem.'),
      }),
    )
    .readonly()
    .describe('The newest ones, at most five.'),
  snapshot: z
    .strictObject({
      revision: count.nullable().describe('Of the newest usable snapshot.'),
      lag: count.describe('Events behind it, which a load has to read.'),
    })
    .optional()
    .describe('Of an account, where snapshots were looked at.'),
};

const streamStateSchema = z.strictObject(streamStateFields).meta({ id: 'StreamHealth' });
export const streamStatePageSchema = pageOf(streamStateSchema, 'StreamHealthPage');

const eventSchema = z.strictObject({ id: z.string(), type: z.string(), revision: count, at: time });

export const wholeStreamStateSchema = z
  .strictObject({
    ...streamStateFields,
    first_event: eventSchema
      .nullable()
      .describe('The oldest that is still there; null where it is unreadable.'),
    last_event: eventSchema.nullable(),
  })
  .meta({ id: 'WholeStreamHealth' });

export const streamHealthSummarySchema = z
  .strictObject({
    categories: z
      .array(
        z.strictObject({
          category,
          streams: count,
          events: count,
          bytes: count,
          last_event_at: time.nullable(),
          lengths: z
            .array(z.strictObject({ up_to: count.nullable(), streams: count }))
            .readonly()
            .describe('Streams longer than the class before, up to this length; null is any.'),
          with_faults: z
            .strictObject({
              any: count,
              ...(Object.fromEntries(STREAM_FAULTS.map((fault) => [fault, count])) as Record<
                (typeof STREAM_FAULTS)[number],
                typeof count
              >),
            })
            .describe('Streams with each fault, and with any.'),
        }),
      )
      .readonly(),
    longest: z.array(streamStateSchema).readonly().describe('The ten longest.'),
    orphan_transfers: count.describe('Unfinished transfers that nobody seems to drive.'),
    orphan_minutes: count.describe('After so many minutes without a step they count.'),
  })
  .meta({ id: 'StreamHealthSummary' });

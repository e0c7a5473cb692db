/** Shapes of what the API answers about projections and their rebuilds. */
import { z } from 'zod';
import { count, time } from './fields.ts';

export const projectionsState = z
  .enum(['running', 'retrying', 'standby', 'unattended', 'stopped'])
  .meta({ description: '`standby`: other workers lead the projections. `unattended`: nobody does.' });

const rebuildSchema = z.strictObject({
  build: count,
  reason: z.enum(['requested', 'version_changed']),
  started_at: time,
  position: z.string(),
  percent: z.int().meta({ description: 'Of the log.' }),
  events_per_second: count,
  seconds_left: count.nullable().meta({ description: 'At this rate; null while it is not known.' }),
});

export const projectionStatusSchema = z.strictObject({
  name: z.string(),
  group: z.string().meta({ description: 'Rebuilt, paused and resumed together.' }),
  version: z.int(),
  served_version: z.int().nullable().meta({ description: 'Null before the first document.' }),
  served_build: z.int().nullable().meta({ description: 'Another one after each rebuild.' }),
  stale: z.boolean().meta({
    description:
      'What is served was left by an older version of the program, until the new one has caught up.',
  }),
  position: z.string(),
  lag_events: count.nullable().meta({ description: 'Null where positions do not count events.' }),
  lag_ms: z.number(),
  state: z.union([projectionsState, z.literal('paused')]).meta({
    description: 'Of its group: `retrying` when following the log or a rebuild of this group fails.',
  }),
  dead_letters: count,
  rebuild: rebuildSchema.nullable(),
});

export type ProjectionStatus = z.output<typeof projectionStatusSchema>;

export const projectionListSchema = z
  .strictObject({ items: z.array(projectionStatusSchema) })
  .meta({ id: 'Projections' });

export const projectionRequestSchema = z
  .strictObject({
    action: z.enum(['rebuild', 'cancel', 'pause', 'resume']),
    group: z.string(),
    projections: z.array(z.string()),
    revision: z.int().meta({ description: 'Of the request, in the stream operator-requests.' }),
  })
  .meta({ id: 'ProjectionRequest' });

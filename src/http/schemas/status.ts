/** Shapes of what the service tells about itself: status, readiness and metrics. */
import { z } from 'zod';
import { count, time } from './fields.ts';
import { projectionStatusSchema, projectionsState } from './projections.ts';

const role = z.enum(['all', 'api', 'worker']);
const reachability = z.enum(['reachable', 'unreachable']);

const timerStatusSchema = z.strictObject({
  name: z.string().meta({ examples: ['hold_expiry'] }),
  every_seconds: z.number().meta({ examples: [60] }),
  last_run_at: time.nullable(),
  last_error: z.string().nullable().describe('Why the last run did not do all that it should.'),
});

export const statusSchema = z
  .strictObject({
    version: z.string(),
    role,
    pid: z.int(),
    started_at: time,
    uptime_seconds: z.int(),
    memory_bytes: z.int(),
    event_store: z.strictObject({
      kind: z.string(),
      location: z.string(),
      events: count.nullable(),
      head_position: z.string().nullable(),
    }),
    read_models: z.strictObject({ kind: z.string(), location: z.string() }),
    projections: z.array(projectionStatusSchema),
    timers: z
      .array(timerStatusSchema)
      .describe('What this process does by the clock; none in the role api, and where it is switched off.'),
  })
  .meta({ id: 'Status' });

export type Status = z.output<typeof statusSchema>;

export const readinessSchema = z
  .strictObject({
    status: z.enum(['ready', 'degraded']),
    role,
    event_store: reachability,
    read_models: reachability,
    projections: projectionsState,
    dead_letters: count,
  })
  .meta({ id: 'Readiness' });

export type Readiness = z.output<typeof readinessSchema>;

export const metricsPageSchema = z
  .string()
  .meta({ description: 'Prometheus text format 0.0.4.', examples: ['openbank_http_requests_in_flight 1\n'] });

/** Shapes of what the routes of dead letters answer. */
import { z } from 'zod';
import { time } from './fields.ts';

export const deadLettersSchema = z
  .strictObject({
    items: z.array(
      z.strictObject({
        id: z.string(),
        projection: z.string(),
        document_key: z.string(),
        stream: z.string(),
        revision: z.int(),
        position: z.string(),
        event_id: z.string(),
        event_type: z.string(),
        cause: z.string(),
        attempts: z.int(),
        dead_since: time,
      }),
    ),
  })
  .meta({ id: 'DeadLetters' });

export const deadLetterRequestSchema = z
  .strictObject({
    action: z.enum(['retry', 'discard']),
    projections: z.array(z.string()).meta({ description: 'Whose dead letters are meant.' }),
  })
  .meta({ id: 'DeadLetterRequest' });

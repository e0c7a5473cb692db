/** The shape of what a step of an interest run answers. */
import { z } from 'zod';
import { count, EXAMPLE_IDS, uuid } from './fields.ts';

export const interestStepSchema = z
  .strictObject({
    period: z.string().meta({ examples: ['2025-01'] }),
    examined: count.meta({ examples: [50] }),
    postings: count.meta({ examples: [12] }),
    failures: z.array(z.strictObject({ account_id: uuid(EXAMPLE_IDS.account), code: z.string() })),
    next_cursor: z.string().optional().meta({ description: 'Absent when all accounts have been seen.' }),
  })
  .meta({ id: 'InterestStep' });

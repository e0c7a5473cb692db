/** The shape of a problem, and the problems of a route as the OpenAPI document lists them. */
import { z } from 'zod';
import { PROBLEM_CATALOG, type ProblemCode } from '../problem-catalog.ts';

export const problemSchema = z
  .looseObject({
    type: z.string().meta({ examples: ['/problems/insufficient_funds'] }),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.string().meta({ description: 'Stable; safe to switch on.', examples: ['insufficient_funds'] }),
    errors: z
      .array(
        z.strictObject({
          in: z.enum(['body', 'path', 'query']),
          pointer: z.string().meta({ description: 'JSON pointer.', examples: ['/amount'] }),
          code: z.string(),
          detail: z.string(),
        }),
      )
      .optional(),
  })
  .meta({
    id: 'Problem',
    description: 'RFC 9457 problem details; figures such as available_balance stand beside.',
  });

/** Documents problem codes, grouped by status: the description lists each code. */
export function problemResponses(codes: readonly ProblemCode[]): Record<number, z.ZodType> {
  const all = new Set<ProblemCode>([
    ...codes,
    'malformed_request',
    'event_unreadable',
    'archive_damaged',
    'internal_error',
  ]);
  const byStatus = Map.groupBy(all, (code) => PROBLEM_CATALOG[code].status);
  return Object.fromEntries([...byStatus].map(([status, group]) => [status, problemResponse(group)]));
}

function problemResponse(codes: readonly ProblemCode[]): z.ZodType {
  const description = codes.map((code) => `\`${code}\`: ${PROBLEM_CATALOG[code].meaning}`).join('\n\n');
  return problemSchema.clone().meta({ description });
}

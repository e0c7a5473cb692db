/** Shapes of what the API answers, for the OpenAPI document and for the tests that hold every answer to it. */
import { z } from 'zod';
import { addressFields } from '../application/commands/register-person.ts';
import {
  ACCOUNT_STATUSES,
  ACCOUNT_TYPES,
  FREEZE_SCOPES,
  HOLD_STATUSES,
  TRANSACTION_TYPES,
} from '../domain/bank-account.ts';

import { GENDERS } from '../domain/person.ts';
import { TRANSFER_STATUSES } from '../domain/transfer.ts';
import { PROBLEM_CATALOG, type ProblemCode } from './problem-catalog.ts';

/** Ids in examples; the served document replaces them with ids that exist. */
export const EXAMPLE_IDS = {
  person: '01990d2e-7c1b-7a52-9d5e-0c8f7f4b1a01',
  account: '01990d2e-7c1b-7a52-9d5e-0c8f7f4b1a02',
  transaction: '01990d2e-7c1b-7a52-9d5e-0c8f7f4b1a03',
  hold: '01990d2e-7c1b-7a52-9d5e-0c8f7f4b1a05',
  transfer: '01990d2e-7c1b-7a52-9d5e-0c8f7f4b1a06',
  other_account: '01990d2e-7c1b-7a52-9d5e-0c8f7f4b1a07',
} as const;

/** In the future, when it is served. */
export const EXAMPLE_EXPIRY = '2030-01-31T12:00:00.000Z';

const EXAMPLE_TIME = '2026-01-15T09:30:00.000Z';

const uuid = (example: string) => z.uuid().meta({ examples: [example] });
const money = (example: string) =>
  z.string().meta({ description: 'Decimal, all digits of the currency.', examples: [example] });
const time = z.iso.datetime().meta({ description: 'RFC 3339, UTC.', examples: [EXAMPLE_TIME] });
const revision = z
  .int()
  .min(0)
  .meta({ description: 'Stream revision; also the ETag.', examples: [1] });
const count = z.int().min(0);
const currency = z.string().meta({ description: 'ISO 4217.', examples: ['USD'] });

export const personSchema = z
  .strictObject({
    id: uuid(EXAMPLE_IDS.person),
    first_name: z.string().meta({ examples: ['Alice'] }),
    last_name: z.string().meta({ examples: ['Smith'] }),
    date_of_birth: z.iso.date().meta({ examples: ['1990-05-15'] }),
    nationality: z.string().meta({ examples: ['US'] }),
    gender: z.enum(GENDERS).meta({ examples: ['FEMALE'] }),
    address: addressFields.optional(),
    created_at: time,
    revision: revision.meta({ examples: [0] }),
  })
  .meta({ id: 'Person' });

const rate = (example: string) =>
  z
    .string()
    .nullable()
    .meta({ examples: [example] });

const accountFields = {
  id: uuid(EXAMPLE_IDS.account),
  owner_id: uuid(EXAMPLE_IDS.person),
  account_type: z.enum(ACCOUNT_TYPES),
  status: z.enum(ACCOUNT_STATUSES),
  frozen: z
    .enum(FREEZE_SCOPES)
    .nullable()
    .meta({ description: 'What a SUSPENDED account is frozen for.', examples: [null] }),
  currency,
  balance: money('1000.00'),
  available_balance: money('1500.00').describe(
    'What may be taken out: balance, less what is held, plus overdraft.',
  ),
  held: money('0.00'),
  overdraft_limit: money('500.00'),
  transaction_limit: money('1000.00').nullable().describe('The most that one debit of a customer may be.'),
  daily_limit: money('5000.00').nullable().describe('The most that customers may take out in a UTC day.'),
  revision,
};

export const accountStateSchema = z
  .strictObject(accountFields)
  .meta({ id: 'AccountState', description: 'An account right after a command, from its own stream.' });

export const accountSchema = z
  .strictObject({
    ...accountFields,
    credit_rate: rate('2.5000').describe('Percent a year on a balance above zero.'),
    overdraft_rate: rate('12.2500').describe('Percent a year on a balance below zero.'),
    monthly_fee: money('3.00').nullable(),
    owner: z.string().meta({ description: "The owner's name.", examples: ['Alice Smith'] }),
    transaction_count: count.meta({ examples: [1] }),
    total_credits: money('1000.00'),
    total_debits: money('0.00'),
    largest_transaction: money('1000.00'),
    last_transaction_at: time.nullable(),
    created_at: time,
    last_modified: time,
  })
  .meta({ id: 'Account' });

export const postingSchema = z
  .strictObject({
    transaction_id: uuid(EXAMPLE_IDS.transaction),
    account_id: uuid(EXAMPLE_IDS.account),
    from_account_id: uuid(EXAMPLE_IDS.account).optional(),
    to_account_id: uuid(EXAMPLE_IDS.account).optional(),
    transfer_id: uuid(EXAMPLE_IDS.transfer)
      .optional()
      .describe('The transfer that this posting is a part of.'),
    period: z
      .string()
      .optional()
      .meta({
        description: 'The month that the bank posted interest or its fee for.',
        examples: ['2026-01'],
      }),
    reverses_transaction_id: uuid(EXAMPLE_IDS.transaction)
      .optional()
      .describe('The posting that this one undoes.'),
    restores_transaction_id: uuid(EXAMPLE_IDS.transaction)
      .optional()
      .describe('The posting of which so much can be reversed again: its reversal was refunded.'),
    hold_id: uuid(EXAMPLE_IDS.hold).optional().describe('The hold that this posting captured.'),
    type: z.enum(TRANSACTION_TYPES),
    direction: z.enum(['CREDIT', 'DEBIT']),
    amount: money('1000.00'),
    currency,
    balance: money('1000.00').describe('The balance after this posting.'),
    description: z.string().meta({ examples: ['Initial deposit'] }),
    external_reference: z
      .string()
      .optional()
      .meta({ description: "The client's own name for it.", examples: ['invoice-4711/1'] }),
    metadata: z
      .record(z.string(), z.string())
      .optional()
      .meta({ description: "The client's own fields.", examples: [{ order: '4711' }] }),
    recorded_at: time,
    revision,
  })
  .meta({ id: 'Posting' });

export const statementSchema = z
  .strictObject({
    account: z.strictObject({
      id: uuid(EXAMPLE_IDS.account),
      account_type: z.enum(ACCOUNT_TYPES),
      currency,
    }),
    owner: z.strictObject({
      id: uuid(EXAMPLE_IDS.person),
      name: z.string().meta({ examples: ['Alice Smith'] }),
    }),
    period: z.strictObject({
      month: z.string().meta({ examples: ['2026-01'] }),
      from: time.meta({ examples: ['2026-01-01T00:00:00.000Z'] }),
      to: time.meta({ description: 'Exclusive.', examples: ['2026-02-01T00:00:00.000Z'] }),
      complete: z.boolean().describe('Whether the month is over; until then more may come.'),
    }),
    opening_balance: money('0.00'),
    total_credits: money('1000.00'),
    total_debits: money('0.00'),
    closing_balance: money('1000.00'),
    transactions: z
      .array(postingSchema)
      .describe('Oldest first; `balance` runs from the opening to the closing one.'),
  })
  .meta({ id: 'Statement' });

export const holdSchema = z
  .strictObject({
    id: uuid(EXAMPLE_IDS.hold),
    account_id: uuid(EXAMPLE_IDS.account),
    status: z
      .enum(HOLD_STATUSES)
      .describe('As it is at the time of asking: a hold expires at `expires_at`, recorded or not.'),
    amount: money('25.00'),
    currency,
    description: z.string().meta({ examples: ['Hotel deposit'] }),
    expires_at: time.nullable(),
    captured_amount: money('0.00'),
    released_amount: money('0.00'),
    transaction_id: uuid(EXAMPLE_IDS.transaction).nullable().describe('The posting of the capture.'),
    placed_at: time,
    closed_at: time.nullable().describe('When its end was recorded.'),
    revision: revision.describe("Of the account's stream, at the hold's last change."),
  })
  .meta({ id: 'Hold' });

const transferStepSchema = z.strictObject({
  status: z.enum(TRANSFER_STATUSES),
  at: time,
  transaction_id: uuid(EXAMPLE_IDS.transaction).optional().describe('The posting on the account.'),
  code: z.string().optional().describe('Why the account refused, machine-readable.'),
  detail: z.string().optional().describe('Why the account refused.'),
});

const reversedTransferSchema = z.strictObject({
  transfer_id: uuid(EXAMPLE_IDS.transfer),
  amount: money('25.00'),
  debit_transaction_id: uuid(EXAMPLE_IDS.transaction),
  credit_transaction_id: uuid(EXAMPLE_IDS.transaction),
  completed_at: time,
});

export const transferSchema = z
  .strictObject({
    id: uuid(EXAMPLE_IDS.transfer),
    from_account_id: uuid(EXAMPLE_IDS.account),
    to_account_id: uuid(EXAMPLE_IDS.other_account),
    amount: money('25.00'),
    currency,
    description: z.string().meta({ examples: ['Rent for March'] }),
    status: z
      .enum(TRANSFER_STATUSES)
      .describe(
        'COMPLETED, REJECTED (nothing was moved), REFUNDED and IN_SUSPENSE (the bank keeps it) are final.',
      ),
    steps: z.array(transferStepSchema).describe('Oldest first.'),
    reverses: reversedTransferSchema
      .optional()
      .describe('The transfer of which this one takes back all or a part.'),
    reversals: z
      .array(z.strictObject({ transfer_id: uuid(EXAMPLE_IDS.transfer), amount: money('25.00'), at: time }))
      .optional()
      .describe('The transfers that have taken this one back, oldest first.'),
    reversed_amount: money('25.00').optional().describe('What they have taken back together.'),
    requested_at: time,
    updated_at: time,
    revision,
  })
  .meta({ id: 'Transfer' });

export const holdSweepSchema = z
  .strictObject({
    examined: count.meta({ examples: [50] }),
    expired: count.meta({ examples: [2] }),
    next_cursor: z.string().optional().meta({ description: 'Absent when all open holds have been seen.' }),
  })
  .meta({ id: 'HoldSweep' });

export const interestStepSchema = z
  .strictObject({
    period: z.string().meta({ examples: ['2025-01'] }),
    examined: count.meta({ examples: [50] }),
    postings: count.meta({ examples: [12] }),
    failures: z.array(z.strictObject({ account_id: uuid(EXAMPLE_IDS.account), code: z.string() })),
    next_cursor: z.string().optional().meta({ description: 'Absent when all accounts have been seen.' }),
  })
  .meta({ id: 'InterestStep' });

export const ownerSummarySchema = z
  .strictObject({
    owner_id: uuid(EXAMPLE_IDS.person),
    total_accounts: count.meta({ examples: [1] }),
    active_accounts: count.meta({ examples: [1] }),
    closed_accounts: count.meta({ examples: [0] }),
    total_balance: z
      .record(z.string(), money('1000.00'))
      .meta({ description: 'By currency.', examples: [{ USD: '1000.00' }] }),
    last_activity: time.nullable(),
  })
  .meta({ id: 'OwnerSummary' });

export const eventSchema = z
  .strictObject({
    id: uuid('01990d2e-7c1b-7a52-9d5e-0c8f7f4b1a04'),
    type: z.string().meta({ examples: ['BankAccountTransactionRecordedDomainEventV1'] }),
    stream: z.string().meta({ examples: ['bank-account-01990d2e7c1b7a529d5e0c8f7f4b1a02'] }),
    revision,
    position: z.string().meta({ description: 'Place in the whole log; opaque.', examples: ['42'] }),
    recorded_at: time,
    data: z.record(z.string(), z.unknown()),
    metadata: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'Event' });

export const streamSchema = z
  .strictObject({
    stream: z.string().meta({ examples: ['bank-account-01990d2e7c1b7a529d5e0c8f7f4b1a02'] }),
    first_revision: count,
    last_revision: count,
    last_recorded_at: time,
  })
  .meta({ id: 'Stream' });

export function pageOf<T extends z.ZodType>(item: T, id: string) {
  return z
    .strictObject({
      items: z.array(item),
      next_cursor: z.string().optional().meta({ description: 'Absent on the last page.' }),
    })
    .meta({ id });
}

export const personPageSchema = pageOf(personSchema, 'PersonPage');
export const accountPageSchema = pageOf(accountSchema, 'AccountPage');
export const postingPageSchema = pageOf(postingSchema, 'PostingPage');
export const transferPageSchema = pageOf(transferSchema, 'TransferPage');
export const holdPageSchema = pageOf(holdSchema, 'HoldPage');
export const eventPageSchema = pageOf(eventSchema, 'EventPage');
export const streamPageSchema = pageOf(streamSchema, 'StreamPage');

export const snapshotTakenSchema = z
  .strictObject({
    account_id: uuid('01990d2e-7c1b-7a52-9d5e-0c8f7f4b1a02'),
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

const role = z.enum(['all', 'api', 'worker']);
const projectionsState = z
  .enum(['running', 'retrying', 'standby', 'unattended', 'stopped'])
  .meta({ description: '`standby`: other workers lead the projections. `unattended`: nobody does.' });
const reachability = z.enum(['reachable', 'unreachable']);

const rebuildSchema = z.strictObject({
  build: count,
  reason: z.enum(['requested', 'version_changed']),
  started_at: time,
  position: z.string(),
  percent: z.int().meta({ description: 'Of the log.' }),
  events_per_second: count,
  seconds_left: count.nullable().meta({ description: 'At this rate; null while it is not known.' }),
});

const projectionStatusSchema = z.strictObject({
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

const timerStatusSchema = z.strictObject({
  name: z.string().meta({ examples: ['hold_expiry'] }),
  every_seconds: z.number().meta({ examples: [60] }),
  last_run_at: time.nullable(),
  last_error: z.string().nullable().describe('Why the last run did not do all that it should.'),
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

/** If-Match as the OpenAPI document shows it; the value itself is checked where the command is built. */
export const guardHeaders = z.looseObject({
  'if-match': z
    .string()
    .optional()
    .meta({ description: 'The ETag that the client saw; another revision answers 412.' }),
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

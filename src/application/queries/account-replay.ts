/** Query that replays an account over the running bank: a page of its events, what each did, what broke, what rules say. */
import { z } from 'zod';
import { bankAccountStream } from '../../domain/bank-account.ts';
import { accept, reject } from '../../domain/decision.ts';
import { accountNotFound, type Bank } from '../bank.ts';
import { type Handler, query } from '../mediator.ts';
import { isRemarkable, replayAccount, type ShownStep } from '../replay/replay-account.ts';
import { ReplayPlaces } from '../replay/replay-places.ts';
import { accountIdFields } from './accounts.ts';
import { invalidCursor, pageFields, revisionOfCursor } from './paging.ts';
import { revisionNotFound, revisionNumber } from './point-in-time.ts';

/** Steps of the range that one request looks at; beyond it the page is as short as it is. */
const LOOKS_MAX = 20_000;

export const replayFields = z.strictObject({
  from: revisionNumber('First revision to show; what comes before is replayed all the same. Default: 0.'),
  to: revisionNumber('Last revision to show. Default: the newest.'),
  rules: z
    .enum(['current'])
    .optional()
    .meta({ description: "`current` asks today's rules about each event.", examples: ['current'] }),
  findings_only: z
    .enum(['true', 'false'])
    .default('false')
    .meta({
      description:
        "Only steps with a finding, or that today's rules differ on. A page may then be short, or empty.",
      examples: ['false'],
    }),
  ...pageFields,
});

export interface AccountReplay {
  readonly account_id: string;
  /** The first and the last revision of the whole range. */
  readonly from: number;
  readonly to: number;
  /** Oldest first. */
  readonly items: ShownStep[];
  readonly next_cursor?: string;
}

const replayInput = accountIdFields.extend(replayFields.shape);
type Input = z.output<typeof replayInput>;
type ReplayBank = Pick<Bank, 'events' | 'codec'>;

export const GetAccountReplay = query<AccountReplay>()('GetAccountReplay', replayInput);

/** Rejects with `account_not_found`, `revision_not_found`, `invalid_range` or `invalid_cursor`. */
export function getAccountReplayHandler(bank: ReplayBank): Handler<Input, AccountReplay> {
  const places = new ReplayPlaces();
  return async (input) => {
    const { id, from = 0 } = input;
    const newest = await newestRevision(bank, id);
    if (newest === undefined) return accountNotFound(id);
    const { to = newest } = input;
    if (from > newest) return revisionNotFound(newest, 'from');
    if (to > newest) return revisionNotFound(newest, 'to');
    if (from > to) return reject('invalid_range', 'The range ends before it begins.', { field: 'from' });
    const start = input.cursor === undefined ? from : revisionOfCursor(input.cursor, from, to);
    if (start === undefined) return invalidCursor();
    return accept({ account_id: id, from, to, ...(await pageOf(bank, places, input, start, to)) });
  };
}

/** From the stream itself: what stands there may be nothing that an account could be folded from. */
async function newestRevision({ events }: ReplayBank, id: string): Promise<number | undefined> {
  const newest = { direction: 'backwards', limit: 1, unreadable: 'handed_on' } as const;
  for await (const { revision } of events.readStream(bankAccountStream(id), newest)) return revision;
  return undefined;
}

/** What lies before a page counts for its state, and for what broke; mostly the page before it has been there. */
async function pageOf(
  { events: reader, codec }: ReplayBank,
  places: ReplayPlaces,
  { id, limit, rules, findings_only }: Input,
  start: number,
  to: number,
): Promise<Pick<AccountReplay, 'items' | 'next_cursor'>> {
  const items: ShownStep[] = [];
  let looks = 0;
  const request = { accountId: id, from: start, to, byTodaysRules: rules === 'current' };
  for await (const step of replayAccount({ reader, codec }, request, places)) {
    if (items.length === limit || looks === LOOKS_MAX) return { items, next_cursor: String(step.revision) };
    looks += 1;
    if (findings_only === 'false' || isRemarkable(step)) items.push(step);
  }
  return { items };
}

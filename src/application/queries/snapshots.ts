/** Query: the snapshots that are kept of an account, without what is in them. */
import { accept } from '../../domain/decision.ts';
import { accountNotFound, type Bank } from '../bank.ts';
import { type Handler, query } from '../mediator.ts';
import { accountIdFields } from './accounts.ts';

/** Null where the snapshot cannot be used and so does not tell. */
export interface SnapshotListing {
  /** The newest ones push older ones out; milestones are kept for good. */
  readonly kind: 'NEWEST' | 'MILESTONE';
  readonly revision: number | null;
  readonly taken_at: string | null;
  readonly usable: boolean;
  /** Why it cannot be used: `checksum`, `unreadable` or `version`. */
  readonly reason: string | null;
}

/** Milestones first, then the newest ones; each the oldest first. */
export interface SnapshotList {
  readonly items: readonly SnapshotListing[];
}

export const ListSnapshots = query<SnapshotList>()('ListSnapshots', accountIdFields);

export function listSnapshotsHandler({
  accounts,
  snapshots,
}: Pick<Bank, 'accounts' | 'snapshots'>): Handler<{ id: string }, SnapshotList> {
  return async ({ id }) => {
    if (!(await accounts.exists(id))) return accountNotFound(id);
    const kept = await snapshots.list(id);
    return accept({
      items: kept.map(({ milestone, read }) => ({
        kind: milestone ? 'MILESTONE' : 'NEWEST',
        revision: read.usable ? read.snapshot.revision : null,
        taken_at: read.usable ? read.takenAt : null,
        usable: read.usable,
        reason: read.usable ? null : read.reason,
      })),
    });
  };
}

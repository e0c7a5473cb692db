/** Command: takes a snapshot of an account now. It changes nothing but how fast the account is loaded. */
import { accept } from '../../domain/decision.ts';
import { accountNotFound, type Bank } from '../bank.ts';
import { command, type Handler } from '../mediator.ts';
import { accountIdFields } from '../queries/accounts.ts';

export interface SnapshotTaken {
  readonly account_id: string;
  /** Of the account, to which the snapshot leads. */
  readonly revision: number;
  /** False when there was one of this revision already. */
  readonly written: boolean;
}

export const TakeSnapshot = command<SnapshotTaken>()('TakeSnapshot', accountIdFields);

export function takeSnapshotHandler({
  accounts,
}: Pick<Bank, 'accounts'>): Handler<{ id: string }, SnapshotTaken> {
  return async ({ id }) => {
    const taken = await accounts.takeSnapshot(id);
    return taken ? accept({ account_id: id, ...taken }) : accountNotFound(id);
  };
}

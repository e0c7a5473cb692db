/** What the commands that begin a transfer share: it is driven while the client waits. */
import { StoreError } from '../../event-sourcing/store-error.ts';
import type { Bank } from '../bank.ts';
import type { RequestContext } from '../mediator.ts';
import type { DrivenTransfer } from '../transfer-process.ts';

/**
 * Drives a transfer that is on record, as far as the stores let it: it ends without the client if need be, so a failing
 * store does not undo it.
 * @param requested what became of the request; `replayed` when it was made before
 */
export function driveRequested(
  { transferProcess }: Pick<Bank, 'transferProcess'>,
  transferId: string,
  requested: DrivenTransfer & { readonly replayed?: true },
  trace: RequestContext,
): Promise<DrivenTransfer> {
  const driven = requested.replayed
    ? transferProcess.resume(transferId, trace)
    : transferProcess.begin(transferId, requested, trace);
  return driven.catch((error: unknown) => {
    if (error instanceof StoreError) return requested;
    throw error;
  });
}

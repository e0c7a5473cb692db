/** What the commands that begin a transfer share: it is driven while the client waits. */
import type { Operation } from '../../event-sourcing/operation-log.ts';
import { StoreError } from '../../event-sourcing/store-error.ts';
import type { Bank } from '../bank.ts';
import type { RequestContext } from '../mediator.ts';
import { type DrivenTransfer, transferType } from '../transfer-process.ts';

/**
 * Whether the operation that is asked for has begun its transfer. To be asked before accounts are looked at, and again
 * when they refuse: an earlier try, still on its way, may have put it on record and moved the money meanwhile.
 */
export async function isOnRecord(
  { transfers }: Pick<Bank, 'transfers'>,
  transferId: string,
  operation: Operation | undefined,
): Promise<boolean> {
  return operation !== undefined && (await transfers.exists(transferId));
}

/**
 * Drives a transfer that is on record, as far as the stores let it: it ends without the client if need be, so a failing
 * store does not undo it.
 * @param requested what became of the request; `replayed` when it was made before
 */
export function driveRequested(
  { transferProcess, events }: Pick<Bank, 'transferProcess' | 'events'>,
  transferId: string,
  requested: DrivenTransfer & { readonly replayed?: true },
  trace: RequestContext,
): Promise<DrivenTransfer> {
  const driving = requested.replayed
    ? transferProcess.resume(transferId, trace)
    : transferProcess.begin(transferId, requested, trace);
  const located = driving.then((driven) => withPosition(events, transferId, driven));
  return located.catch((error: unknown) => {
    if (error instanceof StoreError) return requested;
    throw error;
  });
}

/** Another driver may have written its end, and whoever reads at the token of this answer must see what the answer says. */
async function withPosition(
  events: Bank['events'],
  transferId: string,
  driven: DrivenTransfer,
): Promise<DrivenTransfer> {
  if (driven.position !== undefined) return driven;
  const stream = transferType.stream(transferId);
  for await (const { position } of events.readStream(stream, { from: driven.revision, limit: 1 })) {
    return { ...driven, position };
  }
  return driven;
}

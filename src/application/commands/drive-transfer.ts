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
  bank: Pick<Bank, 'transferProcess' | 'events'>,
  transferId: string,
  requested: DrivenTransfer & { readonly replayed?: true },
  trace: RequestContext,
): Promise<DrivenTransfer> {
  const driven = requested.replayed
    ? resumed(bank, transferId, trace)
    : bank.transferProcess.begin(transferId, requested, trace);
  return driven.catch((error: unknown) => {
    if (error instanceof StoreError) return requested;
    throw error;
  });
}

/** Where it stands now: whoever reads at the token of this answer must see what the answer says. */
async function resumed(
  { transferProcess, events }: Pick<Bank, 'transferProcess' | 'events'>,
  transferId: string,
  trace: RequestContext,
): Promise<DrivenTransfer> {
  const driven = await transferProcess.resume(transferId, trace);
  if (driven.position !== undefined) return driven;
  const stream = transferType.stream(transferId);
  for await (const { position } of events.readStream(stream, { from: driven.revision, limit: 1 })) {
    return { ...driven, position };
  }
  return driven;
}
